"""Results, and what they make of a bet."""

from ml.settlement.scores import GameReport, GameStatus, Score, ScorePeriod

__all__ = ["GameReport", "GameStatus", "Score", "ScorePeriod"]
