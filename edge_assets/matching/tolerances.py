"""How far apart two sources may put the start of one event: the one table, whoever asks."""

from __future__ import annotations

from datetime import timedelta

from edge_assets.matching.teams import family

OTHERWISE = timedelta(hours=12)
"""A kick-off that is assumed, because a source states the day only, may be this wrong; and in most sports the next game
of two teams is a day away."""
BY_SPORT = {
    "americanfootball": timedelta(hours=36),
    "baseball": timedelta(hours=2),
    "soccer": timedelta(hours=36),
}
"""Teams of baseball meet twice a day: the games of a doubleheader start three hours apart or more. Those of football
never meet again within two days (in 62,149 matches 66 hours at least), while a match that is moved, for television
or the weather, often goes to the next or the last day, and a source that looked before tells the old one.
"""
MEET_ONCE = frozenset({"americanfootball", "soccer"})
"""Of which a source that lists two events of the same teams within the tolerance lists one twice: on two days, or with
home and away exchanged."""
NAMED_BY_IDS = frozenset({"odds-api"})
"""Sources whose keys are ids of their own, which the live path goes by: two of them stay two events."""
BY_SOURCE = {("espn", "baseball"): timedelta(hours=12)}
"""ESPN's boards list every game of a day, so that the other half of a doubleheader is there to be the nearer one, and
the start of a game that the rain held up is told late by one of the two."""


def has_one_event(sport: str, source: str) -> bool:
    """Whether two events that a source lists within the tolerance, of the same teams, are one."""
    return family(sport) in MEET_ONCE and source not in NAMED_BY_IDS


def tolerance(sport: str, source: str) -> timedelta:
    """How far from each other the starts of one event may be, of a source and of what is stored."""
    kind = family(sport)
    return BY_SOURCE.get((source, kind), BY_SPORT.get(kind, OTHERWISE))
