"""How each book stands in each market: steady, lagging, stale or halted."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ml.movement.rules import Standing
from ml.quotes import UNKNOWN_TIME

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ml.movement.board import Board
    from ml.movement.rules import MovementRules
    from ml.quotes import MarketTimes, Micros

SECOND = 1_000_000
SMOOTHING = 0.2
LONGEST = 2.0
"""An interval counts as at most so many times `stale_after`: one long freeze must not excuse the next."""
HALF = 0.5


def confirm(board: Board, times: MarketTimes, rules: MovementRules, now: Micros) -> None:
    """Take over when each book last confirmed each market, and learn how often it usually does.

    A book that states no time confirms by being listed.
    """
    rows, columns = board.find(times.event, times.market, times.book, create=False)
    known = (rows >= 0) & (columns >= 0)
    rows, columns = rows[known], columns[known]
    stated = np.where(times.book_time == UNKNOWN_TIME, now, np.minimum(times.book_time, now))[known]
    cell = board.cell
    last, interval = cell["confirmed"][rows, columns], cell["interval"][rows, columns]
    gap = np.minimum((stated - last) / SECOND, LONGEST * rules.stale_after)
    learned = np.where(interval > 0, interval + SMOOTHING * (gap - interval), gap)
    cell["interval"][rows, columns] = np.where((last > 0) & (stated > last), learned, interval)
    cell["confirmed"][rows, columns] = np.maximum(stated, last)


def judge(
    board: Board, rules: MovementRules, now: Micros
) -> tuple[NDArray[np.intp], NDArray[np.int8], NDArray[np.int8]]:
    """Judge every market in use (r,); return rows, and the standings (r, B) before and now."""
    rows = np.flatnonzero(board.row["used"])
    offered, row = board.offered(rows), board.row[rows][:, None]
    names = ("standing", "interval", "confirmed", "level", "position")
    before, interval, confirmed, level, position = (board.cell[name][rows] for name in names)
    allowed = np.maximum(rules.stale_after, rules.stale_intervals * interval)
    silent = (confirmed > 0) & (now - confirmed > allowed * SECOND)
    missed = row["level"] - level
    behind = np.sign(missed) * (row["median"] - position) >= HALF * rules.lag_move
    lagging = (np.abs(missed) >= rules.lag_move) & behind
    halted = ~offered & np.isfinite(position) & offered.any(axis=1, keepdims=True)
    standing = np.select(
        [halted, ~offered, silent, lagging],
        [Standing.HALTED, Standing.ABSENT, Standing.STALE, Standing.LAGGING],
        Standing.STEADY,
    ).astype(np.int8)
    board.cell["standing"][rows] = standing
    return rows, before, standing
