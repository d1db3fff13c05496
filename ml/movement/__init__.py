"""Movement: steam, drift, reversals, who leads and who lags, and books that have stopped."""

from ml.movement.detector import BookMoves, MovementDetector
from ml.movement.followers import FollowerCounts, MarketMoves, count_followers, is_in_steam
from ml.movement.leadlag import LeadLag
from ml.movement.rules import BookStatus, Movement, MovementKind, MovementRules

__all__ = [
    "BookMoves",
    "BookStatus",
    "FollowerCounts",
    "LeadLag",
    "MarketMoves",
    "Movement",
    "MovementDetector",
    "MovementKind",
    "MovementRules",
    "count_followers",
    "is_in_steam",
]
