"""Weekly NFL files of BookmakersReview: opening and last lines of up to 15 books, public bets, scores; two rows a game.

The upper row is the away team's (odd rotation number, where there is one) and holds the price of `over`, the lower one
the home team's and `under`: books with a higher total ask less for what the lower row holds. Books are numbers here
(`8_moneyline`), which nothing in the files names: they become `bmr_8`. The opening line is of no named book and becomes
an aggregate. Times are US Eastern, without a year: seasons begin in August.

No line has a time: last lines are assumed a second before the start, opening lines six days before it, when the lines
of a week are usually up.
"""

from __future__ import annotations

import re
from collections import defaultdict
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple
from zoneinfo import ZoneInfo

import numpy as np

from edge_assets.clock import micros
from edge_assets.feeds.history.batch import (
    AGGREGATE_KINDS,
    BookName,
    HistoryBatch,
    HistoryEvent,
    PublicBets,
    Reading,
    Refusals,
    TimedQuotes,
)
from edge_assets.feeds.history.notation import as_american, as_point
from edge_assets.feeds.history.prices import from_american, from_points, judged
from edge_assets.feeds.history.reports import NoResultError, reported
from edge_assets.feeds.history.stamps import FIRST_YEAR, LAST_YEAR
from edge_assets.feeds.history.tables import read_table
from edge_assets.texts import is_one_name
from ml.quotes import UNKNOWN_TIME, Market, Outcome, QuoteBatch

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from edge_assets.feeds.history.tables import Table
    from ml.quotes import Micros
    from ml.settlement import GameReport

    Floats = NDArray[np.float64]

SOURCE = "nfl-bmr"
SPORT = "americanfootball_nfl"
REQUIRED = ("game_id", "season", "team", "date", "time", "outcome")
EASTERN = ZoneInfo("America/New_York")
SEASON_BEGINS = 8
SECOND = 1_000_000
OPENED_BEFORE = 6 * 86_400 * SECOND
GAME_LASTS = 4 * 3_600 * SECOND
OPENING = "opening"
SELLER = re.compile(r"(\d+|opening)_moneyline$")
HALF = 0.5


class _RefusedError(ValueError):
    """Why a game is not used: reason, field and what is there."""


class _Columns(NamedTuple):
    """Texts of the rows."""

    team: list[str]
    season: list[str]
    day: list[str]
    clock: list[str]
    outcome: list[str]


class _Market(NamedTuple):
    """A market's columns behind the seller's name, and its outcomes in the upper and the lower row."""

    market: Market
    price: str
    point: str | None
    outcomes: tuple[Outcome, Outcome]
    public: str


MARKETS = (
    _Market(Market.H2H, "moneyline", None, (Outcome.AWAY, Outcome.HOME), "moneyline_bet_pct"),
    _Market(Market.SPREADS, "spread_odds", "spread", (Outcome.AWAY, Outcome.HOME), "spread_bet_pct"),
    _Market(Market.TOTALS, "total_odds", "total", (Outcome.OVER, Outcome.UNDER), "total_bet_pct"),
)


def read(file: str, content: bytes) -> Reading:
    """The games of a week.

    Raises:
        RefusedFileError: it is no such file.
    """
    refused = Refusals()
    table = read_table(file, content, REQUIRED, refused).storable(["game_id", "team"])
    rows, events = _games(table)
    sellers = [found[1] for name in table.header if (found := SELLER.match(name))]
    books = [seller for seller in sellers if seller != OPENING]
    starts = np.array([event.start for event in events], np.int64)
    closing = [_quotes(table, rows, starts - SECOND, b, number) for number, b in enumerate(books)]
    kind = AGGREGATE_KINDS.index(OPENING)
    opening = [_quotes(table, rows, starts - OPENED_BEFORE, s, kind) for s in sellers if s == OPENING]
    batch = HistoryBatch(
        feed=SOURCE,
        names=SOURCE,
        sport=SPORT,
        events=events,
        books=[BookName(f"bmr_{book}", f"BookmakersReview no. {book}") for book in books],
        quotes=_joined(closing),
        aggregates=_joined(opening),
        rows=len(table),
        time_assumed=True,
        public_bets=_public_bets(table, rows, starts - SECOND),
    )
    return Reading([batch] if events else [], refused)


def _games(table: Table) -> tuple[NDArray[np.intp], list[HistoryEvent]]:
    """Upper and lower rows (games, 2), and the games."""
    by_game: dict[str, list[int]] = defaultdict(list)
    for row, key in enumerate(table.texts("game_id")):
        by_game[key].append(row)
    columns = _Columns(*(table.texts(name) for name in ("team", "season", "date", "time", "outcome")))
    scores, rotations = table.numbers(["score"])[:, 0], table.numbers(["rotation"])[:, 0]
    pairs: list[tuple[int, int]] = []
    events: list[HistoryEvent] = []
    for key, rows in by_game.items():
        if not np.isnan(rotations[rows]).any():
            rows.sort(key=lambda row: float(rotations[row]))
        try:
            away, home = _sides(key, rows, columns)
            start = _start(columns.season[home], columns.day[home], columns.clock[home])
        except _RefusedError as refusal:
            table.refuse_at(rows[-1], *refusal.args)
            continue
        report = _report(table, home, columns.outcome[home], scores[home], scores[away])
        pairs.append((away, home))
        events.append(
            HistoryEvent(key, columns.team[home], columns.team[away], start, False, None, report, start + GAME_LASTS)
        )
    return np.array(pairs, np.intp).reshape(-1, 2), events


def _sides(key: str, rows: list[int], columns: _Columns) -> tuple[int, int]:
    """The away team's row and the home team's."""
    if not key or len(rows) != 2:  # noqa: PLR2004 - a game has two sides
        raise _RefusedError("game_incomplete", "game_id", f"game {key!r} has {len(rows)} rows")
    away, home = (columns.team[row] for row in rows)
    if not home or not away:
        raise _RefusedError("teams_missing", "team", f"{away!r} at {home!r}")
    if is_one_name(home, away):
        raise _RefusedError("same_team_twice", "team", f"{away!r} at {home!r}")
    return rows[0], rows[1]


def _report(table: Table, row: int, outcome: str, home: float, away: float) -> GameReport | None:
    try:
        return reported(outcome, home, away)
    except NoResultError as reason:
        table.refuse_at(row, str(reason), "outcome", f"{outcome!r}, {away:g}:{home:g}")
        return None


def _start(season: str, day: str, clock: str) -> Micros:
    """`Sun 1/19` of season 2019 is in 2020; of an hour that is there twice, the first one."""
    try:
        [date] = day.split()[1:]
        year = int(season) + (int(date.partition("/")[0]) < SEASON_BEGINS)
        start = datetime.strptime(f"{year} {date} {clock}", "%Y %m/%d %I:%M %p").replace(tzinfo=EASTERN)
    except ValueError as error:
        raise _RefusedError("time_malformed", "date", f"{day!r}, {clock!r} of {season!r}") from error
    if not FIRST_YEAR <= year <= LAST_YEAR:
        raise _RefusedError("time_malformed", "season", f"{season!r}: not between {FIRST_YEAR} and {LAST_YEAR}")
    return micros(start)


def _quotes(table: Table, rows: NDArray[np.intp], at: NDArray[np.int64], seller: str, number: int) -> TimedQuotes:
    return _joined([_market_quotes(table, rows, at, seller, number, market) for market in MARKETS])


def _market_quotes(
    table: Table, rows: NDArray[np.intp], at: NDArray[np.int64], seller: str, number: int, market: _Market
) -> TimedQuotes:
    prices, points = _values(table, seller, market)
    prices, points = prices[rows], points[rows]
    if market.point:
        column = f"{seller}_{market.point}"
        unlined = ~np.isnan(prices) & np.isnan(points).any(axis=1, keepdims=True)
        _refuse(table, rows, "handicap_missing", column, unlined, "a price needs the line of both rows")
        agree = points[:, :1] == (points[:, 1:] if market.market is Market.TOTALS else -points[:, 1:])
        apart = ~np.isnan(prices) & ~unlined & ~agree
        _refuse(table, rows, "lines_disagree", column, apart, "the two rows have different lines")
        prices = np.where(unlined | apart, np.nan, prices)
    game, side = np.nonzero(~np.isnan(prices))
    quotes = QuoteBatch(
        event=game.astype(np.int32),
        book=np.full(len(game), number, np.int16),
        market=np.full(len(game), market.market, np.int16),
        outcome=np.array(market.outcomes, np.int32)[side],
        point=points[game, side].astype(np.float32) + np.float32(0),
        price=prices[game, side],
        book_time=np.full(len(game), UNKNOWN_TIME),
    )
    return TimedQuotes(quotes, at[game])


def _refuse(table: Table, rows: NDArray[np.intp], reason: str, name: str, where: NDArray[np.bool_], why: str) -> None:
    """Count prices by game and side (games, 2)."""
    refused = np.zeros(len(table), bool)
    refused[rows[where]] = True
    table.refuse(reason, [name], refused[:, None], why)


def _values(table: Table, seller: str, market: _Market) -> tuple[Floats, Floats]:
    prices = judged(table, [f"{seller}_{market.price}"], from_american, as_american)[:, 0]
    if not market.point:
        return prices, np.full(len(prices), np.nan)
    return prices, judged(table, [f"{seller}_{market.point}"], from_points, as_point)[:, 0]


def _joined(parts: list[TimedQuotes]) -> TimedQuotes:
    if not parts:
        return TimedQuotes.empty()
    columns = zip(*(part.quotes.columns() for part in parts), strict=True)
    quotes = QuoteBatch(*(np.concatenate(column) for column in columns))
    return TimedQuotes(quotes, np.concatenate([part.observed_at for part in parts]))


def _public_bets(table: Table, rows: NDArray[np.intp], at: NDArray[np.int64]) -> list[PublicBets]:
    """Shares of bets; a market in which nobody was counted (0 to 0) has none."""
    found = []
    for market in MARKETS:
        shares = _shares(table, market.public)[rows]
        for game, side in np.argwhere(shares.sum(axis=1, keepdims=True) > HALF + 0 * shares).tolist():
            outcome = market.outcomes[side]
            found.append(PublicBets(game, market.market, outcome, shares[game, side], int(at[game])))
    return found


def _shares(table: Table, name: str) -> Floats:
    """A column of percentages as shares (n,), NaN for what is none."""
    shares = table.numbers([name])[:, 0] / 100
    absurd = (shares < 0) | (shares > 1)
    table.refuse("share_absurd", [name], absurd[:, None], "it is no percentage")
    return np.where(absurd, np.nan, shares)
