"""How far apart the starts of one event may be in two sources, by sport and source."""

from __future__ import annotations

from datetime import timedelta

from edge_assets.reference.teams import sport_family

DEFAULT_TOLERANCE = timedelta(hours=12)
"""An assumed start, where a source states only the day, may be off by this much; in most sports two teams do not meet
again within a day."""
TOLERANCE_BY_FAMILY = {
    "americanfootball": timedelta(hours=36),
    "baseball": timedelta(hours=2),
    "soccer": timedelta(hours=36),
}
"""Baseball has doubleheaders, whose games start at least three hours apart. Football and soccer teams never meet again
within two days (at least 66 hours in 62,149 matches), while a match is often moved by a day, for television or the
weather, and a source that was read earlier still has the old start.
"""
ONE_MEETING_A_DAY_FAMILIES = frozenset({"americanfootball", "soccer"})
"""If a source lists two events of the same teams within the tolerance, they are one listed twice: on two days, or with
home and away swapped."""
SOURCES_WITH_EVENT_IDS = frozenset({"odds-api"})
"""Sources with their own event ids, which polling relies on: two ids stay two events."""
TOLERANCE_BY_SOURCE = {("espn", "baseball"): timedelta(hours=12)}
"""ESPN's scoreboards list every game of a day, so the other game of a doubleheader is there as the nearer match, and
one of the two sources is late in stating the start of a game delayed by rain."""


def names_one_event(sport: str, source: str) -> bool:
    """Whether two events of the same teams that a source lists within the tolerance are one event."""
    return sport_family(sport) in ONE_MEETING_A_DAY_FAMILIES and source not in SOURCES_WITH_EVENT_IDS


def start_tolerance(sport: str, source: str) -> timedelta:
    """How far apart the start in a source and the stored start of one event may be."""
    family_key = sport_family(sport)
    return TOLERANCE_BY_SOURCE.get((source, family_key), TOLERANCE_BY_FAMILY.get(family_key, DEFAULT_TOLERANCE))
