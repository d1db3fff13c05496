"""The price history of one selection, by book."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from edge_assets.charts.selection import (
    ChartRequest,
    NothingToShowError,
    event_title,
    line_outcomes,
    select_selection,
    selection_label,
)
from edge_assets.core.clock import to_micros
from edge_assets.reference.books import find_book
from edge_assets.store.analytics import line_history as store
from ml.market import DevigMethod, devig

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime

    from numpy.typing import NDArray
    from psycopg import Connection

    from edge_assets.store.analytics.line_history import ChartedEvent, LineTicks, Selection

    Times = NDArray[np.datetime64]
    Values = NDArray[np.float64]

MAX_LEADERS = 8
"""More colours cannot be distinguished."""
MAX_POINTS = 8
MIN_MARK_DISTANCE_RATIO = 0.05
"""As a share of the chart's width: closer marks would overlap."""


class BookSeries(NamedTuple):
    """A book's values, each valid from its time (UTC, microseconds) to the next; NaN: withdrawn or a side missing."""

    book: str
    at: Times
    value: Values

    def summarize(self) -> SeriesSummary:
        """First, lowest, highest and last value, and the number of changes."""
        offered = self.value[~np.isnan(self.value)]
        changes = sum(a != b for a, b in pairwise(np.nan_to_num(self.value).tolist()))
        return SeriesSummary(
            float(offered[0]), float(offered.min()), float(offered.max()), float(self.value[-1]), changes
        )


class SeriesSummary(NamedTuple):
    """A series in five figures; `last` is NaN if withdrawn."""

    first: float
    low: float
    high: float
    last: float
    changes: int


@dataclass(frozen=True, slots=True)
class PriceHistory:
    """A selection's values by book, the highest consensus weights first; prices are known until `ends_at`.

    `is_time_assumed`: the source of some ticks gives no times, and the import assumed them.
    """

    event: ChartedEvent
    selection: Selection
    is_fair: bool
    series: Sequence[BookSeries]
    ends_at: datetime
    is_time_assumed: bool
    other_selections: Sequence[Selection]

    @property
    def title(self) -> str:
        """The chart's title."""
        return f"{event_title(self.event)}: {selection_label(self.event, self.selection)}"

    @property
    def leaders(self) -> Sequence[BookSeries]:
        """The books with colours of their own."""
        return self.series[:MAX_LEADERS]

    @property
    def measure(self) -> str:
        """The quantity shown."""
        return "fair probability" if self.is_fair else "decimal price"

    @property
    def notes(self) -> list[str]:
        """The start, and what else a reader needs to know."""
        event = self.event
        notes = [f"{self.selection.market}, {self.measure}", f"start {event.commence_at:%Y-%m-%d %H:%M} UTC"]
        if event.start_assumed:
            notes.append("start time assumed")
        elif event.original_commence_at != event.commence_at:
            notes.append(f"originally {event.original_commence_at:%Y-%m-%d %H:%M}")
        if self.is_time_assumed:
            notes.append("price times assumed: the source gives none")
        return notes

    def format_value(self, value: float) -> str:
        """A value for display."""
        if np.isnan(value):
            return "withdrawn"
        return f"{value:.1%}" if self.is_fair else f"{value:.3f}"

    def start_marks(self) -> dict[str, np.datetime64]:
        """The start and the first announced start, by name, if the chart reaches them or nearly does."""
        begin, end = min(s.at[0] for s in self.series), _to_datetime64(self.ends_at)
        start, first = map(_to_datetime64, (self.event.commence_at, self.event.original_commence_at))
        marks = {"start": start}
        if abs(start - first) > MIN_MARK_DISTANCE_RATIO * (end - begin):
            marks["first announced"] = first
        return {name: at for name, at in marks.items() if begin <= at <= end + (end - begin) / 4}

    def other_options(self) -> str:
        """Other selections of the event, as options of `edge lines`."""
        selection = self.selection
        market = [s for s in self.other_selections if s.market_id == selection.market_id]
        points = sorted((s for s in market if s.outcome_id == selection.outcome_id), key=lambda s: -s.books)
        options = {
            "market": sorted({s.market for s in self.other_selections} - {selection.market}),
            "outcome": dict.fromkeys(s.outcome for s in market if s.outcome_id != selection.outcome_id),
            "point": [f"{s.point:g}" for s in points[:MAX_POINTS] if s.point is not None],
        }
        return "; ".join(f"--{name} {', '.join(values)}" for name, values in options.items() if values)

    def as_json(self) -> dict[str, Any]:
        """The history as JSON: times in ISO 8601 (UTC), values null where withdrawn."""
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
            "selection": selection_label(event, selection),
            "point": selection.point,
            "measure": self.measure,
            "ends_at": self.ends_at.isoformat(),
            "time_assumed": self.is_time_assumed,
            "books": [{"book": s.book, "line": _to_pairs(s)} for s in self.series],
        }

    def extend_to_end(self, series: BookSeries) -> tuple[Times, Values]:
        """A series extended to where the line ends."""
        return np.append(series.at, _to_datetime64(self.ends_at)), np.append(series.value, series.value[-1])


def load_price_history(
    conn: Connection, event: ChartedEvent, request: ChartRequest, weights: Mapping[str, float]
) -> PriceHistory:
    """The requested price history, its books ordered by weight; `weights` overrides individual ones.

    Raises `NothingToShowError` if no price matches the request.
    """
    until = "infinity" if request.in_play else event.commence_at
    offered = store.load_selections(conn, event, until)
    chosen = select_selection(offered, event, request)
    line = (
        line_outcomes(chosen)
        if request.fair
        else [(chosen.outcome_id, np.nan if chosen.point is None else chosen.point)]
    )
    ticks = store.load_line_ticks(conn, event, chosen.market_id, line, until)
    series = list(
        _build_series(ticks, [outcome for outcome, _ in line], chosen.outcome_id, store.load_book_keys_by_id(conn))
    )
    return PriceHistory(
        event=event,
        selection=chosen,
        is_fair=request.fair,
        series=_select_series(series, request, weights),
        ends_at=_known_until(conn, event, request),
        is_time_assumed=bool(ticks.assumed.any()),
        other_selections=[s for s in offered if s != chosen],
    )


def _known_until(conn: Connection, event: ChartedEvent, request: ChartRequest) -> datetime:
    """Until when prices are known: the last poll or, in play, the last change."""
    end = (store.find_last_tick_time if request.in_play else store.find_last_poll_time)(
        conn, event
    ) or event.commence_at
    if request.since and request.since >= end:
        msg = f"the line ends at {end:%Y-%m-%d %H:%M} UTC"
        raise NothingToShowError(msg, "choose an earlier --since")
    return end


def _build_series(
    ticks: LineTicks, outcomes: Sequence[int], outcome: int, keys: Mapping[int, str]
) -> Iterator[BookSeries]:
    """The series of every book that had a value at some time."""
    column = np.argmax(ticks.outcome[:, None] == np.array(outcomes), axis=1)
    for book in np.unique(ticks.book).tolist():
        is_own = ticks.book == book
        at, prices = _forward_fill(ticks.at[is_own], column[is_own], ticks.price[is_own], len(outcomes))
        values = devig(prices, DevigMethod.POWER).probabilities if len(outcomes) > 1 else prices
        value = values[:, list(outcomes).index(outcome)]
        if (known_rows := np.flatnonzero(~np.isnan(value))).size:
            yield BookSeries(keys[book], at[known_rows[0] :].astype("datetime64[us]"), value[known_rows[0] :])


def _forward_fill(
    at: NDArray[np.int64], column: NDArray[np.intp], price: Values, width: int
) -> tuple[NDArray[np.int64], Values]:
    """The times (k,) of changes, and the prices (k, width) in effect from then on; NaN: none."""
    times, row = np.unique(at, return_inverse=True)
    prices = np.full((len(times), width), np.nan)
    prices[row, column] = price  # of two ticks with the same time the later one wins
    stated_row = np.zeros(prices.shape, np.intp)
    stated_row[row, column] = row
    last_row = np.maximum.accumulate(stated_row, axis=0)
    return times, np.take_along_axis(prices, last_row, axis=0)


def _select_series(series: list[BookSeries], request: ChartRequest, weights: Mapping[str, float]) -> list[BookSeries]:
    """The series of the requested books since the requested time, ordered by weight."""
    if unknown := set(request.books) - {s.book for s in series}:
        msg = f"no such price of {', '.join(sorted(unknown))}"
        raise NothingToShowError(msg, f"--book is one of {', '.join(sorted(s.book for s in series)) or 'none'}")
    selected = [s for s in series if not request.books or s.book in request.books]
    if request.since:
        selected = [_series_since(s, _to_datetime64(request.since)) for s in selected]
        selected = [s for s in selected if not np.isnan(s.value).all()]
    if not selected:
        msg = "no book has such a price" + (" then" if request.since else " for every side of the line")
        raise NothingToShowError(
            msg, "choose an earlier --since or another --point" + ", or leave out --fair" * request.fair
        )
    return sorted(selected, key=lambda s: (-find_book(s.book, weights).weight, -len(s.at), s.book))


def _series_since(series: BookSeries, since: np.datetime64) -> BookSeries:
    """The values in effect at a time and after it."""
    first = max(int(np.searchsorted(series.at, since, "right")) - 1, 0)
    at = np.maximum(series.at[first:], since)
    return BookSeries(series.book, at, series.value[first:])


def _to_pairs(series: BookSeries) -> list[tuple[str, float | None]]:
    texts = np.datetime_as_string(series.at, unit="us", timezone="UTC").tolist()
    return list(zip(texts, [None if np.isnan(v) else v for v in series.value.tolist()], strict=True))


def _to_datetime64(at: datetime) -> Any:
    return np.datetime64(to_micros(at), "us")
