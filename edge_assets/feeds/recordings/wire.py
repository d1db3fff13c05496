"""The bodies of The Odds API v4 as sent on the wire, for recordings and the sandbox servers.

Times are ISO text (`2025-11-03T01:22:51Z`) or whole unix seconds, prices decimal or American, exactly as recorded;
nothing is interpreted here. Missing optional fields are `UNSET` and are omitted again on encoding.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, TypeAlias

from msgspec import UNSET, Struct, UnsetType

from edge_assets.feeds.odds_api.conversions import parse_wire_time

if TYPE_CHECKING:
    from datetime import datetime

WireTime: TypeAlias = str | int
Number: TypeAlias = int | float
OptionalText: TypeAlias = str | UnsetType | None
OptionalNumber: TypeAlias = int | float | UnsetType | None


class RawSport(Struct, frozen=True):
    """One entry of `/sports`."""

    key: str
    group: str
    title: str
    description: str
    active: bool
    has_outrights: bool


class RawOutcome(Struct, frozen=True, gc=False):
    """One price, None if suspended; `point` and `description` if the market has them."""

    name: str
    price: Number | None
    point: OptionalNumber = UNSET
    description: OptionalText = UNSET
    link: OptionalText = UNSET
    sid: OptionalText = UNSET
    bet_limit: OptionalNumber = UNSET
    multiplier: OptionalNumber = UNSET


class RawMarket(Struct, frozen=True, kw_only=True):
    """The prices of one book in one market; `outcomes` has no default: `/events/{id}/markets` lists markets too."""

    key: str
    last_update: WireTime | UnsetType = UNSET
    link: OptionalText = UNSET
    sid: OptionalText = UNSET
    outcomes: list[RawOutcome]


class RawBookmaker(Struct, frozen=True):
    """What one book offers on one event."""

    key: str
    title: str
    last_update: WireTime | UnsetType = UNSET
    link: OptionalText = UNSET
    sid: OptionalText = UNSET
    markets: list[RawMarket] = []


class RawEvent(Struct, frozen=True):
    """One entry of `/events`."""

    id: str
    sport_key: str
    sport_title: str
    commence_time: WireTime
    home_team: str | None = None
    away_team: str | None = None
    has_outrights: bool | UnsetType = UNSET
    home_rotation: int | UnsetType | None = UNSET
    away_rotation: int | UnsetType | None = UNSET


class RawEventOdds(RawEvent, frozen=True, kw_only=True):
    """One entry of `/odds`; `bookmakers` has no default: a list of events alone is not odds."""

    bookmakers: list[RawBookmaker]


class RawTeamScore(Struct, frozen=True):
    """A team's points, as text."""

    name: str
    score: str


class RawScore(Struct, frozen=True):
    """One entry of `/scores`."""

    id: str
    sport_key: str
    sport_title: str
    commence_time: WireTime
    completed: bool
    home_team: str | None
    away_team: str | None
    scores: list[RawTeamScore] | None = None
    last_update: WireTime | None = None


def format_time(at: datetime) -> str:
    """A time as the API writes it: UTC, whole seconds."""
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def parse_time(value: WireTime) -> datetime:
    """A time of the wire, aware UTC; raises like `parse_wire_time`."""
    return _parse_time_cached(value)


_parse_time_cached = lru_cache(maxsize=65_536)(parse_wire_time)
