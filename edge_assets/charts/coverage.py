"""The coverage of closing lines, by book and by season."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

CLOSED = "closed"


class ClosingCoverage(NamedTuple):
    """The number of expected closes and of books, and the percentage of each outcome: closed, or why not."""

    name: str
    books: int
    expected: int
    percent: dict[str, float]


def summarize_by_book(entries: Iterable[Mapping[str, Any]]) -> list[ClosingCoverage]:
    """Every book of `store.coverage.closing_coverage`, those with the most expected closes first."""
    return sorted(_summarize(entries, lambda e: e["book"]), key=lambda c: (-c.expected, c.name))


def summarize_by_season(entries: Iterable[Mapping[str, Any]]) -> list[ClosingCoverage]:
    """Every sport's seasons of `store.coverage.closing_coverage`, in its order."""
    return _summarize(entries, lambda e: f"{e['sport']} {e['season']}")


def _summarize(
    entries: Iterable[Mapping[str, Any]], name_of: Callable[[Mapping[str, Any]], str]
) -> list[ClosingCoverage]:
    books: Counter[str] = Counter()
    expected: Counter[str] = Counter()
    outcomes: dict[str, Counter[str]] = {}
    for entry in entries:
        name = name_of(entry)
        books[name] += 1
        expected[name] += entry["expected"]
        counts = outcomes.setdefault(name, Counter({CLOSED: 0}))
        counts.update({CLOSED: entry["closed"]} | {reason: part["closes"] for reason, part in entry["missing"].items()})
    return [
        ClosingCoverage(name, books[name], total, {outcome: 100 * n / total for outcome, n in outcomes[name].items()})
        for name, total in expected.items()
    ]
