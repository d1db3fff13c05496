"""The match results of all events, settled by `ml.settlement`: what accuracy, weights and tables rest on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from edge_assets.settling import settle
from edge_assets.store import board
from edge_assets.store.reports import dated_reports
from edge_assets.store.settlements import replace_settlements
from ml.quotes import OUTCOMES_OF, UNKNOWN_TIME, Market
from ml.settlement import Verdict

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray
    from psycopg import Connection

    Columns = dict[str, NDArray[Any]]

MATCH_RESULT = (Market.H2H, Market.H2H_3_WAY)
NO_BOOK = 0
"""Numbers of books begin at 1: what has none is settled by the rules that all books have in common."""


def settle_matches(conn: Connection) -> int:
    """Settle every match result anew, by all that was known of it at each moment; return the number of settlements.

    Bets are taken for made when the start was last known, so that no delay voids them: what is asked is which outcome
    won.
    """
    sports = {sport.id: sport.key for sport in board.sports(conn).values()}
    reports = dated_reports(conn)
    parts = [_settled(reports, market, sports) for market in MATCH_RESULT]
    found = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    winner = found["winner_id"]
    replace_settlements(conn, found | {"winner_id": np.ma.masked_array(winner, winner == 0)})
    return len(winner)


def _settled(reports: Columns, market: Market, sports: Mapping[int, str]) -> Columns:
    """One market of all events: the moments at which its settlement changed."""
    verdict, winner = _verdicts(reports, market, sports)
    event, known_at = reports["event"], reports["known_at"]
    again = np.zeros(len(event), np.bool_)
    again[1:] = (event[1:] == event[:-1]) & (verdict[1:] == verdict[:-1]) & (winner[1:] == winner[:-1])
    [begin] = (~again).nonzero()
    following = np.append(begin, 0)[1:]
    superseded = (begin < following) & (event[begin] == event[following])
    return {
        "event_id": event[begin],
        "market_id": np.full(len(begin), int(market), np.int16),
        "known_at": known_at[begin],
        "superseded_at": np.where(superseded, known_at[following], UNKNOWN_TIME),
        "verdict_id": verdict[begin].astype(np.int16),
        "winner_id": winner[begin],
    }


def _verdicts(
    reports: Columns, market: Market, sports: Mapping[int, str]
) -> tuple[NDArray[np.int8], NDArray[np.int32]]:
    """The verdict (r,) on the market and the outcome that won wholly, 0 where none did.

    By unknown rules an outcome may be settled, lost by all of them, and another not: then the market is not.
    """
    outcomes = np.array([int(outcome) for outcome in OUTCOMES_OF[market]], np.int32)
    games, width = len(reports["event"]), len(outcomes)
    bets = {
        "game": np.repeat(np.arange(games), width),
        "book": np.full(games * width, NO_BOOK),
        "market": np.full(games * width, int(market)),
        "outcome": np.tile(outcomes, games),
        "point": np.full(games * width, np.nan),
    }
    found = settle(bets, reports, sports, {})
    won = found.shares.won.reshape(games, width) == 1
    winner = np.where(won.any(axis=1), outcomes[won.argmax(axis=1)], 0).astype(np.int32)
    return found.verdict.reshape(games, width).max(axis=1, initial=Verdict.SETTLED), winner
