"""What goes in by binary COPY comes out bit for bit."""

from __future__ import annotations

from datetime import timedelta
from itertools import product
from typing import TYPE_CHECKING

import numpy as np

from edge_assets.store.polls import as_of
from edge_assets.store.postgres.binary_copy import encode_ticks
from edge_assets.store.postgres.binary_format import COPY_HEADER, COPY_TRAILER
from ml.quotes import UNKNOWN_TIME, QuoteBatch
from tests.support.poll_factories import NAN, NOON, batch, rows

if TYPE_CHECKING:
    from tests.support.poll_factories import StoreHarness

PATTERNS = list(product((1_762_000_000_123_457, UNKNOWN_TIME), (2.1, NAN), (-3.5, NAN)))
EXACT = [1e-300, 0.1 + 0.2, 1 / 3, 1.0000000000000002, 1.7976931348623157e308]


def test_every_pattern_of_nulls_comes_back(harness: StoreHarness) -> None:
    singles = [QuoteBatch.from_rows([harness.quote(price, point=point, book_time=at)]) for at, price, point in PATTERNS]

    for second, quotes in enumerate(singles):
        poll = harness.write(NOON + timedelta(seconds=second), quotes)
        assert poll is not None
        assert rows(as_of.load_poll_changes(harness.conn, poll).quotes) == rows(quotes)


def test_a_mixed_batch_comes_back_bit_for_bit(harness: StoreHarness) -> None:
    quotes = batch(5_000, harness.events)

    poll = harness.write(NOON, quotes)

    assert poll is not None
    assert rows(as_of.load_poll_changes(harness.conn, poll).quotes) == rows(quotes)


def test_prices_are_never_rounded(harness: StoreHarness) -> None:
    poll = harness.write(NOON, QuoteBatch.from_rows(harness.quote(price) for price in EXACT))

    assert poll is not None
    assert sorted(as_of.load_poll_changes(harness.conn, poll).quotes.price.tolist()) == EXACT


def test_nulls_are_nulls_for_sql(harness: StoreHarness) -> None:
    harness.write(NOON, QuoteBatch.from_rows([harness.quote(NAN)]))

    (nulls,) = harness.conn.execute("SELECT num_nulls(price, point, book_time) FROM odds_ticks").fetchall()
    assert nulls == (3,)


def test_a_batch_without_rows_is_a_stream_without_tuples() -> None:
    assert list(encode_ticks(QuoteBatch.empty(), 0, 1)) == [COPY_HEADER, COPY_TRAILER]


def test_the_batch_is_left_as_it_was() -> None:
    quotes = batch(50, [1, 2])
    before = [c.copy() for c in quotes.columns()]

    list(encode_ticks(quotes, 0, 1))

    assert all(np.array_equal(b, c, equal_nan=True) for b, c in zip(before, quotes.columns(), strict=True))
