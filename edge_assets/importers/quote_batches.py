"""Store batches: polls, and the quotes that are new."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from edge_assets.importers.formats.batch import AGGREGATE_KINDS, TimedQuotes
from edge_assets.store.polls import bulk_writer
from edge_assets.store.polls.bulk_writer import ImportedPolls
from ml.quotes import QuoteBatch

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray
    from psycopg import Connection

    from edge_assets.importers.resolve_batch import ResolvedBatch


class ImportContext(NamedTuple):
    """The import a batch belongs to, and the run that performs it."""

    import_id: int
    run_id: str


class PolledQuotes(NamedTuple):
    """Quotes or aggregates, each with its poll (n,)."""

    timed: TimedQuotes
    poll_ids: NDArray[np.int64]


class DeduplicatedBatch(NamedTuple):
    """A batch whose polls are stored, with its new quotes, which are not stored yet.

    `contradicted_at` has the time of each price that differs from an earlier import's.
    """

    resolved: ResolvedBatch
    ticks: PolledQuotes
    aggregates: PolledQuotes
    contradicted_at: NDArray[np.int64]


def store_polls(conn: Connection, resolved: ResolvedBatch, context: ImportContext) -> DeduplicatedBatch:
    """Store the polls of a batch, within the caller's transaction, and find its new quotes.

    A poll that is stored for the feed and has nothing new is not stored again.
    """
    batch, sport_id, polled_at, starts, quotes, aggregates, *_ = resolved
    contradicted = np.empty(0, np.int64)
    if len(known_at := bulk_writer.find_stored_poll_times(conn, sport_id, polled_at)):
        quotes, contradicted_quotes = _drop_stored(
            quotes, known_at, bulk_writer.load_stored_quotes(conn, np.unique(quotes.quotes.event), known_at)
        )
        known_aggregates = bulk_writer.load_stored_quotes(
            conn, np.unique(aggregates.quotes.event), known_at, aggregates=True
        )
        aggregate_prices = {
            (*k[:2], AGGREGATE_KINDS.index(k[2]), *k[3:]): price for k, price in known_aggregates.items()
        }
        aggregates, contradicted_aggregates = _drop_stored(aggregates, known_at, aggregate_prices)
        contradicted = np.concatenate([contradicted_quotes, contradicted_aggregates])
    is_new_poll = (
        ~np.isin(polled_at, bulk_writer.find_stored_poll_times(conn, sport_id, polled_at, batch.feed))
        if len(known_at)
        else np.ones(len(polled_at), bool)
    )
    is_new_poll |= np.isin(polled_at, quotes.observed_at) | np.isin(polled_at, aggregates.observed_at)
    polled_at, starts = (
        polled_at[is_new_poll],
        starts and [some for some, is_new in zip(starts, is_new_poll.tolist(), strict=True) if is_new],
    )
    imported_polls = ImportedPolls(sport_id, batch.feed, context.import_id, batch.time_assumed, polled_at, starts)
    poll_ids = _write_polls(conn, imported_polls, quotes, context.run_id)
    ticks, aggregate_ticks = (
        PolledQuotes(timed, poll_ids[np.searchsorted(polled_at, timed.observed_at)]) for timed in (quotes, aggregates)
    )
    return DeduplicatedBatch(resolved, ticks, aggregate_ticks, contradicted)


def store_quotes(conn: Connection, batches: Sequence[DeduplicatedBatch]) -> None:
    """Store the quotes of batches of different sports.

    All at once: a COPY buffers a thousand rows for each partition, and PostgreSQL 18 allocates these buffers in
    quadratic time, which a COPY for each file would pay again.
    """
    if not batches:
        return
    bulk_writer.write_quotes(conn, *_concatenate([batch.ticks for batch in batches]))
    bulk_writer.write_aggregates(conn, *_concatenate([batch.aggregates for batch in batches]), AGGREGATE_KINDS)


def _concatenate(many: Sequence[PolledQuotes]) -> tuple[QuoteBatch, NDArray[np.int64], NDArray[np.int64]]:
    """Quotes, times and polls as columns."""
    columns = zip(*(ticks.timed.quotes.columns() for ticks in many), strict=True)
    observed_at = np.concatenate([ticks.timed.observed_at for ticks in many])
    return QuoteBatch(*map(np.concatenate, columns)), observed_at, np.concatenate([ticks.poll_ids for ticks in many])


def _drop_stored(
    timed: TimedQuotes, known_at: NDArray[np.int64], stored: dict[tuple[object, ...], float]
) -> tuple[TimedQuotes, NDArray[np.int64]]:
    """Drop stored quotes; also return the times of those whose stored price differs.

    A selection of a book has one price at a time: the first one stored.
    """
    if not stored:
        return timed, np.empty(0, np.int64)
    known_rows = np.flatnonzero(np.isin(timed.observed_at, known_at))
    candidates = timed.quotes.take(known_rows)
    columns = (candidates.event, candidates.book, candidates.market, candidates.outcome)
    points = [None if np.isnan(point) else point for point in candidates.point.tolist()]
    keys = zip(timed.observed_at[known_rows].tolist(), *(c.tolist() for c in columns), points, strict=True)
    earlier: list[float | None] = [stored.get(key) for key in keys]
    is_stored = np.array([price is not None for price in earlier], np.bool_)
    stored_prices = np.array(earlier, np.float64)  # NaN if there is none
    differs = is_stored & (stored_prices != candidates.price) & ~(np.isnan(stored_prices) & np.isnan(candidates.price))
    keep = np.ones(len(timed), bool)
    keep[known_rows] = ~is_stored
    return timed.take(keep), timed.observed_at[known_rows[differs]]


def _write_polls(
    conn: Connection, imported_polls: ImportedPolls, quotes: TimedQuotes, run_id: str
) -> NDArray[np.int64]:
    poll_index = np.searchsorted(imported_polls.at, quotes.observed_at)
    is_withdrawal = np.isnan(quotes.quotes.price)
    withdrawals = np.bincount(poll_index[is_withdrawal], minlength=len(imported_polls.at))
    ticks = np.bincount(poll_index, minlength=len(imported_polls.at)) - withdrawals
    return bulk_writer.write_polls(conn, imported_polls, ticks, withdrawals, run_id)
