"""What the market as a whole does: steam, drift and reversals, on the rows that a poll touched.

The market's *level* sums the moves of the median position over independent books on offer both before and after a
poll, so that books that come, go or misprint do not move it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ml.medians import medians

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ml.movement.board import Board
    from ml.movement.rules import MovementRules
    from ml.quotes import Micros

    Array = NDArray[np.float64]
    Index = NDArray[np.intp]
    Mask = NDArray[np.bool_]

SECOND = 1_000_000
HALF = 0.5


def advance(board: Board, rows: Index, before: Array, independent: Index) -> Array:
    """Move the level of `rows` (r,), given the positions (r, B) before; return the moves."""
    old, new = before[:, independent], board.offered_positions(rows)[:, independent]
    both = np.isfinite(old) & np.isfinite(new)
    move = medians(np.where(both, new, np.nan)) - medians(np.where(both, old, np.nan))
    move = np.where(np.isnan(move), 0.0, move)
    board.row["median"][rows] = medians(new)
    board.row["level"][rows] += move
    return move


def steam(board: Board, rows: Index, origin: Mask, rules: MovementRules, now: Micros) -> tuple[Index, Array, Mask]:
    """The rows where a steam begins, its direction, and the books (s, B) that move with it.

    `origin` (B, O) tells which books are one: a clone counts with what it copies. Small moves count against a
    steam and not for it: books that restate their opinions all at once move both ways.
    """
    offered = board.offered(rows)
    crossed, lean, begun, run = (board.cell[name][rows] for name in ("crossed", "lean", "begun", "run"))
    large = offered & (crossed > 0) & (now - crossed <= rules.window * SECOND)
    up, down = ((large & (lean == way)) for way in (1, -1))
    rising, falling = _voices(up, origin), _voices(down, origin)
    direction = np.where(rising > falling, 1, -1)
    contrary = offered & (now - begun <= rules.window * SECOND) & (np.sign(run) == -direction[:, None])
    most = np.maximum(rising, falling)
    moving = (most >= rules.steam_books) & (_voices(contrary, origin) <= rules.against * most)
    row = board.row[rows]
    fresh = moving & ((row["steam"] != direction) | (now - row["steam_at"] > rules.window * SECOND))
    board.row["steam"][rows[moving]] = direction[moving]
    board.row["steam_at"][rows[moving]] = now
    return rows[fresh], direction[fresh], np.where(direction[:, None] > 0, up, down)[fresh]


def _voices(books: Mask, origin: Mask) -> NDArray[np.int64]:
    """How many independent ones (r,) are among `books` (r, B)."""
    voices: NDArray[np.int64] = (books @ origin).sum(axis=1)
    return voices


def drift(board: Board, rows: Index, move: Array, rules: MovementRules, now: Micros) -> tuple[Index, Array]:
    """The rows where a drift begins, and its net size with sign.

    From exponential moments of the market's moves: far (net), straight (net / path, Kaufman's efficiency ratio),
    and in many steps (path^2 / squares, the number of steps if all were equal).
    """
    moved = move != 0
    rows, move = rows[moved], move[moved]
    row = board.row[rows]
    keep = np.exp((row["at"] - now) / (rules.drift_horizon * SECOND))
    net, path, squares = row["net"] * keep + move, row["path"] * keep + np.abs(move), row["squares"] * keep + move**2
    far = np.abs(net) >= rules.drift_move
    drifting = far & (np.abs(net) >= rules.drift_efficiency * path) & (path**2 >= rules.drift_steps * squares)
    direction = np.sign(net).astype(np.int8)
    begun = drifting & (row["drift"] != direction)
    over = np.abs(net) < HALF * rules.drift_move
    for name, value in (
        ("at", now), ("net", net), ("path", path), ("squares", squares),
        ("drift", np.where(drifting, direction, np.where(over, 0, row["drift"]))),
    ):  # fmt: skip
        board.row[name][rows] = value
    return rows[begun], net[begun]


def reversal(board: Board, rows: Index, rules: MovementRules) -> tuple[Index, Array]:
    """The rows that took back a large part of a large move, and what they took back, with sign (zigzag rule)."""
    row = board.row[rows]
    level = row["level"]
    leg = np.where(level > row["high"], 1, np.where(level < row["low"], -1, row["leg"]))
    high, low = np.maximum(row["high"], level), np.minimum(row["low"], level)
    length, back = high - low, np.where(leg > 0, high - level, level - low)
    turned = (leg != 0) & (length >= rules.reversal_move) & (back >= rules.retrace * length)
    board.row["high"][rows] = np.where(turned & (leg < 0), level, high)
    board.row["low"][rows] = np.where(turned & (leg > 0), level, low)
    board.row["leg"][rows] = np.where(turned, -leg, leg)
    return rows[turned], (-leg * back)[turned]
