"""Line movement: steam, drift, reversals, lead and lag between books, and books that are stale or halted."""

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
