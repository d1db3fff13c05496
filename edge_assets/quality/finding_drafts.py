"""What is held out when a group of prices fails a check: the group, or the whole import."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any, NamedTuple

from edge_assets.quality.check_failures import PriceGroup
from edge_assets.quality.checks import CHECK_DESCRIPTIONS, MAX_WRONG_COUNTS
from edge_assets.store.analytics.findings import FindingScope
from edge_assets.store.analytics.quarantine import BEST_PRICE_BOOK
from ml.quotes import Market

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

    from edge_assets.quality.check_failures import CheckFailure
    from edge_assets.store.analytics.findings import Suspected

AGGREGATE_KIND_BY_BOOK = {BEST_PRICE_BOOK: "max", BEST_PRICE_BOOK - 1: "avg"}
BOOK_BY_AGGREGATE_KIND = {kind: book for book, kind in AGGREGATE_KIND_BY_BOOK.items()}
CHECKS_WITH_REASON = ("orientation", "local_agreement", "best_price")
"""Checks whose finding must state why this source is the wrong one."""
MIN_FAILED_BOOKS = 2
"""One failing book is not evidence against its file."""


class FindingDraft(NamedTuple):
    """A finding before it is stored: its scope, the failed checks, the reason, and the evidence."""

    scope: FindingScope
    checks: list[str]
    reason: str
    evidence: dict[str, Any]
    blocks: bool = False


class CheckedSeason(NamedTuple):
    """The season of a sport that is checked (None: all seasons), with the feed that polls it."""

    sport_id: int
    season: int | None
    feed: str | None


def draft_findings(
    checked: CheckedSeason,
    failures: Iterable[CheckFailure],
    checked_books: Mapping[int, Collection[int]],
    suspected: Mapping[int, Collection[int]],
    book_keys: Mapping[int, str],
) -> Iterator[FindingDraft]:
    """The findings to store: each failed group or, if half of an import's books failed, the import.

    `checked_books` are the books of each import (0: the feed) with enough cases, `suspected` those with findings
    already. A feed cannot be held out from a known point on, so it is blocked.
    """
    by_import: dict[int, list[CheckFailure]] = defaultdict(list)
    for failure in failures:
        by_import[failure.group.import_id].append(failure)
    for import_id, import_failures in by_import.items():
        failed = {s.group.book for s in import_failures if s.group.book >= 0}
        wrong, known = failed | {*suspected.get(import_id, ())}, {*checked_books.get(import_id, ())}
        if failed and len(wrong) >= MIN_FAILED_BOOKS and 2 * len(wrong) >= len(known | wrong):
            yield _draft_for_import(checked, import_id, import_failures, len(wrong), len(known | wrong), book_keys)
        else:
            yield from _draft_for_groups(checked, import_failures, book_keys)


def is_about_group(finding: Suspected, group: PriceGroup) -> bool:
    """Whether a finding is on the prices of a group, of any import."""
    book = finding.book_id if finding.kind is None else BOOK_BY_AGGREGATE_KIND.get(finding.kind)
    return book in {None, group.book} and finding.market_id in {None, int(group.market)}


def group_of(finding: Suspected) -> PriceGroup | None:
    """The group that a finding holds out, if its checks count cases."""
    book = finding.book_id if finding.kind is None else BOOK_BY_AGGREGATE_KIND.get(finding.kind)
    if book is None or finding.market_id is None or finding.import_id is None:
        return None
    if not MAX_WRONG_COUNTS.keys() >= {*finding.checks}:
        return None
    return PriceGroup(book, Market(finding.market_id), finding.import_id)


def describe_too_few(checked: CheckedSeason, group: PriceGroup, events: int, because: Suspected) -> FindingDraft:
    """A finding on a group too small to check, of a book that has a finding: it stays out until it can be checked."""
    reason = f"{events} events are too few to check it, and finding {because.id} concerns the same prices"
    return FindingDraft(_group_scope(checked, group), because.checks, reason, {"events": events, "finding": because.id})


def _draft_for_import(
    checked: CheckedSeason,
    import_id: int,
    failures: list[CheckFailure],
    wrong: int,
    known: int,
    book_keys: Mapping[int, str],
) -> FindingDraft:
    scope = (
        FindingScope(import_id=import_id) if import_id else FindingScope(checked.sport_id, checked.season, checked.feed)
    )
    reason = f"{wrong} of {known} books fail: {_format_reason(failures)}"
    return FindingDraft(
        scope, _failed_checks(failures), reason, _build_evidence(failures, book_keys), blocks=not import_id
    )


def _draft_for_groups(
    checked: CheckedSeason, failures: list[CheckFailure], book_keys: Mapping[int, str]
) -> Iterator[FindingDraft]:
    by_group: dict[PriceGroup, list[CheckFailure]] = defaultdict(list)
    for failure in failures:
        by_group[failure.group].append(failure)
    for group, group_failures in by_group.items():
        yield FindingDraft(
            _group_scope(checked, group),
            _failed_checks(group_failures),
            _format_reason(group_failures),
            _build_evidence(group_failures, book_keys),
        )


def _group_scope(checked: CheckedSeason, group: PriceGroup) -> FindingScope:
    return FindingScope(
        checked.sport_id,
        checked.season,
        None if group.import_id else checked.feed,
        group.import_id or None,
        group.book if group.book >= 0 else None,
        AGGREGATE_KIND_BY_BOOK.get(group.book),
        int(group.market),
    )


def _failed_checks(failures: list[CheckFailure]) -> list[str]:
    return sorted({s.check for s in failures})


def _format_reason(failures: list[CheckFailure]) -> str:
    worst = {s.check: s for s in sorted(failures, key=lambda s: s.wrong_ratio)}
    return "; ".join(
        f"{check}: {_format_failure(s)} (expected: {CHECK_DESCRIPTIONS[check]})" for check, s in sorted(worst.items())
    )


def _format_failure(s: CheckFailure) -> str:
    if s.check == "blind_betting":
        return f"{s.cases:,} bets returned {s.wrong_ratio:+.1%}"
    if s.check == "results_order":
        return f"over {s.cases:,} results, {s.examples[0]['reason']}"
    why = f", {s.examples[0]['reason']}" if s.check in CHECKS_WITH_REASON and s.examples else ""
    return f"{s.wrong_ratio:.1%} of {s.cases:,} are wrong{why}"


def _build_evidence(failures: list[CheckFailure], book_keys: Mapping[int, str]) -> dict[str, Any]:
    return {
        "failed": [
            {
                "check": s.check,
                "book": book_keys.get(s.group.book, AGGREGATE_KIND_BY_BOOK.get(s.group.book)),
                "market": s.group.market.key,
                "cases": s.cases,
                "wrong": s.wrong_ratio,
                "examples": s.examples,
            }
            for s in failures
        ]
    }
