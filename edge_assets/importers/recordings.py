"""Import captures of The Odds API through the differ that polling uses: polls, payloads and changes as if polled
then.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from dataclasses import replace
from datetime import timedelta
from functools import cache
from itertools import groupby
from typing import TYPE_CHECKING

import numpy as np

from edge_assets.core.clock import to_micros
from edge_assets.feeds.odds_api.conversions import PriceFormat
from edge_assets.feeds.odds_api.diff import PayloadDiffer
from edge_assets.feeds.odds_api.market_mapping import markets_returned_for
from edge_assets.feeds.recordings.capture_reader import content_microsecond
from edge_assets.feeds.recordings.files import RecordingError
from edge_assets.feeds.recordings.recording import Recording
from edge_assets.importers.event_resolution import EventRef, resolve_events
from edge_assets.importers.formats.batch import ParsedEvent, RejectedFileError, Rejection, Rejections
from edge_assets.importers.single_events import parse_snapshot, price_format_of
from edge_assets.importers.unit_failures import rejection_from_error
from edge_assets.reference.books import load_known_books
from edge_assets.reference.sources import Source
from edge_assets.store.events import identities
from edge_assets.store.events.imports import ImportCounts
from edge_assets.store.polls import as_of, bulk_writer, insertion
from edge_assets.store.polls.keyframes import Poll, load_quotes_on_offer
from edge_assets.store.polls.scope import Listing, Scope
from edge_assets.store.polls.writer import PollRecord, write_poll
from ml.quotes import EventStarts, MarketConfirmations, QuoteBatch
from ml.quotes.coverage import BookListing, CoverageTracker

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from datetime import datetime
    from pathlib import Path

    from psycopg import Connection

    from edge_assets.feeds.odds_api.changes import Covers
    from edge_assets.feeds.odds_api.diff import Diff
    from edge_assets.feeds.recordings.recording import RecordedSnapshot
    from edge_assets.feeds.recordings.source import Capture
    from edge_assets.importers.quote_batches import ImportContext
    from edge_assets.importers.single_events import ParsedSnapshot
    from edge_assets.store.polls.dimensions import IdRegistry
    from edge_assets.store.polls.insertion import StoredPoll

FEED = Source.ODDS_API
EMPTY_SCOPE = Scope(None, frozenset(), frozenset(), frozenset())


def load_recording(path: Path) -> tuple[Recording, Rejections]:
    """The captures of a file, a folder or a tar, and the rejected files.

    Raises:
        RejectedFileError: there is no capture.
    """
    try:
        recording = Recording.load(path, single_events=True)
    except RecordingError as error:
        remedy = "use recorded responses of /odds or /events/{id}/odds, live or historical, API version 4"
        raise RejectedFileError(Rejection(str(path), "no_captures", str(error), remedy)) from error
    rejected = Rejections()
    for skip in recording.skipped:
        reason = skip.reason.replace(" ", "_")
        rejected.add(Rejection(skip.path, reason, skip.detail or skip.reason, skip.remedy))
    return recording, rejected


class ImportIdResolver:
    """Resolves ids, matching events by name when a key first appears; remembers the events it resolved.

    `conn` must not be the writing connection: ids created on two connections in open transactions would deadlock.
    """

    def __init__(self, conn: Connection, ids: IdRegistry, sport: str, import_id: int | None = None) -> None:
        self._conn = conn
        self._import_id = import_id
        self._stored_ids = ids
        self._sport = sport
        self.ambiguous_events = 0
        self.listing_of: Callable[[int], BookListing] = cache(self._load_listing)
        self._event_ids: dict[str, int] = {}

    def sport(self, key: str, title: str) -> int:
        """The id of a sport."""
        return self._stored_ids.sport(key, title)

    def book(self, key: str, title: str) -> int:
        """The id of a book."""
        return self._stored_ids.book(key, title)

    def market(self, key: str) -> int:
        """The id of a market."""
        return self._stored_ids.market(key)

    def outcome(self, name: str, description: str | None) -> int:
        """The id of an outcome."""
        return self._stored_ids.outcome(name, description)

    def event(
        self, key: str, sport_id: int, home: str | None, away: str | None, commence_at: datetime, observed_at: datetime
    ) -> int:
        """The id of an event."""
        if home and away and key not in self._event_ids:
            ref = EventRef(ParsedEvent(key, home, away, to_micros(commence_at)), to_micros(observed_at))
            with self._conn.transaction():
                resolved = resolve_events(self._conn, FEED, self._sport, sport_id, [ref], self._import_id)
            self._event_ids[key] = int(resolved.ids[0])
            self.ambiguous_events += len(resolved.ambiguous)
        event_id = self._stored_ids.event(key, sport_id, home, away, commence_at, observed_at)
        self._event_ids[key] = event_id
        return event_id

    def name_sides(self, event_id: int, sides: tuple[str | None, str | None]) -> None:
        """Replace an event's placeholders with the teams."""
        self._stored_ids.name_sides(event_id, sides)

    def sides(self, event_id: int) -> tuple[str | None, str | None]:
        """Home and away of an event, in its first source's order."""
        return self._stored_ids.sides(event_id)

    @property
    def event_ids(self) -> list[int]:
        """The ids of all resolved events."""
        return sorted(set(self._event_ids.values()))

    def _load_listing(self, book: int) -> BookListing:
        book_entry = load_known_books().get(self._stored_ids.book_key(book))
        return BookListing(self._stored_ids.book_title(book), frozenset(book_entry.regions if book_entry else ()))


class SportImport:
    """Inserts the captures of one sport between its stored polls."""

    def __init__(
        self, conn: Connection, ids: ImportIdResolver, recording: Recording, sport: str, context: ImportContext
    ) -> None:
        self.counts = ImportCounts()
        self.rejected: Counter[str] = Counter()
        self.failed: list[Rejection] = []
        self._conn = conn
        self._recording = recording
        self._sport = sport
        self._context = context
        self._sport_id = ids.sport(sport, sport)
        self._ids = ids
        self._recorded_at: dict[datetime, datetime] = {}

    def run(self, captures: Sequence[Capture], progress: Callable[[], None]) -> None:
        """Store the new captures, which are in time order."""
        stored_polls = insertion.load_polls(self._conn, self._sport_id, FEED)
        stored_at = [poll.poll.observed_at for poll in stored_polls]
        new = sorted(self._new_captures(captures, {poll.poll.observed_at: poll for poll in stored_polls}))
        for _ in range(len(captures) - len(new)):
            progress()
        bulk_writer.ensure_month_partitions(self._conn, [capture.at for capture in new])
        for position, run in groupby(new, key=lambda capture: bisect_right(stored_at, capture.at)):
            self._resume_after(stored_polls[position - 1] if position else None)
            self._insert_run(list(run), stored_polls[position:], progress)
        identities.recompute_starts(self._conn, self._ids.event_ids)
        self.counts.events = len(self._ids.event_ids)
        self.rejected += Counter(ambiguous_event=self._ids.ambiguous_events)

    def _new_captures(self, captures: Sequence[Capture], stored: Mapping[datetime, StoredPoll]) -> Iterator[Capture]:
        """Yield the captures that are not stored, each with a unique time.

        A different response of a stored time (of another region, for example) is put within the second after it, at a
        microsecond derived from its content, so that importing it again changes nothing.
        """
        for capture in captures:
            stored_poll, at = stored.get(capture.at), capture.at
            if stored_poll is not None:
                body = self._load_snapshot(capture).body
                stored_payload = insertion.load_payload(self._conn, stored_poll)
                at += (
                    timedelta(microseconds=content_microsecond(body))
                    if stored_payload not in (None, body)
                    else timedelta()
                )
            if at not in stored:
                self._recorded_at[at] = capture.at
                yield capture._replace(at=at)

    def _resume_after(self, last_poll: StoredPoll | None) -> None:
        """Restore the state as of the previous poll, or an empty state without one."""
        self._coverage: CoverageTracker[int] = CoverageTracker(self._ids.listing_of)
        self._price_format = PriceFormat.DECIMAL
        self._differ = PayloadDiffer(self._ids, self._sport, self._sport_id, price_format=self._price_format)
        self._poll_state = Listing(MarketConfirmations.empty(), EventStarts.empty())
        self._last_poll = last_poll and last_poll.poll
        if last_poll is not None:
            for poll in insertion.load_polls(self._conn, self._sport_id, FEED, until=last_poll.poll.observed_at):
                if poll.scope:
                    insertion.effective_scope(poll.scope, to_micros(poll.poll.observed_at), self._coverage)
            self._poll_state = insertion.load_listing(self._conn, self._sport_id, last_poll)
            if last_poll.scope is None:  # written by a version that assumed complete responses
                insertion.effective_scope(
                    _shown_scope(*self._poll_state), to_micros(last_poll.poll.observed_at), self._coverage
                )
            self._differ.load(as_of.load_last_quotes(self._conn, self._sport_id, last_poll.poll.id)[0])

    def _insert_run(self, run: Sequence[Capture], later: Sequence[StoredPoll], progress: Callable[[], None]) -> None:
        def write_run() -> Iterable[int]:
            for capture in run:
                self._write_snapshot(self._load_snapshot(capture))
                progress()
            return map(int, self._poll_state.starts.event)

        if not later:
            write_run()
            return
        events, shown = self._affected_scope(run)
        affected = list(insertion.find_affected_polls(later, events, shown))
        # not in one statement: `write_run` counts too
        repairs = insertion.insert_polls_before(self._conn, self._sport_id, affected, write_run, self._scopes_by_poll)
        self.counts.ticks += repairs

    def _affected_scope(self, run: Sequence[Capture]) -> tuple[set[int], Scope]:
        """The events of single-event captures, and the combined scope of the other captures."""
        events: set[int] = set()
        shown = EMPTY_SCOPE
        for snapshot in map(self._load_snapshot, run):
            scope, diff = self._parse_snapshot(snapshot)
            if scope and scope.event is not None:
                events.add(scope.event)
            elif not snapshot.is_single_event:
                snapshot_scope = _shown_scope(diff.times, diff.starts)
                shown_events = (shown.events or frozenset()) | (snapshot_scope.events or frozenset())
                shown = Scope(
                    None, shown.books | snapshot_scope.books, shown.markets | snapshot_scope.markets, shown_events
                )
        return events, shown

    def _scopes_by_poll(self) -> dict[int, Scope | None]:
        return insertion.effective_scopes(
            insertion.load_polls(self._conn, self._sport_id, FEED), CoverageTracker(self._ids.listing_of)
        )

    def _load_snapshot(self, capture: Capture) -> RecordedSnapshot:
        snapshot = self._recording.snapshot(self._sport, self._recorded_at.get(capture.at, capture.at))
        if snapshot is None:
            msg = f"the recording has no capture of {self._sport} at {capture.at}"
            raise LookupError(msg)
        return replace(snapshot, captured_at=capture.at)

    def _write_snapshot(self, snapshot: RecordedSnapshot) -> None:
        listing = self._poll_state
        try:
            with self._conn.transaction():
                if snapshot.is_single_event:
                    self._write_event_snapshot(snapshot)
                else:
                    self._write_sport_snapshot(snapshot)
        except Exception as error:  # a failure in one capture must not stop the others
            self._poll_state = listing
            self.failed.append(
                rejection_from_error(f"{self._sport} at {snapshot.captured_at:%Y-%m-%dT%H:%M:%SZ}", error)
            )

    def _write_sport_snapshot(self, snapshot: RecordedSnapshot) -> None:
        if (price_format := price_format_of(snapshot)) is not self._price_format:
            self._price_format = price_format
            self._differ.set_price_format(price_format)
        shown = covered = EMPTY_SCOPE

        def cover(times: MarketConfirmations, starts: EventStarts) -> Covers:
            nonlocal shown, covered
            shown = _shown_scope(times, starts, of_several_sports=snapshot.is_multi_sport)
            covered = insertion.effective_scope(shown, to_micros(snapshot.captured_at), self._coverage)
            return covered.covers

        diff = self._differ.diff(snapshot.body, snapshot.captured_at, cover)
        self._poll_state = self._poll_state.with_poll(
            covered, Listing(diff.times, diff.starts), to_micros(snapshot.captured_at)
        )
        self._store_poll(snapshot, diff, diff.quotes, shown)
        self._differ.commit()

    def _write_event_snapshot(self, snapshot: RecordedSnapshot) -> None:
        scope, diff = self._parse_snapshot(snapshot)
        if scope is None or scope.event is None:
            self.rejected += diff.rejected
            return
        previous = self._quotes_on_offer(scope.event)
        changed = insertion.diff_quotes(previous.take(scope.covered_mask(previous)), diff.quotes)
        self._poll_state = self._poll_state.with_poll(
            scope, Listing(diff.times, diff.starts), to_micros(snapshot.captured_at)
        )
        self._store_poll(snapshot, diff, changed, scope)
        self._differ.reload_event(scope.event, self._quotes_on_offer(scope.event))

    def _parse_snapshot(self, snapshot: RecordedSnapshot) -> ParsedSnapshot:
        return parse_snapshot(self._ids, self._sport, self._sport_id, snapshot)

    def _quotes_on_offer(self, event: int) -> QuoteBatch:
        return load_quotes_on_offer(self._conn, [event], self._last_poll)[0] if self._last_poll else QuoteBatch.empty()

    def _store_poll(
        self, snapshot: RecordedSnapshot, diff: Diff, quotes: QuoteBatch, scope: Scope | None = None
    ) -> None:
        poll_id = write_poll(self._conn, self._build_record(snapshot, diff, scope), quotes, *self._poll_state)
        if poll_id is not None:
            self._last_poll = Poll(poll_id, snapshot.captured_at)
        self.counts.rows += diff.quotes_seen
        self.counts.ticks += len(quotes)
        self.rejected += diff.rejected + snapshot.rejected

    def _build_record(self, snapshot: RecordedSnapshot, diff: Diff, scope: Scope | None) -> PollRecord:
        at = to_micros(snapshot.captured_at)
        return PollRecord(
            sport_id=self._sport_id,
            feed=FEED,
            run_id=self._context.run_id,
            observed_at=at,
            received_at=at,
            quotes_seen=diff.quotes_seen,
            events=diff.events,
            request_ms=0.0,
            body=snapshot.body,
            rejected={reason: n for reason, n in diff.rejected.items() if n},
            import_id=self._context.import_id,
            scope=scope,
        )


def _shown_scope(times: MarketConfirmations, starts: EventStarts, *, of_several_sports: bool = False) -> Scope:
    """The scope of a response about a sport; one about several sports lists the next events only and withdraws none."""
    start_by_event = dict(zip(starts.event.tolist(), starts.commence_at.tolist(), strict=True))
    books, markets = (frozenset(np.unique(column).tolist()) for column in (times.book, times.market))
    return Scope(
        None,
        books,
        markets_returned_for(markets),
        frozenset(start_by_event),
        None if of_several_sports else start_by_event,
    )
