"""What counts as a movement, and what a movement is."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum, StrEnum
from typing import TYPE_CHECKING

from ml.quotes import Market

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ml.quotes import Micros


class MovementKind(StrEnum):
    """What happened in a market (the first three) or to one book in it."""

    STEAM = "steam"
    """Several books moved the same way within a short window."""
    DRIFT = "drift"
    """The market moved far by many small steps, mostly one way."""
    REVERSAL = "reversal"
    """The market took back a large part of a large move."""
    HALTED = "halted"
    """A book took its prices down while others keep theirs up."""
    STALE = "stale"
    """A book's prices are still shown, but it has stopped confirming them."""
    LAGGING = "lagging"
    """A book confirms its price, but the market has moved away from it since it last moved."""
    RESUMED = "resumed"
    """A halted or stale book is back."""


class BookStatus(IntEnum):
    """How a book stands in a market."""

    ABSENT = 0
    STEADY = 1
    """It confirms its prices, and they are where the market is; whether it moves or not."""
    LAGGING = 2
    STALE = 3
    HALTED = 4


@dataclass(frozen=True, slots=True)
class Movement:
    """Something that happened to `market` of `event`; `book` is None where it happened to the whole market.

    `direction` is 1 towards the first outcome (home, over), -1 towards the second; 0 where it has no meaning.
    `size` in log-odds. Of a steam, `movers` are the books in the order they moved and `waiting` those that have
    not moved yet.
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

    `log_odds_per_point` turns a move of the point into log-odds: about 1.6 / standard deviation of the margin or total.
    The defaults are conventions for American football and basketball, not fits.
    """

    window_seconds: float = 60.0
    min_move: float = 0.04
    """Below this, a book's move may be rounding."""
    min_steam_books: int = 4
    max_contrary_ratio: float = 0.25
    """Books that may have moved the other way, however little, by those that make the steam."""
    drift_horizon_seconds: float = 1_800.0
    min_drift_move: float = 0.12
    min_drift_efficiency: float = 0.6
    """Net move by distance travelled (Kaufman 1995): 1 on a straight way, near 0 on a random one."""
    min_drift_steps: float = 6.0
    """Fewer steps of equal size than this are jumps."""
    min_reversal_move: float = 0.12
    min_retrace_ratio: float = 0.5
    stale_after_seconds: float = 120.0
    min_stale_intervals: float = 4.0
    """A book that confirms rarely is stale only after so many of its usual intervals."""
    min_lag_move: float = 0.12
    lead_window_seconds: float = 180.0
    lead_half_life_seconds: float = 7 * 86_400.0
    log_odds_per_point: Mapping[int, float] = field(default_factory=lambda: {Market.SPREADS: 0.13, Market.TOTALS: 0.1})
