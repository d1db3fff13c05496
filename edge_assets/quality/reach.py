"""How far a suspicion reaches: what is held out, as a whole, when a group of prices fails a check."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any, NamedTuple

from edge_assets.quality.checks import CHECKS, MOST
from edge_assets.quality.suspicions import Group
from edge_assets.store.findings import Scope
from edge_assets.store.quarantine import BEST
from ml.quotes import Market

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

    from edge_assets.quality.suspicions import Suspicion
    from edge_assets.store.findings import Suspected

KINDS = {BEST: "max", BEST - 1: "avg"}
SELLERS = {kind: seller for seller, kind in KINDS.items()}
TELL_WHY = ("orientation", "best_price")
"""Checks in which it has to be said why it is this source that is wrong."""
FEW = 2
"""Books; one alone says nothing of its file."""


class Reached(NamedTuple):
    """What a finding is about to say: its scope, the checks that failed, why, and the evidence."""

    scope: Scope
    checks: list[str]
    reason: str
    evidence: dict[str, Any]
    blocks: bool = False


class Place(NamedTuple):
    """Where prices are looked at: a season of a sport (None: all of them), with the feed that polls it."""

    sport_id: int
    season: int | None
    feed: str | None


def reached(
    place: Place,
    suspicions: Iterable[Suspicion],
    books: Mapping[int, Collection[int]],
    suspected: Mapping[int, Collection[int]],
    names: Mapping[int, str],
) -> Iterator[Reached]:
    """What is to be held out: each group that failed or, where half of an import's books did, the import.

    `books` are those that each import (0: the feed) told of, `suspected` those on which there are findings already. Of
    a feed it is not known how far that goes, so it is blocked.
    """
    by_import: dict[int, list[Suspicion]] = defaultdict(list)
    for suspicion in suspicions:
        by_import[suspicion.group.import_id].append(suspicion)
    for import_id, found in by_import.items():
        failed = {s.group.book for s in found if s.group.book >= 0}
        wrong, known = failed | {*suspected.get(import_id, ())}, {*books.get(import_id, ())}
        if failed and len(wrong) >= FEW and 2 * len(wrong) >= len(known | wrong):
            yield _whole(place, import_id, found, len(wrong), len(known | wrong), names)
        else:
            yield from _groups(place, found, names)


def is_of(finding: Suspected, group: Group) -> bool:
    """Whether a finding is on the prices of a group, of whatever import."""
    seller = finding.book_id if finding.kind is None else SELLERS.get(finding.kind)
    return seller in {None, group.book} and finding.market_id in {None, int(group.market)}


def group_of(finding: Suspected) -> Group | None:
    """The group that a finding reaches, if it is one that was found by its prices, case by case."""
    seller = finding.book_id if finding.kind is None else SELLERS.get(finding.kind)
    if seller is None or finding.market_id is None or finding.import_id is None:
        return None
    if not MOST.keys() >= {*finding.checks}:
        return None
    return Group(seller, Market(finding.market_id), finding.import_id)


def too_few(place: Place, group: Group, events: int, because: Suspected) -> Reached:
    """What cannot be judged, of a book on which there is a finding: it stays out until there is enough of it."""
    reason = f"{events} events are too few to judge it by, and finding {because.id} is on the same prices"
    return Reached(_scope(place, group), because.checks, reason, {"events": events, "finding": because.id})


def _whole(
    place: Place, import_id: int, found: list[Suspicion], wrong: int, known: int, names: Mapping[int, str]
) -> Reached:
    scope = Scope(import_id=import_id) if import_id else Scope(place.sport_id, place.season, place.feed)
    reason = f"{wrong} of {known} books fail: {_reason(found)}"
    return Reached(scope, _checks(found), reason, _evidence(found, names), blocks=not import_id)


def _groups(place: Place, found: list[Suspicion], names: Mapping[int, str]) -> Iterator[Reached]:
    by_group: dict[Group, list[Suspicion]] = defaultdict(list)
    for suspicion in found:
        by_group[suspicion.group].append(suspicion)
    for group, some in by_group.items():
        yield Reached(_scope(place, group), _checks(some), _reason(some), _evidence(some, names))


def _scope(place: Place, group: Group) -> Scope:
    return Scope(
        place.sport_id,
        place.season,
        None if group.import_id else place.feed,
        group.import_id or None,
        group.book if group.book >= 0 else None,
        KINDS.get(group.book),
        int(group.market),
    )


def _checks(found: list[Suspicion]) -> list[str]:
    return sorted({s.check for s in found})


def _reason(found: list[Suspicion]) -> str:
    worst = {s.check: s for s in sorted(found, key=lambda s: s.wrong)}
    return "; ".join(f"{check}: {_figure(s)} (expected: {CHECKS[check]})" for check, s in sorted(worst.items()))


def _figure(s: Suspicion) -> str:
    if s.check == "blind_betting":
        return f"{s.cases:,} bets made {s.wrong:+.1%}"
    if s.check == "results_order":
        return f"by {s.cases:,} results {s.examples[0]['reason']}"
    why = f", {s.examples[0]['reason']}" if s.check in TELL_WHY and s.examples else ""
    return f"{s.wrong:.1%} of {s.cases:,} are wrong{why}"


def _evidence(found: list[Suspicion], names: Mapping[int, str]) -> dict[str, Any]:
    return {
        "failed": [
            {
                "check": s.check,
                "book": names.get(s.group.book, KINDS.get(s.group.book)),
                "market": s.group.market.key,
                "cases": s.cases,
                "wrong": s.wrong,
                "examples": s.examples,
            }
            for s in found
        ]
    }
