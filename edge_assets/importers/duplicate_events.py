"""Stored events that may be one: the same teams within the tolerance, or the same host and guest twice in a season."""

from __future__ import annotations

from collections import defaultdict
from itertools import combinations
from typing import TYPE_CHECKING, NamedTuple

from edge_assets.matching import Fixture, are_sides_swapped
from edge_assets.matching.fixtures import team_keys
from edge_assets.matching.tolerances import start_tolerance
from edge_assets.reference.sports import find_family, find_sport

if TYPE_CHECKING:
    from collections.abc import Iterable

    from edge_assets.store.events.identities import NamedEvent

ANY_SOURCE = ""


class SuspectedDuplicate(NamedTuple):
    """Two stored events that may be one, and why."""

    first: NamedEvent
    second: NamedEvent
    reason: str


def find_suspected_duplicates(events: Iterable[NamedEvent]) -> list[SuspectedDuplicate]:
    """The pairs of events (in order of their starts) that can hardly both take place."""
    by_teams: dict[tuple[str, frozenset[str]], list[NamedEvent]] = defaultdict(list)
    for event in events:
        if teams := team_keys(event.sport, Fixture(event.home_team, event.away_team, event.commence_at)):
            by_teams[event.sport, teams].append(event)
    pairs = (pair for some in by_teams.values() for pair in combinations(some, 2))
    return [SuspectedDuplicate(*pair, reason) for pair in pairs if (reason := _suspicion(*pair))]


def _suspicion(first: NamedEvent, second: NamedEvent) -> str:
    sport = first.sport
    is_near = abs(second.commence_at - first.commence_at) <= start_tolerance(sport, ANY_SOURCE)
    if is_near and find_family(sport).teams_meet_once_a_day:
        return "the same teams on the same day"
    names = ((event.home_team, event.away_team) for event in (first, second))
    if (
        first.season == second.season
        and find_sport(sport).hosts_meet_once
        and are_sides_swapped(sport, *names) is False
    ):
        return "the same host and guest twice in a season"
    return ""
