"""The parts of a scoreboard that results need, as far as they can be read.

Scores are text, dates have no seconds, and lists may be missing; users report null for any of them, scores as numbers
or objects, ids as numbers. What a result can do without is absent then; what it cannot is a `ValueError` whose text is
the reason that is counted.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple

from edge_assets.texts import UnusableTextError, clean_text

HIGHEST_SCORE = 999
SIDES = 2
NAMES_BY_PREFERENCE = ("displayName", "shortDisplayName", "name")
Part = Mapping[str, Any]
_NOTHING: Part = {}


class Side(NamedTuple):
    """A team of a game, its points and those of each period; None where no number is stated."""

    team_id: str
    name: str
    points: int | None
    periods: list[int | None]


class Goal(NamedTuple):
    """A goal of a soccer match, of the team that profits.

    Stoppage time does not count on: at 90'+4' the clock says 5400 seconds; None where it says nothing.
    """

    team_id: str
    points: int
    clock: float | None


class Game(NamedTuple):
    """A game of a scoreboard. `period` is the last one that was begun (a shoot-out counts as one), `length` how many
    there are without overtime; 0 where that is not stated.
    """

    id: str
    start: datetime
    home: Side
    away: Side
    status: str
    is_completed: bool | None
    period: int
    length: int
    goals: list[Goal]


def read_game(event: object) -> Game:
    """One entry of a scoreboard.

    Raises:
        ValueError: there is no single game of two teams with names, a start and a status.
    """
    entry = _part(event)
    competitions = _parts(entry.get("competitions"))
    if len(competitions) != 1:
        raise ValueError("not_two_sides")
    game = competitions[0]
    sides = _sides(game)
    status = _part(game.get("status"))
    kind = _part(status.get("type"))
    if not isinstance(name := kind.get("name"), str):
        raise ValueError("status_missing")
    return Game(
        id=_id(entry),
        start=_start(entry.get("date")),
        home=_side(sides["home"]),
        away=_side(sides["away"]),
        status=name,
        is_completed=completed if isinstance(completed := kind.get("completed"), bool) else None,
        period=_count(status.get("period")),
        length=_count(_part(_part(game.get("format")).get("regulation")).get("periods")),
        goals=_goals(game),
    )


def _sides(game: Part) -> dict[object, Part]:
    competitors = _parts(game.get("competitors"))
    sides = {side.get("homeAway"): side for side in competitors if isinstance(side.get("homeAway"), str)}
    if len(competitors) != SIDES or sides.keys() != {"home", "away"}:
        raise ValueError("not_two_sides")
    return sides


def _side(side: Part) -> Side:
    team = _part(side.get("team"))
    periods = [_part(period).get("value") for period in _list(side.get("linescores"))]
    return Side(_id(team), _name(team), _points(side.get("score")), [_points(value) for value in periods])


def _name(team: Part) -> str:
    """The full one, "Philadelphia 76ers", or the next best."""
    for key in NAMES_BY_PREFERENCE:
        if isinstance(name := team.get(key), str) and name:
            try:
                return clean_text(name)
            except UnusableTextError:
                continue
    raise ValueError("team_without_name")


def _start(text: object) -> datetime:
    """2026-07-19T19:00Z; UTC where no zone is stated."""
    try:
        start = datetime.fromisoformat(text if isinstance(text, str) else "")
        return (start if start.tzinfo else start.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise ValueError("start_not_a_time") from None


def _points(sent: object) -> int | None:
    """A score as text, as a number, or as an object with either."""
    if isinstance(sent, Mapping):
        value = sent.get("value")
        sent = sent.get("displayValue") if value is None else value
    if isinstance(sent, float) and sent.is_integer():
        sent = int(sent)
    text = str(sent).strip() if isinstance(sent, str | int) and not isinstance(sent, bool) else ""
    is_number = text.isascii() and text.isdecimal() and len(text) <= len(str(HIGHEST_SCORE))
    return int(text) if is_number else None


def _goals(game: Part) -> list[Goal]:
    plays = [play for play in _parts(game.get("details")) if play.get("scoringPlay") is True]
    return [
        Goal(
            _id(_part(play.get("team"))), _count(play.get("scoreValue")), _number(_part(play.get("clock")).get("value"))
        )
        for play in plays
        if play.get("shootout") is not True
    ]


def _id(part: Part) -> str:
    sent = part.get("id")
    return str(sent) if isinstance(sent, str | int) and not isinstance(sent, bool) else ""


def _count(sent: object) -> int:
    return _points(sent) or 0


def _number(sent: object) -> float | None:
    return float(sent) if isinstance(sent, int | float) and not isinstance(sent, bool) else None


def _part(sent: object) -> Part:
    return sent if isinstance(sent, dict) else _NOTHING


def _parts(sent: object) -> list[Part]:
    return [_part(item) for item in _list(sent)]


def _list(sent: object) -> Iterable[object]:
    return sent if isinstance(sent, list) else []
