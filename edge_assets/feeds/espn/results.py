"""The games of a scoreboard; of those that are over the score at the end and, where it can be told, in regulation."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

from edge_assets.feeds.espn.errors import MalformedBodyError
from edge_assets.feeds.espn.wire import read_game
from edge_assets.feeds.loose_json import loosely_read
from ml.settlement import GameReport, GameStatus, Score

if TYPE_CHECKING:
    from datetime import datetime

    from edge_assets.feeds.espn.wire import Game, Side

WITHOUT_SCORE = {
    "STATUS_POSTPONED": GameStatus.POSTPONED,
    "STATUS_CANCELED": GameStatus.NOT_PLAYED,
    "STATUS_CANCELLED": GameStatus.NOT_PLAYED,
    "STATUS_FORFEIT": GameStatus.NOT_PLAYED,
    "STATUS_WALKOVER": GameStatus.NOT_PLAYED,
}
ABANDONED = "STATUS_ABANDONED"
AWARDED = "STATUS_AWARDED"
"""A score that a federation decided: whether it was played, and what bets are settled on, a person has to find out."""
FULL_TIME = "STATUS_FULL_TIME"
FINAL = "STATUS_FINAL"
"""Also the beginning of the names of endings after overtime: _AET, _PEN, _OT..."""
NINETY_MINUTES = 5_400.0
NO_BOARD = "board_without_events"


class EspnGame(NamedTuple):
    """A game with ESPN's id, names and start; `report` is None while it is not over, or where nobody can tell how."""

    id: str
    home: str
    away: str
    start: datetime
    report: GameReport | None


def board_games(body: bytes) -> tuple[list[EspnGame], Counter[str]]:
    """The games of a scoreboard, and what was rejected by reason.

    Games without a result are among them: the one that is over may be the other half of a doubleheader, and only
    beside both can it be told which of them an event is.

    Raises:
        MalformedBodyError: it is no scoreboard.
    """
    games: list[EspnGame] = []
    rejected = Counter[str]()
    for event in _events(body, rejected):
        try:
            game = read_game(event)
        except ValueError as error:
            rejected[str(error)] += 1
            continue
        try:
            report = _report(game)
        except ValueError as error:
            rejected[str(error)] += 1
            report = None
        games.append(EspnGame(game.id, game.home.name, game.away.name, game.start, report))
    return games, rejected


def _events(body: bytes, rejected: Counter[str]) -> list[object]:
    """The entries of a board; a board without a list of them is one without games, which is counted."""
    try:
        board = loosely_read(body)
    except ValueError as error:
        raise MalformedBodyError(str(error)) from None
    if not isinstance(board, dict):
        raise MalformedBodyError(f"a board is an object, not a {type(board).__name__}")
    events = board.get("events")
    if events is None:
        rejected[NO_BOARD] += 1
        return []
    if not isinstance(events, list):
        raise MalformedBodyError(f"events are a list, not a {type(events).__name__}")
    return events


def _report(game: Game) -> GameReport | None:
    """What is said of a game that is over; None of another.

    Raises:
        ValueError: it is over, but not in a way that is known, or with a score that is no number.
    """
    if game.status in WITHOUT_SCORE:
        return GameReport(WITHOUT_SCORE[game.status])
    score = _score(game)
    if game.status == ABANDONED:
        return GameReport(GameStatus.ABANDONED, score)
    if game.is_completed is False:
        return None
    if reason := _doubt(game):
        raise ValueError(reason)
    if score is None:
        raise ValueError("score_not_a_number")
    if 0 < game.period < game.length:
        return GameReport(GameStatus.SHORTENED, score)
    return GameReport.final(score, _regulation(game, score))


def _doubt(game: Game) -> str | None:
    """Why a game may not be over, or its score not what was played."""
    if game.is_completed is None:
        return "completed_missing"
    if game.status == AWARDED:
        return "score_awarded"
    return None if game.status.startswith(FINAL) or game.status == FULL_TIME else "unknown_status"


def _score(game: Game) -> Score | None:
    home, away = game.home.points, game.away.points
    return None if home is None or away is None else Score(home, away)


def _regulation(game: Game, score: Score) -> Score | None:
    """The score after regulation: the final one, or from the periods, or from the goals; else not known."""
    if game.status == FULL_TIME or 0 < game.period == game.length:
        return score
    if not game.length:
        return None
    return _by_periods(game) or _by_goals(game, score)


def _by_periods(game: Game) -> Score | None:
    """The sum of the periods; overtime follows on a tie only, so anything else is a gap in the data."""
    home, away = (_points_in(side, game.length) for side in (game.home, game.away))
    return Score(home, away) if home is not None and home == away else None


def _points_in(side: Side, periods: int) -> int | None:
    points = [value for value in side.periods[:periods] if value is not None]
    return sum(points) if len(points) == periods else None


def _by_goals(game: Game, score: Score) -> Score | None:
    """Goals up to the 90th minute and its stoppage time, if each has a time and together they make the score."""
    totals, early = Counter[str](), Counter[str]()
    for team, points, clock in game.goals:
        if clock is None:
            return None
        totals[team] += points
        early[team] += points * (clock <= NINETY_MINUTES)
    sides = (game.home.team_id, game.away.team_id)
    if (not game.goals and score != (0, 0)) or sides[0] == sides[1]:
        return None
    return Score(*(early[s] for s in sides)) if Score(*(totals[s] for s in sides)) == score else None
