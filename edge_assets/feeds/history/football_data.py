"""Match files of football-data.co.uk: results, and prices of many books before the match and at its close.

Times are assumed as `football_times` says, columns are known by `football_columns`, kinds of files by
`football_layouts`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from edge_assets.feeds.history.batch import HistoryBatch, Reading, Refusal, Refusals, TimedQuotes
from edge_assets.feeds.history.football_columns import BOOK_NAMES, closing_columns, price_columns, unknown_columns
from edge_assets.feeds.history.football_layouts import layout_of
from edge_assets.feeds.history.football_matches import matches_of
from edge_assets.feeds.history.prices import from_decimal, from_points, judged
from edge_assets.feeds.history.tables import read_table
from ml.quotes import UNKNOWN_TIME, QuoteBatch

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from edge_assets.feeds.history.football_columns import PriceColumn
    from edge_assets.feeds.history.football_matches import Match
    from edge_assets.feeds.history.tables import Table

    Floats = NDArray[np.float64]

SOURCE = "football-data"


class _Prices(NamedTuple):
    """The prices of a file (n, k), NaN where there is none to bet at, with their points (n, k), by column (k)."""

    columns: Sequence[PriceColumn]
    prices: Floats
    points: Floats


def read(file: str, content: bytes) -> Reading:
    """The matches of a file by league.

    Raises:
        RefusedFileError: it is no such file.
    """
    refused = Refusals()
    table = read_table(file, content, (), refused)
    layout = layout_of(file, table.header)
    table = table.storable([layout.home, layout.away])
    matches = matches_of(table, layout)
    columns = (closing_columns if layout.closing_only else price_columns)(table.header)
    prices = [_prices(table, [c for c in columns if c.aggregate is aggregate]) for aggregate in (False, True)]
    _count_unknown(table)
    return Reading([_batch(sport, found, *prices) for sport, found in matches.items()], refused)


def _batch(sport: str, matches: list[Match], prices: _Prices, aggregates: _Prices) -> HistoryBatch:
    return HistoryBatch(
        feed=SOURCE,
        names=SOURCE,
        sport=sport,
        events=[match.event for match in matches],
        books=BOOK_NAMES,
        quotes=_quotes(prices, matches),
        aggregates=_quotes(aggregates, matches),
        rows=len(matches),
        time_assumed=True,
    )


def _quotes(of: _Prices, matches: list[Match]) -> TimedQuotes:
    if not of.columns:
        return TimedQuotes.empty()
    rows = np.array([match.row for match in matches])
    prices, points = of.prices[rows], of.points[rows].astype(np.float32)
    index, at = np.nonzero(~np.isnan(prices))
    seen = np.array([match.times[1:3] for match in matches], np.int64)
    quotes = QuoteBatch(
        event=index.astype(np.int32),
        book=np.array([c.seller for c in of.columns], np.int16)[at],
        market=np.array([c.market for c in of.columns], np.int16)[at],
        outcome=np.array([c.outcome for c in of.columns], np.int32)[at],
        point=points[index, at],
        price=prices[index, at],
        book_time=np.full(len(index), UNKNOWN_TIME),
    )
    return TimedQuotes(quotes, seen[index, np.array([c.closing for c in of.columns], np.intp)[at]])


def _prices(table: Table, columns: Sequence[PriceColumn]) -> _Prices:
    names = [c.name for c in columns]
    prices, points = judged(table, names, from_decimal), _points(table, columns)
    lost = ~np.isnan(prices) & np.isnan(points) & np.array([c.line is not None for c in columns], bool)
    table.refuse("handicap_missing", names, lost, "a handicap needs a line")
    return _Prices(columns, np.where(lost, np.nan, prices), points)


def _points(table: Table, columns: Sequence[PriceColumn]) -> Floats:
    """The points (n, k): each outcome's own handicap, the goals of a total, NaN where the market has none."""
    points = np.tile(np.array([c.point for c in columns], np.float64), (len(table), 1))
    lined = [i for i, c in enumerate(columns) if c.line]
    lines = sorted({columns[i].line or "" for i in lined})
    stated = judged(table, lines, from_points)
    signs = np.array([columns[i].sign for i in lined], np.int64)
    points[:, lined] = stated[:, [lines.index(columns[i].line or "") for i in lined]] * signs + 0.0
    return points


def _count_unknown(table: Table) -> None:
    """Columns that mean nothing here are left out, and it is said which."""
    for name in unknown_columns(table.header):
        if filled := table.filled(name):
            remedy = "if it holds a book's prices, name the book in football_columns.BOOKS"
            unknown = Refusal(table.file, "column_unknown", f"{filled} fields", remedy, row=1, field=name)
            table.refused.add(unknown, filled)
