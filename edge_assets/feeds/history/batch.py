"""What every format becomes: events, quotes with the moment of each, results, and what was refused."""

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
"""What an aggregate may be of; the `book` of an aggregate quote indexes it."""
SHOWN_PER_REASON = 3
MAX_SHOWN_LENGTH = 200
"""Characters of what is there that are told of a refused part."""


class BookName(NamedTuple):
    """A book's key, The Odds API's where that has the book, and its title."""

    key: str
    title: str


class Refusal(NamedTuple):
    """Something that is not imported: where it stands, why, and what to do about it."""

    file: str
    reason: str
    detail: str
    remedy: str
    row: int | None = None
    field: str | None = None

    def __str__(self) -> str:
        """One line for a person."""
        row = "" if self.row is None else f", row {self.row}"
        column = "" if self.field is None else f", {self.field}"
        detail = self.detail if len(self.detail) <= MAX_SHOWN_LENGTH else f"{self.detail[:MAX_SHOWN_LENGTH]}..."
        return f"{self.file}{row}{column}: {self.reason} ({detail}); {self.remedy}"


@dataclass(slots=True)
class Refusals:
    """Refused parts counted by reason, with the first few of each reason told in full."""

    counts: Counter[str] = field(default_factory=Counter)
    shown: list[Refusal] = field(default_factory=list)

    def add(self, refusal: Refusal, n: int = 1) -> None:
        """Count `n` parts, of which `refusal` is the first."""
        self.counts[refusal.reason] += n
        if sum(other.reason == refusal.reason for other in self.shown) < SHOWN_PER_REASON:
            self.shown.append(refusal)

    def merge(self, others: Refusals) -> None:
        """Add another file's."""
        for refusal in others.shown:
            self.add(refusal, 0)
        self.counts += others.counts


class RefusedFileError(ValueError):
    """A file of which nothing can be used."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(str(refusal))
        self.refusal = refusal


@dataclass(frozen=True, slots=True)
class HistoryEvent:
    """An event as its source describes it.

    `key` is the source's own name for it and never that of another event. `start` is the one that was stated first;
    `moved_to` a later one and the moment it is known by. `start_assumed`: only the day is known.
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


@dataclass(frozen=True, slots=True, eq=False)
class TimedQuotes:
    """Quotes with the moment (n,) at which each was seen; `event` and `book` are indices into the batch's lists."""

    quotes: QuoteBatch
    observed_at: NDArray[np.int64]

    @classmethod
    def empty(cls) -> TimedQuotes:
        """None."""
        return cls(QuoteBatch.empty(), np.empty(0, np.int64))

    def take(self, index: NDArray[np.bool_] | NDArray[np.intp]) -> TimedQuotes:
        """The rows selected by a mask or an index array."""
        return TimedQuotes(self.quotes.take(index), self.observed_at[index])

    def of_events(self, keep: NDArray[np.bool_]) -> TimedQuotes:
        """The rows of the events that `keep` (n events,) selects, which then are numbered without the others."""
        event, *rest = self.quotes.columns()
        places = (np.cumsum(keep) - 1).astype(np.int32)
        return TimedQuotes(QuoteBatch(places[event], *rest), self.observed_at).take(keep[event])

    def __len__(self) -> int:
        return len(self.observed_at)


@dataclass(frozen=True, slots=True, eq=False)
class HistoryBatch:
    """A part of a file, of one sport.

    `names` is whose ids the events' keys are, `feed` who states prices and results. `looks` (k,) are the moments at
    which the source was looked at, whether something changed or not, and `listed` the events there were: pairs (look,
    event) as indices. Quotes hold changes only, a withdrawal (price NaN) among them.
    """

    feed: str
    names: str
    sport: str
    events: list[HistoryEvent]
    books: list[BookName]
    quotes: TimedQuotes
    rows: int
    time_assumed: bool = False
    aggregates: TimedQuotes = field(default_factory=TimedQuotes.empty)
    looks: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, np.int64))
    listed: tuple[NDArray[np.intp], NDArray[np.intp]] | None = None
    public_bets: list[PublicBets] = field(default_factory=list)

    def halves(self) -> tuple[HistoryBatch, HistoryBatch]:
        """The same in two, the first half of the events and the others; both have all looks."""
        n, middle = len(self.events), len(self.events) // 2
        return self._of(0, middle), self._of(middle, n)

    def of(self, keep: NDArray[np.bool_]) -> HistoryBatch:
        """The same with the events only that `keep` (n,) selects."""
        places = np.cumsum(keep) - 1
        looks, events = self.listed or (np.empty(0, np.intp), np.empty(0, np.intp))
        within = keep[events]
        return replace(
            self,
            events=[event for event, is_kept in zip(self.events, keep.tolist(), strict=True) if is_kept],
            quotes=self.quotes.of_events(keep),
            aggregates=self.aggregates.of_events(keep),
            listed=self.listed and (looks[within], places[events[within]]),
            public_bets=[b._replace(event=int(places[b.event])) for b in self.public_bets if keep[b.event]],
        )

    def looked_at(self, keep: NDArray[np.bool_]) -> HistoryBatch:
        """The same with the looks only that `keep` (k,) selects."""
        places = np.cumsum(keep) - 1
        looks, events = self.listed or (np.empty(0, np.intp), np.empty(0, np.intp))
        within = keep[looks]
        return replace(self, looks=self.looks[keep], listed=self.listed and (places[looks[within]], events[within]))

    def _of(self, begin: int, end: int) -> HistoryBatch:
        n = len(self.events)
        place = np.arange(n)
        return replace(self.of((begin <= place) & (place < end)), rows=self.rows * end // n - self.rows * begin // n)

    def moments(self) -> NDArray[np.int64]:
        """Every moment at which something was seen, sorted."""
        return np.unique(np.concatenate([self.quotes.observed_at, self.aggregates.observed_at, self.looks]))


class Reading(NamedTuple):
    """What a file holds, sport by sport, and what was refused of it."""

    batches: list[HistoryBatch]
    refused: Refusals
