"""Results of finished games from `/scores`, which states one score per team, but not whether it includes overtime."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

from edge_assets.core.texts import fold_text
from edge_assets.reference.sports import find_family, find_sport
from ml.settlement import GameReport, GameStatus, Score

if TYPE_CHECKING:
    from collections.abc import Iterable

    from edge_assets.feeds.odds_api import wire

MAX_SCORE = 1_000
MAX_SCORE_DIGITS = len(str(MAX_SCORE))


class FinishedGame(NamedTuple):
    """A finished game by the id of its event; the report has home and away in the order of the names."""

    event: str
    home: str
    away: str
    report: GameReport


def has_scores(sport: str) -> bool:
    """Whether scores of a sport (by its key) settle bets."""
    return find_family(sport).has_scores


def parse_finished_games(sport: str, scores: Iterable[wire.WireScore]) -> tuple[list[FinishedGame], Counter[str]]:
    """The finished games of a response, and counts of rejected entries by reason; unfinished games are ignored.

    A game listed twice counts once; with two different scores it is dropped.
    """
    games: dict[str, FinishedGame] = {}
    rejected, contradicted = Counter[str](), set[str]()
    for sent in scores:
        if not sent.completed:
            continue
        try:
            game = _parse_game(sport, sent)
        except ValueError as error:
            rejected[str(error)] += 1
            continue
        known = games.setdefault(game.event, game)
        if known is not game:
            rejected["listed_twice"] += 1
        if known != game:
            contradicted.add(game.event)
    rejected["listed_with_two_scores"] += len(contradicted)
    return [game for event, game in games.items() if event not in contradicted], +rejected


def _parse_game(sport: str, sent: wire.WireScore) -> FinishedGame:
    """Parse one game; scores come in any order and are assigned by name."""
    if not sent.home_team or not sent.away_team:
        raise ValueError("unknown_team")
    points = {fold_text(team.name): team.score for team in sent.scores or ()}
    if not points:
        raise ValueError("completed_without_scores")
    home, away = fold_text(sent.home_team), fold_text(sent.away_team)
    if home == away or len(sent.scores or ()) != len(points) or points.keys() != {home, away}:
        raise ValueError("unknown_team")
    score = Score(_parse_points(points[home]), _parse_points(points[away]))
    return FinishedGame(sent.id, sent.home_team, sent.away_team, _game_report(sport, score))


def _game_report(sport: str, score: Score) -> GameReport:
    if not find_sport(sport).has_extra_time:
        return GameReport.final(score, score)
    if find_family(sport).can_draw:
        return GameReport(GameStatus.FINAL, unstated=score)
    return GameReport.final(score)


def _parse_points(sent: str | float | None) -> int:
    """Points as text, as the API documents, or as a whole number."""
    text = str(int(sent) if isinstance(sent, float) and sent.is_integer() else sent).strip()
    if text.isascii() and text.isdecimal() and len(text) <= MAX_SCORE_DIGITS and int(text) <= MAX_SCORE:
        return int(text)
    raise ValueError("score_not_a_number")
