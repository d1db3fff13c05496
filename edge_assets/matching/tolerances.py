"""How far apart two sources may put the start of one event: the one table, whoever asks."""

from __future__ import annotations

from datetime import timedelta

from edge_assets.reference.teams import sport_family

DEFAULT_TOLERANCE = timedelta(hours=12)
"""A kick-off that is assumed, because a source states the day only, may be this wrong; and in most sports the next game
of two teams is a day away."""
TOLERANCE_BY_FAMILY = {
    "americanfootball": timedelta(hours=36),
    "baseball": timedelta(hours=2),
    "soccer": timedelta(hours=36),
}
"""Teams of baseball meet twice a day: the games of a doubleheader start three hours apart or more. Those of football
never meet again within two days (in 62,149 matches 66 hours at least), while a match that is moved, for television
or the weather, often goes to the next or the last day, and a source that looked before tells the old one.
"""
ONE_MEETING_A_DAY_FAMILIES = frozenset({"americanfootball", "soccer"})
"""Of which a source that lists two events of the same teams within the tolerance lists one twice: on two days, or with
home and away exchanged."""
SOURCES_WITH_EVENT_IDS = frozenset({"odds-api"})
"""Sources whose keys are ids of their own, which the live path goes by: two of them stay two events."""
TOLERANCE_BY_SOURCE = {("espn", "baseball"): timedelta(hours=12)}
"""ESPN's boards list every game of a day, so that the other half of a doubleheader is there to be the nearer one, and
the start of a game that the rain held up is told late by one of the two."""


def names_one_event(sport: str, source: str) -> bool:
    """Whether two events that a source lists within the tolerance, of the same teams, are one."""
    return sport_family(sport) in ONE_MEETING_A_DAY_FAMILIES and source not in SOURCES_WITH_EVENT_IDS


def start_tolerance(sport: str, source: str) -> timedelta:
    """How far from each other the starts of one event may be, of a source and of what is stored."""
    family_key = sport_family(sport)
    return TOLERANCE_BY_SOURCE.get((source, family_key), TOLERANCE_BY_FAMILY.get(family_key, DEFAULT_TOLERANCE))
