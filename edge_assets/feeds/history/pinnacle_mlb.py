"""Pinnacle's line changes of baseball games: every change of a game's three markets with its own time.

Two files belong together: `games.csv` (game_no, start_utc, away, home, away_score, home_score) and
`lines.csv`, perhaps packed (game_no, SpreadTeam1, SpreadUS1, SpreadUS2, MoneyUS1, MoneyUS2, TotalPoints, TotalUSOver,
TotalUSUnder, entered_utc). Team 1 is the away team: only so does the last line before the start forecast the winners
(log loss .673; .751 the other way round). A row repeats what did not change; an empty field is a withdrawal. A game is
named by its number and start: 645 of 2,460 share their `baseball_ref_id`, which takes the day as UTC has it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from edge_assets.feeds.history.batch import (
    BookName,
    HistoryBatch,
    HistoryEvent,
    Reading,
    Refusal,
    Refusals,
    RefusedFileError,
    TimedQuotes,
)
from edge_assets.feeds.history.prices import from_american, from_points, judged
from edge_assets.feeds.history.reports import NoResultError, score_of
from edge_assets.feeds.history.tables import read_table
from edge_assets.texts import is_one_name
from ml.quotes import Market, Outcome, QuoteBatch
from ml.settlement import GameReport

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from edge_assets.feeds.history.sources import Part
    from edge_assets.feeds.history.tables import Table

    Floats = NDArray[np.float64]

SOURCE = "pinnacle-mlb"
MAIN, OTHERS = "lines.csv", ("games.csv",)
SPORT = "baseball_mlb"
GAME = ("game_no", "start_utc", "away", "home")
LINE = ("game_no", "entered_utc")
GAME_LASTS = 6 * 3_600 * 1_000_000
"""Microseconds from the start until the result is known for sure."""


class _Selection(NamedTuple):
    market: Market
    outcome: Outcome
    price: str
    point: str | None = None
    sign: int = 1


SELECTIONS = (
    _Selection(Market.H2H, Outcome.AWAY, "MoneyUS1"),
    _Selection(Market.H2H, Outcome.HOME, "MoneyUS2"),
    _Selection(Market.SPREADS, Outcome.AWAY, "SpreadUS1", "SpreadTeam1"),
    _Selection(Market.SPREADS, Outcome.HOME, "SpreadUS2", "SpreadTeam1", -1),
    _Selection(Market.TOTALS, Outcome.OVER, "TotalUSOver", "TotalPoints"),
    _Selection(Market.TOTALS, Outcome.UNDER, "TotalUSUnder", "TotalPoints"),
)


def read(part: Part) -> Reading:
    """The line changes of a season.

    Raises:
        RefusedFileError: a file is missing, damaged or of another format.
    """
    refused = Refusals()
    contents = part.content("lines.csv"), part.content("games.csv")
    if contents[0] is None or contents[1] is None:
        raise RefusedFileError(Refusal(part.name, "file_missing", "games.csv", "put it beside the lines"))
    lines = read_table(f"{part.name}/lines.csv", contents[0], LINE, refused).dated(["entered_utc"])
    games = _playable(read_table(f"{part.name}/games.csv", contents[1], GAME, refused))
    batch = HistoryBatch(
        feed=SOURCE,
        names=SOURCE,
        sport=SPORT,
        events=_events(games),
        books=[BookName("pinnacle", "Pinnacle")],
        quotes=_quotes(lines, games),
        rows=len(lines),
    )
    return Reading([batch], refused)


def _playable(games: Table) -> Table:
    """The games of two teams with a start, each once."""
    games = games.named(["game_no", "away", "home"]).dated(["start_utc"])
    same = np.array([is_one_name(a, b) for a, b in zip(*map(games.texts, ("away", "home")), strict=True)], bool)
    games.refuse("same_team_twice", ["home"], same[:, None], "two teams are needed")
    return games.where(~same).unique("game_no")


def _events(games: Table) -> list[HistoryEvent]:
    starts = games.times("start_utc").tolist()
    scores = games.numbers(["home_score", "away_score"]).tolist()
    columns = map(games.texts, ("game_no", "home", "away"))
    events = []
    for row, (number, home, away, start) in enumerate(zip(*columns, starts, strict=True)):
        report = _report(games, row, *scores[row])
        events.append(HistoryEvent(f"{number}:{start}", home, away, start, False, None, report, start + GAME_LASTS))
    return events


def _report(games: Table, row: int, home: float, away: float) -> GameReport | None:
    """As played: the file does not tell extra innings apart."""
    if np.isnan(home) or np.isnan(away):
        return None
    try:
        return GameReport.final(score_of(home, away))
    except NoResultError as reason:
        games.refuse_at(row, str(reason), "home_score", f"{away:g}:{home:g}")
        return None


def _quotes(lines: Table, games: Table) -> TimedQuotes:
    event = lines.mapped("game_no", {key: row for row, key in enumerate(games.texts("game_no"))}, -1)
    at = lines.times("entered_utc")
    lines.refuse("event_unknown", ["game_no"], (event < 0)[:, None], "no such game")
    order = np.lexsort((at, event))
    order = order[event[order] >= 0]
    event, at = event[order], at[order]
    parts = [_changes(event, at, s, *_values(lines, s, order)) for s in SELECTIONS]
    columns = zip(*(part.quotes.columns() for part in parts), strict=True)
    quotes = QuoteBatch(*(np.concatenate(column) for column in columns))
    return TimedQuotes(quotes, np.concatenate([part.observed_at for part in parts]))


def _values(lines: Table, selection: _Selection, order: NDArray[np.intp]) -> tuple[Floats, Floats]:
    """Price and point of a selection, NaN where there is none."""
    prices = judged(lines, [selection.price], from_american)[:, 0]
    points = np.full(len(prices), np.nan)
    if selection.point:
        points = judged(lines, [selection.point], from_points)[:, 0] * selection.sign + 0.0
        lost = ~np.isnan(prices) & np.isnan(points)
        lines.refuse("handicap_missing", [selection.price], lost[:, None], "it needs a line")
        prices = np.where(lost, np.nan, prices)
    return prices[order], points[order]


def _changes(
    event: NDArray[np.intp], at: NDArray[np.int64], selection: _Selection, prices: Floats, points: Floats
) -> TimedQuotes:
    """New prices, and withdrawals of what they replace at another point or leave without one."""
    first = np.r_[True, event[1:] != event[:-1]]
    old_price, old_point = (np.where(first, np.nan, np.r_[np.nan, v[:-1]]) for v in (prices, points))
    same_point = (points == old_point) | (np.isnan(points) & np.isnan(old_point))
    news = ~np.isnan(prices) & ~(same_point & (prices == old_price))
    gone = ~np.isnan(old_price) & (np.isnan(prices) | ~same_point)
    index = np.concatenate([np.flatnonzero(news), np.flatnonzero(gone)])
    n = len(index)
    withdrawn = np.arange(n) >= np.count_nonzero(news)
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
