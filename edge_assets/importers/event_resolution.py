"""Resolve the events of a source to stored events, or create them.

An event is found by its source's key or, the first time, by sport, teams and start (`edge_assets.matching`) among the
events that the source has no key for yet. Doubleheaders stay apart, because a source gives each game its own key. Where
teams cannot meet again so soon, a listing on another day or with sides swapped means the event that the source has
listed before, and differing results contradict each other. Where a team is host to another once a season, a match
listed on two dates, with a result on at most one, was moved: the event gets another start. An ambiguous event is stored
as a new one, and counted. At a neutral place home and away may be swapped between sources: the event's first source
decides.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from edge_assets.core.clock import to_datetime
from edge_assets.matching import (
    Fixture,
    MatchingResult,
    are_sides_swapped,
    canonical_name,
    find_first_listed,
    match_fixtures,
)
from edge_assets.matching.fixtures import team_keys
from edge_assets.matching.tolerances import DEFAULT_TOLERANCE, names_one_event, start_tolerance
from edge_assets.reference.sources import Source
from edge_assets.reference.sports import find_sport
from edge_assets.store.events import identities
from edge_assets.store.events.identities import NewEvent, StatedStart, StoredEvent

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence
    from datetime import datetime

    from numpy.typing import NDArray
    from psycopg import Connection

    from edge_assets.importers.formats.batch import ParsedEvent
    from edge_assets.matching.fixtures import TeamKeys
    from ml.quotes import Micros

LONGEST_SEASON = timedelta(days=366)


class Repeat(NamedTuple):
    """An event that its source has listed before: on another day, with sides swapped, or twice in a batch."""

    event: ParsedEvent
    before: Fixture


class ResolvedEvents(NamedTuple):
    """Ids of events (n,), whether their sides are swapped in the source, and whether the batch repeats an earlier one.

    `ambiguous` events match several stored ones; `repeats` are events that their source had listed differently.
    """

    ids: NDArray[np.int32]
    swapped: NDArray[np.bool_]
    repeated: NDArray[np.bool_]
    ambiguous: list[ParsedEvent]
    repeats: list[Repeat]


class EventRef(NamedTuple):
    """An event of a source, and when it was first seen there."""

    event: ParsedEvent
    first_seen_at: Micros


def resolve_events(
    conn: Connection, source: str, sport: str, sport_id: int, refs: Sequence[EventRef], import_id: int | None = None
) -> ResolvedEvents:
    """Find the stored events that a source means, and create new ones under `import_id`."""
    known = identities.load_events_by_source_key(conn, source, [ref.event.key for ref in refs])
    unknown = [ref for ref in refs if ref.event.key not in known]
    before = _load_events_listed_before(conn, source, sport, sport_id, unknown)
    others = [ref for ref in unknown if ref.event.key not in before]
    moved = _load_moved_events(conn, source, sport, sport_id, others, [ref.event.key for ref in refs])
    others = [ref for ref in others if ref.event.key not in moved]
    fresh, same_as = _select_first_listed(source, sport, others)
    candidates = _load_candidates(conn, source, sport, sport_id, fresh)
    matching = _match_events(sport, source, fresh, candidates)
    matched = {fresh[match.their_index].event.key: candidates[match.our_index] for match in matching.matches}
    stored = known | before | moved | matched
    created = _create_events(
        conn, source, sport, sport_id, [ref for ref in fresh if ref.event.key not in matched], import_id
    )
    ids = {key: event.id for key, event in stored.items()} | created
    ids |= {key: ids[first] for key, first in same_as.items()}
    identities.link_source_keys(conn, source, {key: ids[key] for key in [*before, *moved, *matched, *same_as]})
    _record_start_changes(conn, refs, ids, moved)
    listed = {event.key: _to_fixture(event) for event, _ in fresh} | {
        key: _stored_to_fixture(e) for key, e in stored.items()
    }
    listed |= {event.key: _at_new_start(event, moved[event.key]) for event, _ in refs if event.key in moved}
    listed |= {key: listed[first] for key, first in same_as.items()}
    resolved = _resolve_refs(sport, refs, ids, listed, before)
    repeated = {repeat.event.key for repeat in resolved.repeats}
    _update_stored(conn, [ref for ref in refs if ref.event.key not in repeated], stored)
    return resolved._replace(ambiguous=[fresh[place].event for place in sorted(matching.ambiguous)])


def _load_events_listed_before(
    conn: Connection, source: str, sport: str, sport_id: int, refs: Sequence[EventRef]
) -> dict[str, StoredEvent]:
    """Events that the source has listed under another key; empty where teams may meet again so soon."""
    if not refs or not names_one_event(sport, source):
        return {}
    ours = identities.load_listed_events(conn, source, sport_id, *_find_period(sport, source, refs))
    firsts = find_first_listed(
        sport, source, [*map(_stored_to_fixture, ours), *(_to_fixture(event) for event, _ in refs)]
    )[len(ours) :]
    return {event.key: ours[first] for (event, _), first in zip(refs, firsts, strict=True) if first < len(ours)}


def _load_moved_events(
    conn: Connection, source: str, sport: str, sport_id: int, refs: Sequence[EventRef], listed_keys: Sequence[str]
) -> dict[str, StoredEvent]:
    """The one event of the season with the same host and guest, by the source's new key; one date has no result."""
    if not refs or not find_sport(sport).hosts_meet_once or not names_one_event(sport, source):
        return {}
    starts = [ref.event.start for ref in refs]
    seasons = identities.load_seasons(conn, sport_id, starts)
    period = to_datetime(min(starts)) - LONGEST_SEASON, to_datetime(max(starts)) + LONGEST_SEASON
    events = identities.load_events_of_seasons(conn, source, sport_id, seasons, period, listed_keys)
    by_pair = _group_by_pair(sport, events)
    found = {
        event.key: [
            ours
            for has_result, ours in by_pair.get((season, team_keys(sport, _to_fixture(event))), ())
            if not (has_result and event.report is not None)
            and not _is_event_swapped(sport, event, _stored_to_fixture(ours))
        ]
        for (event, _), season in zip(refs, seasons, strict=True)
    }
    claims = Counter(event.id for some in found.values() for event in some)
    return {key: some[0] for key, some in found.items() if len(some) == 1 and claims[some[0].id] == 1}


def _group_by_pair(
    sport: str, events: Iterable[tuple[int, bool, StoredEvent]]
) -> dict[tuple[int, TeamKeys], list[tuple[bool, StoredEvent]]]:
    """The events, and whether each has a result, by season and teams."""
    by_pair: dict[tuple[int, TeamKeys], list[tuple[bool, StoredEvent]]] = defaultdict(list)
    for season, has_result, event in events:
        if teams := team_keys(sport, _stored_to_fixture(event)):
            by_pair[season, teams].append((has_result, event))
    return by_pair


def _record_start_changes(
    conn: Connection, refs: Sequence[EventRef], ids: Mapping[str, int], moved: Collection[str]
) -> None:
    """Record starts that a source changes by itself, and those of events that it lists again on another date."""
    changes = [
        StatedStart(ids[event.key], known_at, start)
        for event, _ in refs
        if event.moved_to is not None
        for start, known_at in [event.moved_to]
    ]
    changes += [StatedStart(ids[event.key], seen, event.start) for event, seen in refs if event.key in moved]
    identities.record_start_changes(conn, changes)
    identities.recompute_starts(conn, [ids[key] for key in moved])


def _at_new_start(event: ParsedEvent, ours: StoredEvent) -> Fixture:
    return Fixture(ours.home_team, ours.away_team, to_datetime(event.start))


def _select_first_listed(source: str, sport: str, refs: Sequence[EventRef]) -> tuple[list[EventRef], dict[str, str]]:
    """The refs without repeats, and a map from the keys of repeats to those of the first listing."""
    if not names_one_event(sport, source):
        return list(refs), {}
    firsts = find_first_listed(sport, source, [_to_fixture(event) for event, _ in refs])
    kept = [ref for place, ref in enumerate(refs) if firsts[place] == place]
    keys = [(ref.event.key, refs[first].event.key) for ref, first in zip(refs, firsts, strict=True)]
    return kept, {key: first for key, first in keys if key != first}


def _resolve_refs(
    sport: str,
    refs: Sequence[EventRef],
    ids: Mapping[str, int],
    listed: Mapping[str, Fixture],
    before: Collection[str],
) -> ResolvedEvents:
    numbers = np.array([ids[ref.event.key] for ref in refs], np.int32)
    repeated = np.ones(len(refs), bool)
    repeated[np.unique(numbers, return_index=True)[1]] = False
    swapped = [_is_event_swapped(sport, event, listed[event.key]) for event, _ in refs]
    repeats = [
        Repeat(event, listed[event.key])
        for (event, _), is_swapped, is_repeated in zip(refs, swapped, repeated.tolist(), strict=True)
        if is_repeated or (event.key in before and (is_swapped or _is_on_another_day(event, listed[event.key])))
    ]
    return ResolvedEvents(numbers, np.array(swapped, bool), repeated, [], repeats)


def _load_candidates(
    conn: Connection, source: str, sport: str, sport_id: int, refs: Sequence[EventRef]
) -> list[StoredEvent]:
    if not refs:
        return []
    return identities.load_unlinked_events(conn, source, sport_id, *_find_period(sport, source, refs))


def _find_period(sport: str, source: str, refs: Sequence[EventRef]) -> tuple[datetime, datetime]:
    """The range of starts in which matching events may be."""
    starts = [ref.event.start for ref in refs]
    farthest = start_tolerance(sport, source)
    return to_datetime(min(starts)) - farthest, to_datetime(max(starts)) + farthest


def _match_events(
    sport: str, source: str, refs: Sequence[EventRef], candidates: Sequence[StoredEvent]
) -> MatchingResult:
    return match_fixtures(
        sport, source, [_to_fixture(event) for event, _ in refs], [*map(_stored_to_fixture, candidates)]
    )


def _to_fixture(event: ParsedEvent) -> Fixture:
    return Fixture(event.home, event.away, to_datetime(event.start))


def _stored_to_fixture(event: StoredEvent) -> Fixture:
    return Fixture(event.home_team, event.away_team, event.commence_at)


def _create_events(
    conn: Connection, source: str, sport: str, sport_id: int, refs: Sequence[EventRef], import_id: int | None
) -> dict[str, int]:
    """Create events; return ids by the source's key. The Odds API's keys have no prefix, as in polling."""
    prefix = "" if source == Source.ODDS_API else f"{source}:"
    new = [
        NewEvent(
            event.key,
            prefix + event.key,
            canonical_name(sport, event.home),
            canonical_name(sport, event.away),
            event.start,
            first_seen,
            event.start_assumed,
        )
        for event, first_seen in refs
    ]
    return identities.create_events(conn, source, sport_id, new, import_id)


def _update_stored(conn: Connection, refs: Sequence[EventRef], stored: dict[str, StoredEvent]) -> None:
    """Update stored events: earlier first sightings, and starts that replace assumed ones."""
    updates = [(stored[ref.event.key], ref) for ref in refs if ref.event.key in stored]
    identities.update_first_seen(conn, {event.id: ref.first_seen_at for event, ref in updates})
    assumed = {e.id: ref.event.start for e, ref in updates if e.start_assumed and not ref.event.start_assumed}
    identities.replace_assumed_starts(conn, assumed)


def _is_event_swapped(sport: str, event: ParsedEvent, ours: Fixture) -> bool:
    return bool(are_sides_swapped(sport, (ours.home, ours.away), (event.home, event.away)))


def _is_on_another_day(event: ParsedEvent, ours: Fixture) -> bool:
    return abs(to_datetime(event.start) - ours.start) > DEFAULT_TOLERANCE
