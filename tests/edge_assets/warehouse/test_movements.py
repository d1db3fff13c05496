"""Moves of books over midnight, watched a day at a time."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from edge_assets.store.database import connect
from edge_assets.store.movements import days_due
from edge_assets.warehouse.movements import watch_days
from ml.quotes import Outcome, QuoteBatch
from tests.edge_assets.store.material import NOON, Desk

if TYPE_CHECKING:
    from collections.abc import Iterator

    from psycopg import Connection

PENDING = """
CREATE SCHEMA analytics;
CREATE VIEW analytics.int_polls_pending AS
SELECT id AS poll_id, sport_id, observed_at FROM polls WHERE id NOT IN (SELECT poll_id FROM pricing.priced_polls)
"""
MOVES = "SELECT book_id, books_before, books_after, leader_id, lag, in_steam FROM pricing.book_moves ORDER BY 1"
MIDNIGHT = NOON + timedelta(hours=12)


@pytest.fixture
def desk(database_url: str) -> Iterator[Desk]:
    with connect(database_url, "test") as conn:
        conn.execute(PENDING)
        yield Desk(conn)


@pytest.fixture
def reader(database_url: str) -> Iterator[Connection]:
    with connect(database_url, "test reads") as conn:
        yield conn


def look(desk: Desk, minutes: int, *shortened: int) -> None:
    """Three books, of which some have shortened the home team."""
    quotes = [
        desk.quote(1.7 if book in shortened and outcome == Outcome.HOME else 1.9, book=book, outcome=outcome)
        for book in range(3)
        for outcome in (Outcome.HOME, Outcome.AWAY)
    ]
    desk.write(MIDNIGHT + timedelta(minutes=minutes), QuoteBatch.of(quotes))


def test_what_follows_after_midnight_is_seen_at_the_moves_before(desk: Desk, reader: Connection) -> None:
    look(desk, -10)
    look(desk, -2, 0)
    assert watch_days(desk.conn, reader, {}) == 1
    first, second, third = desk.books[:3]
    assert desk.conn.execute(MOVES).fetchall() == [(first, 0, 0, first, 0.0, False)]
    desk.conn.execute("INSERT INTO pricing.priced_polls SELECT id FROM polls")

    look(desk, 1, 0, 1, 2)
    assert watch_days(desk.conn, reader, {}) == 2
    assert desk.conn.execute(MOVES).fetchall() == [
        (first, 0, 2, first, 0.0, False),
        (second, 1, 0, first, 180.0, False),
        (third, 1, 0, first, 180.0, False),
    ]
    assert watch_days(desk.conn, reader, {third: second}) == 2
    assert desk.conn.execute(MOVES).fetchall()[0] == (first, 0, 1, first, 0.0, False)


def test_a_day_with_a_single_book_leaves_the_evening_before_alone(desk: Desk, reader: Connection) -> None:
    look(desk, -8 * 60)
    look(desk, -8 * 60 + 1, 0, 1)
    desk.write(MIDNIGHT - timedelta(minutes=1), QuoteBatch.of([desk.quote(1.6)]))
    assert watch_days(desk.conn, reader, {}) == 3
    desk.conn.execute("INSERT INTO pricing.priced_polls SELECT id FROM polls")
    desk.write(MIDNIGHT + timedelta(hours=6), QuoteBatch.of([desk.quote(1.5)]))
    assert watch_days(desk.conn, reader, {}) == 0
    assert len(desk.conn.execute(MOVES).fetchall()) == 3


def test_polls_whose_time_is_assumed_make_no_day_due(desk: Desk) -> None:
    look(desk, -10)
    look(desk, 10)
    assert [due.day.day for due in days_due(desk.conn)] == [MIDNIGHT.day - 1, MIDNIGHT.day]
    desk.conn.execute("UPDATE polls SET time_assumed = true WHERE observed_at >= %s", [MIDNIGHT])
    assert [due.day.day for due in days_due(desk.conn)] == [MIDNIGHT.day - 1]
