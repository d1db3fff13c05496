"""Decision points that the warehouse's intermediate models need priced, and the priced tables."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from edge_assets.store.polls.packing import unpack_columns
from edge_assets.store.postgres.binary_format import TIMESTAMP
from edge_assets.store.postgres.columns import read_columns, write_columns
from ml.quotes import MarketConfirmations

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray
    from psycopg import Connection

    Columns = dict[str, NDArray[Any]]

PRICING_LOCK_KEY = 0x0ED70
"""One pricing at a time, so that versions are committed in ascending order."""
SELECT_DUE_DECISION_POINTS = """
SELECT event_id, decision_point_id, decided_at, coalesce(poll_id, 0), coalesce(polled_at, '-infinity')
FROM analytics.int_decisions_due ORDER BY event_id, decision_point_id
"""
DECISION_POINT_TYPES = {
    "event_id": "i4",
    "decision_point_id": "i2",
    "decided_at": TIMESTAMP,
    "poll_id": "i8",
    "polled_at": TIMESTAMP,
}
SELECT_QUOTES_AS_OF = """
SELECT
    q.event_id, q.decision_point_id, q.market_id, q.line_point, q.outcome_id, q.book_id, q.price_decimal
FROM analytics.int_quotes_as_of AS q
INNER JOIN analytics.int_decisions_due AS d ON q.event_id = d.event_id AND q.decision_point_id = d.decision_point_id
WHERE q.event_id BETWEEN %(first)s AND %(last)s
ORDER BY q.event_id, q.decision_point_id, q.market_id, q.line_point
"""
KEY_TYPES = {"event_id": "i4", "decision_point_id": "i2", "market_id": "i2", "line_point": "f4", "outcome_id": "i4"}
QUOTE_TYPES = KEY_TYPES | {"book_id": "i2", "price_decimal": "f8"}
PRICED_LINE_TYPES = KEY_TYPES | {"books": "i2", "fair_probability": "f8"}
PRICED_QUOTE_TYPES = KEY_TYPES | {"book_id": "i2", "confirmed_at": TIMESTAMP, "book_probability": "f8"}
PRICED_DECISION_TYPES = {
    "event_id": "i4",
    "decision_point_id": "i2",
    "decided_at": TIMESTAMP,
    "polled_at": TIMESTAMP,
    "version": "i4",
}
PRICED_TABLES = ("priced_decisions", "priced_lines", "priced_quotes")
SELECT_IS_ALL_PENDING = "SELECT (SELECT count(*) FROM analytics.int_polls_unpriced) >= (SELECT count(*) FROM polls)"
DELETE_DUE_PRICES = """
DELETE FROM pricing.{table} AS t USING analytics.int_decisions_due AS d
WHERE t.event_id = d.event_id AND t.decision_point_id = d.decision_point_id
"""
INSERT_PRICED_POLLS = """
INSERT INTO pricing.priced_polls (poll_id) SELECT poll_id FROM analytics.int_polls_unpriced
ON CONFLICT (poll_id) DO NOTHING
"""


class DecisionPoints(NamedTuple):
    """Decision points to price: columns of `DECISION_POINT_TYPES`; without a poll, `poll_id` is 0 and `polled_at`
    unknown.
    """

    event_id: NDArray[np.int32]
    decision_point_id: NDArray[np.int16]
    decided_at: NDArray[np.int64]
    poll_id: NDArray[np.int64]
    polled_at: NDArray[np.int64]


def load_due_decision_points(conn: Connection) -> DecisionPoints:
    """The due decision points, by event and moment."""
    return DecisionPoints(**read_columns(conn, SELECT_DUE_DECISION_POINTS, DECISION_POINT_TYPES))


def load_quotes_as_of(conn: Connection, first_event: int, last_event: int) -> Columns:
    """The quotes on offer at the due decision points of a range of events: `QUOTE_TYPES`, ordered by line."""
    return read_columns(conn, SELECT_QUOTES_AS_OF, QUOTE_TYPES, {"first": first_event, "last": last_event})


def load_books(conn: Connection) -> list[tuple[int, str]]:
    """Id and key of every book."""
    return conn.execute("SELECT id, key FROM books").fetchall()


def load_event_sports(conn: Connection, first_event: int, last_event: int) -> dict[int, str]:
    """The sport's key of each of a range of events."""
    query = "SELECT e.id, s.key FROM events AS e INNER JOIN sports AS s ON e.sport_id = s.id"
    return dict(conn.execute(f"{query} WHERE e.id BETWEEN %s AND %s", [first_event, last_event]).fetchall())


def load_market_times(conn: Connection, poll_ids: NDArray[np.int64]) -> Iterator[tuple[int, MarketConfirmations]]:
    """For each poll, when each book last confirmed each market it listed."""
    query = "SELECT id, market_times FROM polls WHERE id = ANY(%s)"
    for poll_id, packed in conn.execute(query, [poll_ids.tolist()]):
        yield poll_id, unpack_columns(MarketConfirmations, packed)


class PricingWriter:
    """One pricing, in the caller's transaction: deletes due prices, writes the new ones, marks the polls as priced.

    Readers of the marts see a pricing completely or not at all.
    """

    def __init__(self, conn: Connection) -> None:
        self._cursor = conn.cursor()
        self._cursor.execute("SELECT pg_advisory_xact_lock(%s)", [PRICING_LOCK_KEY])
        self._delete_due_prices()
        row = self._cursor.execute("SELECT nextval('pricing.versions')").fetchone()
        self.version = int(row[0]) if row else 0

    def write(self, lines: Columns, quotes: Columns) -> None:
        """Store prices: columns of `PRICED_LINE_TYPES` and `PRICED_QUOTE_TYPES`."""
        write_columns(self._cursor, "pricing.priced_lines", PRICED_LINE_TYPES, lines)
        write_columns(self._cursor, "pricing.priced_quotes", PRICED_QUOTE_TYPES, quotes)

    def finish(self, decisions: DecisionPoints) -> None:
        """Record the priced decision points and mark the pending polls as priced."""
        version = np.full(len(decisions.event_id), self.version, np.int32)
        columns = decisions._asdict() | {"version": version}
        write_columns(self._cursor, "pricing.priced_decisions", PRICED_DECISION_TYPES, columns)
        self._cursor.execute(INSERT_PRICED_POLLS)
        for table in PRICED_TABLES:
            self._cursor.execute(f"ANALYZE pricing.{table}")

    def _delete_due_prices(self) -> None:
        """Truncate if every poll is pending: deleting row by row takes longer than pricing."""
        row = self._cursor.execute(SELECT_IS_ALL_PENDING).fetchone()
        for table in PRICED_TABLES:
            is_all_pending = row is not None and row[0]
            self._cursor.execute(
                f"TRUNCATE pricing.{table}" if is_all_pending else DELETE_DUE_PRICES.format(table=table)
            )
