"""The NFL season of 2025 as boards, and what became of outlying prices."""

from __future__ import annotations

import csv
import lzma
from bisect import bisect_left
from collections import defaultdict
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ml.market.devig import DevigMethod, devig
from tests.ml.market.palpable_boards import LEAST_EDGE, Boards, candidates

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

    from tests.ml.market.palpable_boards import Candidates

    Array = NDArray[np.float64]

CLONE = "lowvig"
BRIEF = 3
"""Polls, twenty minutes apart, within which an error is put right."""
BACK, STOOD = 1 / 2, 1 / 4
"""Shares of the book's own move: it is back within the first, the others have moved less than the second."""


class TickSegment(NamedTuple):
    """A price that a book showed in one column of a line, from one poll until before another."""

    book: str
    column: int
    price: float
    since: int
    until: int


class Fate(StrEnum):
    """What the book's price did before and after, with the others as the measure of the market.

    The rule knows nothing of how far the price is from the others, of their spread, of booksums or slips; only that
    it is a candidate at all rests on the distance.
    """

    REVERTED = "reverted"
    """The book moved alone and went back within an hour: out by at least twice what it kept, and by four times what
    the others' median moved meanwhile. It need not be an error that a book would void."""
    OTHER = "other"
    """The market left the book behind, or came after it, or the book stayed."""
    UNKNOWN = "unknown"
    """The line has no earlier or no later price of the book before the start."""


@dataclass(frozen=True, slots=True, eq=False)
class Ticks:
    """Boards before the start, one whenever something changes; `line` (L,) numbers the lines, `poll` (L,) the polls.

    The boards of a line are next to each other, by time.
    """

    boards: Boards
    line: NDArray[np.intp]
    poll: NDArray[np.intp]
    start: NDArray[np.str_]
    """When the event of each board was to start (L,)."""

    def starting(self, since: str = "", until: str = "9") -> Ticks:
        """Those of a part of the season."""
        part = (self.start >= since) & (self.start < until)
        return Ticks(self.boards.take(part), self.line[part], self.poll[part], self.start[part])

    def standing_out(self, least_edge: float = LEAST_EDGE) -> Candidates:
        """Candidates, each price at the first board on which it is one: there an alert would open."""
        found = candidates(self.boards, least_edge)
        price = self.boards.price[found.line, found.book, found.outcome]
        cells = np.stack([self.line[found.line], found.book, found.outcome, price])
        return found.take(np.sort(np.unique(cells, axis=1, return_index=True)[1]))

    def fates(self, found: Candidates) -> list[Fate]:
        """What became of each candidate."""
        return [self._fate(row, book) for row, book in zip(found.line.tolist(), found.book.tolist(), strict=True)]

    def _fate(self, row: int, book: int) -> Fate:
        here = np.flatnonzero(self.line == self.line[row])
        mine = self.boards.price[here, book]
        i = int(np.searchsorted(here, row))
        first, last = i, i
        while first > 0 and np.array_equal(mine[first - 1], mine[i]):
            first -= 1
        while last + 1 < len(here) and np.array_equal(mine[last + 1], mine[i]):
            last += 1
        if first == 0 or last + 1 == len(here):
            return Fate.UNKNOWN
        own, others = self._log_odds(here[[first - 1, i, last + 1]], book)
        move = abs(own[1] - own[0])
        if np.isnan(own + others).any():
            return Fate.UNKNOWN
        brief = self.poll[here[last + 1]] - self.poll[here[first]] <= BRIEF
        back = abs(own[2] - own[0]) <= BACK * move and abs(others[2] - others[0]) <= STOOD * move
        return Fate.REVERTED if brief and back else Fate.OTHER

    def _log_odds(self, rows: NDArray[np.intp], book: int) -> tuple[Array, Array]:
        """The first outcome's fair log-odds by the book, and the median by the others (rows,)."""
        p = devig(self.boards.price[rows], DevigMethod.MULTIPLICATIVE).probabilities[..., 0]
        log_odds = np.log(p / (1 - p))
        others = self.boards.pool[rows].copy()
        others[:, book] = False
        medians = [
            np.median(each[there]) if there.any() else np.nan for each, there in zip(log_odds, others, strict=True)
        ]
        return log_odds[:, book], np.array(medians)


def read_ticks(folder: Path) -> Ticks:
    """Every line before its event's first announced start."""
    with (folder / "nfl_events.csv").open() as file:
        events = {row["event_id"]: row for row in csv.DictReader(file)}
    with (folder / "nfl_snapshots.csv").open() as file:
        seen = sorted(row["snapshot_utc"] for row in csv.DictReader(file))
    poll = {at: i for i, at in enumerate(seen)}
    starts = {event: bisect_left(seen, row["commence_first"]) for event, row in events.items()}
    lines: dict[tuple[str, str, float], list[TickSegment]] = defaultdict(list)
    for event, book, market, outcome, written, price, first, last, *_ in _segments(folder / "nfl_segments.csv.xz"):
        if poll[first] < starts[event]:
            second = outcome not in {"Over", events[event]["home_team"]}
            point = float(written or 0)
            key = event, market, 0.0 - point if second and market == "spreads" else point
            until = min(poll[last] + 1, starts[event])
            lines[key].append(TickSegment(book, int(second), _decimal(float(price)), poll[first], until))
    books = sorted({segment.book for segments in lines.values() for segment in segments})
    parts = [_boards(segments, books) for segments in lines.values()]
    line = np.repeat(np.arange(len(parts)), [len(times) for times, _ in parts])
    return Ticks(
        Boards.clean(np.concatenate([prices for _, prices in parts]), [books.index(CLONE)]),
        line,
        np.concatenate([times for times, _ in parts]),
        np.array([events[event]["commence_first"] for event, *_ in lines])[line],
    )


def _segments(path: Path) -> Iterator[list[str]]:
    with lzma.open(path, "rt") as file:
        rows = csv.reader(file)
        next(rows)
        yield from rows


def _boards(segments: list[TickSegment], books: list[str]) -> tuple[NDArray[np.intp], Array]:
    """The polls at which a line changes, and its prices from then on."""
    last = max(segment.until for segment in segments)
    times = sorted({at for segment in segments for at in (segment.since, segment.until)} - {last})
    price = np.full((len(times), len(books), 2), np.nan)
    for book, column, value, since, until in segments:
        price[bisect_left(times, since) : bisect_left(times, until), books.index(book), column] = value
    return np.array(times, np.intp), price


def _decimal(american: float) -> float:
    return 1 + (american / 100 if american > 0 else -100 / american)
