"""What a source can say of a game: how it ended, and after how much play."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple


class GameStatus(StrEnum):
    """How a game ended, or why it has no result."""

    FINAL = "final"
    SHORTENED = "shortened"
    """Ended early, with a score that the league lets stand: baseball in the rain."""
    ABANDONED = "abandoned"
    """Begun and not finished; scores are those when it stopped."""
    POSTPONED = "postponed"
    """To be played later."""
    NOT_PLAYED = "not_played"
    """Cancelled, or awarded without being played."""


class ScorePeriod(StrEnum):
    """What a score counts."""

    REGULATION = "regulation"
    FULL = "full"
    """The league's own final score: overtime and extra innings included. Ice hockey adds a goal for the winner of a
    shoot-out, soccer does not."""
    UNSTATED = "unstated"
    """One of the two, and the source does not say which: of a match that may have gone into extra time."""


class Score(NamedTuple):
    """Points of both sides."""

    home: int
    away: int


@dataclass(frozen=True, slots=True)
class GameReport:
    """One source's word on a game. A finished one has at least one score, an abandoned one may have some."""

    status: GameStatus
    full: Score | None = None
    regulation: Score | None = None
    unstated: Score | None = None

    @classmethod
    def final(cls, full: Score, regulation: Score | None = None) -> GameReport:
        """A finished game; `regulation` where it is known (the same score if there was no overtime)."""
        return cls(GameStatus.FINAL, full, regulation)

    def swap_sides(self) -> GameReport:
        """The same game with home and away the other way round."""
        swapped = (score and Score(score.away, score.home) for score in (self.full, self.regulation, self.unstated))
        return GameReport(self.status, *swapped)

    def scores(self) -> dict[ScorePeriod, Score | None]:
        """What is known, by period; a game without a result says so for every period that a bet can ask for."""
        stated = {
            ScorePeriod.REGULATION: self.regulation,
            ScorePeriod.FULL: self.full,
            ScorePeriod.UNSTATED: self.unstated,
        }
        if self.status in {GameStatus.FINAL, GameStatus.SHORTENED}:
            return {period: score for period, score in stated.items() if score is not None}
        return {period: stated[period] for period in (ScorePeriod.REGULATION, ScorePeriod.FULL)}
