"""Prices everything that is due, in batches of whole events that fit into memory."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from edge_assets.reference.book_profiles import book_profile
from edge_assets.reference.books import find_book
from edge_assets.store.analytics import pricing as store
from edge_assets.store.analytics.book_weights import load_published_weights
from edge_assets.warehouse.confirmations import DecisionConfirmations
from edge_assets.warehouse.movements import detect_moves
from edge_assets.warehouse.pricing import price_quotes
from edge_assets.warehouse.ratings import rate_teams
from edge_assets.warehouse.settlements import settle_matches
from edge_assets.warehouse.weights import publication_numbers

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from numpy.typing import NDArray
    from psycopg import Connection

    from edge_assets.store.analytics.book_weights import PublishedWeights
    from edge_assets.store.analytics.pricing import DecisionPoints
    from ml.scoring import BookProfile

BATCH_EVENTS = 1_000
"""Some hundred thousand quotes: tens of megabytes."""


def price_pending(conn: Connection, reader: Connection, weights: Mapping[str, float]) -> dict[str, int]:
    """Price the due decisions, detect moves, and mark the pending polls as priced: all or nothing.

    Each decision uses the consensus weights that were published before its last poll; `weights` overrides individual
    books by key. `reader` reads while `conn` writes. Returns counts.
    """
    ids = {key: book_id for book_id, key in store.load_books(conn)}
    book_by_key = {key: find_book(key, weights) for key in ids}
    clones = {ids[key]: ids[book.clone_of] for key, book in book_by_key.items() if book.clone_of in ids}
    with conn.transaction():
        counts = _price_batches(conn, _BookProfiles(ids, weights, load_published_weights(conn)))
        return counts | {
            "moves": detect_moves(conn, reader, clones),
            "settlements": settle_matches(conn),
            "games": rate_teams(conn),
        }


class _BookProfiles(NamedTuple):
    """The books' ids by key, and their weights."""

    ids: Mapping[str, int]
    overrides: Mapping[str, float]
    published: Sequence[PublishedWeights]

    def profiles_for_publication(self, number: int) -> Callable[[int], BookProfile]:
        """Book profiles by id, under the publication with this number; 0 for none."""
        weights = {**(self.published[number - 1].weights if number else {}), **self.overrides}
        return {book_id: book_profile(key, weights) for key, book_id in self.ids.items()}.__getitem__


def _price_batches(conn: Connection, books: _BookProfiles) -> dict[str, int]:
    counts = Counter({"decisions": 0, "quotes": 0, "lines": 0})
    pricing = store.PricingWriter(conn)
    decisions = store.load_due_decision_points(conn)
    for batch in _batches(decisions):
        for lines, quotes in _price_batch(conn, batch, books):
            pricing.write(lines, quotes)
            counts.update(quotes=len(quotes["event_id"]), lines=len(lines["event_id"]))
        counts.update(decisions=len(batch.event_id))
    pricing.finish(decisions)
    return dict(counts)


def _batches(decisions: DecisionPoints) -> Iterator[DecisionPoints]:
    """Batches of whole events."""
    _, first_rows = np.unique(decisions.event_id, return_index=True)
    edges = [*first_rows[::BATCH_EVENTS].tolist(), len(decisions.event_id)]
    for begin, end in pairwise(edges):
        yield store.DecisionPoints._make(column[begin:end] for column in decisions)


def _price_batch(
    conn: Connection, batch: DecisionPoints, books: _BookProfiles
) -> Iterator[tuple[store.Columns, store.Columns]]:
    """Prices, separately for each publication of weights."""
    quotes = store.load_quotes_as_of(conn, int(batch.event_id[0]), int(batch.event_id[-1]))
    polls = np.unique(batch.poll_id[batch.poll_id > 0])
    confirmations = DecisionConfirmations(batch, store.load_market_times(conn, polls))
    decision = np.searchsorted(
        _pack_keys(batch.event_id, batch.decision_point_id), _pack_keys(quotes["event_id"], quotes["decision_point_id"])
    )
    quotes["confirmed_at"] = confirmations.confirmed_at(decision, quotes["book_id"], quotes["market_id"])
    sports = store.load_event_sports(conn, int(batch.event_id[0]), int(batch.event_id[-1]))
    sport = np.array([sports[event] for event in batch.event_id.tolist()], np.str_)
    numbers = publication_numbers(books.published, sport, batch.polled_at)[decision]
    for number in np.unique(numbers).tolist():
        is_selected = numbers == number
        selected, decisions = {name: column[is_selected] for name, column in quotes.items()}, decision[is_selected]
        yield price_quotes(
            selected, batch.decided_at[decisions], sport[decisions], books.profiles_for_publication(number)
        )


def _pack_keys(event: NDArray[np.int32], decision_point_id: NDArray[np.int16]) -> NDArray[np.int64]:
    return event.astype(np.int64) << 16 | decision_point_id
