"""What the words of American scoreboards mean, and what can be a score."""

from __future__ import annotations

from math import isnan

from ml.settlement import GameReport, GameStatus, Score

PLAYED = "FINAL"
NOT_PLAYED = {"POSTPONED": GameStatus.POSTPONED, "CANCELED": GameStatus.NOT_PLAYED, "CANCELLED": GameStatus.NOT_PLAYED}
HIGHEST_SCORE = 250
"""Of one side; 186 is the record of the NBA."""


class NoResultError(ValueError):
    """Why there is no result where one is stated: the reason that is counted."""


def score_of(home: float, away: float, highest: int = HIGHEST_SCORE) -> Score:
    """Whole points from nothing to `highest`.

    Raises:
        NoResultError: one of the two is none.
    """
    if not all(0 <= points <= highest and points == int(points) for points in (home, away)):
        raise NoResultError("score_malformed")
    return Score(int(home), int(away))


def reported(word: str, home: float, away: float) -> GameReport:
    """The report; `FINAL OT` has no score of the regulation.

    Raises:
        NoResultError: the word is not known, or the score is none.
    """
    if word in NOT_PLAYED:
        return GameReport(NOT_PLAYED[word])
    if not word.startswith(PLAYED) or isnan(home) or isnan(away):
        raise NoResultError("result_unknown")
    score = score_of(home, away)
    return GameReport.final(score, score if word == PLAYED else None)
