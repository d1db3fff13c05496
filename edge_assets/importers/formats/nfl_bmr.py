"""Weekly NFL files of BookmakersReview: opening and last lines of up to 15 books, public bets, scores; two rows per
game.

The upper row is the away team's (odd rotation number, if any) with the price of `over`, the lower one the home team's
with `under`: books with a higher total have a lower price in the lower row. Books are numbers (`8_moneyline`) that the
files do not explain: they become `bmr_8`. The opening line names no book and becomes an aggregate. Times are US
Eastern, without a year: seasons begin in August.

Lines have no time: last lines are assumed a second before the start, opening lines six days before it, when the lines
of a week are usually up.
"""

from __future__ import annotations

import re
from collections import defaultdict
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple
from zoneinfo import ZoneInfo

import numpy as np

from edge_assets.core.clock import to_micros
from edge_assets.core.texts import is_same_name
from edge_assets.importers.formats.batch import (
    AGGREGATE_KINDS,
    ImportedBook,
    ParsedBatch,
    ParsedEvent,
    ParseResult,
    PublicBets,
    Rejections,
    TimedQuotes,
)
from edge_assets.importers.formats.notation import parse_american, parse_point
from edge_assets.importers.formats.prices import american_to_decimal, check_points, read_validated
from edge_assets.importers.formats.score_reports import NoResultError, parse_report
from edge_assets.importers.formats.tables import read_table
from edge_assets.importers.formats.timestamps import MAX_YEAR, MIN_YEAR
from edge_assets.reference.sources import Source
from ml.quotes import MICROS_PER_DAY, MICROS_PER_HOUR, MICROS_PER_SECOND, UNKNOWN_TIME, Market, Outcome, QuoteBatch

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from edge_assets.importers.formats.tables import CsvTable
    from ml.quotes import Micros
    from ml.settlement import GameReport

    Floats = NDArray[np.float64]

SOURCE = Source.NFL_BMR
SPORT = "americanfootball_nfl"
REQUIRED_COLUMNS = ("game_id", "season", "team", "date", "time", "outcome")
EASTERN = ZoneInfo("America/New_York")
SEASON_FIRST_MONTH = 8
OPENING_LEAD_MICROS = 6 * MICROS_PER_DAY
GAME_DURATION_MICROS = 4 * MICROS_PER_HOUR
OPENING_KEY = "opening"
BOOK_COLUMN_PATTERN = re.compile(r"(\d+|opening)_moneyline$")
MIN_SHARE_SUM = 0.5


class _RejectedGameError(ValueError):
    """A game is rejected; the arguments are reason, field and detail."""


class _GameTexts(NamedTuple):
    """Texts of the rows."""

    team: list[str]
    season: list[str]
    day: list[str]
    clock: list[str]
    outcome: list[str]


class _MarketColumns(NamedTuple):
    """A market's column suffixes, and its outcomes in the upper and the lower row."""

    market: Market
    price: str
    point: str | None
    outcomes: tuple[Outcome, Outcome]
    public: str


MARKET_COLUMNS = (
    _MarketColumns(Market.H2H, "moneyline", None, (Outcome.AWAY, Outcome.HOME), "moneyline_bet_pct"),
    _MarketColumns(Market.SPREADS, "spread_odds", "spread", (Outcome.AWAY, Outcome.HOME), "spread_bet_pct"),
    _MarketColumns(Market.TOTALS, "total_odds", "total", (Outcome.OVER, Outcome.UNDER), "total_bet_pct"),
)


def read(file: str, content: bytes) -> ParseResult:
    """Read the games of a week.

    Raises:
        RejectedFileError: it is not such a file.
    """
    rejections = Rejections()
    table = read_table(file, content, REQUIRED_COLUMNS, rejections).require_storable(["game_id", "team"])
    rows, events = _parse_games(table)
    book_keys = [found[1] for name in table.header if (found := BOOK_COLUMN_PATTERN.match(name))]
    books = [book_key for book_key in book_keys if book_key != OPENING_KEY]
    starts = np.array([event.start for event in events], np.int64)
    closing = [_book_quotes(table, rows, starts - MICROS_PER_SECOND, b, number) for number, b in enumerate(books)]
    kind = AGGREGATE_KINDS.index(OPENING_KEY)
    opening = [
        _book_quotes(table, rows, starts - OPENING_LEAD_MICROS, aggregate_key, kind)
        for aggregate_key in book_keys
        if aggregate_key == OPENING_KEY
    ]
    batch = ParsedBatch(
        feed=SOURCE,
        key_source=SOURCE,
        sport=SPORT,
        events=events,
        books=[ImportedBook(f"bmr_{book}", f"BookmakersReview no. {book}") for book in books],
        quotes=_concatenate(closing),
        aggregates=_concatenate(opening),
        rows=len(table),
        time_assumed=True,
        public_bets=_read_public_bets(table, rows, starts - MICROS_PER_SECOND),
    )
    return ParseResult([batch] if events else [], rejections)


def _parse_games(table: CsvTable) -> tuple[NDArray[np.intp], list[ParsedEvent]]:
    """Upper and lower rows (games, 2), and the games."""
    by_game: dict[str, list[int]] = defaultdict(list)
    for row, key in enumerate(table.texts("game_id")):
        by_game[key].append(row)
    columns = _GameTexts(*(table.texts(name) for name in ("team", "season", "date", "time", "outcome")))
    scores, rotations = table.parse_numbers(["score"])[:, 0], table.parse_numbers(["rotation"])[:, 0]
    pairs: list[tuple[int, int]] = []
    events: list[ParsedEvent] = []
    for key, rows in by_game.items():
        if not np.isnan(rotations[rows]).any():
            rows.sort(key=lambda row: float(rotations[row]))
        try:
            away, home = _side_rows(key, rows, columns)
            start = _parse_start(columns.season[home], columns.day[home], columns.clock[home])
        except _RejectedGameError as error:
            table.reject_at(rows[-1], *error.args)
            continue
        report = _parse_report(table, home, columns.outcome[home], scores[home], scores[away])
        pairs.append((away, home))
        events.append(
            ParsedEvent(
                key, columns.team[home], columns.team[away], start, False, None, report, start + GAME_DURATION_MICROS
            )
        )
    return np.array(pairs, np.intp).reshape(-1, 2), events


def _side_rows(key: str, rows: list[int], columns: _GameTexts) -> tuple[int, int]:
    """The rows of the away and the home team."""
    if not key or len(rows) != 2:  # noqa: PLR2004 - a game has two sides
        raise _RejectedGameError("game_incomplete", "game_id", f"game {key!r} has {len(rows)} rows")
    away, home = (columns.team[row] for row in rows)
    if not home or not away:
        raise _RejectedGameError("teams_missing", "team", f"{away!r} at {home!r}")
    if is_same_name(home, away):
        raise _RejectedGameError("same_team_twice", "team", f"{away!r} at {home!r}")
    return rows[0], rows[1]


def _parse_report(table: CsvTable, row: int, outcome: str, home: float, away: float) -> GameReport | None:
    try:
        return parse_report(outcome, home, away)
    except NoResultError as reason:
        table.reject_at(row, str(reason), "outcome", f"{outcome!r}, {away:g}:{home:g}")
        return None


def _parse_start(season: str, day: str, clock: str) -> Micros:
    """Parse a start: `Sun 1/19` of season 2019 is in 2020; of an hour that occurs twice, the first is taken."""
    try:
        [date] = day.split()[1:]
        year = int(season) + (int(date.partition("/")[0]) < SEASON_FIRST_MONTH)
        start = datetime.strptime(f"{year} {date} {clock}", "%Y %m/%d %I:%M %p").replace(tzinfo=EASTERN)
    except ValueError as error:
        raise _RejectedGameError("time_malformed", "date", f"{day!r}, {clock!r} of {season!r}") from error
    if not MIN_YEAR <= year <= MAX_YEAR:
        raise _RejectedGameError("time_malformed", "season", f"{season!r}: not between {MIN_YEAR} and {MAX_YEAR}")
    return to_micros(start)


def _book_quotes(
    table: CsvTable, rows: NDArray[np.intp], at: NDArray[np.int64], book_key: str, book_index: int
) -> TimedQuotes:
    return _concatenate([_market_quotes(table, rows, at, book_key, book_index, market) for market in MARKET_COLUMNS])


def _market_quotes(
    table: CsvTable,
    rows: NDArray[np.intp],
    at: NDArray[np.int64],
    book_key: str,
    book_index: int,
    market: _MarketColumns,
) -> TimedQuotes:
    prices, points = _read_values(table, book_key, market)
    prices, points = prices[rows], points[rows]
    if market.point:
        column = f"{book_key}_{market.point}"
        without_point = ~np.isnan(prices) & np.isnan(points).any(axis=1, keepdims=True)
        _reject(table, rows, "handicap_missing", column, without_point, "a price needs the line of both rows")
        agree = points[:, :1] == (points[:, 1:] if market.market is Market.TOTALS else -points[:, 1:])
        disagreeing = ~np.isnan(prices) & ~without_point & ~agree
        _reject(table, rows, "lines_disagree", column, disagreeing, "the two rows have different lines")
        prices = np.where(without_point | disagreeing, np.nan, prices)
    game, side = np.nonzero(~np.isnan(prices))
    quotes = QuoteBatch(
        event=game.astype(np.int32),
        book=np.full(len(game), book_index, np.int16),
        market=np.full(len(game), market.market, np.int16),
        outcome=np.array(market.outcomes, np.int32)[side],
        point=points[game, side].astype(np.float32) + np.float32(0),
        price=prices[game, side],
        book_time=np.full(len(game), UNKNOWN_TIME),
    )
    return TimedQuotes(quotes, at[game])


def _reject(
    table: CsvTable, rows: NDArray[np.intp], reason: str, name: str, where: NDArray[np.bool_], why: str
) -> None:
    """Reject prices by game and side (games, 2)."""
    rejected = np.zeros(len(table), bool)
    rejected[rows[where]] = True
    table.reject(reason, [name], rejected[:, None], why)


def _read_values(table: CsvTable, book_key: str, market: _MarketColumns) -> tuple[Floats, Floats]:
    prices = read_validated(table, [f"{book_key}_{market.price}"], american_to_decimal, parse_american)[:, 0]
    if not market.point:
        return prices, np.full(len(prices), np.nan)
    return prices, read_validated(table, [f"{book_key}_{market.point}"], check_points, parse_point)[:, 0]


def _concatenate(parts: list[TimedQuotes]) -> TimedQuotes:
    if not parts:
        return TimedQuotes.empty()
    columns = zip(*(part.quotes.columns() for part in parts), strict=True)
    quotes = QuoteBatch(*(np.concatenate(column) for column in columns))
    return TimedQuotes(quotes, np.concatenate([part.observed_at for part in parts]))


def _read_public_bets(table: CsvTable, rows: NDArray[np.intp], at: NDArray[np.int64]) -> list[PublicBets]:
    """Shares of bets; a market without counted bets (0 to 0) has none."""
    found = []
    for market in MARKET_COLUMNS:
        shares = _read_shares(table, market.public)[rows]
        for game, side in np.argwhere(shares.sum(axis=1, keepdims=True) > MIN_SHARE_SUM + 0 * shares).tolist():
            outcome = market.outcomes[side]
            found.append(PublicBets(game, market.market, outcome, shares[game, side], int(at[game])))
    return found


def _read_shares(table: CsvTable, name: str) -> Floats:
    """A column of percentages as shares (n,), NaN if missing or invalid."""
    shares = table.parse_numbers([name])[:, 0] / 100
    out_of_range = (shares < 0) | (shares > 1)
    table.reject("share_absurd", [name], out_of_range[:, None], "not a percentage")
    return np.where(out_of_range, np.nan, shares)
