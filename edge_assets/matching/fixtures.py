"""Which of our events the events of another source are: the one matcher, for imports and for results.

Two events may be one where both teams are the same, in either order, and the starts are within the tolerance. A pair is
a match where every other pair that shares an event with it is at least twice as far apart, looked at from the nearest
pair to the farthest and without those that are matched by then. So each game of a doubleheader finds its own, whoever
moved it a little, and where either could be meant, none is.
"""

from __future__ import annotations

from collections import defaultdict
from itertools import groupby
from typing import TYPE_CHECKING, NamedTuple

from edge_assets.matching.teams import team_key
from edge_assets.matching.tolerances import tolerance

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import datetime, timedelta

CLEARLY_FARTHER = 2
"""How many times as far another possible partner must be."""
Teams = frozenset[str]


class Fixture(NamedTuple):
    """An event as somebody lists it; without both teams it matches nothing."""

    home: str | None
    away: str | None
    start: datetime


class Match(NamedTuple):
    """The places of an event in both lists; `exchanged` if one has home and away the other way round."""

    theirs: int
    ours: int
    exchanged: bool


class Matching(NamedTuple):
    """What was matched, by place in the other source's list, and which of its events could be several of ours."""

    matches: list[Match]
    ambiguous: frozenset[int]


class _Pair(NamedTuple):
    apart: timedelta
    theirs: int
    ours: int

    def shares(self, other: _Pair) -> bool:
        """Whether both are about one event of either list."""
        return self.theirs == other.theirs or self.ours == other.ours


def match_fixtures(sport: str, source: str, theirs: Sequence[Fixture], ours: Sequence[Fixture]) -> Matching:
    """Match the events of a source with those that are stored, each once.

    The order of the lists means nothing, and the lists may change places.
    """
    by_teams: dict[Teams, list[int]] = defaultdict(list)
    for place, fixture in enumerate(ours):
        if teams := teams_of(sport, fixture):
            by_teams[teams].append(place)
    farthest = tolerance(sport, source)
    near: dict[Teams, list[_Pair]] = defaultdict(list)
    for place, fixture in enumerate(theirs):
        teams = teams_of(sport, fixture)
        for other in by_teams.get(teams, ()) if teams else ():
            if (apart := abs(fixture.start - ours[other].start)) <= farthest:
                near[teams].append(_Pair(apart, place, other))
    found = sorted((pair.theirs, pair.ours) for pairs in near.values() for pair in _clear(pairs))
    matches = [Match(place, other, _is_exchanged(sport, theirs[place], ours[other])) for place, other in found]
    possible = {pair.theirs for pairs in near.values() for pair in pairs}
    return Matching(matches, frozenset(possible - {match.theirs for match in matches}))


def first_listed(sport: str, source: str, listed: Sequence[Fixture]) -> list[int]:
    """For every event of a list (n,) the place of the first that is the same: the event itself, or an earlier one.

    Of sources and sports that `has_one_event` names: their teams do not meet again within the tolerance.
    """
    farthest = tolerance(sport, source)
    firsts: dict[Teams, list[int]] = defaultdict(list)
    found = []
    for place, fixture in enumerate(listed):
        teams = teams_of(sport, fixture)
        near = [(apart, i) for i in firsts[teams] if (apart := abs(listed[i].start - fixture.start)) <= farthest]
        first = min(near)[1] if near and teams else place
        if first == place:
            firsts[teams].append(place)
        found.append(first)
    return found


def teams_of(sport: str, fixture: Fixture) -> Teams:
    """The keys of both teams; none where one has no name to compare, or both are one team."""
    keys = frozenset(team_key(sport, name or "") for name in (fixture.home, fixture.away))
    return keys if len(keys) > 1 and "" not in keys else frozenset()


def _clear(pairs: Iterable[_Pair]) -> Iterator[_Pair]:
    """The pairs that are matches, of those with the same teams."""
    free = sorted(pairs)
    for apart, group in groupby(list(free), key=lambda pair: pair.apart):
        clear = [pair for pair in group if pair in free and not _has_rival(pair, free, CLEARLY_FARTHER * apart)]
        yield from clear
        free = [pair for pair in free if not any(pair.shares(match) for match in clear)]


def _has_rival(pair: _Pair, free: Iterable[_Pair], within: timedelta) -> bool:
    return any(other != pair and other.shares(pair) and _is_near(other.apart, within) for other in free)


def _is_near(apart: timedelta, within: timedelta) -> bool:
    """Two starts that are the same moment are rivals too, though nothing is less than twice nothing."""
    return apart < within or not apart


def _is_exchanged(sport: str, theirs: Fixture, ours: Fixture) -> bool:
    return team_key(sport, theirs.home or "") != team_key(sport, ours.home or "")
