"""Training sets of a sport group from the store."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from edge_assets.models.market_views import GroupMarkets, result_market
from edge_assets.models.quoted_market import quoted_market
from edge_assets.models.statistics import load_game_statistics
from edge_assets.reference.books import REFERENCE_BOOK
from edge_assets.store import lookups
from edge_assets.store.events.score_reports import load_reports
from edge_assets.store.models.games import load_history, load_quotes
from edge_assets.warehouse.bet_settlement import settle_columns
from ml.features.prices import Base
from ml.quotes import MARKET_OUTCOMES, Market
from ml.training.dataset import Outcomes, TrainingSet, build_training_set

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from numpy.typing import NDArray
    from psycopg import Connection

    from ml.features.teams import TeamHistory
    from ml.training.games import Games

    Array = NDArray[np.float64]
    Columns = dict[str, NDArray[Any]]

COMMON_RULES_BOOK_ID = 0


class GroupData(NamedTuple):
    """The training sets of a sport group by market and base, and the keys of its leagues."""

    group: str
    leagues: Mapping[int, str]
    games: int
    sets: Mapping[tuple[Market, Base], TrainingSet]


def load_group(
    conn: Connection, group: str, markets: tuple[Market, ...] = (), reference: str = REFERENCE_BOOK
) -> GroupData:
    """The training sets of all leagues of a sport group, of `markets` or all; empty sets are left out."""
    history = load_history(conn, group)
    result = result_market(group)
    wanted = markets or (result, Market.SPREADS, Market.TOTALS)
    quoted = {}
    for market in dict.fromkeys((result, Market.TOTALS, *wanted)):
        quotes = load_quotes(conn, history.games, group, market)
        if len(quotes.books):
            quoted[market] = quoted_market(quotes, history.books, reference, group)
    data = GroupMarkets(history.games, quoted, reference, group)
    teams = data.history(load_game_statistics(conn, group, history.games))
    settle = _Settling(conn, history.games)
    sets = {
        (market, base): lines
        for market in wanted
        if market in quoted
        for base, lines in _build_sets(data, market, settle, teams)
        if len(lines)
    }
    return GroupData(group, history.leagues, len(history.games.event), sets)


def _build_sets(
    data: GroupMarkets, market: Market, settle: _Settling, teams: TeamHistory
) -> Iterator[tuple[Base, TrainingSet]]:
    """The training sets of one market, by base."""
    view, quoted, games = data.view(market), data.markets[market], data.games
    outcomes = Outcomes(
        games.event, games.league, games.season, games.known_at, quoted.reference_close, quoted.average_close,
        *settle(market, view.point),
    )  # fmt: skip
    for base in Base:
        yield base, build_training_set(view, outcomes, base, teams)


class _Settling:
    """Settles both sides of lines by the rules that all books share, on the results as now known."""

    def __init__(self, conn: Connection, games: Games) -> None:
        self._sports = {sport.id: sport.key for sport in lookups.load_sports(conn).values()}
        reports = load_reports(conn)
        wanted = np.isin(reports["event"], games.event)
        self._reports: Columns = {name: column[wanted] for name, column in reports.items()}
        order = np.argsort(games.event)
        self._row = order[np.searchsorted(games.event, self._reports["event"], sorter=order)]
        self._games = len(games.event)

    def __call__(self, market: Market, point: Array) -> tuple[Array, Array]:
        """What was won (N, n) of the decided stake, and the share of it that was decided (N,)."""
        outcomes = np.array([int(outcome) for outcome in MARKET_OUTCOMES[market]], np.int32)
        known, width = len(self._row), len(outcomes)
        sign = np.array([1.0, -1.0]) if market is Market.SPREADS else np.ones(width)
        bets = {
            "game": np.repeat(np.arange(known), width),
            "book": np.full(known * width, COMMON_RULES_BOOK_ID),
            "market": np.full(known * width, int(market)),
            "outcome": np.tile(outcomes, known),
            "point": (point[self._row, None] * sign).ravel(),
        }
        shares = settle_columns(bets, self._reports, self._sports, {}).shares
        decided = (shares.won + shares.lost).reshape(known, width)
        won, at_risk = np.full((self._games, width), np.nan), np.full(self._games, np.nan)
        at_risk[self._row] = decided.min(axis=1)
        with np.errstate(invalid="ignore", divide="ignore"):
            won[self._row] = shares.won.reshape(known, width) / decided
        won[~(at_risk > 0)] = np.nan
        return won, at_risk
