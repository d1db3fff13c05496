"""What the words of American scoreboards mean, and what can be a score."""

from __future__ import annotations

from math import isnan

from ml.settlement import GameReport, GameStatus, Score

FINAL_STATUS = "FINAL"
STATUSES_WITHOUT_SCORE = {
    "POSTPONED": GameStatus.POSTPONED,
    "CANCELED": GameStatus.NOT_PLAYED,
    "CANCELLED": GameStatus.NOT_PLAYED,
}
MAX_SCORE = 250
"""Of one side; 186 is the record of the NBA."""


class NoResultError(ValueError):
    """Why there is no result where one is stated: the reason that is counted."""


def parse_score(home: float, away: float, max_score: int = MAX_SCORE) -> Score:
    """Whole points from nothing to `max_score`.

    Raises:
        NoResultError: one of the two is none.
    """
    if not all(0 <= points <= max_score and points == int(points) for points in (home, away)):
        raise NoResultError("score_malformed")
    return Score(int(home), int(away))


def parse_report(status: str, home: float, away: float) -> GameReport:
    """The report; `FINAL OT` has no score of the regulation.

    Raises:
        NoResultError: the word is not known, or the score is none.
    """
    if status in STATUSES_WITHOUT_SCORE:
        return GameReport(STATUSES_WITHOUT_SCORE[status])
    if not status.startswith(FINAL_STATUS) or isnan(home) or isnan(away):
        raise NoResultError("result_unknown")
    score = parse_score(home, away)
    return GameReport.final(score, score if status == FINAL_STATUS else None)
