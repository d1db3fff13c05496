"""Match files of football-data.co.uk: results, statistics, pre-match and closing prices of many books.

See `football_times` for assumed times, `football_columns` for columns, and `football_layouts` for the kinds of
files.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from edge_assets.importers.formats.batch import ParsedBatch, ParseResult, Rejection, Rejections, TimedQuotes
from edge_assets.importers.formats.football_columns import (
    DISTINCT_BOOKS,
    find_closing_columns,
    find_price_columns,
    find_unknown_columns,
)
from edge_assets.importers.formats.football_layouts import detect_layout
from edge_assets.importers.formats.football_matches import parse_matches
from edge_assets.importers.formats.football_statistics import read_statistics, select_statistics
from edge_assets.importers.formats.prices import check_decimal, check_points, read_validated
from edge_assets.importers.formats.tables import read_table
from edge_assets.reference.sources import Source
from ml.quotes import UNKNOWN_TIME, QuoteBatch

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from edge_assets.importers.formats.batch import StatedStatistics
    from edge_assets.importers.formats.football_columns import PriceColumn
    from edge_assets.importers.formats.football_matches import ParsedMatch
    from edge_assets.importers.formats.tables import CsvTable

    Floats = NDArray[np.float64]

SOURCE = Source.FOOTBALL_DATA


class _PriceTable(NamedTuple):
    """The prices of a file (n, k), NaN if missing or unusable, with points (n, k), by column (k)."""

    columns: Sequence[PriceColumn]
    prices: Floats
    points: Floats


def read(file: str, content: bytes) -> ParseResult:
    """Read the matches of a file by league.

    Raises:
        RejectedFileError: it is not a match file.
    """
    rejections = Rejections()
    table = read_table(file, content, (), rejections)
    layout = detect_layout(file, table.header)
    table = table.require_storable([layout.home, layout.away])
    matches = parse_matches(table, layout)
    columns = (find_closing_columns if layout.closing_only else find_price_columns)(table.header)
    prices, aggregates = (
        _read_prices(table, [c for c in columns if c.aggregate is aggregate]) for aggregate in (False, True)
    )
    counts = read_statistics(table)
    _reject_unknown_columns(table)
    batches = [
        _build_batch(sport, found, prices, aggregates, select_statistics(counts, found, table))
        for sport, found in matches.items()
    ]
    return ParseResult(batches, rejections)


def _build_batch(
    sport: str, matches: list[ParsedMatch], prices: _PriceTable, aggregates: _PriceTable, statistics: StatedStatistics
) -> ParsedBatch:
    return ParsedBatch(
        feed=SOURCE,
        key_source=SOURCE,
        sport=sport,
        events=[match.event for match in matches],
        books=DISTINCT_BOOKS,
        quotes=_build_quotes(prices, matches),
        aggregates=_build_quotes(aggregates, matches),
        rows=len(matches),
        time_assumed=True,
        statistics=statistics,
    )


def _build_quotes(price_table: _PriceTable, matches: list[ParsedMatch]) -> TimedQuotes:
    if not price_table.columns:
        return TimedQuotes.empty()
    rows = np.array([match.row for match in matches])
    prices, points = price_table.prices[rows], price_table.points[rows].astype(np.float32)
    index, at = np.nonzero(~np.isnan(prices))
    seen = np.array([match.times[1:3] for match in matches], np.int64)
    quotes = QuoteBatch(
        event=index.astype(np.int32),
        book=np.array([c.book_index for c in price_table.columns], np.int16)[at],
        market=np.array([c.market for c in price_table.columns], np.int16)[at],
        outcome=np.array([c.outcome for c in price_table.columns], np.int32)[at],
        point=points[index, at],
        price=prices[index, at],
        book_time=np.full(len(index), UNKNOWN_TIME),
    )
    return TimedQuotes(quotes, seen[index, np.array([c.closing for c in price_table.columns], np.intp)[at]])


def _read_prices(table: CsvTable, columns: Sequence[PriceColumn]) -> _PriceTable:
    names = [c.name for c in columns]
    prices, points = read_validated(table, names, check_decimal), _read_points(table, columns)
    without_point = ~np.isnan(prices) & np.isnan(points) & np.array([c.line is not None for c in columns], bool)
    table.reject("handicap_missing", names, without_point, "a handicap price needs a line")
    return _PriceTable(columns, np.where(without_point, np.nan, prices), points)


def _read_points(table: CsvTable, columns: Sequence[PriceColumn]) -> Floats:
    """The points (n, k): each outcome's own handicap, the goals of a total, NaN in markets without points."""
    points = np.tile(np.array([c.point for c in columns], np.float64), (len(table), 1))
    lined = [i for i, c in enumerate(columns) if c.line]
    lines = sorted({columns[i].line or "" for i in lined})
    stated = read_validated(table, lines, check_points)
    signs = np.array([columns[i].sign for i in lined], np.int64)
    points[:, lined] = stated[:, [lines.index(columns[i].line or "") for i in lined]] * signs + 0.0
    return points


def _reject_unknown_columns(table: CsvTable) -> None:
    """Reject unknown columns that are not empty."""
    for name in find_unknown_columns(table.header):
        if filled := table.count_filled(name):
            remedy = "if it holds a book's prices, add the book to football_columns.BOOKS_BY_PREFIX"
            unknown = Rejection(table.file, "column_unknown", f"{filled} fields", remedy, row=1, field=name)
            table.rejections.add(unknown, filled)
