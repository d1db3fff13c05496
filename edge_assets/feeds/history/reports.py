"""What the words of American scoreboards mean."""

from __future__ import annotations

from math import isnan

from ml.settlement import GameReport, GameStatus, Score

PLAYED = "FINAL"
NOT_PLAYED = {"POSTPONED": GameStatus.POSTPONED, "CANCELED": GameStatus.NOT_PLAYED, "CANCELLED": GameStatus.NOT_PLAYED}


def reported(word: str, home: float, away: float) -> GameReport | None:
    """The report; `FINAL OT` has no score of the regulation. None for a word that is not known, or no score."""
    if word in NOT_PLAYED:
        return GameReport(NOT_PLAYED[word])
    if not word.startswith(PLAYED) or isnan(home) or isnan(away):
        return None
    score = Score(int(home), int(away))
    return GameReport.final(score, score if word == PLAYED else None)
