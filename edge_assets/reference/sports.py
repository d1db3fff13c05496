"""The sports of `sports.toml`: what the rooms know of each, in one place."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from collections.abc import Mapping


class FamilyProfile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the leagues of a family have in common.

    `has_scores`: The Odds API's scores count what bets are settled on (those of fights and tennis do not). `can_draw`:
    every match can end in a draw, so `h2h` is a three-way market whatever is on offer. `settles_in_regulation`: there
    are bets on regulation time. `start_tolerance_hours` is how far apart two sources may put the start of one event,
    by default and for single sources. `teams_meet_once_a_day`: a source that lists two events of the same teams within
    the tolerance lists one event twice.
    """

    title: str | None = None
    has_scores: bool = False
    can_draw: bool = False
    settles_in_regulation: bool = False
    start_tolerance_hours: float = 12  # where a source states only the day, the assumed start may be off by this much
    start_tolerance_hours_by_source: dict[str, float] = {}
    teams_meet_once_a_day: bool = False


class SportProfile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A league, and where others keep it.

    `aliases` are short names that are accepted for the key. `espn` is the path of ESPN's scoreboard; college boards
    show ranked teams only, unless asked for an `espn_group`. `football_data` is the division or the extra league of
    football-data.co.uk, whose files name the `football_data_country`. `has_extra_time` is False for soccer leagues
    without any play-off: there is no doubt which score settles. `hosts_meet_once`: in the division's files a team is
    host to each other team once a season, so a match listed again on another date was moved. `is_default`: polled
    unless `EDGE_SPORTS` names others. `is_at_feed` is False for a key in The Odds API's style that it does not list.
    """

    aliases: tuple[str, ...] = ()
    espn: str | None = None
    espn_group: int | None = None
    football_data: str | None = None
    football_data_country: str | None = None
    has_extra_time: bool = True
    hosts_meet_once: bool = False
    is_default: bool = False
    is_at_feed: bool = True


class _SportsFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    families: dict[str, FamilyProfile]
    sports: dict[str, SportProfile]


@cache
def _load_sports_file() -> _SportsFile:
    return msgspec.toml.decode(files(__package__).joinpath("sports.toml").read_bytes(), type=_SportsFile)


def load_known_sports() -> Mapping[str, SportProfile]:
    """Every sport of `sports.toml` by key."""
    return _load_sports_file().sports


def sport_family(sport: str) -> str:
    """`soccer` of `soccer_epl`."""
    return sport.partition("_")[0]


def find_family(sport: str) -> FamilyProfile:
    """The profile of a sport's family; an unknown family has the defaults."""
    return _load_sports_file().families.get(sport_family(sport)) or FamilyProfile()


def find_sport(sport: str) -> SportProfile:
    """The profile of a sport; an unknown sport has the defaults."""
    return load_known_sports().get(sport) or SportProfile()


def team_pool(sport: str) -> str:
    """The leagues between which teams move up and down, in which a name means one team: `football_data` of England.

    By the country of football-data.co.uk's divisions (`E0`, `E1`, `EC`); any other league is on its own.
    """
    division = find_sport(sport).football_data
    if division is None or find_sport(sport).football_data_country:
        return sport
    return (
        f"football_data {division[:2].rstrip('0123456789C') if division[0] == 'E' else division.rstrip('0123456789')}"
    )


def family_title(sport: str) -> str:
    """The family as The Odds API titles it: `American Football`."""
    return find_family(sport).title or sport_family(sport).title()


SPORT_ALIASES = {alias: key for key, sport in load_known_sports().items() for alias in sport.aliases}
"""Keys by short name; every key of the feed is accepted as well."""
KNOWN_SPORTS = frozenset(key for key, sport in load_known_sports().items() if sport.is_at_feed)
"""Keys of the feed's documentation. The list changes: one that is not here can be asked for as `+key`."""
DEFAULT_SPORTS = tuple(key for key, sport in load_known_sports().items() if sport.is_default)
