"""Pinnacle's line changes of baseball games: every change in a game's three markets, with its time.

Two files belong together: `games.csv` (game_no, start_utc, away, home, away_score, home_score) and `lines.csv`,
optionally compressed (game_no, SpreadTeam1, SpreadUS1, SpreadUS2, MoneyUS1, MoneyUS2, TotalPoints, TotalUSOver,
TotalUSUnder, entered_utc). Team 1 is the away team: only then does the last line before the start predict the winners
(log loss .673; .751 if swapped). A row repeats unchanged values; an empty field is a withdrawal. A game's key is its
number and start: 645 of 2,460 share their `baseball_ref_id`, which uses the UTC day.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from edge_assets.core.texts import is_same_name
from edge_assets.importers.formats.batch import (
    ImportedBook,
    ParsedBatch,
    ParsedEvent,
    ParseResult,
    RejectedFileError,
    Rejection,
    Rejections,
    TimedQuotes,
)
from edge_assets.importers.formats.prices import american_to_decimal, check_points, read_validated
from edge_assets.importers.formats.score_reports import NoResultError, parse_score
from edge_assets.importers.formats.tables import read_table
from edge_assets.reference.sources import Source
from ml.quotes import MICROS_PER_HOUR, Market, Outcome, QuoteBatch
from ml.settlement import GameReport

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from edge_assets.importers.formats.source_units import ImportUnit
    from edge_assets.importers.formats.tables import CsvTable

    Floats = NDArray[np.float64]

SOURCE = Source.PINNACLE_MLB
MAIN_FILE, OTHER_FILES = "lines.csv", ("games.csv",)
SPORT = "baseball_mlb"
GAME_COLUMNS = ("game_no", "start_utc", "away", "home")
LINE_COLUMNS = ("game_no", "entered_utc")
GAME_DURATION_MICROS = 6 * MICROS_PER_HOUR
"""From the start until the result is known for certain."""


class _SelectionColumns(NamedTuple):
    market: Market
    outcome: Outcome
    price: str
    point: str | None = None
    sign: int = 1


SELECTIONS = (
    _SelectionColumns(Market.H2H, Outcome.AWAY, "MoneyUS1"),
    _SelectionColumns(Market.H2H, Outcome.HOME, "MoneyUS2"),
    _SelectionColumns(Market.SPREADS, Outcome.AWAY, "SpreadUS1", "SpreadTeam1"),
    _SelectionColumns(Market.SPREADS, Outcome.HOME, "SpreadUS2", "SpreadTeam1", -1),
    _SelectionColumns(Market.TOTALS, Outcome.OVER, "TotalUSOver", "TotalPoints"),
    _SelectionColumns(Market.TOTALS, Outcome.UNDER, "TotalUSUnder", "TotalPoints"),
)


def read(unit: ImportUnit) -> ParseResult:
    """Read the line changes of a season.

    Raises:
        RejectedFileError: a file is missing, damaged or of another format.
    """
    rejections = Rejections()
    contents = unit.read_content("lines.csv"), unit.read_content("games.csv")
    if contents[0] is None or contents[1] is None:
        raise RejectedFileError(Rejection(unit.name, "file_missing", "games.csv", "put it next to lines.csv"))
    lines = read_table(f"{unit.name}/lines.csv", contents[0], LINE_COLUMNS, rejections).require_times(["entered_utc"])
    games = _drop_unplayable(read_table(f"{unit.name}/games.csv", contents[1], GAME_COLUMNS, rejections))
    batch = ParsedBatch(
        feed=SOURCE,
        key_source=SOURCE,
        sport=SPORT,
        events=_build_events(games),
        books=[ImportedBook("pinnacle", "Pinnacle")],
        quotes=_build_quotes(lines, games),
        rows=len(lines),
    )
    return ParseResult([batch], rejections)


def _drop_unplayable(games: CsvTable) -> CsvTable:
    """The distinct games with two different teams and a start."""
    games = games.require_names(["game_no", "away", "home"]).require_times(["start_utc"])
    same = np.array([is_same_name(a, b) for a, b in zip(*map(games.texts, ("away", "home")), strict=True)], bool)
    games.reject("same_team_twice", ["home"], same[:, None], "two teams are needed")
    return games.filter_rows(~same).drop_duplicates("game_no")


def _build_events(games: CsvTable) -> list[ParsedEvent]:
    starts = games.parse_times("start_utc").tolist()
    scores = games.parse_numbers(["home_score", "away_score"]).tolist()
    columns = map(games.texts, ("game_no", "home", "away"))
    events = []
    for row, (number, home, away, start) in enumerate(zip(*columns, starts, strict=True)):
        report = _parse_report(games, row, *scores[row])
        events.append(
            ParsedEvent(f"{number}:{start}", home, away, start, False, None, report, start + GAME_DURATION_MICROS)
        )
    return events


def _parse_report(games: CsvTable, row: int, home: float, away: float) -> GameReport | None:
    """The final score; the file does not mark extra innings."""
    if np.isnan(home) or np.isnan(away):
        return None
    try:
        return GameReport.final(parse_score(home, away))
    except NoResultError as reason:
        games.reject_at(row, str(reason), "home_score", f"{away:g}:{home:g}")
        return None


def _build_quotes(lines: CsvTable, games: CsvTable) -> TimedQuotes:
    event = lines.map_values("game_no", {key: row for row, key in enumerate(games.texts("game_no"))}, -1)
    at = lines.parse_times("entered_utc")
    lines.reject("event_unknown", ["game_no"], (event < 0)[:, None], "no such game")
    order = np.lexsort((at, event))
    order = order[event[order] >= 0]
    event, at = event[order], at[order]
    parts = [_build_changes(event, at, s, *_read_values(lines, s, order)) for s in SELECTIONS]
    columns = zip(*(part.quotes.columns() for part in parts), strict=True)
    quotes = QuoteBatch(*(np.concatenate(column) for column in columns))
    return TimedQuotes(quotes, np.concatenate([part.observed_at for part in parts]))


def _read_values(lines: CsvTable, selection: _SelectionColumns, order: NDArray[np.intp]) -> tuple[Floats, Floats]:
    """Prices and points of a selection, NaN if missing."""
    prices = read_validated(lines, [selection.price], american_to_decimal)[:, 0]
    points = np.full(len(prices), np.nan)
    if selection.point:
        points = read_validated(lines, [selection.point], check_points)[:, 0] * selection.sign + 0.0
        without_point = ~np.isnan(prices) & np.isnan(points)
        lines.reject("handicap_missing", [selection.price], without_point[:, None], "it needs a line")
        prices = np.where(without_point, np.nan, prices)
    return prices[order], points[order]


def _build_changes(
    event: NDArray[np.intp], at: NDArray[np.int64], selection: _SelectionColumns, prices: Floats, points: Floats
) -> TimedQuotes:
    """New prices, and withdrawals of old ones that moved to another point or have no successor."""
    first = np.r_[True, event[1:] != event[:-1]]
    old_price, old_point = (np.where(first, np.nan, np.r_[np.nan, v[:-1]]) for v in (prices, points))
    same_point = (points == old_point) | (np.isnan(points) & np.isnan(old_point))
    is_new = ~np.isnan(prices) & ~(same_point & (prices == old_price))
    is_withdrawn = ~np.isnan(old_price) & (np.isnan(prices) | ~same_point)
    index = np.concatenate([np.flatnonzero(is_new), np.flatnonzero(is_withdrawn)])
    n = len(index)
    withdrawn = np.arange(n) >= np.count_nonzero(is_new)
    quotes = QuoteBatch(
        event=event[index].astype(np.int32),
        book=np.zeros(n, np.int16),
        market=np.full(n, selection.market, np.int16),
        outcome=np.full(n, selection.outcome, np.int32),
        point=np.where(withdrawn, old_point[index], points[index]).astype(np.float32),
        price=np.where(withdrawn, np.nan, prices[index]),
        book_time=at[index],
    )
    return TimedQuotes(quotes, at[index])
