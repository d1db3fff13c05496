"""Storing batches: looks, and what is new of their quotes."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from edge_assets.feeds.history.batch import AGGREGATE_KINDS, TimedQuotes
from edge_assets.store import history
from edge_assets.store.history import Looks
from ml.quotes import QuoteBatch

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray
    from psycopg import Connection

    from edge_assets.importing.locating import Located


class Origin(NamedTuple):
    """Which import a batch belongs to, and the run that does it."""

    import_id: int
    run_id: str


class Ticks(NamedTuple):
    """Quotes or aggregates, each with its poll (n,)."""

    timed: TimedQuotes
    polls: NDArray[np.int64]


class Looked(NamedTuple):
    """A batch whose looks are stored, with what else of it is new and is not stored yet.

    `contradicted` are the moments at which it states another price than an earlier import, one for each such price.
    """

    located: Located
    ticks: Ticks
    aggregates: Ticks
    contradicted: NDArray[np.int64]


def look(conn: Connection, located: Located, origin: Origin) -> Looked:
    """Store the looks of a batch, within the caller's transaction, and find what of it is new.

    A look that the feed is known for, and that brings nothing new, is not stored again.
    """
    batch, sport_id, at, starts, quotes, aggregates, *_ = located
    contradicted = np.empty(0, np.int64)
    if len(known := history.known_looks(conn, sport_id, at)):
        quotes, some = _new(quotes, known, history.known_quotes(conn, np.unique(quotes.quotes.event), known))
        there = history.known_quotes(conn, np.unique(aggregates.quotes.event), known, aggregates=True)
        numbered = {(*k[:2], AGGREGATE_KINDS.index(k[2]), *k[3:]): price for k, price in there.items()}
        aggregates, others = _new(aggregates, known, numbered)
        contradicted = np.concatenate([some, others])
    new = ~np.isin(at, history.known_looks(conn, sport_id, at, batch.feed)) if len(known) else np.ones(len(at), bool)
    new |= np.isin(at, quotes.observed_at) | np.isin(at, aggregates.observed_at)
    at, starts = at[new], starts and [some for some, is_new in zip(starts, new.tolist(), strict=True) if is_new]
    looks = Looks(sport_id, batch.feed, origin.import_id, batch.time_assumed, at, starts)
    polls = _write_looks(conn, looks, quotes, origin.run_id)
    ticks, theirs = (Ticks(timed, polls[np.searchsorted(at, timed.observed_at)]) for timed in (quotes, aggregates))
    return Looked(located, ticks, theirs, contradicted)


def store(conn: Connection, batches: Sequence[Looked]) -> None:
    """Store the quotes of batches of different sports.

    At once: a COPY keeps a thousand rows of each partition that it meets, and PostgreSQL 18 takes the square of that to
    make their places. A seventh of its time went there with a COPY for each file of a season.
    """
    if not batches:
        return
    history.write_quotes(conn, *_joined([batch.ticks for batch in batches]))
    history.write_aggregates(conn, *_joined([batch.aggregates for batch in batches]), AGGREGATE_KINDS)


def _joined(many: Sequence[Ticks]) -> tuple[QuoteBatch, NDArray[np.int64], NDArray[np.int64]]:
    """Quotes, moments, polls."""
    columns = zip(*(ticks.timed.quotes.columns() for ticks in many), strict=True)
    moments = np.concatenate([ticks.timed.observed_at for ticks in many])
    return QuoteBatch(*map(np.concatenate, columns)), moments, np.concatenate([ticks.polls for ticks in many])


def _new(
    timed: TimedQuotes, known: NDArray[np.int64], stored: dict[tuple[object, ...], float]
) -> tuple[TimedQuotes, NDArray[np.int64]]:
    """Without the quotes that are stored, and the moments of those whose stored price is another.

    A moment of a selection at a book has one price, the first that was told.
    """
    if not stored:
        return timed, np.empty(0, np.int64)
    at_known = np.flatnonzero(np.isin(timed.observed_at, known))
    some = timed.quotes.take(at_known)
    columns = (some.event, some.book, some.market, some.outcome)
    points = [None if np.isnan(point) else point for point in some.point.tolist()]
    keys = zip(timed.observed_at[at_known].tolist(), *(c.tolist() for c in columns), points, strict=True)
    earlier: list[float | None] = [stored.get(key) for key in keys]
    is_told = np.array([price is not None for price in earlier], np.bool_)
    first = np.array(earlier, np.float64)  # NaN, too, where there is none
    differs = is_told & (first != some.price) & ~(np.isnan(first) & np.isnan(some.price))
    keep = np.ones(len(timed), bool)
    keep[at_known] = ~is_told
    return timed.take(keep), timed.observed_at[at_known[differs]]


def _write_looks(conn: Connection, looks: Looks, quotes: TimedQuotes, run_id: str) -> NDArray[np.int64]:
    place = np.searchsorted(looks.at, quotes.observed_at)
    gone = np.isnan(quotes.quotes.price)
    withdrawals = np.bincount(place[gone], minlength=len(looks.at))
    ticks = np.bincount(place, minlength=len(looks.at)) - withdrawals
    return history.write_looks(conn, looks, ticks, withdrawals, run_id)
