"""Pricing everything that is due, event by event in pieces that fit into memory."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from edge_assets.books import known_book
from edge_assets.store import pricing as store
from edge_assets.store.weights import publications
from edge_assets.traits import traits
from edge_assets.warehouse.confirmations import Confirmations
from edge_assets.warehouse.movements import watch_days
from edge_assets.warehouse.pricing import price
from edge_assets.warehouse.ratings import rate_teams
from edge_assets.warehouse.settlements import settle_matches
from edge_assets.warehouse.weights import publication_numbers

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from numpy.typing import NDArray
    from psycopg import Connection

    from edge_assets.store.pricing import Decisions
    from edge_assets.store.weights import Publication
    from ml.scoring import Traits

EVENTS_AT_ONCE = 1_000
"""Some hundred thousand quotes: tens of megabytes."""


def price_due(conn: Connection, reader: Connection, weights: Mapping[str, float]) -> dict[str, int]:
    """Price and watch what the intermediate models have made ready, and mark the pending polls: all or nothing.

    Books count in the consensus as had been published by the last poll before each decision; `weights` overrides
    single ones, by their keys. `reader` reads while `conn` writes. Returns what was counted.
    """
    ids = {key: book_id for book_id, key in store.books(conn)}
    known = {key: known_book(key, weights) for key in ids}
    clones = {ids[key]: ids[book.clone_of] for key, book in known.items() if book.clone_of in ids}
    with conn.transaction():
        counts = _price(conn, _Books(ids, weights, publications(conn)))
        return counts | {
            "moves": watch_days(conn, reader, clones),
            "settlements": settle_matches(conn),
            "games": rate_teams(conn),
        }


class _Books(NamedTuple):
    """The books' ids by key, and what is known of what they count."""

    ids: Mapping[str, int]
    overrides: Mapping[str, float]
    published: Sequence[Publication]

    def traits_of(self, number: int) -> Callable[[int], Traits]:
        """What is known of a book by its id, under the publication of this number; 0 is none."""
        weights = {**(self.published[number - 1].weights if number else {}), **self.overrides}
        return {book_id: traits(key, weights) for key, book_id in self.ids.items()}.__getitem__


def _price(conn: Connection, books: _Books) -> dict[str, int]:
    counts = Counter({"decisions": 0, "quotes": 0, "lines": 0})
    pricing = store.Pricing(conn)
    decisions = store.due_decisions(conn)
    for piece in _pieces(decisions):
        for lines, quotes in _price_piece(conn, piece, books):
            pricing.write(lines, quotes)
            counts.update(quotes=len(quotes["event_id"]), lines=len(lines["event_id"]))
        counts.update(decisions=len(piece.event_id))
    pricing.finish(decisions)
    return dict(counts)


def _pieces(decisions: Decisions) -> Iterator[Decisions]:
    """Whole events, as many as are priced at once."""
    _, begins = np.unique(decisions.event_id, return_index=True)
    edges = [*begins[::EVENTS_AT_ONCE].tolist(), len(decisions.event_id)]
    for begin, end in pairwise(edges):
        yield store.Decisions._make(column[begin:end] for column in decisions)


def _price_piece(conn: Connection, piece: Decisions, books: _Books) -> Iterator[tuple[store.Columns, store.Columns]]:
    """Prices, apart for each publication of weights."""
    quotes = store.quotes_as_of(conn, int(piece.event_id[0]), int(piece.event_id[-1]))
    polls = np.unique(piece.poll_id[piece.poll_id > 0])
    confirmations = Confirmations(piece, store.market_times(conn, polls))
    decision = np.searchsorted(_keys(piece.event_id, piece.moment_id), _keys(quotes["event_id"], quotes["moment_id"]))
    quotes["confirmed_at"] = confirmations.at(decision, quotes["book_id"], quotes["market_id"])
    sports = store.event_sports(conn, int(piece.event_id[0]), int(piece.event_id[-1]))
    sport = np.array([sports[event] for event in piece.event_id.tolist()], np.str_)
    numbers = publication_numbers(books.published, sport, piece.polled_at)[decision]
    for number in np.unique(numbers).tolist():
        mine = numbers == number
        some, of = {name: column[mine] for name, column in quotes.items()}, decision[mine]
        yield price(some, piece.decided_at[of], sport[of], books.traits_of(number))


def _keys(event: NDArray[np.int32], moment: NDArray[np.int16]) -> NDArray[np.int64]:
    return event.astype(np.int64) << 16 | moment
