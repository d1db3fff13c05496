"""Movements, and the thresholds for detecting them."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum, StrEnum
from typing import TYPE_CHECKING

from ml.quotes import Market

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ml.quotes import Micros


class MovementKind(StrEnum):
    """A movement of a market (the first three) or of one book in it."""

    STEAM = "steam"
    """Several books moved the same way within a short window."""
    DRIFT = "drift"
    """The market moved far in many small steps, mostly in one direction."""
    REVERSAL = "reversal"
    """The market took back a large part of a large move."""
    HALTED = "halted"
    """A book withdrew its prices while others keep theirs."""
    STALE = "stale"
    """A book's prices are still listed, but it has stopped confirming them."""
    LAGGING = "lagging"
    """A book confirms its price, but the market has moved away from it since it last moved."""
    RESUMED = "resumed"
    """A halted or stale book is back."""


class BookStatus(IntEnum):
    """A book's status in a market."""

    ABSENT = 0
    STEADY = 1
    """It confirms its prices, and they agree with the market."""
    LAGGING = 2
    STALE = 3
    HALTED = 4


@dataclass(frozen=True, slots=True)
class Movement:
    """A movement in `market` of `event`; `book` is None if it is the whole market's.

    `direction` is 1 towards the first outcome (home, over), -1 towards the second; 0 where it does not apply. `size` in
    log-odds. Of a steam, `movers` are the books in the order they moved and `waiting` those that have not moved yet.
    """

    kind: MovementKind
    event: int
    market: int
    at: Micros
    direction: int = 0
    size: float = 0.0
    book: int | None = None
    movers: tuple[int, ...] = ()
    waiting: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class MovementRules:
    """Thresholds; sizes in log-odds (.04 is one point of probability near evens), times in seconds.

    `log_odds_per_point` converts a move of the point to log-odds: about 1.6 / standard deviation of the margin or
    total. The defaults are conventions for American football and basketball, not fits.
    """

    window_seconds: float = 60.0
    min_move: float = 0.04
    """Below this, a book's move may be rounding."""
    min_steam_books: int = 4
    max_contrary_ratio: float = 0.25
    """Books that moved the other way, however little, relative to those in the steam."""
    drift_horizon_seconds: float = 1_800.0
    min_drift_move: float = 0.12
    min_drift_efficiency: float = 0.6
    """Net move divided by path length (Kaufman 1995): 1 for a straight move, near 0 for a random walk."""
    min_drift_steps: float = 6.0
    """Fewer equal steps than this are jumps."""
    min_reversal_move: float = 0.12
    min_retrace_ratio: float = 0.5
    stale_after_seconds: float = 120.0
    min_stale_intervals: float = 4.0
    """A book that confirms rarely is stale only after this many of its usual intervals."""
    min_lag_move: float = 0.12
    lead_window_seconds: float = 180.0
    lead_half_life_seconds: float = 7 * 86_400.0
    log_odds_per_point: Mapping[int, float] = field(default_factory=lambda: {Market.SPREADS: 0.13, Market.TOTALS: 0.1})
