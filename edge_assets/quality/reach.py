"""How far a suspicion reaches: what is held out, as a whole, when a group of prices fails a check."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any, NamedTuple

from edge_assets.quality.checks import CHECK_DESCRIPTIONS, MAX_WRONG_COUNTS
from edge_assets.quality.suspicions import PriceGroup
from edge_assets.store.analytics.findings import FindingScope
from edge_assets.store.analytics.quarantine import BEST_PRICE_BOOK
from ml.quotes import Market

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

    from edge_assets.quality.suspicions import CheckFailure
    from edge_assets.store.analytics.findings import Suspected

AGGREGATE_KIND_BY_SELLER = {BEST_PRICE_BOOK: "max", BEST_PRICE_BOOK - 1: "avg"}
SELLER_KINDS = {kind: seller for seller, kind in AGGREGATE_KIND_BY_SELLER.items()}
CHECKS_WITH_REASON = ("orientation", "best_price")
"""Checks in which it has to be said why it is this source that is wrong."""
MIN_FAILED_BOOKS = 2
"""Books; one alone says nothing of its file."""


class FindingDraft(NamedTuple):
    """What a finding is about to say: its scope, the checks that failed, why, and the evidence."""

    scope: FindingScope
    checks: list[str]
    reason: str
    evidence: dict[str, Any]
    blocks: bool = False


class CheckedSeason(NamedTuple):
    """Where prices are looked at: a season of a sport (None: all of them), with the feed that polls it."""

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
    """What is to be held out: each group that failed or, where half of an import's books did, the import.

    `checked_books` are those that each import (0: the feed) told of, `suspected` those on which there are findings
    already. Of a feed it is not known how far that goes, so it is blocked.
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
    """Whether a finding is on the prices of a group, of whatever import."""
    seller = finding.book_id if finding.kind is None else SELLER_KINDS.get(finding.kind)
    return seller in {None, group.book} and finding.market_id in {None, int(group.market)}


def group_of(finding: Suspected) -> PriceGroup | None:
    """The group that a finding reaches, if it is one that was found by its prices, case by case."""
    seller = finding.book_id if finding.kind is None else SELLER_KINDS.get(finding.kind)
    if seller is None or finding.market_id is None or finding.import_id is None:
        return None
    if not MAX_WRONG_COUNTS.keys() >= {*finding.checks}:
        return None
    return PriceGroup(seller, Market(finding.market_id), finding.import_id)


def describe_too_few(place: CheckedSeason, group: PriceGroup, events: int, because: Suspected) -> FindingDraft:
    """What cannot be judged, of a book on which there is a finding: it stays out until there is enough of it."""
    reason = f"{events} events are too few to judge it by, and finding {because.id} is on the same prices"
    return FindingDraft(_group_scope(place, group), because.checks, reason, {"events": events, "finding": because.id})


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


def _group_scope(place: CheckedSeason, group: PriceGroup) -> FindingScope:
    return FindingScope(
        place.sport_id,
        place.season,
        None if group.import_id else place.feed,
        group.import_id or None,
        group.book if group.book >= 0 else None,
        AGGREGATE_KIND_BY_SELLER.get(group.book),
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
        return f"{s.cases:,} bets made {s.wrong_ratio:+.1%}"
    if s.check == "results_order":
        return f"by {s.cases:,} results {s.examples[0]['reason']}"
    why = f", {s.examples[0]['reason']}" if s.check in CHECKS_WITH_REASON and s.examples else ""
    return f"{s.wrong_ratio:.1%} of {s.cases:,} are wrong{why}"


def _build_evidence(failures: list[CheckFailure], book_keys: Mapping[int, str]) -> dict[str, Any]:
    return {
        "failed": [
            {
                "check": s.check,
                "book": book_keys.get(s.group.book, AGGREGATE_KIND_BY_SELLER.get(s.group.book)),
                "market": s.group.market.key,
                "cases": s.cases,
                "wrong": s.wrong_ratio,
                "examples": s.examples,
            }
            for s in failures
        ]
    }
