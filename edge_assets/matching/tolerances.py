"""How far apart the starts of one event may be in two sources, by sport and source."""

from __future__ import annotations

from datetime import timedelta

from edge_assets.reference.sources import SOURCES
from edge_assets.reference.sports import FamilyProfile, find_family

DEFAULT_TOLERANCE = timedelta(hours=FamilyProfile().start_tolerance_hours)
SOURCES_WITH_EVENT_IDS = frozenset(source for source, profile in SOURCES.items() if profile.has_event_ids)


def names_one_event(sport: str, source: str) -> bool:
    """Whether two events of the same teams that a source lists within the tolerance are one event."""
    return find_family(sport).teams_meet_once_a_day and source not in SOURCES_WITH_EVENT_IDS


def start_tolerance(sport: str, source: str) -> timedelta:
    """How far apart the start in a source and the stored start of one event may be."""
    family = find_family(sport)
    return timedelta(hours=family.start_tolerance_hours_by_source.get(source, family.start_tolerance_hours))
