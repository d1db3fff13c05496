"""Captures of The Odds API, through the differ of the live path: polls, payloads and changes as if polled then."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from dataclasses import replace
from datetime import timedelta
from functools import cache
from itertools import groupby
from typing import TYPE_CHECKING

import numpy as np

from edge_assets.books import well_known_books
from edge_assets.clock import micros
from edge_assets.coverage import Coverage, Profile
from edge_assets.feeds.history.batch import HistoryEvent, Refusal, Refusals, RefusedFileError
from edge_assets.feeds.odds_api.diff import PayloadDiffer
from edge_assets.feeds.odds_api.naming import asked_with
from edge_assets.feeds.odds_api.numbers import PriceFormat
from edge_assets.feeds.replay.reading import own_microsecond
from edge_assets.feeds.replay.recorded import RecordedTape
from edge_assets.feeds.replay.sources import TapeError
from edge_assets.importing.faults import refusal_of
from edge_assets.importing.identity import EventRef, resolve
from edge_assets.importing.single_events import format_of, said_of
from edge_assets.store import history, identities, looks, readers
from edge_assets.store.imports import ImportCounts
from edge_assets.store.offers import Poll, on_offer
from edge_assets.store.scopes import Listing, Scope
from edge_assets.store.writer import PollRecord, write_poll
from ml.quotes import EventStarts, MarketTimes, QuoteBatch

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from datetime import datetime
    from pathlib import Path

    from psycopg import Connection

    from edge_assets.feeds.odds_api.changes import Covers
    from edge_assets.feeds.odds_api.diff import Diff
    from edge_assets.feeds.replay.recorded import RecordedSnapshot
    from edge_assets.feeds.replay.tape import Capture
    from edge_assets.importing.batches import Origin
    from edge_assets.importing.single_events import Said
    from edge_assets.store.looks import Look
    from edge_assets.store.vocabulary import Vocabulary

FEED = "odds-api"
NOTHING = Scope(None, frozenset(), frozenset(), frozenset())


def load(path: Path) -> tuple[RecordedTape, Refusals]:
    """The captures of a file, a folder or a tar, and what is none.

    Raises:
        RefusedFileError: there is no capture.
    """
    try:
        tape = RecordedTape.load(path, single_events=True)
    except TapeError as error:
        remedy = "give recorded answers of /odds or /events/{id}/odds, live or historical, API version 4"
        raise RefusedFileError(Refusal(str(path), "no_captures", str(error), remedy)) from error
    refused = Refusals()
    for skip in tape.skipped:
        reason = skip.reason.replace(" ", "_")
        refused.add(Refusal(skip.path, reason, skip.detail or skip.reason, skip.remedy))
    return tape, refused


class Names:
    """The dictionaries, with events met by name the first time that a key turns up; keeps what it was asked for.

    `conn` is not the one that writes: what two connections create within open transactions locks them both for ever.
    """

    def __init__(self, conn: Connection, words: Vocabulary, sport: str, import_id: int | None = None) -> None:
        self._conn = conn
        self._import_id = import_id
        self._words = words
        self._sport = sport
        self.ambiguous = 0
        self.profile: Callable[[int], Profile] = cache(self._profile_of)
        self._ids: dict[str, int] = {}

    def sport(self, key: str, title: str) -> int:
        """The id of a sport."""
        return self._words.sport(key, title)

    def book(self, key: str, title: str) -> int:
        """The id of a book."""
        return self._words.book(key, title)

    def market(self, key: str) -> int:
        """The id of a market."""
        return self._words.market(key)

    def outcome(self, name: str, description: str | None) -> int:
        """The id of an outcome."""
        return self._words.outcome(name, description)

    def event(
        self, key: str, sport_id: int, home: str | None, away: str | None, commence_at: datetime, observed_at: datetime
    ) -> int:
        """The id of an event."""
        if home and away and key not in self._ids:
            ref = EventRef(HistoryEvent(key, home, away, micros(commence_at)), micros(observed_at))
            with self._conn.transaction():
                found = resolve(self._conn, FEED, self._sport, sport_id, [ref], self._import_id)
            self._ids[key] = int(found.ids[0])
            self.ambiguous += len(found.ambiguous)
        found_id = self._words.event(key, sport_id, home, away, commence_at, observed_at)
        self._ids[key] = found_id
        return found_id

    def name_sides(self, event_id: int, sides: tuple[str | None, str | None]) -> None:
        """Put teams in the place of an event's placeholders."""
        self._words.name_sides(event_id, sides)

    def sides(self, event_id: int) -> tuple[str | None, str | None]:
        """Home and away of an event, as its first source has them."""
        return self._words.sides(event_id)

    @property
    def events(self) -> list[int]:
        """Every event that was named."""
        return sorted(set(self._ids.values()))

    def _profile_of(self, book: int) -> Profile:
        known = well_known_books().get(self._words.book_key(book))
        return Profile(self._words.book_title(book), frozenset(known.regions if known else ()))


class SportImport:
    """Puts the captures of one sport between the looks at it that are stored already."""

    def __init__(self, conn: Connection, names: Names, tape: RecordedTape, sport: str, origin: Origin) -> None:
        self.counts = ImportCounts()
        self.rejected: Counter[str] = Counter()
        self.failed: list[Refusal] = []
        self._conn = conn
        self._tape = tape
        self._sport = sport
        self._origin = origin
        self._sport_id = names.sport(sport, sport)
        self._names = names
        self._recorded_at: dict[datetime, datetime] = {}

    def run(self, captures: Sequence[Capture], progress: Callable[[], None]) -> None:
        """Store what is new of the captures, which are in order of time."""
        known = looks.looks_of(self._conn, self._sport_id, FEED)
        times = [look.poll.observed_at for look in known]
        new = sorted(self._new(captures, {look.poll.observed_at: look for look in known}))
        for _ in range(len(captures) - len(new)):
            progress()
        history.make_room_for(self._conn, [capture.at for capture in new])
        for place, run in groupby(new, key=lambda capture: bisect_right(times, capture.at)):
            self._begin(known[place - 1] if place else None)
            self._put(list(run), known[place:], progress)
        identities.settle_starts(self._conn, self._names.events)
        self.counts.events = len(self._names.events)
        self.rejected += Counter(ambiguous_event=self._names.ambiguous)

    def _new(self, captures: Sequence[Capture], known: Mapping[datetime, Look]) -> Iterator[Capture]:
        """The captures that are not stored, at moments of their own.

        Another answer of a moment that is stored (of another region, say) is put within the second after it, by its
        content: so the same answer stays the same.
        """
        for capture in captures:
            look, at = known.get(capture.at), capture.at
            if look is not None:
                body = self._snapshot(capture).body
                stored = looks.payload_of(self._conn, look)
                at += timedelta(microseconds=own_microsecond(body)) if stored not in (None, body) else timedelta()
            if at not in known:
                self._recorded_at[at] = capture.at
                yield capture._replace(at=at)

    def _begin(self, before: Look | None) -> None:
        """Go on from the look before; without one, from nothing."""
        self._coverage: Coverage[int] = Coverage(self._names.profile)
        self._format = PriceFormat.DECIMAL
        self._differ = PayloadDiffer(self._names, self._sport, self._sport_id, price_format=self._format)
        self._listing = Listing(MarketTimes.empty(), EventStarts.empty())
        self._last = before and before.poll
        if before is not None:
            for look in looks.looks_of(self._conn, self._sport_id, FEED, until=before.poll.observed_at):
                if look.scope:
                    looks.reach(look.scope, micros(look.poll.observed_at), self._coverage)
            self._listing = looks.listing(self._conn, self._sport_id, before)
            if before.scope is None:  # by a version that took every answer for all that there is
                looks.reach(_scope_of(*self._listing), micros(before.poll.observed_at), self._coverage)
            self._differ.load(readers.last_quotes(self._conn, self._sport_id, before.poll.id)[0])

    def _put(self, run: Sequence[Capture], later: Sequence[Look], progress: Callable[[], None]) -> None:
        def write() -> Iterable[int]:
            for capture in run:
                self._write(self._snapshot(capture))
                progress()
            return map(int, self._listing.starts.event)

        if not later:
            write()
            return
        events, shown = self._shown(run)
        affected = list(looks.affected(later, events, shown))
        # not in one: `write` counts too
        repairs = looks.insert_before(self._conn, self._sport_id, affected, write, self._reached)
        self.counts.ticks += repairs

    def _shown(self, run: Sequence[Capture]) -> tuple[set[int], Scope]:
        """The events that captures are about singly, and all that the others show."""
        events: set[int] = set()
        shown = NOTHING
        for snapshot in map(self._snapshot, run):
            scope, diff = self._said(snapshot)
            if scope and scope.event is not None:
                events.add(scope.event)
            elif not snapshot.is_of_one_event:
                one = _scope_of(diff.times, diff.starts)
                seen = (shown.events or frozenset()) | (one.events or frozenset())
                shown = Scope(None, shown.books | one.books, shown.markets | one.markets, seen)
        return events, shown

    def _reached(self) -> dict[int, Scope | None]:
        return looks.reaches(looks.looks_of(self._conn, self._sport_id, FEED), Coverage(self._names.profile))

    def _snapshot(self, capture: Capture) -> RecordedSnapshot:
        snapshot = self._tape.snapshot(self._sport, self._recorded_at.get(capture.at, capture.at))
        if snapshot is None:
            msg = f"the tape has lost its capture of {self._sport} at {capture.at}"
            raise LookupError(msg)
        return replace(snapshot, captured_at=capture.at)

    def _write(self, snapshot: RecordedSnapshot) -> None:
        listing = self._listing
        try:
            with self._conn.transaction():
                if snapshot.is_of_one_event:
                    self._write_event(snapshot)
                else:
                    self._write_sport(snapshot)
        except Exception as error:  # of a kind that nobody has met: the other captures have nothing to do with it
            self._listing = listing
            self.failed.append(refusal_of(f"{self._sport} at {snapshot.captured_at:%Y-%m-%dT%H:%M:%SZ}", error))

    def _write_sport(self, snapshot: RecordedSnapshot) -> None:
        if (price_format := format_of(snapshot)) is not self._format:
            self._format = price_format
            self._differ.read_as(price_format)
        shown = reach = NOTHING

        def reached(times: MarketTimes, starts: EventStarts) -> Covers:
            nonlocal shown, reach
            shown = _scope_of(times, starts, of_several_sports=snapshot.of_several_sports)
            reach = looks.reach(shown, micros(snapshot.captured_at), self._coverage)
            return reach.covers

        diff = self._differ.diff(snapshot.body, snapshot.captured_at, reached)
        self._listing = self._listing.with_look(reach, Listing(diff.times, diff.starts), micros(snapshot.captured_at))
        self._store(snapshot, diff, diff.quotes, shown)
        self._differ.commit()

    def _write_event(self, snapshot: RecordedSnapshot) -> None:
        scope, diff = self._said(snapshot)
        if scope is None or scope.event is None:
            self.rejected += diff.rejected
            return
        stood = self._standing(scope.event)
        changed = looks.difference(stood.take(scope.holds(stood)), diff.quotes)
        self._listing = self._listing.with_look(scope, Listing(diff.times, diff.starts), micros(snapshot.captured_at))
        self._store(snapshot, diff, changed, scope)
        self._differ.adopt(scope.event, self._standing(scope.event))

    def _said(self, snapshot: RecordedSnapshot) -> Said:
        return said_of(self._names, self._sport, self._sport_id, snapshot)

    def _standing(self, event: int) -> QuoteBatch:
        return on_offer(self._conn, [event], self._last)[0] if self._last else QuoteBatch.empty()

    def _store(self, snapshot: RecordedSnapshot, diff: Diff, quotes: QuoteBatch, scope: Scope | None = None) -> None:
        poll_id = write_poll(self._conn, self._record(snapshot, diff, scope), quotes, *self._listing)
        if poll_id is not None:
            self._last = Poll(poll_id, snapshot.captured_at)
        self.counts.rows += diff.quotes_seen
        self.counts.ticks += len(quotes)
        self.rejected += diff.rejected + snapshot.rejected

    def _record(self, snapshot: RecordedSnapshot, diff: Diff, scope: Scope | None) -> PollRecord:
        at = micros(snapshot.captured_at)
        return PollRecord(
            sport_id=self._sport_id,
            feed=FEED,
            run_id=self._origin.run_id,
            observed_at=at,
            received_at=at,
            quotes_seen=diff.quotes_seen,
            events=diff.events,
            request_ms=0.0,
            body=snapshot.body,
            rejected={reason: n for reason, n in diff.rejected.items() if n},
            import_id=self._origin.import_id,
            scope=scope,
        )


def _scope_of(times: MarketTimes, starts: EventStarts, *, of_several_sports: bool = False) -> Scope:
    """What an answer about a sport shows; one about several lists the soonest events, and its silence tells nothing."""
    listed = dict(zip(starts.event.tolist(), starts.commence_at.tolist(), strict=True))
    books, markets = (frozenset(np.unique(column).tolist()) for column in (times.book, times.market))
    return Scope(None, books, asked_with(markets), frozenset(listed), None if of_several_sports else listed)
