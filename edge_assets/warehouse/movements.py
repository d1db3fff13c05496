"""Moves of books and market movements, one day at a time.

Detection for a day starts six hours before it, so that its state does not depend on how many days are processed: the
result of a day depends on thirty hours of polls and on nothing else.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from edge_assets.core.clock import to_micros
from edge_assets.core.prefetch import prefetch
from edge_assets.store.analytics.book_moves import (
    FOLLOWER_TYPES,
    MOVE_TYPES,
    MOVEMENT_TYPES,
    SportDay,
    iter_polls,
    load_due_days,
    replace_moves,
)
from ml.movement import MarketMoves, MovementDetector, MovementKind, MovementRules, count_followers, is_in_steam
from ml.quotes import MICROS_PER_SECOND

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray
    from psycopg import Connection

    from ml.quotes import PollChanges

    Columns = dict[str, NDArray[Any]]

WARMUP = timedelta(hours=6)
"""Twelve horizons of a drift. A full day finds the same moves and steams and costs half as much again."""
LOOKBACK = timedelta(hours=3)
"""How far before midnight moves are updated with the moves that follow after it."""
MOVEMENT_RULES = MovementRules()
MOVEMENT_KIND_IDS = {MovementKind.STEAM: 1, MovementKind.DRIFT: 2, MovementKind.REVERSAL: 3}
WINDOW_POLL_INTERVALS = 1.5
"""Books that moved between the same two polls moved together: a window shorter than the poll interval misses them."""


class _DetectedMoves(NamedTuple):
    """What replaces a day's moves and movements, from `lookback` before it on; `move_count` is of the day itself."""

    lookback: timedelta
    book_moves: Columns
    market_movements: Columns
    move_count: int


def detect_moves(conn: Connection, reader: Connection, clone_of: Mapping[int, int]) -> int:
    """Detect the moves of every day that pending polls affect; return the number of moves found.

    While one day is processed, `reader` loads the next and the last one is written.
    """
    count, pending_write = 0, None
    with ThreadPoolExecutor(max_workers=1) as writer:
        for day, polls in prefetch(partial(_load_polls, reader), load_due_days(conn)):
            detected = _detect_day(day, polls, clone_of)
            if pending_write:
                pending_write.result()
            pending_write = writer.submit(replace_moves, conn, day, *detected[:3])
            count += detected.move_count
    if pending_write:
        pending_write.result()
    return count


def _load_polls(conn: Connection, day: SportDay) -> list[PollChanges]:
    return list(iter_polls(conn, day, day.since - WARMUP))


def _detect_day(day: SportDay, polls: Sequence[PollChanges], clone_of: Mapping[int, int]) -> _DetectedMoves:
    moves, movements = _run_detector(polls, MovementDetector(_rules_for_polls(polls), clone_of))
    moves |= _find_followers(moves, movements, clone_of)
    lookback = LOOKBACK if polls else timedelta()
    is_replaced = moves["moved_at"] >= to_micros(day.since - lookback)
    is_of_day = movements["moved_at"] >= to_micros(day.since)
    return _DetectedMoves(
        lookback,
        {name: column[is_replaced] for name, column in moves.items()},
        {name: column[is_of_day] for name, column in movements.items()},
        int(np.sum(moves["moved_at"] >= to_micros(day.since))),
    )


def _run_detector(polls: Sequence[PollChanges], detector: MovementDetector) -> tuple[Columns, Columns]:
    """All moves of books, and all movements, since the first poll."""
    moves: list[tuple[NDArray[Any], ...]] = []
    movements: list[tuple[float, ...]] = []
    last = None
    for poll in polls:
        movements_found = detector.apply_poll(poll)
        if last is not None:
            moves.append(_with_times(detector, poll.observed_at, last))
            movements += [
                (m.event, m.market, m.at, MOVEMENT_KIND_IDS[m.kind], m.direction, m.size)
                for m in movements_found
                if m.kind in MOVEMENT_KIND_IDS
            ]
        last = poll.observed_at
    return _concatenate_columns(MOVE_TYPES, zip(*moves, strict=True)), _concatenate_columns(
        MOVEMENT_TYPES, ([row] for row in zip(*movements, strict=True))
    )


def _with_times(detector: MovementDetector, at: int, before: int) -> tuple[NDArray[Any], ...]:
    moves = detector.last_moves
    n = len(moves.event)
    times = np.full(n, at), np.full(n, (at - before) / MICROS_PER_SECOND)
    return moves.event, moves.market, moves.book, times[0], moves.before, moves.after, times[1]


def _find_followers(moves: Columns, movements: Columns, clone_of: Mapping[int, int]) -> Columns:
    """Which books made the same large move before and after, and whether a steam followed.

    Moves between the same or adjacent polls cannot be ordered.
    """
    size = moves["position_after"] - moves["position_before"]
    moves_seen = MarketMoves(moves["event_id"], moves["market_id"], np.sign(size).astype(np.int16), moves["moved_at"])
    book = moves["book_id"]
    origin = np.array([clone_of.get(one, one) for one in book.tolist()], np.int64)
    window = np.maximum(MOVEMENT_RULES.lead_window_seconds, WINDOW_POLL_INTERVALS * moves["seconds_since_last_poll"])
    is_large = np.abs(size) >= MOVEMENT_RULES.min_move
    followers = count_followers(
        MarketMoves(*(c[is_large] for c in moves_seen)), book[is_large], origin[is_large], window[is_large]
    )
    columns: Columns = {}
    for name, column in zip(FOLLOWER_TYPES, followers, strict=True):
        values = np.full(len(size), -1, column.dtype)
        values[is_large] = column
        columns[name] = np.ma.masked_array(values, values == -1)
    steams = movements["kind"] == MOVEMENT_KIND_IDS[MovementKind.STEAM]
    steam_moves = MarketMoves(*(movements[name][steams] for name in ("event_id", "market_id", "direction", "moved_at")))
    return columns | {
        "in_steam": is_in_steam(
            moves_seen, np.maximum(MOVEMENT_RULES.window_seconds, moves["seconds_since_last_poll"]), steam_moves
        )
    }


def _concatenate_columns(types: Mapping[str, str], columns: Any) -> dict[str, NDArray[Any]]:
    """Concatenated columns; empty ones if there are no parts."""
    joined = [np.concatenate(parts) for parts in columns] or [np.empty(0, "i8")] * len(types)
    return dict(zip(types, joined, strict=True))


def _rules_for_polls(polls: Sequence[PollChanges]) -> MovementRules:
    gaps = np.diff([poll.observed_at for poll in polls]) / MICROS_PER_SECOND
    min_window = WINDOW_POLL_INTERVALS * float(np.median(gaps)) if len(gaps) else 0.0
    return MovementRules(
        window_seconds=max(MOVEMENT_RULES.window_seconds, min_window),
        lead_window_seconds=max(MOVEMENT_RULES.lead_window_seconds, min_window),
    )
