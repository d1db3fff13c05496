"""Moves of books and markets, a day at a time.

A day is watched from six hours before it, so what the watch remembers is the same whether it sees one day after a
burst or a year at night: the result of a day depends on thirty hours' polls and on nothing else.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import numpy as np

from edge_assets.clock import micros
from edge_assets.store.movements import (
    BOOK_MOVES,
    MOVEMENTS,
    SportDay,
    days_due,
    polls_as_they_came,
    replace_moves,
)
from ml.movement import MovementKind, MovementRules, MovementWatch

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray
    from psycopg import Connection

    from ml.quotes import PollChanges

MEMORY = timedelta(hours=6)
"""Twelve horizons of a drift. From a day before, a year is watched twice: of a million ticks, 19 s of processor instead
of 13, for the same moves and steams."""
KINDS = {MovementKind.STEAM: 1, MovementKind.DRIFT: 2, MovementKind.REVERSAL: 3}
LOOKS = 1.5
"""Books that moved between the same two looks moved together: a window shorter than the cadence would miss them."""
SECOND = 1_000_000


def watch_days(conn: Connection, clone_of: Mapping[int, int], version: int) -> int:
    """Watch every day that pending polls touch, anew, as part of a pricing; return the number of moves found."""
    return sum(_watch_day(conn, day, clone_of, version) for day in days_due(conn))


def _watch_day(conn: Connection, day: SportDay, clone_of: Mapping[int, int], version: int) -> int:
    polls = list(polls_as_they_came(conn, day, day.begins - MEMORY))
    watch = MovementWatch(_rules(polls), clone_of)
    moves: list[tuple[NDArray[Any], ...]] = []
    movements: list[tuple[float, ...]] = []
    last = None
    for poll in polls:
        found = watch.step(poll)
        if last is not None and poll.observed_at >= micros(day.begins):
            moves.append(_stamped(watch, poll.observed_at, last))
            movements += [
                (m.event, m.market, m.at, KINDS[m.kind], m.direction, m.size) for m in found if m.kind in KINDS
            ]
        last = poll.observed_at
    columns = _columns(BOOK_MOVES, zip(*moves, strict=True))
    replace_moves(conn, day, version, columns, _columns(MOVEMENTS, ([row] for row in zip(*movements, strict=True))))
    return len(columns["event_id"])


def _stamped(watch: MovementWatch, at: int, before: int) -> tuple[NDArray[Any], ...]:
    moves = watch.moves
    n = len(moves.event)
    stamps = np.full(n, at), np.full(n, (at - before) / SECOND)
    return moves.event, moves.market, moves.book, stamps[0], moves.before, moves.after, stamps[1]


def _columns(types: Mapping[str, str], columns: Any) -> dict[str, NDArray[Any]]:
    """Parts of columns, put together; empty ones where there is none."""
    joined = [np.concatenate(parts) for parts in columns] or [np.empty(0, "i8")] * len(types)
    return dict(zip(types, joined, strict=True))


def _rules(polls: list[PollChanges]) -> MovementRules:
    usual = MovementRules()
    gaps = np.diff([poll.observed_at for poll in polls]) / SECOND
    look = LOOKS * float(np.median(gaps)) if len(gaps) else 0.0
    return MovementRules(window=max(usual.window, look), lead_window=max(usual.lead_window, look))
