"""The parts of a scoreboard that results need. Scores are text, dates have no seconds, lists may be missing."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct, field

Points = Annotated[str, Meta(pattern=r"^\d{1,3}$")]


class StatusType(Struct, frozen=True):
    """`state` is pre, in or post; `completed` false for games that are over without a result."""

    name: str
    state: str
    completed: bool


class Status(Struct, frozen=True):
    """`period` is the last one that was begun; a shoot-out counts as one."""

    type: StatusType
    period: int = 0


class Periods(Struct, frozen=True):
    """How many periods there are."""

    periods: int


class Format(Struct, frozen=True):
    """How long a game is without overtime."""

    regulation: Periods | None = None


class Team(Struct, frozen=True, rename="camel"):
    """`display_name` is the full one, "Philadelphia 76ers"."""

    id: str
    display_name: str


class PeriodScore(Struct, frozen=True):
    """The points of one period; older boards lack some."""

    value: float | None = None


class Competitor(Struct, frozen=True, rename="camel"):
    """A side. Soccer has no `linescores`."""

    home_away: Literal["home", "away"]
    team: Team
    score: Points
    linescores: list[PeriodScore] = []


class Clock(Struct, frozen=True):
    """Seconds of play; stoppage time does not count on: 90'+4' is 5400."""

    value: float


class TeamId(Struct, frozen=True):
    """A team, by its id."""

    id: str


class Detail(Struct, frozen=True, rename="camel"):
    """Something that happened in a soccer match; an own goal stands with the team that profits."""

    clock: Clock
    team: TeamId | None = None
    score_value: int = 0
    scoring_play: bool = False
    shootout: bool = False


class Competition(Struct, frozen=True):
    """The game of an event."""

    competitors: list[Competitor]
    status: Status
    format: Format = field(default_factory=Format)
    details: list[Detail] = []


class Event(Struct, frozen=True):
    """An entry of a scoreboard; `date` is a time without seconds, which msgspec does not take for one."""

    id: str
    date: str
    competitions: list[Competition]
