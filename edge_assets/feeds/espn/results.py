"""The finished games of a scoreboard, with the score at the end and, where it can be told, after regulation."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from edge_assets.feeds.espn.errors import MalformedBodyError
from edge_assets.feeds.espn.wire import Event
from edge_assets.feeds.odds_api.lenient import LenientList
from edge_assets.feeds.odds_api.wire import UNREADABLE
from ml.settlement import GameReport, GameStatus, Score

if TYPE_CHECKING:
    from edge_assets.feeds.espn.wire import Competition, Competitor

WITHOUT_SCORE = {
    "STATUS_POSTPONED": GameStatus.POSTPONED,
    "STATUS_CANCELED": GameStatus.NOT_PLAYED,
    "STATUS_FORFEIT": GameStatus.NOT_PLAYED,
}
ABANDONED = "STATUS_ABANDONED"
FULL_TIME = "STATUS_FULL_TIME"
FINAL = "STATUS_FINAL"
"""Also the beginning of the names of endings after overtime: _AET, _PEN, _OT..."""
NINETY_MINUTES = 5_400.0
SIDES = 2


class EspnGame(NamedTuple):
    """A game that is over, with ESPN's id, names and start."""

    id: str
    home: str
    away: str
    start: datetime
    report: GameReport


class _Board(msgspec.Struct):
    events: msgspec.Raw


_board = msgspec.json.Decoder(_Board)
_events = LenientList(Event, "malformed_event")


def finished_games(body: bytes) -> tuple[list[EspnGame], Counter[str]]:
    """The games of a scoreboard that are over, and what was rejected by reason; other games are neither.

    Raises:
        MalformedBodyError: it is no scoreboard.
    """
    refused: list[str] = []
    try:
        events = _events.decode(_board.decode(body).events, refused)
    except UNREADABLE as error:
        raise MalformedBodyError(str(error)) from None
    games, rejected = [], Counter(refused)
    for event in events:
        try:
            games += _game(event)
        except ValueError as error:
            rejected[str(error)] += 1
    return games, rejected


def _game(event: Event) -> list[EspnGame]:
    """The game, if it is over."""
    competition = event.competitions[0] if len(event.competitions) == 1 else None
    sides = {side.home_away: side for side in competition.competitors} if competition else {}
    if competition is None or len(sides) != len(competition.competitors) or len(sides) != SIDES:
        raise ValueError("not_two_sides")
    home, away = sides["home"], sides["away"]
    if (report := _report(competition, home, away)) is None:
        return []
    return [EspnGame(event.id, home.team.display_name, away.team.display_name, _start(event.date), report)]


def _start(text: str) -> datetime:
    """2026-07-19T19:00Z."""
    try:
        return datetime.fromisoformat(text).astimezone(UTC)
    except ValueError:
        raise ValueError("start_not_a_time") from None


def _report(game: Competition, home: Competitor, away: Competitor) -> GameReport | None:
    kind = game.status.type
    if kind.name in WITHOUT_SCORE:
        return GameReport(WITHOUT_SCORE[kind.name])
    score = Score(int(home.score), int(away.score))
    if kind.name == ABANDONED:
        return GameReport(GameStatus.ABANDONED, score)
    if not kind.completed:
        return None
    if not (kind.name.startswith(FINAL) or kind.name == FULL_TIME):
        raise ValueError("unknown_status")
    length = game.format.regulation.periods if game.format.regulation else 0
    if 0 < game.status.period < length:
        return GameReport(GameStatus.SHORTENED, score)
    return GameReport.final(score, _regulation(game, home, away, score, length))


def _regulation(game: Competition, home: Competitor, away: Competitor, score: Score, length: int) -> Score | None:
    """The score after `length` periods: the final one, or from the periods, or from the goals; else not known."""
    if game.status.type.name == FULL_TIME or game.status.period == length:
        return score
    if not length:
        return None
    return _by_periods(home, away, length) or _by_goals(game, home, away, score)


def _by_periods(home: Competitor, away: Competitor, length: int) -> Score | None:
    """The sum of the periods; overtime follows on a tie only, so anything else is a gap in the data."""
    points = [[period.value for period in side.linescores[:length]] for side in (home, away)]
    if any(len(side) < length or None in side for side in points):
        return None
    totals = [int(sum(value or 0 for value in side)) for side in points]
    return Score(*totals) if totals[0] == totals[1] else None


def _by_goals(game: Competition, home: Competitor, away: Competitor, score: Score) -> Score | None:
    """Goals up to the 90th minute and its stoppage time, if all goals together make the final score."""
    goals = [play for play in game.details if play.scoring_play and not play.shootout]
    totals, early = Counter[str](), Counter[str]()
    for goal in goals:
        team = goal.team.id if goal.team else ""
        totals[team] += goal.score_value
        early[team] += goal.score_value * (goal.clock.value <= NINETY_MINUTES)
    sides = (home.team.id, away.team.id)
    if not goals and score != (0, 0):
        return None
    return Score(*(early[s] for s in sides)) if Score(*(totals[s] for s in sides)) == score else None
