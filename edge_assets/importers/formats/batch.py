"""The result of every format's reader: events, timed quotes, results, and rejections."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ml.quotes import QuoteBatch

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ml.quotes import Micros
    from ml.settlement import GameReport

AGGREGATE_KINDS = ("max", "avg", "opening")
"""Kinds of aggregates over books; the `book` of an aggregate quote is an index into it."""
MAX_SHOWN_PER_REASON = 3
MAX_DETAIL_LENGTH = 200
"""Characters of the detail shown for a rejected part."""


class ImportedBook(NamedTuple):
    """A book's key (The Odds API's, if it has the book) and title."""

    key: str
    title: str


class Rejection(NamedTuple):
    """A part that is not imported: where it is, why, and what to do about it."""

    file: str
    reason: str
    detail: str
    remedy: str
    row: int | None = None
    field: str | None = None

    def __str__(self) -> str:
        """One line for people."""
        row = "" if self.row is None else f", row {self.row}"
        column = "" if self.field is None else f", {self.field}"
        detail = self.detail if len(self.detail) <= MAX_DETAIL_LENGTH else f"{self.detail[:MAX_DETAIL_LENGTH]}..."
        return f"{self.file}{row}{column}: {self.reason} ({detail}); {self.remedy}"


@dataclass(slots=True)
class Rejections:
    """Counts of rejected parts by reason, with the first few of each as examples."""

    counts: Counter[str] = field(default_factory=Counter)
    examples: list[Rejection] = field(default_factory=list)

    def add(self, rejection: Rejection, n: int = 1) -> None:
        """Count `n` parts; `rejection` is the first of them."""
        self.counts[rejection.reason] += n
        if sum(other.reason == rejection.reason for other in self.examples) < MAX_SHOWN_PER_REASON:
            self.examples.append(rejection)

    def merge(self, others: Rejections) -> None:
        """Add those of another file."""
        for rejection in others.examples:
            self.add(rejection, 0)
        self.counts += others.counts


class RejectedFileError(ValueError):
    """A file that cannot be used at all."""

    def __init__(self, rejection: Rejection) -> None:
        super().__init__(str(rejection))
        self.rejection = rejection


@dataclass(frozen=True, slots=True)
class ParsedEvent:
    """An event as its source describes it.

    `key` is the source's unique key. `start` is the first stated one; `moved_to` is a later statement and the time from
    which it is known. `start_assumed`: only the day is known.
    """

    key: str
    home: str
    away: str
    start: Micros
    start_assumed: bool = False
    moved_to: tuple[Micros, Micros] | None = None
    report: GameReport | None = None
    reported_at: Micros = 0


class PublicBets(NamedTuple):
    """The share of the public's bets on an outcome; `event` is an index."""

    event: int
    market: int
    outcome: int
    share: float
    observed_at: Micros


class StatedStatistics(NamedTuple):
    """Counts (n,) of both sides in games with a result; `event` is an index, `statistic` the number of `Statistic`."""

    event: NDArray[np.int32]
    statistic: NDArray[np.int16]
    home: NDArray[np.int16]
    away: NDArray[np.int16]

    @classmethod
    def empty(cls) -> StatedStatistics:
        """No statistics."""
        return cls(np.empty(0, np.int32), *(np.empty(0, np.int16) for _ in range(3)))

    def select_events(self, keep: NDArray[np.bool_]) -> StatedStatistics:
        """Those of the events that `keep` (n events,) selects, with events renumbered."""
        places, rows = (np.cumsum(keep) - 1).astype(np.int32), keep[self.event]
        return StatedStatistics(places[self.event[rows]], *(column[rows] for column in self[1:]))


@dataclass(frozen=True, slots=True, eq=False)
class TimedQuotes:
    """Quotes with the time (n,) at which each was seen; `event` and `book` are indices into the batch's lists."""

    quotes: QuoteBatch
    observed_at: NDArray[np.int64]

    @classmethod
    def empty(cls) -> TimedQuotes:
        """No quotes."""
        return cls(QuoteBatch.empty(), np.empty(0, np.int64))

    def take(self, index: NDArray[np.bool_] | NDArray[np.intp]) -> TimedQuotes:
        """The rows selected by a mask or an index array."""
        return TimedQuotes(self.quotes.take(index), self.observed_at[index])

    def slice_events(self, keep: NDArray[np.bool_]) -> TimedQuotes:
        """The rows of the events that `keep` (n events,) selects, with events renumbered."""
        event, *rest = self.quotes.columns()
        places = (np.cumsum(keep) - 1).astype(np.int32)
        return TimedQuotes(QuoteBatch(places[event], *rest), self.observed_at).take(keep[event])

    def __len__(self) -> int:
        return len(self.observed_at)


@dataclass(frozen=True, slots=True, eq=False)
class ParsedBatch:
    """The content of a file for one sport.

    `key_source` is the source of the events' keys, `feed` that of prices and results. `poll_times` (k,) are the times
    of all polls, with or without changes, and `listed` the events they listed: pairs (poll, event) of indices. Quotes
    are changes only, including withdrawals (price NaN).
    """

    feed: str
    key_source: str
    sport: str
    events: list[ParsedEvent]
    books: list[ImportedBook]
    quotes: TimedQuotes
    rows: int
    time_assumed: bool = False
    aggregates: TimedQuotes = field(default_factory=TimedQuotes.empty)
    poll_times: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, np.int64))
    listed: tuple[NDArray[np.intp], NDArray[np.intp]] | None = None
    public_bets: list[PublicBets] = field(default_factory=list)
    statistics: StatedStatistics = field(default_factory=StatedStatistics.empty)

    def split_in_half(self) -> tuple[ParsedBatch, ParsedBatch]:
        """Split into the first half of the events and the rest; both have all polls."""
        n, middle = len(self.events), len(self.events) // 2
        return self._slice_events(0, middle), self._slice_events(middle, n)

    def select_events(self, keep: NDArray[np.bool_]) -> ParsedBatch:
        """Only the events that `keep` (n,) selects."""
        places = np.cumsum(keep) - 1
        polls, events = self.listed or (np.empty(0, np.intp), np.empty(0, np.intp))
        within = keep[events]
        return replace(
            self,
            events=[event for event, is_kept in zip(self.events, keep.tolist(), strict=True) if is_kept],
            quotes=self.quotes.slice_events(keep),
            aggregates=self.aggregates.slice_events(keep),
            listed=self.listed and (polls[within], places[events[within]]),
            public_bets=[b._replace(event=int(places[b.event])) for b in self.public_bets if keep[b.event]],
            statistics=self.statistics.select_events(keep),
        )

    def select_polls(self, keep: NDArray[np.bool_]) -> ParsedBatch:
        """Only the polls that `keep` (k,) selects."""
        places = np.cumsum(keep) - 1
        polls, events = self.listed or (np.empty(0, np.intp), np.empty(0, np.intp))
        within = keep[polls]
        return replace(
            self,
            poll_times=self.poll_times[keep],
            listed=self.listed and (places[polls[within]], events[within]),
        )

    def _slice_events(self, begin: int, end: int) -> ParsedBatch:
        n = len(self.events)
        place = np.arange(n)
        return replace(
            self.select_events((begin <= place) & (place < end)), rows=self.rows * end // n - self.rows * begin // n
        )

    def observation_times(self) -> NDArray[np.int64]:
        """Every time at which something was seen, sorted."""
        return np.unique(np.concatenate([self.quotes.observed_at, self.aggregates.observed_at, self.poll_times]))


class ParseResult(NamedTuple):
    """The content of a file by sport, and its rejected parts."""

    batches: list[ParsedBatch]
    rejections: Rejections
