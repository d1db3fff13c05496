"""Parse the status words and scores of American scoreboards."""

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
"""Of one side; the NBA record is 186."""


class NoResultError(ValueError):
    """A stated result is unusable; the message is the rejection reason."""


def parse_score(home: float, away: float, max_score: int = MAX_SCORE) -> Score:
    """Validate a score: whole points from 0 to `max_score`.

    Raises:
        NoResultError: one of the two is invalid.
    """
    if not all(0 <= points <= max_score and points == int(points) for points in (home, away)):
        raise NoResultError("score_malformed")
    return Score(int(home), int(away))


def parse_report(status: str, home: float, away: float) -> GameReport:
    """Parse a report; `FINAL OT` has no score after regulation.

    Raises:
        NoResultError: the status is unknown, or the score invalid.
    """
    if status in STATUSES_WITHOUT_SCORE:
        return GameReport(STATUSES_WITHOUT_SCORE[status])
    if not status.startswith(FINAL_STATUS) or isnan(home) or isnan(away):
        raise NoResultError("result_unknown")
    score = parse_score(home, away)
    return GameReport.final(score, score if status == FINAL_STATUS else None)
