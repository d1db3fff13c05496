"""Resolve the events, books and sport of a batch to database ids, and sort its quotes for the server.

Everything except quotes is committed here, while the server stores the quotes of earlier batches: these writes are
idempotent.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from edge_assets.core.clock import to_datetime
from edge_assets.importers.event_resolution import EventRef, Repeat, ResolvedEvents, resolve_events
from edge_assets.importers.formats.batch import AGGREGATE_KINDS, TimedQuotes
from edge_assets.matching import swap_side, swap_sides
from edge_assets.reference.sources import Source
from edge_assets.store.events.public_bets import PublicBet, write_public_bets
from edge_assets.store.events.results import StatedResult, import_results
from edge_assets.store.events.statistics import StatisticColumns, write_statistics
from ml.quotes import EventStarts, QuoteBatch

if TYPE_CHECKING:
    from datetime import datetime

    from numpy.typing import NDArray
    from psycopg import Connection

    from edge_assets.importers.formats.batch import ParsedBatch, ParsedEvent
    from edge_assets.store.polls.dimensions import IdRegistry
    from ml.quotes import Micros


class ResolvedBatch(NamedTuple):
    """A batch of which only the quotes are not stored; `starts` (k,) belong to `polled_at` (k,); `results`
    and `statistics` are counts.

    `ambiguous` events matched several stored ones and were stored as new ones; `repeats` are events that their source
    had listed differently. Of an event that a batch lists twice, only the first one's prices count.
    """

    batch: ParsedBatch
    sport_id: int
    polled_at: NDArray[np.int64]
    starts: list[EventStarts] | None
    quotes: TimedQuotes
    aggregates: TimedQuotes
    results: int
    statistics: int
    ambiguous: list[ParsedEvent]
    repeats: list[Repeat]

    def event_ids(self) -> NDArray[np.int32]:
        """The ids of the events that have quotes, sorted."""
        return np.unique(np.concatenate([timed.quotes.event for timed in (self.quotes, self.aggregates)]))

    def split_events(self) -> tuple[ResolvedBatch, ResolvedBatch]:
        """Split the quotes into those of the first half of the events and the rest; everything else is in both."""
        events = self.event_ids()
        first, second = (self._with_events(part) for part in np.split(events, [len(events) // 2]))
        return first, second

    def _with_events(self, events: NDArray[np.int32]) -> ResolvedBatch:
        quotes, aggregates = (
            timed.take(np.isin(timed.quotes.event, events)) for timed in (self.quotes, self.aggregates)
        )
        return self._replace(quotes=quotes, aggregates=aggregates)


def resolve_batch(
    conn: Connection,
    ids: IdRegistry,
    batch: ParsedBatch,
    import_id: int | None = None,
    now: Micros | None = None,
) -> ResolvedBatch:
    """Find or store the events, books and sport of a batch, store its results, statistics and public bets, and commit.

    Times of observation are capped at `now`, for future events and results with an assumed time.
    """
    sport_id = ids.sport(batch.sport)
    with conn.transaction():
        events = resolve_events(conn, batch.key_source, batch.sport, sport_id, _event_refs(batch, now), import_id)
        import_results(conn, results := _stated_results(batch, events, now), import_id)
        statistics = _resolve_statistics(batch, events, now)
        if len(statistics.event):
            write_statistics(conn, statistics, Source(batch.feed), import_id)
        write_public_bets(conn, _resolve_public_bets(batch, events), import_id)
    books = np.array([ids.book(book.key, book.title) for book in batch.books] or [0], np.int16)
    polled_at = batch.observation_times()
    return ResolvedBatch(
        batch,
        sport_id,
        polled_at,
        _starts_by_poll(batch, polled_at, events),
        _resolve_quotes(batch.quotes, events, books),
        _resolve_quotes(batch.aggregates, events, np.arange(len(AGGREGATE_KINDS), dtype=np.int16)),
        len(results),
        len(statistics.event),
        events.ambiguous,
        events.repeats,
    )


def _event_refs(batch: ParsedBatch, now: Micros | None) -> list[EventRef]:
    """The events with the time each was first seen; without quotes, its start or `now`."""
    first_seen_at = np.array([event.start for event in batch.events], np.int64)
    for timed in (batch.quotes, batch.aggregates):
        np.minimum.at(first_seen_at, timed.quotes.event, timed.observed_at)
    if now is not None:
        first_seen_at = np.minimum(first_seen_at, now)
    return [EventRef(event, at) for event, at in zip(batch.events, first_seen_at.tolist(), strict=True)]


def _resolve_quotes(timed: TimedQuotes, events: ResolvedEvents, books: NDArray[np.int16]) -> TimedQuotes:
    """The quotes with database ids, sorted by event and time, in the side order of the stored events.

    This is the order of the ticks' index, which makes inserting faster.
    """
    timed = timed.take(~events.repeated[timed.quotes.event])
    order = np.lexsort((timed.observed_at, events.ids[timed.quotes.event]))
    local, observed_at = timed.quotes.take(order), timed.observed_at[order]
    event, book, *rest = swap_sides(local, events.swapped[local.event]).columns()
    return TimedQuotes(QuoteBatch(events.ids[event], books[book], *rest), observed_at)


def _starts_by_poll(
    batch: ParsedBatch, polled_at: NDArray[np.int64], events: ResolvedEvents
) -> list[EventStarts] | None:
    """The events listed at each poll, with the start stated by then."""
    if batch.listed is None:
        return None
    poll_index, listed = batch.listed
    position = np.searchsorted(polled_at, batch.poll_times)[poll_index]
    starts = np.array([event.start for event in batch.events], np.int64)[listed]
    moved = np.array([(e.moved_to or (e.start, e.start)) for e in batch.events], np.int64)[listed]
    starts = np.where(polled_at[position] >= moved[:, 1], moved[:, 0], starts)
    order = np.argsort(position, kind="stable")
    bounds = np.searchsorted(position[order], np.arange(len(polled_at) + 1))
    ids, starts = events.ids[listed][order], starts[order]
    spans = zip(bounds[:-1].tolist(), bounds[1:].tolist(), strict=True)
    return [EventStarts(ids[begin:end], starts[begin:end]) for begin, end in spans]


def _stated_results(batch: ParsedBatch, events: ResolvedEvents, now: Micros | None) -> list[StatedResult]:
    source = Source(batch.feed)

    def stated_at(event: ParsedEvent) -> datetime:
        return to_datetime(event.reported_at if now is None else min(event.reported_at, now))

    return [
        StatedResult(event_id, source, stated_at(event), event.report.swap_sides() if is_swapped else event.report)
        for event, event_id, is_swapped in zip(batch.events, events.ids.tolist(), events.swapped.tolist(), strict=True)
        if event.report is not None
    ]


def _resolve_statistics(batch: ParsedBatch, events: ResolvedEvents, now: Micros | None) -> StatisticColumns:
    """The statistics with database ids and the times of the results; of a game listed twice, the first one's count."""
    event, statistic, home, away = (column[~events.repeated[batch.statistics.event]] for column in batch.statistics)
    stated_at = np.array([stated.reported_at for stated in batch.events], np.int64)
    if now is not None:
        stated_at = np.minimum(stated_at, now)
    swapped = events.swapped[event]
    sides = np.where(swapped, away, home), np.where(swapped, home, away)
    return StatisticColumns(events.ids[event], statistic, *sides, stated_at[event])


def _resolve_public_bets(batch: ParsedBatch, events: ResolvedEvents) -> list[PublicBet]:
    rows = []
    for bets in batch.public_bets:
        outcome = swap_side(bets.outcome, bool(events.swapped[bets.event]))
        at = to_datetime(bets.observed_at)
        rows.append(PublicBet(int(events.ids[bets.event]), bets.market, outcome, batch.feed, bets.share, at))
    return rows
