"""What `/scores` says of finished games. It states one score a team, and not after how much play."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

from ml.settlement import GameReport, GameStatus, Score

if TYPE_CHECKING:
    from collections.abc import Iterable

    from edge_assets.feeds.odds_api import wire

TEAM_SPORTS = frozenset(
    {
        "americanfootball",
        "aussierules",
        "baseball",
        "basketball",
        "handball",
        "icehockey",
        "rugbyleague",
        "rugbyunion",
        "soccer",
    }
)
"""Sports, by the first part of their keys, whose scores count what bets are settled on; fights and sets do not."""
WITHOUT_EXTRA_TIME = frozenset(
    {"soccer_brazil_campeonato", "soccer_epl", "soccer_norway_eliteserien", "soccer_spain_la_liga"}
)
"""Soccer leagues that are listed without any play-off: what a score counts is no question there."""
HIGHEST_SCORE = 1_000


class FinishedGame(NamedTuple):
    """A finished game by the id of its event."""

    event: str
    report: GameReport


def has_scores(sport: str) -> bool:
    """Whether scores of a sport (by its key) settle bets."""
    return sport.partition("_")[0] in TEAM_SPORTS


def finished_games(sport: str, scores: Iterable[wire.Score]) -> tuple[list[FinishedGame], Counter[str]]:
    """The finished games of an answer, and what was rejected by reason; others are neither."""
    games, rejected = [], Counter[str]()
    for sent in scores:
        if not sent.completed:
            continue
        try:
            games.append(FinishedGame(sent.id, _report(sport, _score(sent))))
        except ValueError as error:
            rejected[str(error)] += 1
    return games, rejected


def _report(sport: str, score: Score) -> GameReport:
    if sport in WITHOUT_EXTRA_TIME:
        return GameReport.final(score, score)
    if sport.startswith("soccer_"):
        return GameReport(GameStatus.FINAL, unstated=score)
    return GameReport.final(score)


def _score(sent: wire.Score) -> Score:
    """By name: scores come in any order."""
    points = {team.name: team.score for team in sent.scores or ()}
    if not points:
        raise ValueError("completed_without_scores")
    if points.keys() != {sent.home_team, sent.away_team}:
        raise ValueError("unknown_team")
    return Score(*(_points(points[str(team)]) for team in (sent.home_team, sent.away_team)))


def _points(text: str) -> int:
    if not (text.isdecimal() and int(text) <= HIGHEST_SCORE):
        raise ValueError("score_not_a_number")
    return int(text)
