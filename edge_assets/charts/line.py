"""How the price of one selection went, book by book."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from edge_assets.books import known_book
from edge_assets.charts.choice import NothingToShowError, Wish, choose, label, named, sides
from edge_assets.clock import micros
from edge_assets.store import lines as store
from ml.market import DevigMethod, devig

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime

    from numpy.typing import NDArray
    from psycopg import Connection

    from edge_assets.store.lines import Event, LineTicks, Selection

    Times = NDArray[np.datetime64]
    Values = NDArray[np.float64]

LEADERS = 8
"""More colours than this nobody tells apart."""
MOST_POINTS = 8
NEAR = 0.05
"""Of a chart's width: marks so near would cover each other."""


class Series(NamedTuple):
    """A book's values, each from its moment (UTC, microseconds) to the next; NaN: withdrawn, or a side is missing."""

    book: str
    at: Times
    value: Values

    def summary(self) -> Summary:
        """First, lowest, highest and last value, and how often it changed."""
        seen = self.value[~np.isnan(self.value)]
        changes = sum(a != b for a, b in pairwise(np.nan_to_num(self.value).tolist()))
        return Summary(float(seen[0]), float(seen.min()), float(seen.max()), float(self.value[-1]), changes)


class Summary(NamedTuple):
    """A series in five numbers; `last` NaN where it was withdrawn."""

    first: float
    low: float
    high: float
    last: float
    changes: int


@dataclass(frozen=True, slots=True)
class Line:
    """A selection's values by book, those that weigh most in the consensus first; known to stand until `ends_at`.

    `is_time_assumed`: the source of some ticks states no times, and the import gave them some.
    """

    event: Event
    selection: Selection
    is_fair: bool
    series: Sequence[Series]
    ends_at: datetime
    is_time_assumed: bool
    others: Sequence[Selection]

    @property
    def title(self) -> str:
        """What is shown."""
        return f"{named(self.event)}: {label(self.event, self.selection)}"

    @property
    def leaders(self) -> Sequence[Series]:
        """The books that are told apart."""
        return self.series[:LEADERS]

    @property
    def measure(self) -> str:
        """What the values are."""
        return "fair probability" if self.is_fair else "decimal price"

    @property
    def notes(self) -> list[str]:
        """The start, and what a reader must know."""
        event = self.event
        notes = [f"{self.selection.market}, {self.measure}", f"start {event.commence_at:%Y-%m-%d %H:%M} UTC"]
        if event.start_assumed:
            notes.append("time of the start assumed")
        elif event.original_commence_at != event.commence_at:
            notes.append(f"originally {event.original_commence_at:%Y-%m-%d %H:%M}")
        if self.is_time_assumed:
            notes.append("times of the prices assumed: their source states none")
        return notes

    def text(self, value: float) -> str:
        """A value as people read it."""
        if np.isnan(value):
            return "withdrawn"
        return f"{value:.1%}" if self.is_fair else f"{value:.3f}"

    def starts(self) -> dict[str, np.datetime64]:
        """The start and the one that was announced first, by name, if the chart reaches or nearly reaches them."""
        begin, end = min(s.at[0] for s in self.series), _moment(self.ends_at)
        start, first = map(_moment, (self.event.commence_at, self.event.original_commence_at))
        known = {"start": start}
        if abs(start - first) > NEAR * (end - begin):
            known["first announced"] = first
        return {name: at for name, at in known.items() if begin <= at <= end + (end - begin) / 4}

    def elsewhere(self) -> str:
        """What else is quoted on the event, as options of `edge lines`."""
        mine = self.selection
        market = [s for s in self.others if s.market_id == mine.market_id]
        points = sorted((s for s in market if s.outcome_id == mine.outcome_id), key=lambda s: -s.books)
        options = {
            "market": sorted({s.market for s in self.others} - {mine.market}),
            "outcome": dict.fromkeys(s.outcome for s in market if s.outcome_id != mine.outcome_id),
            "point": [f"{s.point:g}" for s in points[:MOST_POINTS] if s.point is not None],
        }
        return "; ".join(f"--{name} {', '.join(values)}" for name, values in options.items() if values)

    def as_json(self) -> dict[str, Any]:
        """For programs: times ISO 8601 in UTC, values null where withdrawn."""
        event, selection = self.event, self.selection
        return {
            "event": event.id,
            "sport": event.sport,
            "home_team": event.home_team,
            "away_team": event.away_team,
            "commence_at": event.commence_at.isoformat(),
            "original_commence_at": event.original_commence_at.isoformat(),
            "market": selection.market,
            "outcome": selection.outcome,
            "description": selection.description,
            "selection": label(event, selection),
            "point": selection.point,
            "measure": self.measure,
            "ends_at": self.ends_at.isoformat(),
            "time_assumed": self.is_time_assumed,
            "books": [{"book": s.book, "line": _pairs(s)} for s in self.series],
        }

    def held(self, series: Series) -> tuple[Times, Values]:
        """A series up to the line's end."""
        return np.append(series.at, _moment(self.ends_at)), np.append(series.value, series.value[-1])


def read_line(conn: Connection, event: Event, wish: Wish, weights: Mapping[str, float]) -> Line:
    """The line that is wished for, its books ordered by weight; `weights` overrides single ones.

    Raises `NothingToShowError` where no price answers to the wish.
    """
    until = "infinity" if wish.in_play else event.commence_at
    offered = store.selections(conn, event, until)
    chosen = choose(offered, event, wish)
    line = sides(chosen) if wish.fair else [(chosen.outcome_id, np.nan if chosen.point is None else chosen.point)]
    ticks = store.line_ticks(conn, event, chosen.market_id, line, until)
    series = list(_series(ticks, [outcome for outcome, _ in line], chosen.outcome_id, store.book_keys(conn)))
    return Line(
        event=event,
        selection=chosen,
        is_fair=wish.fair,
        series=_wanted(series, wish, weights),
        ends_at=_end(conn, event, wish),
        is_time_assumed=bool(ticks.assumed.any()),
        others=[s for s in offered if s != chosen],
    )


def _end(conn: Connection, event: Event, wish: Wish) -> datetime:
    """Until when prices are known: an unchanged one by the last look, in play by the last change."""
    end = (store.last_tick if wish.in_play else store.last_look)(conn, event) or event.commence_at
    if wish.since and wish.since >= end:
        msg = f"the line ends at {end:%Y-%m-%d %H:%M} UTC"
        raise NothingToShowError(msg, "choose an earlier --since")
    return end


def _series(ticks: LineTicks, outcomes: Sequence[int], outcome: int, keys: Mapping[int, str]) -> Iterator[Series]:
    """The series of every book that ever had a value."""
    column = np.argmax(ticks.outcome[:, None] == np.array(outcomes), axis=1)
    for book in np.unique(ticks.book).tolist():
        mine = ticks.book == book
        at, prices = _standing(ticks.at[mine], column[mine], ticks.price[mine], len(outcomes))
        whole = devig(prices, DevigMethod.POWER).probabilities if len(outcomes) > 1 else prices
        value = whole[:, list(outcomes).index(outcome)]
        if (known := np.flatnonzero(~np.isnan(value))).size:
            yield Series(keys[book], at[known[0] :].astype("datetime64[us]"), value[known[0] :])


def _standing(
    at: NDArray[np.int64], column: NDArray[np.intp], price: Values, width: int
) -> tuple[NDArray[np.int64], Values]:
    """The moments (k,) at which something changed, and the prices (k, width) that stood from then on; NaN: none."""
    moments, row = np.unique(at, return_inverse=True)
    prices = np.full((len(moments), width), np.nan)
    prices[row, column] = price  # of two ticks of one moment the later one stays
    said = np.zeros(prices.shape, np.intp)
    said[row, column] = row
    last = np.maximum.accumulate(said, axis=0)
    return moments, np.take_along_axis(prices, last, axis=0)


def _wanted(series: list[Series], wish: Wish, weights: Mapping[str, float]) -> list[Series]:
    """Those of the wished books since the wished moment, ordered by weight."""
    if unknown := set(wish.books) - {s.book for s in series}:
        msg = f"no such price of {', '.join(sorted(unknown))}"
        raise NothingToShowError(msg, f"--book is one of {', '.join(sorted(s.book for s in series)) or 'none'}")
    mine = [s for s in series if not wish.books or s.book in wish.books]
    if wish.since:
        mine = [_since(s, _moment(wish.since)) for s in mine]
        mine = [s for s in mine if not np.isnan(s.value).all()]
    if not mine:
        msg = "no book has such a price" + (" then" if wish.since else " for every side of the line")
        raise NothingToShowError(
            msg, "choose an earlier --since or another --point" + ", or leave out --fair" * wish.fair
        )
    return sorted(mine, key=lambda s: (-known_book(s.book, weights).weight, -len(s.at), s.book))


def _since(series: Series, moment: np.datetime64) -> Series:
    """What stood at a moment, and what came after."""
    first = max(int(np.searchsorted(series.at, moment, "right")) - 1, 0)
    at = np.maximum(series.at[first:], moment)
    return Series(series.book, at, series.value[first:])


def _pairs(series: Series) -> list[tuple[str, float | None]]:
    texts = np.datetime_as_string(series.at, unit="us", timezone="UTC").tolist()
    return list(zip(texts, [None if np.isnan(v) else v for v in series.value.tolist()], strict=True))


def _moment(at: datetime) -> Any:
    return np.datetime64(micros(at), "us")
