"""Moves of books over midnight, processed a day at a time."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from edge_assets.store.analytics.book_moves import load_due_days
from edge_assets.store.postgres.database import connect
from edge_assets.warehouse.movements import detect_moves
from ml.quotes import Outcome, QuoteBatch
from tests.support.poll_factories import NOON, StoreHarness

if TYPE_CHECKING:
    from collections.abc import Iterator

    from psycopg import Connection

PENDING = """
CREATE SCHEMA analytics;
CREATE VIEW analytics.int_polls_unpriced AS
SELECT id AS poll_id, sport_id, observed_at FROM polls WHERE id NOT IN (SELECT poll_id FROM pricing.priced_polls)
"""
MOVES = "SELECT book_id, books_before, books_after, leader_id, lag, in_steam FROM pricing.book_moves ORDER BY 1"
MIDNIGHT = NOON + timedelta(hours=12)


@pytest.fixture
def harness(database_url: str) -> Iterator[StoreHarness]:
    with connect(database_url, "test") as conn:
        conn.execute(PENDING)
        yield StoreHarness(conn)


@pytest.fixture
def reader(database_url: str) -> Iterator[Connection]:
    with connect(database_url, "test reads") as conn:
        yield conn


def poll(harness: StoreHarness, minutes: int, *shortened: int) -> None:
    """Three books, some of which have shortened the home team."""
    quotes = [
        harness.quote(1.7 if book in shortened and outcome == Outcome.HOME else 1.9, book=book, outcome=outcome)
        for book in range(3)
        for outcome in (Outcome.HOME, Outcome.AWAY)
    ]
    harness.write(MIDNIGHT + timedelta(minutes=minutes), QuoteBatch.from_rows(quotes))


def test_moves_before_midnight_include_followers_after_it(harness: StoreHarness, reader: Connection) -> None:
    poll(harness, -10)
    poll(harness, -2, 0)
    assert detect_moves(harness.conn, reader, {}) == 1
    first, second, third = harness.books[:3]
    assert harness.conn.execute(MOVES).fetchall() == [(first, 0, 0, first, 0.0, False)]
    harness.conn.execute("INSERT INTO pricing.priced_polls SELECT id FROM polls")

    poll(harness, 1, 0, 1, 2)
    assert detect_moves(harness.conn, reader, {}) == 2
    assert harness.conn.execute(MOVES).fetchall() == [
        (first, 0, 2, first, 0.0, False),
        (second, 1, 0, first, 180.0, False),
        (third, 1, 0, first, 180.0, False),
    ]
    assert detect_moves(harness.conn, reader, {third: second}) == 2
    assert harness.conn.execute(MOVES).fetchall()[0] == (first, 0, 1, first, 0.0, False)


def test_a_day_with_a_single_book_keeps_the_evening_before(harness: StoreHarness, reader: Connection) -> None:
    poll(harness, -8 * 60)
    poll(harness, -8 * 60 + 1, 0, 1)
    harness.write(MIDNIGHT - timedelta(minutes=1), QuoteBatch.from_rows([harness.quote(1.6)]))
    assert detect_moves(harness.conn, reader, {}) == 3
    harness.conn.execute("INSERT INTO pricing.priced_polls SELECT id FROM polls")
    harness.write(MIDNIGHT + timedelta(hours=6), QuoteBatch.from_rows([harness.quote(1.5)]))
    assert detect_moves(harness.conn, reader, {}) == 0
    assert len(harness.conn.execute(MOVES).fetchall()) == 3


def test_polls_with_an_assumed_time_make_no_day_due(harness: StoreHarness) -> None:
    poll(harness, -10)
    poll(harness, 10)
    assert [due.day.day for due in load_due_days(harness.conn)] == [MIDNIGHT.day - 1, MIDNIGHT.day]
    harness.conn.execute("UPDATE polls SET time_assumed = true WHERE observed_at >= %s", [MIDNIGHT])
    assert [due.day.day for due in load_due_days(harness.conn)] == [MIDNIGHT.day - 1]
