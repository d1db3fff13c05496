"""What is known of teams before a game: every number made strictly from earlier games."""

from ml.features.ratings import KnownScore, RatingRules, TeamRating, compute_ratings

__all__ = ["KnownScore", "RatingRules", "TeamRating", "compute_ratings"]
