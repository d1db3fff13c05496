"""Match the events of a source with stored ones; used for imports and results.

A pair is a candidate if both teams are the same, in either order, and the starts are within the tolerance. It is a
match if every other candidate that shares an event with it is at least twice as far apart. Candidates are checked from
nearest to farthest, and matched events drop out. So both games of a doubleheader are matched even if one moved a
little, and an ambiguous event stays unmatched.
"""

from __future__ import annotations

from collections import defaultdict
from itertools import groupby
from typing import TYPE_CHECKING, NamedTuple

from edge_assets.matching.tolerances import start_tolerance
from edge_assets.reference.teams import team_key

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import datetime, timedelta

MIN_RIVAL_DISTANCE_RATIO = 2
"""How many times farther any rival candidate must be."""
TeamKeys = frozenset[str]


class Fixture(NamedTuple):
    """An event as a source lists it; it matches only if both teams are named."""

    home: str | None
    away: str | None
    start: datetime


class FixtureMatch(NamedTuple):
    """The indices of an event in both lists; `is_swapped` if home and away are swapped between them."""

    their_index: int
    our_index: int
    is_swapped: bool


class MatchingResult(NamedTuple):
    """The matches in order of `their_index`, and the indices of their events that match several stored ones."""

    matches: list[FixtureMatch]
    ambiguous: frozenset[int]


class _CandidatePair(NamedTuple):
    start_difference: timedelta
    their_index: int
    our_index: int

    def shares_event_with(self, other: _CandidatePair) -> bool:
        """Whether the pairs have an event of either list in common."""
        return self.their_index == other.their_index or self.our_index == other.our_index


def match_fixtures(sport: str, source: str, theirs: Sequence[Fixture], ours: Sequence[Fixture]) -> MatchingResult:
    """Match the events of a source with stored events, each at most once.

    The result depends neither on the order within the lists nor on which list is which.
    """
    by_teams: dict[TeamKeys, list[int]] = defaultdict(list)
    for place, fixture in enumerate(ours):
        if teams := team_keys(sport, fixture):
            by_teams[teams].append(place)
    max_difference = start_tolerance(sport, source)
    candidates: dict[TeamKeys, list[_CandidatePair]] = defaultdict(list)
    for place, fixture in enumerate(theirs):
        teams = team_keys(sport, fixture)
        for other in by_teams.get(teams, ()) if teams else ():
            if (start_difference := abs(fixture.start - ours[other].start)) <= max_difference:
                candidates[teams].append(_CandidatePair(start_difference, place, other))
    matched = sorted(
        (pair.their_index, pair.our_index) for pairs in candidates.values() for pair in _unrivalled_pairs(pairs)
    )
    matches = [FixtureMatch(place, other, _is_swapped(sport, theirs[place], ours[other])) for place, other in matched]
    their_candidates = {pair.their_index for pairs in candidates.values() for pair in pairs}
    return MatchingResult(matches, frozenset(their_candidates - {match.their_index for match in matches}))


def find_first_listed(sport: str, source: str, listed: Sequence[Fixture]) -> list[int]:
    """For every event of a list (n,), the index of its first listing: its own, or an earlier duplicate's.

    Valid where `names_one_event` holds: teams do not meet again within the tolerance.
    """
    farthest = start_tolerance(sport, source)
    firsts: dict[TeamKeys, list[int]] = defaultdict(list)
    found = []
    for place, fixture in enumerate(listed):
        teams = team_keys(sport, fixture)
        near = [(apart, i) for i in firsts[teams] if (apart := abs(listed[i].start - fixture.start)) <= farthest]
        first = min(near)[1] if near and teams else place
        if first == place:
            firsts[teams].append(place)
        found.append(first)
    return found


def team_keys(sport: str, fixture: Fixture) -> TeamKeys:
    """The keys of both teams; empty if one has no usable name, or both are the same team."""
    keys = frozenset(team_key(sport, name or "") for name in (fixture.home, fixture.away))
    return keys if len(keys) > 1 and "" not in keys else frozenset()


def _unrivalled_pairs(pairs: Iterable[_CandidatePair]) -> Iterator[_CandidatePair]:
    """The matches among candidates with the same teams."""
    unmatched = sorted(pairs)
    for start_difference, group in groupby(list(unmatched), key=lambda pair: pair.start_difference):
        unrivalled = [
            pair
            for pair in group
            if pair in unmatched and not _has_rival(pair, unmatched, MIN_RIVAL_DISTANCE_RATIO * start_difference)
        ]
        yield from unrivalled
        unmatched = [pair for pair in unmatched if not any(pair.shares_event_with(match) for match in unrivalled)]


def _has_rival(pair: _CandidatePair, unmatched: Iterable[_CandidatePair], limit: timedelta) -> bool:
    return any(
        other != pair and other.shares_event_with(pair) and _is_within(other.start_difference, limit)
        for other in unmatched
    )


def _is_within(start_difference: timedelta, limit: timedelta) -> bool:
    """Whether a rival is too near. Identical starts are rivals too, although 0 < 2 x 0 is false."""
    return start_difference < limit or not start_difference


def _is_swapped(sport: str, theirs: Fixture, ours: Fixture) -> bool:
    return team_key(sport, theirs.home or "") != team_key(sport, ours.home or "")
