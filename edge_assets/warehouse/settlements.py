"""Match results of all events, settled by `ml.settlement`: the basis of accuracy, weights and reports."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from edge_assets.store import lookups
from edge_assets.store.events.score_reports import load_report_history
from edge_assets.store.events.settlements import replace_settlements
from edge_assets.warehouse.bet_settlement import settle_columns
from ml.quotes import MARKET_OUTCOMES, UNKNOWN_TIME, Market
from ml.settlement import BetStatus

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray
    from psycopg import Connection

    Columns = dict[str, NDArray[Any]]

MATCH_RESULT_MARKETS = (Market.H2H, Market.H2H_3_WAY)
COMMON_RULES_BOOK_ID = 0
"""Book ids start at 1: this one is settled by the rules that all books share."""


def settle_matches(conn: Connection) -> int:
    """Settle every match result from scratch, as known at each time; return the number of settlements.

    Bets count as placed when the start was last changed, so that no delay voids them: the question is which outcome
    won.
    """
    sports = {sport.id: sport.key for sport in lookups.load_sports(conn).values()}
    reports = load_report_history(conn)
    parts = [_settlement_changes(reports, market, sports) for market in MATCH_RESULT_MARKETS]
    columns = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    winner = columns["winner_id"]
    replace_settlements(conn, columns | {"winner_id": np.ma.masked_array(winner, winner == 0)})
    return len(winner)


def _settlement_changes(reports: Columns, market: Market, sports: Mapping[int, str]) -> Columns:
    """One market of all events: the times at which its settlement changed."""
    verdict, winner = _settle_market(reports, market, sports)
    event, known_at = reports["event"], reports["known_at"]
    is_unchanged = np.zeros(len(event), np.bool_)
    is_unchanged[1:] = (event[1:] == event[:-1]) & (verdict[1:] == verdict[:-1]) & (winner[1:] == winner[:-1])
    [first_rows] = (~is_unchanged).nonzero()
    next_rows = np.append(first_rows, 0)[1:]
    superseded = (first_rows < next_rows) & (event[first_rows] == event[next_rows])
    return {
        "event_id": event[first_rows],
        "market_id": np.full(len(first_rows), int(market), np.int16),
        "known_at": known_at[first_rows],
        "superseded_at": np.where(superseded, known_at[next_rows], UNKNOWN_TIME),
        "verdict_id": verdict[first_rows].astype(np.int16),
        "winner_id": winner[first_rows],
    }


def _settle_market(
    reports: Columns, market: Market, sports: Mapping[int, str]
) -> tuple[NDArray[np.int8], NDArray[np.int32]]:
    """The settlement status (r,) of the market and the outcome that won its whole stake, 0 if none did.

    With unknown rules one outcome may be lost under all of them and another stay open: then the market is open.
    """
    outcomes = np.array([int(outcome) for outcome in MARKET_OUTCOMES[market]], np.int32)
    games, width = len(reports["event"]), len(outcomes)
    bets = {
        "game": np.repeat(np.arange(games), width),
        "book": np.full(games * width, COMMON_RULES_BOOK_ID),
        "market": np.full(games * width, int(market)),
        "outcome": np.tile(outcomes, games),
        "point": np.full(games * width, np.nan),
    }
    settlement = settle_columns(bets, reports, sports, {})
    won = settlement.shares.won.reshape(games, width) == 1
    winner = np.where(won.any(axis=1), outcomes[won.argmax(axis=1)], 0).astype(np.int32)
    return settlement.status.reshape(games, width).max(axis=1, initial=BetStatus.SETTLED), winner
