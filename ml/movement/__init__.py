"""Movement: steam, drift, reversals, who leads and who lags, and books that have stopped."""

from ml.movement.following import Following, Seen, followed, in_steam
from ml.movement.leadlag import LeadLag
from ml.movement.rules import Movement, MovementKind, MovementRules, Standing
from ml.movement.watch import BookMoves, MovementWatch

__all__ = [
    "BookMoves",
    "Following",
    "LeadLag",
    "Movement",
    "MovementKind",
    "MovementRules",
    "MovementWatch",
    "Seen",
    "Standing",
    "followed",
    "in_steam",
]
