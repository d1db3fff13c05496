"""What goes in by binary COPY comes out bit for bit."""

from __future__ import annotations

from datetime import timedelta
from itertools import product
from typing import TYPE_CHECKING

import numpy as np

from edge_assets.store import readers
from edge_assets.store.copying import HEADER, TRAILER, binary_ticks
from ml.quotes import UNKNOWN_TIME, QuoteBatch
from tests.edge_assets.store.material import NAN, NOON, batch, rows

if TYPE_CHECKING:
    from tests.edge_assets.store.material import Desk

PATTERNS = list(product((1_762_000_000_123_457, UNKNOWN_TIME), (2.1, NAN), (-3.5, NAN)))
EXACT = [1e-300, 0.1 + 0.2, 1 / 3, 1.0000000000000002, 1.7976931348623157e308]


def test_every_pattern_of_nulls_comes_back(desk: Desk) -> None:
    singles = [QuoteBatch.of([desk.quote(price, point=point, book_time=at)]) for at, price, point in PATTERNS]

    for second, quotes in enumerate(singles):
        poll = desk.write(NOON + timedelta(seconds=second), quotes)
        assert poll is not None
        assert rows(readers.changes(desk.conn, poll).quotes) == rows(quotes)


def test_a_mixed_batch_comes_back_bit_for_bit(desk: Desk) -> None:
    quotes = batch(5_000, desk.events)

    poll = desk.write(NOON, quotes)

    assert poll is not None
    assert rows(readers.changes(desk.conn, poll).quotes) == rows(quotes)


def test_prices_are_never_rounded(desk: Desk) -> None:
    poll = desk.write(NOON, QuoteBatch.of(desk.quote(price) for price in EXACT))

    assert poll is not None
    assert sorted(readers.changes(desk.conn, poll).quotes.price.tolist()) == EXACT


def test_nulls_are_nulls_for_sql(desk: Desk) -> None:
    desk.write(NOON, QuoteBatch.of([desk.quote(NAN)]))

    (nulls,) = desk.conn.execute("SELECT num_nulls(price, point, book_time) FROM odds_ticks").fetchall()
    assert nulls == (3,)


def test_a_batch_without_rows_is_a_stream_without_tuples() -> None:
    assert list(binary_ticks(QuoteBatch.empty(), 0, 1)) == [HEADER, TRAILER]


def test_the_batch_is_left_as_it_was() -> None:
    quotes = batch(50, [1, 2])
    before = [c.copy() for c in quotes.columns()]

    list(binary_ticks(quotes, 0, 1))

    assert all(np.array_equal(b, c, equal_nan=True) for b, c in zip(before, quotes.columns(), strict=True))
