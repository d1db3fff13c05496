"""Each book's status in each market: steady, lagging, stale or halted."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ml.movement.rules import BookStatus
from ml.quotes import MICROS_PER_SECOND, UNKNOWN_TIME

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ml.movement.matrix import MoveMatrix
    from ml.movement.rules import MovementRules
    from ml.quotes import MarketConfirmations, Micros

INTERVAL_SMOOTHING = 0.2
MAX_INTERVAL_RATIO = 2.0
"""Cap on a learned interval, relative to `stale_after_seconds`: one long freeze must not excuse the next."""
MIN_LAG_GAP_RATIO = 0.5


def update_confirmations(matrix: MoveMatrix, times: MarketConfirmations, rules: MovementRules, now: Micros) -> None:
    """Record when each book last confirmed each market, and learn how often it usually does.

    A book that gives no time confirms by being listed.
    """
    rows, columns = matrix.find(times.event, times.market, times.book, create=False)
    known = (rows >= 0) & (columns >= 0)
    rows, columns = rows[known], columns[known]
    stated = np.where(times.confirmed_at == UNKNOWN_TIME, now, np.minimum(times.confirmed_at, now))[known]
    cell = matrix.cell
    last, interval = cell["confirmed_at"][rows, columns], cell["interval_seconds"][rows, columns]
    gap = np.minimum((stated - last) / MICROS_PER_SECOND, MAX_INTERVAL_RATIO * rules.stale_after_seconds)
    learned = np.where(interval > 0, interval + INTERVAL_SMOOTHING * (gap - interval), gap)
    cell["interval_seconds"][rows, columns] = np.where((last > 0) & (stated > last), learned, interval)
    cell["confirmed_at"][rows, columns] = np.maximum(stated, last)


def classify_books(
    matrix: MoveMatrix, rules: MovementRules, now: Micros
) -> tuple[NDArray[np.intp], NDArray[np.int8], NDArray[np.int8]]:
    """Classify every market in use (r,); return the rows and the statuses (r, B) before and now."""
    rows = np.flatnonzero(matrix.row["used"])
    offered, row = matrix.has_both_sides(rows), matrix.row[rows][:, None]
    names = ("status", "interval_seconds", "confirmed_at", "level_at_move", "position")
    before, interval, confirmed, level_at_move, position = (matrix.cell[name][rows] for name in names)
    allowed = np.maximum(rules.stale_after_seconds, rules.min_stale_intervals * interval)
    silent = (confirmed > 0) & (now - confirmed > allowed * MICROS_PER_SECOND)
    missed = row["level"] - level_at_move
    behind = np.sign(missed) * (row["median"] - position) >= MIN_LAG_GAP_RATIO * rules.min_lag_move
    lagging = (np.abs(missed) >= rules.min_lag_move) & behind
    halted = ~offered & np.isfinite(position) & offered.any(axis=1, keepdims=True)
    status = np.select(
        [halted, ~offered, silent, lagging],
        [BookStatus.HALTED, BookStatus.ABSENT, BookStatus.STALE, BookStatus.LAGGING],
        BookStatus.STEADY,
    ).astype(np.int8)
    matrix.cell["status"][rows] = status
    return rows, before, status
