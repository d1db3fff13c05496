"""Movements of the market as a whole: steam, drift and reversals, on the rows that a poll touched.

The market's *level* sums the moves of the median position over independent books that have prices both before and after
a poll, so that books that appear, disappear or misprint do not move it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ml.arrays import medians
from ml.quotes import MICROS_PER_SECOND

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ml.movement.matrix import MoveMatrix
    from ml.movement.rules import MovementRules
    from ml.quotes import Micros

    Array = NDArray[np.float64]
    Index = NDArray[np.intp]
    Mask = NDArray[np.bool_]

DRIFT_END_RATIO = 0.5


def update_levels(matrix: MoveMatrix, rows: Index, before: Array, independent: Index) -> Array:
    """Move the level of `rows` (r,), given the positions (r, B) before; return the moves."""
    old, new = before[:, independent], matrix.offered_positions(rows)[:, independent]
    both = np.isfinite(old) & np.isfinite(new)
    move = medians(np.where(both, new, np.nan)) - medians(np.where(both, old, np.nan))
    move = np.where(np.isnan(move), 0.0, move)
    matrix.row["median"][rows] = medians(new)
    matrix.row["level"][rows] += move
    return move


def detect_steam(
    matrix: MoveMatrix, rows: Index, clone_groups: Mask, rules: MovementRules, now: Micros
) -> tuple[Index, Array, Mask]:
    """The rows where a steam begins, its direction, and the books (s, B) that take part.

    `clone_groups` (B, O): the books of a group count as one. Small moves count against a steam but not for it: books
    that reprice all at once move both ways.
    """
    offered = matrix.has_both_sides(rows)
    large_move_at, side, run_started_at, run = (
        matrix.cell[name][rows] for name in ("large_move_at", "direction", "run_started_at", "run_size")
    )
    large = offered & (large_move_at > 0) & (now - large_move_at <= rules.window_seconds * MICROS_PER_SECOND)
    up, down = ((large & (side == way)) for way in (1, -1))
    rising, falling = _count_independent(up, clone_groups), _count_independent(down, clone_groups)
    direction = np.where(rising > falling, 1, -1)
    contrary = (
        offered
        & (now - run_started_at <= rules.window_seconds * MICROS_PER_SECOND)
        & (np.sign(run) == -direction[:, None])
    )
    most = np.maximum(rising, falling)
    moving = (most >= rules.min_steam_books) & (
        _count_independent(contrary, clone_groups) <= rules.max_contrary_ratio * most
    )
    row = matrix.row[rows]
    is_new = moving & (
        (row["steam_direction"] != direction) | (now - row["steam_at"] > rules.window_seconds * MICROS_PER_SECOND)
    )
    matrix.row["steam_direction"][rows[moving]] = direction[moving]
    matrix.row["steam_at"][rows[moving]] = now
    return rows[is_new], direction[is_new], np.where(direction[:, None] > 0, up, down)[is_new]


def _count_independent(books: Mask, clone_groups: Mask) -> NDArray[np.int64]:
    """The number (r,) of independent books among `books` (r, B)."""
    count: NDArray[np.int64] = (books @ clone_groups).sum(axis=1)
    return count


def detect_drift(
    matrix: MoveMatrix, rows: Index, move: Array, rules: MovementRules, now: Micros
) -> tuple[Index, Array]:
    """The rows where a drift begins, and its signed net size.

    From exponentially decayed sums of the market's moves: far (net), straight (net / path, Kaufman's efficiency ratio),
    and in many steps (path^2 / squares, the number of steps if all were equal).
    """
    moved = move != 0
    rows, move = rows[moved], move[moved]
    row = matrix.row[rows]
    keep = np.exp((row["drift_at"] - now) / (rules.drift_horizon_seconds * MICROS_PER_SECOND))
    net, path, squares = (
        row["net"] * keep + move,
        row["path_length"] * keep + np.abs(move),
        row["squared_moves"] * keep + move**2,
    )
    far = np.abs(net) >= rules.min_drift_move
    drifting = far & (np.abs(net) >= rules.min_drift_efficiency * path) & (path**2 >= rules.min_drift_steps * squares)
    direction = np.sign(net).astype(np.int8)
    is_new = drifting & (row["drift_direction"] != direction)
    over = np.abs(net) < DRIFT_END_RATIO * rules.min_drift_move
    for name, value in (
        ("drift_at", now), ("net", net), ("path_length", path), ("squared_moves", squares),
        ("drift_direction", np.where(drifting, direction, np.where(over, 0, row["drift_direction"]))),
    ):  # fmt: skip
        matrix.row[name][rows] = value
    return rows[is_new], net[is_new]


def detect_reversals(matrix: MoveMatrix, rows: Index, rules: MovementRules) -> tuple[Index, Array]:
    """The rows that retraced a large part of a large move, and the signed retracement (zigzag rule)."""
    row = matrix.row[rows]
    level = row["level"]
    leg = np.where(level > row["high"], 1, np.where(level < row["low"], -1, row["leg_direction"]))
    high, low = np.maximum(row["high"], level), np.minimum(row["low"], level)
    length, back = high - low, np.where(leg > 0, high - level, level - low)
    is_reversed = (leg != 0) & (length >= rules.min_reversal_move) & (back >= rules.min_retrace_ratio * length)
    matrix.row["high"][rows] = np.where(is_reversed & (leg < 0), level, high)
    matrix.row["low"][rows] = np.where(is_reversed & (leg > 0), level, low)
    matrix.row["leg_direction"][rows] = np.where(is_reversed, -leg, leg)
    return rows[is_reversed], (-leg * back)[is_reversed]
