"""Storing one batch: identities, looks, what is new of its quotes, results."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from edge_assets.feeds.history.batch import AGGREGATE_KINDS, TimedQuotes
from edge_assets.importing.identity import EventRef, Resolved, resolve
from edge_assets.importing.orientation import turned, turned_outcome
from edge_assets.store import history
from edge_assets.store.history import Looks
from edge_assets.store.public_bets import PublicBet, write_public_bets
from edge_assets.store.results import ResultSource, StatedResult, import_results
from edge_assets.store.writer import to_datetime
from ml.quotes import EventStarts, QuoteBatch

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from psycopg import Connection

    from edge_assets.feeds.history.batch import HistoryBatch
    from edge_assets.store.vocabulary import Vocabulary


class Origin(NamedTuple):
    """Which import a batch belongs to, and the run that does it."""

    import_id: int
    run_id: str


class Stored(NamedTuple):
    """Rows that are new."""

    ticks: int
    aggregates: int
    results: int


def store_batch(conn: Connection, words: Vocabulary, batch: HistoryBatch, origin: Origin) -> Stored:
    """Store what is new of a batch, within the caller's transaction."""
    sport_id = words.sport(batch.sport)
    at = batch.moments()
    events = resolve(conn, batch.names, batch.sport, sport_id, _refs(batch))
    books = np.array([words.book(book.key, book.title) for book in batch.books] or [0], np.int16)
    quotes = _placed(batch.quotes, events, books)
    aggregates = _placed(batch.aggregates, events, np.arange(len(AGGREGATE_KINDS), dtype=np.int16))
    if len(known := history.known_looks(conn, sport_id, at)):
        quotes = _new(quotes, known, history.known_quotes(conn, np.unique(quotes.quotes.event), known))
        there = history.known_quotes(conn, np.unique(aggregates.quotes.event), known, aggregates=True)
        numbered = {(*k[:2], AGGREGATE_KINDS.index(k[2]), *k[3:]): price for k, price in there.items()}
        aggregates = _new(aggregates, known, numbered)
    looks = Looks(sport_id, batch.feed, origin.import_id, batch.time_assumed, at, _starts(batch, events))
    polls = _write_looks(conn, looks, quotes, origin.run_id)
    history.write_quotes(conn, quotes.quotes, quotes.observed_at, polls[np.searchsorted(at, quotes.observed_at)])
    if len(aggregates):
        ids = polls[np.searchsorted(at, aggregates.observed_at)]
        history.write_aggregates(conn, aggregates.quotes, aggregates.observed_at, ids, AGGREGATE_KINDS)
    _write_public_bets(conn, batch, events)
    return Stored(len(quotes), len(aggregates), _write_results(conn, batch, events))


def _refs(batch: HistoryBatch) -> list[EventRef]:
    """The events with the first sight of each; one without quotes was seen by its start."""
    first = np.array([event.start for event in batch.events], np.int64)
    for timed in (batch.quotes, batch.aggregates):
        np.minimum.at(first, timed.quotes.event, timed.observed_at)
    return [EventRef(event, at) for event, at in zip(batch.events, first.tolist(), strict=True)]


def _placed(timed: TimedQuotes, events: Resolved, books: NDArray[np.int16]) -> TimedQuotes:
    """The same quotes under the database's ids, by event and time, home and away as the event has them.

    In the order of the ticks' index, which the server then takes a third quicker.
    """
    order = np.lexsort((timed.observed_at, events.ids[timed.quotes.event]))
    local, observed_at = timed.quotes.take(order), timed.observed_at[order]
    event, book, *rest = turned(local, events.flipped[local.event]).columns()
    return TimedQuotes(QuoteBatch(events.ids[event], books[book], *rest), observed_at)


def _new(timed: TimedQuotes, known: NDArray[np.int64], stored: dict[tuple[object, ...], float]) -> TimedQuotes:
    """Without the quotes that are stored: a moment of a selection at a book has one price, the first that was told."""
    if not stored:
        return timed
    at_known = np.flatnonzero(np.isin(timed.observed_at, known))
    some = timed.quotes.take(at_known)
    columns = (some.event, some.book, some.market, some.outcome)
    points = [None if np.isnan(point) else point for point in some.point.tolist()]
    keys = zip(timed.observed_at[at_known].tolist(), *(c.tolist() for c in columns), points, strict=True)
    keep = np.ones(len(timed), bool)
    keep[at_known] = [key not in stored for key in keys]
    return timed.take(keep)


def _starts(batch: HistoryBatch, events: Resolved) -> list[EventStarts] | None:
    """The events that were listed at each look, with the start that was stated by then."""
    if batch.listed is None:
        return None
    looks, listed = batch.listed
    at = batch.moments()
    place = np.searchsorted(at, batch.looks)[looks]
    starts = np.array([event.start for event in batch.events], np.int64)[listed]
    moved = np.array([(e.moved_to or (e.start, e.start)) for e in batch.events], np.int64)[listed]
    starts = np.where(at[place] >= moved[:, 1], moved[:, 0], starts)
    order = np.argsort(place, kind="stable")
    bounds = np.searchsorted(place[order], np.arange(len(at) + 1))
    ids, starts = events.ids[listed][order], starts[order]
    spans = zip(bounds[:-1].tolist(), bounds[1:].tolist(), strict=True)
    return [EventStarts(ids[begin:end], starts[begin:end]) for begin, end in spans]


def _write_looks(conn: Connection, looks: Looks, quotes: TimedQuotes, run_id: str) -> NDArray[np.int64]:
    place = np.searchsorted(looks.at, quotes.observed_at)
    gone = np.isnan(quotes.quotes.price)
    withdrawals = np.bincount(place[gone], minlength=len(looks.at))
    ticks = np.bincount(place, minlength=len(looks.at)) - withdrawals
    return history.write_looks(conn, looks, ticks, withdrawals, run_id)


def _write_results(conn: Connection, batch: HistoryBatch, events: Resolved) -> int:
    stated = [
        StatedResult(
            int(event_id),
            ResultSource(batch.feed),
            to_datetime(event.reported_at),
            event.report.turned() if flipped else event.report,
        )
        for event, event_id, flipped in zip(batch.events, events.ids, events.flipped, strict=True)
        if event.report is not None
    ]
    if stated:
        import_results(conn, stated)
    return len(stated)


def _write_public_bets(conn: Connection, batch: HistoryBatch, events: Resolved) -> None:
    rows = []
    for bets in batch.public_bets:
        outcome = turned_outcome(bets.outcome, bool(events.flipped[bets.event]))
        at = to_datetime(bets.observed_at)
        rows.append(PublicBet(int(events.ids[bets.event]), bets.market, outcome, batch.feed, bets.share, at))
    write_public_bets(conn, rows)
