"""Lenient parser of the parts of a scoreboard that results need.

Scores are text, dates have no seconds, and lists may be missing; users report null for any of them, scores as numbers
or objects, ids as numbers. Optional parts are then absent; for a required one a `ValueError` is raised, whose text is
the rejection reason.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple

from edge_assets.core.texts import UnusableTextError, clean_text

MAX_SCORE = 999
SIDE_COUNT = 2
NAMES_BY_PREFERENCE = ("displayName", "shortDisplayName", "name")
JsonObject = Mapping[str, Any]
_EMPTY_OBJECT: JsonObject = {}


class ScoreboardSide(NamedTuple):
    """A team of a game, its points in total and by period, None where no number is stated, and its statistics."""

    team_id: str
    name: str
    points: int | None
    periods: list[int | None]
    statistics: Mapping[str, int]


class ScoreboardGoal(NamedTuple):
    """A goal of a soccer match, by the team it counts for.

    The clock stops in stoppage time: at 90'+4' it shows 5400 seconds. None if not stated.
    """

    team_id: str
    points: int
    clock_seconds: float | None


class ScoreboardGame(NamedTuple):
    """A game of a scoreboard. `last_period` is the last one started (a shoot-out counts as one), `regulation_periods`
    the number without overtime; 0 if not stated.
    """

    id: str
    start: datetime
    home: ScoreboardSide
    away: ScoreboardSide
    status: str
    is_completed: bool | None
    last_period: int
    regulation_periods: int
    goals: list[ScoreboardGoal]


def parse_game(event: object) -> ScoreboardGame:
    """One entry of a scoreboard.

    Raises:
        ValueError: it is not a single game of two named teams with a start and a status.
    """
    entry = _as_object(event)
    competitions = _as_objects(entry.get("competitions"))
    if len(competitions) != 1:
        raise ValueError("not_two_sides")
    game = competitions[0]
    sides = _find_sides(game)
    status = _as_object(game.get("status"))
    kind = _as_object(status.get("type"))
    if not isinstance(name := kind.get("name"), str):
        raise ValueError("status_missing")
    return ScoreboardGame(
        id=_parse_id(entry),
        start=_parse_start(entry.get("date")),
        home=_parse_side(sides["home"]),
        away=_parse_side(sides["away"]),
        status=name,
        is_completed=completed if isinstance(completed := kind.get("completed"), bool) else None,
        last_period=_parse_count(status.get("period")),
        regulation_periods=_parse_count(_as_object(_as_object(game.get("format")).get("regulation")).get("periods")),
        goals=_parse_goals(game),
    )


def _find_sides(game: JsonObject) -> dict[object, JsonObject]:
    competitors = _as_objects(game.get("competitors"))
    sides = {side.get("homeAway"): side for side in competitors if isinstance(side.get("homeAway"), str)}
    if len(competitors) != SIDE_COUNT or sides.keys() != {"home", "away"}:
        raise ValueError("not_two_sides")
    return sides


def _parse_side(side: JsonObject) -> ScoreboardSide:
    team = _as_object(side.get("team"))
    periods = [_as_object(period).get("value") for period in _as_list(side.get("linescores"))]
    return ScoreboardSide(
        _parse_id(team),
        _parse_team_name(team),
        _parse_points(side.get("score")),
        [_parse_points(value) for value in periods],
        _parse_statistics(side),
    )


def _parse_statistics(side: JsonObject) -> dict[str, int]:
    """The whole numbers among a team's statistics, by ESPN's names."""
    sent = ((entry.get("name"), entry.get("displayValue")) for entry in _as_objects(side.get("statistics")))
    counts = {name: _parse_points(value) for name, value in sent if isinstance(name, str)}
    return {name: count for name, count in counts.items() if count is not None}


def _parse_team_name(team: JsonObject) -> str:
    """The full name, "Philadelphia 76ers", or the next best."""
    for key in NAMES_BY_PREFERENCE:
        if isinstance(name := team.get(key), str) and name:
            try:
                return clean_text(name)
            except UnusableTextError:
                continue
    raise ValueError("team_without_name")


def _parse_start(text: object) -> datetime:
    """Parse 2026-07-19T19:00Z; UTC if no zone is stated."""
    try:
        start = datetime.fromisoformat(text if isinstance(text, str) else "")
        return (start if start.tzinfo else start.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise ValueError("start_not_a_time") from None


def _parse_points(sent: object) -> int | None:
    """Parse a score sent as text, as a number, or as an object with either."""
    if isinstance(sent, Mapping):
        value = sent.get("value")
        sent = sent.get("displayValue") if value is None else value
    if isinstance(sent, float) and sent.is_integer():
        sent = int(sent)
    text = str(sent).strip() if isinstance(sent, str | int) and not isinstance(sent, bool) else ""
    is_number = text.isascii() and text.isdecimal() and len(text) <= len(str(MAX_SCORE))
    return int(text) if is_number else None


def _parse_goals(game: JsonObject) -> list[ScoreboardGoal]:
    plays = [play for play in _as_objects(game.get("details")) if play.get("scoringPlay") is True]
    return [
        ScoreboardGoal(
            _parse_id(_as_object(play.get("team"))),
            _parse_count(play.get("scoreValue")),
            _parse_number(_as_object(play.get("clock")).get("value")),
        )
        for play in plays
        if play.get("shootout") is not True
    ]


def _parse_id(part: JsonObject) -> str:
    sent = part.get("id")
    return str(sent) if isinstance(sent, str | int) and not isinstance(sent, bool) else ""


def _parse_count(sent: object) -> int:
    return _parse_points(sent) or 0


def _parse_number(sent: object) -> float | None:
    return float(sent) if isinstance(sent, int | float) and not isinstance(sent, bool) else None


def _as_object(sent: object) -> JsonObject:
    return sent if isinstance(sent, dict) else _EMPTY_OBJECT


def _as_objects(sent: object) -> list[JsonObject]:
    return [_as_object(item) for item in _as_list(sent)]


def _as_list(sent: object) -> Iterable[object]:
    return sent if isinstance(sent, list) else []
