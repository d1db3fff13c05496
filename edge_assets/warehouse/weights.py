"""Consensus weights of books: measured by the warehouse, and which publication applied at each pricing."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

import numpy as np

from edge_assets.core.clock import to_micros
from edge_assets.reference.books import find_book
from edge_assets.store.analytics import book_weights as store
from ml.market.sharpness import posterior_weights

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray
    from psycopg import Connection

    from edge_assets.store.analytics.book_weights import PublishedWeights

MIN_CHANGE_RATIO = 1.05
"""Smaller changes are not published: they would change every price without being significant."""


def publish_weights(conn: Connection) -> int:
    """Publish the weights of sports in which some have changed; return the number of such sports.

    The measurements rest on prices made with earlier weights. This does not feed back: one consensus measures all
    books alike, and every measurement starts from the prior again.
    """
    last = {publication.sport: publication.weights for publication in store.load_published_weights(conn)}
    published_sports = 0
    for sport, measurements in groupby(store.load_weight_evidence(conn), key=lambda e: e.sport):
        books = list(measurements)
        prior = np.array([find_book(e.book, {}).weight for e in books])
        weight = posterior_weights(prior, np.array([e.gain for e in books]), np.array([e.error for e in books]))
        published = np.array(
            [last.get(sport, {}).get(e.book, prior_weight) for e, prior_weight in zip(books, prior, strict=True)]
        )
        if (np.abs(np.log(weight / published)) > np.log(MIN_CHANGE_RATIO)).any():
            store.insert_weights(conn, list(zip(books, prior.tolist(), weight.tolist(), strict=True)))
            published_sports += 1
    return published_sports


def publication_numbers(
    publications: Sequence[PublishedWeights], sport: NDArray[np.str_], polled_at: NDArray[np.int64]
) -> NDArray[np.intp]:
    """Which of `publications` (numbered from 1, 0 for none) applies to the last poll before each decision (d,)."""
    numbers = np.zeros(len(sport), np.intp)
    for number, publication in enumerate(publications, 1):
        if publication.valid_from is not None:
            numbers[(sport == publication.sport) & (polled_at >= to_micros(publication.valid_from))] = number
    return numbers
