"""The games of a scoreboard, with the final score of finished ones and, where known, the score after regulation."""

from __future__ import annotations

from collections import Counter
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

from edge_assets.feeds.espn.errors import EspnMalformedBodyError
from edge_assets.feeds.espn.wire import parse_game
from edge_assets.feeds.lenient_json import parse_lenient_json
from ml.game_statistics import MAX_COUNTS, PARTS, Statistic
from ml.settlement import GameReport, GameStatus, Score

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from edge_assets.feeds.espn.wire import ScoreboardGame, ScoreboardSide

STATUSES_WITHOUT_SCORE = {
    "STATUS_POSTPONED": GameStatus.POSTPONED,
    "STATUS_CANCELED": GameStatus.NOT_PLAYED,
    "STATUS_CANCELLED": GameStatus.NOT_PLAYED,
    "STATUS_FORFEIT": GameStatus.NOT_PLAYED,
    "STATUS_WALKOVER": GameStatus.NOT_PLAYED,
}
ABANDONED_STATUS = "STATUS_ABANDONED"
AWARDED_STATUS = "STATUS_AWARDED"
"""A score decided by a federation: a person has to find out what bets are settled on."""
FULL_TIME_STATUS = "STATUS_FULL_TIME"
FINAL_STATUS_PREFIX = "STATUS_FINAL"
"""Also the prefix of the statuses after overtime: _AET, _PEN, _OT..."""
REGULATION_SECONDS = 5_400.0
SOCCER_STATISTICS = {
    Statistic.SHOTS: "totalShots",
    Statistic.SHOTS_ON_TARGET: "shotsOnTarget",
    Statistic.CORNERS: "wonCorners",
    Statistic.FOULS: "foulsCommitted",
}
"""ESPN's names on soccer scoreboards."""
BOARD_WITHOUT_EVENTS = "board_without_events"


class EspnGame(NamedTuple):
    """A game with ESPN's id, names and start; `report` is None if it is not over or its outcome is unclear.

    `statistics` are the counts of both sides of a soccer match that ended after regulation.
    """

    id: str
    home: str
    away: str
    start: datetime
    report: GameReport | None
    statistics: Mapping[Statistic, tuple[int, int]] = MappingProxyType({})


def parse_board(body: bytes) -> tuple[list[EspnGame], Counter[str]]:
    """The games of a scoreboard, and counts of rejected parts by reason.

    Games without a result are included: a finished game may be half of a doubleheader, and only both games together
    show which of them an event is.

    Raises:
        EspnMalformedBodyError: it is not a scoreboard.
    """
    games: list[EspnGame] = []
    rejected = Counter[str]()
    for event in _parse_events(body, rejected):
        try:
            game = parse_game(event)
        except ValueError as error:
            rejected[str(error)] += 1
            continue
        try:
            report = _game_report(game)
        except ValueError as error:
            rejected[str(error)] += 1
            report = None
        statistics = _read_statistics(game, rejected) if report and game.status == FULL_TIME_STATUS else {}
        games.append(EspnGame(game.id, game.home.name, game.away.name, game.start, report, statistics))
    return games, +rejected


def _read_statistics(game: ScoreboardGame, rejected: Counter[str]) -> dict[Statistic, tuple[int, int]]:
    """The counts of both sides; those of extra time would not compare with other games'."""
    home, away = game.home.statistics, game.away.statistics
    counts = {
        statistic: (home[name], away[name])
        for statistic, name in SOCCER_STATISTICS.items()
        if name in home and name in away
    }
    odd = {statistic for statistic, sides in counts.items() if max(sides) > MAX_COUNTS[statistic]}
    odd |= {
        part
        for part, whole in PARTS
        if part in counts and whole in counts and any(a > b for a, b in zip(counts[part], counts[whole], strict=True))
    }
    rejected["statistic_absurd"] += len(odd)
    return {statistic: sides for statistic, sides in counts.items() if statistic not in odd}


def _parse_events(body: bytes, rejected: Counter[str]) -> list[object]:
    """The entries of a scoreboard; one without a list counts as empty, with a rejection reason."""
    try:
        board = parse_lenient_json(body)
    except ValueError as error:
        raise EspnMalformedBodyError(str(error)) from None
    if not isinstance(board, dict):
        raise EspnMalformedBodyError(f"expected a scoreboard object, got {type(board).__name__}")
    events = board.get("events")
    if events is None:
        rejected[BOARD_WITHOUT_EVENTS] += 1
        return []
    if not isinstance(events, list):
        raise EspnMalformedBodyError(f"expected a list of events, got {type(events).__name__}")
    return events


def _game_report(game: ScoreboardGame) -> GameReport | None:
    """The report of a finished game; None for an unfinished one.

    Raises:
        ValueError: it ended in an unknown way, or its score is not a number.
    """
    if game.status in STATUSES_WITHOUT_SCORE:
        return GameReport(STATUSES_WITHOUT_SCORE[game.status])
    score = _final_score(game)
    if game.status == ABANDONED_STATUS:
        return GameReport(GameStatus.ABANDONED, score)
    if game.is_completed is False:
        return None
    if reason := _doubt_reason(game):
        raise ValueError(reason)
    if score is None:
        raise ValueError("score_not_a_number")
    if 0 < game.last_period < game.regulation_periods:
        return GameReport(GameStatus.SHORTENED, score)
    return GameReport.final(score, _regulation_score(game, score))


def _doubt_reason(game: ScoreboardGame) -> str | None:
    """Why it is uncertain that a game is over and its score was played."""
    if game.is_completed is None:
        return "completed_missing"
    if game.status == AWARDED_STATUS:
        return "score_awarded"
    return None if game.status.startswith(FINAL_STATUS_PREFIX) or game.status == FULL_TIME_STATUS else "unknown_status"


def _final_score(game: ScoreboardGame) -> Score | None:
    home, away = game.home.points, game.away.points
    return None if home is None or away is None else Score(home, away)


def _regulation_score(game: ScoreboardGame, score: Score) -> Score | None:
    """The score after regulation: the final one, or from periods or goals; None if unknown."""
    if game.status == FULL_TIME_STATUS or 0 < game.last_period == game.regulation_periods:
        return score
    if not game.regulation_periods:
        return None
    return _score_by_periods(game) or _score_by_goals(game, score)


def _score_by_periods(game: ScoreboardGame) -> Score | None:
    """The sum of the periods. Overtime follows only on a tie, so unequal sums mean missing data."""
    home, away = (_points_in_periods(side, game.regulation_periods) for side in (game.home, game.away))
    return Score(home, away) if home is not None and home == away else None


def _points_in_periods(side: ScoreboardSide, periods: int) -> int | None:
    points = [value for value in side.periods[:periods] if value is not None]
    return sum(points) if len(points) == periods else None


def _score_by_goals(game: ScoreboardGame, score: Score) -> Score | None:
    """Goals in regulation including stoppage time, if all have a time and add up to the final score."""
    totals, regulation = Counter[str](), Counter[str]()
    for team, points, clock in game.goals:
        if clock is None:
            return None
        totals[team] += points
        regulation[team] += points * (clock <= REGULATION_SECONDS)
    sides = (game.home.team_id, game.away.team_id)
    if (not game.goals and score != (0, 0)) or sides[0] == sides[1]:
        return None
    return Score(*(regulation[s] for s in sides)) if Score(*(totals[s] for s in sides)) == score else None
