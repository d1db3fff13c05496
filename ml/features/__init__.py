"""Features of teams before a game, computed from earlier games only."""

from ml.features.ratings import KnownScore, RatingRules, TeamRating, compute_ratings

__all__ = ["KnownScore", "RatingRules", "TeamRating", "compute_ratings"]
