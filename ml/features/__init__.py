"""What is known of teams before a game: every number made strictly from earlier games."""

from ml.features.ratings import GameRatings, RatingRules, rate

__all__ = ["GameRatings", "RatingRules", "rate"]
