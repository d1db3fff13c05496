"""Results as a source states them: how a game ended, and its scores by period."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple


class GameStatus(StrEnum):
    """How a game ended, or why it has no result."""

    FINAL = "final"
    SHORTENED = "shortened"
    """Ended early with an official score: baseball in the rain."""
    ABANDONED = "abandoned"
    """Started and not finished; scores are those when it stopped."""
    POSTPONED = "postponed"
    """To be played later."""
    NOT_PLAYED = "not_played"
    """Cancelled, or awarded without being played."""


class ScorePeriod(StrEnum):
    """The period that a score covers."""

    REGULATION = "regulation"
    FULL = "full"
    """The league's own final score: overtime and extra innings included. Ice hockey adds a goal for the winner of a
    shoot-out, soccer does not."""
    UNSTATED = "unstated"
    """One of the two, the source does not state which: for a match that may have gone into extra time."""


class Score(NamedTuple):
    """Points of both sides."""

    home: int
    away: int


@dataclass(frozen=True, slots=True)
class GameReport:
    """A game as one source states it. A finished one has at least one score, an abandoned one may have some."""

    status: GameStatus
    full: Score | None = None
    regulation: Score | None = None
    unstated: Score | None = None

    @classmethod
    def final(cls, full: Score, regulation: Score | None = None) -> GameReport:
        """A finished game; `regulation` if known (the same score if there was no overtime)."""
        return cls(GameStatus.FINAL, full, regulation)

    def swap_sides(self) -> GameReport:
        """The same game with home and away the other way round."""
        swapped = (score and Score(score.away, score.home) for score in (self.full, self.regulation, self.unstated))
        return GameReport(self.status, *swapped)

    def scores(self) -> dict[ScorePeriod, Score | None]:
        """The known scores by period; a game without a result has an entry for every period that bets settle on."""
        stated = {
            ScorePeriod.REGULATION: self.regulation,
            ScorePeriod.FULL: self.full,
            ScorePeriod.UNSTATED: self.unstated,
        }
        if self.status in {GameStatus.FINAL, GameStatus.SHORTENED}:
            return {period: score for period, score in stated.items() if score is not None}
        return {period: stated[period] for period in (ScorePeriod.REGULATION, ScorePeriod.FULL)}
