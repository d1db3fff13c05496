"""What the warehouse's intermediate models ask to be priced, and where the prices go."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import zstandard

from edge_assets.store.bulk import TIME, read_columns, write_columns
from ml.quotes import MarketTimes, decode_columns

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray
    from psycopg import Connection

    Columns = dict[str, NDArray[Any]]

PRICING_LOCK = 0x0ED70
"""One pricing at a time: versions ascend as they are committed."""
DECISIONS = """
SELECT event_id, moment_id, decided_at, coalesce(poll_id, 0), coalesce(polled_at, '-infinity')
FROM analytics.int_decisions_due ORDER BY event_id, moment_id
"""
DECISION_TYPES = {"event_id": "i4", "moment_id": "i2", "decided_at": TIME, "poll_id": "i8", "polled_at": TIME}
QUOTES = """
SELECT
    q.event_id, q.moment_id, q.market_id, q.line_point, q.outcome_id, q.book_id, q.price_decimal
FROM analytics.int_quotes_as_of AS q
INNER JOIN analytics.int_decisions_due AS d ON q.event_id = d.event_id AND q.moment_id = d.moment_id
WHERE q.event_id BETWEEN %(first)s AND %(last)s
ORDER BY q.event_id, q.moment_id, q.market_id, q.line_point
"""
KEY_TYPES = {"event_id": "i4", "moment_id": "i2", "market_id": "i2", "line_point": "f4", "outcome_id": "i4"}
QUOTE_TYPES = KEY_TYPES | {"book_id": "i2", "price_decimal": "f8"}
PRICED_LINES = KEY_TYPES | {"books": "i2", "fair_probability": "f8"}
PRICED_QUOTES = KEY_TYPES | {"book_id": "i2", "confirmed_at": TIME, "book_probability": "f8"}
PRICED_DECISIONS = {"event_id": "i4", "moment_id": "i2", "decided_at": TIME, "polled_at": TIME, "version": "i4"}
TABLES = ("priced_decisions", "priced_lines", "priced_quotes")
ALL_PENDING = "SELECT (SELECT count(*) FROM analytics.int_polls_pending) >= (SELECT count(*) FROM polls)"
FORGET = """
DELETE FROM pricing.{table} AS t USING analytics.int_decisions_due AS d
WHERE t.event_id = d.event_id AND t.moment_id = d.moment_id
"""
MARK = """
INSERT INTO pricing.priced_polls (poll_id) SELECT poll_id FROM analytics.int_polls_pending
ON CONFLICT (poll_id) DO NOTHING
"""


class Decisions(NamedTuple):
    """The moments to price: columns of `DECISION_TYPES`; `poll_id` 0 and `polled_at` unknown without a poll."""

    event_id: NDArray[np.int32]
    moment_id: NDArray[np.int16]
    decided_at: NDArray[np.int64]
    poll_id: NDArray[np.int64]
    polled_at: NDArray[np.int64]


def due_decisions(conn: Connection) -> Decisions:
    """What the intermediate models have made ready, by event and moment."""
    return Decisions(**read_columns(conn, DECISIONS, DECISION_TYPES))


def quotes_as_of(conn: Connection, first_event: int, last_event: int) -> Columns:
    """The quotes on offer at the due moments of a range of events: `QUOTE_TYPES`, ordered by line."""
    return read_columns(conn, QUOTES, QUOTE_TYPES, {"first": first_event, "last": last_event})


def books(conn: Connection) -> list[tuple[int, str]]:
    """Id and key of every book."""
    return conn.execute("SELECT id, key FROM books").fetchall()


def event_sports(conn: Connection, first_event: int, last_event: int) -> dict[int, str]:
    """The sport's key of each of a range of events."""
    query = "SELECT e.id, s.key FROM events AS e INNER JOIN sports AS s ON e.sport_id = s.id"
    return dict(conn.execute(f"{query} WHERE e.id BETWEEN %s AND %s", [first_event, last_event]).fetchall())


def market_times(conn: Connection, poll_ids: NDArray[np.int64]) -> Iterator[tuple[int, MarketTimes]]:
    """Of each poll, when each book last confirmed each market it listed."""
    query = "SELECT id, market_times FROM polls WHERE id = ANY(%s)"
    for poll_id, packed in conn.execute(query, [poll_ids.tolist()]):
        yield poll_id, decode_columns(MarketTimes, zstandard.decompress(packed))


class Pricing:
    """One pricing, in the caller's transaction: forgets what is due, takes the new prices, marks the polls.

    Readers of the marts see the pricing whole or not at all.
    """

    def __init__(self, conn: Connection) -> None:
        self._cursor = conn.cursor()
        self._cursor.execute("SELECT pg_advisory_xact_lock(%s)", [PRICING_LOCK])
        self._forget()
        row = self._cursor.execute("SELECT nextval('pricing.versions')").fetchone()
        self.version = int(row[0]) if row else 0

    def write(self, lines: Columns, quotes: Columns) -> None:
        """Store prices: columns of `PRICED_LINES` and `PRICED_QUOTES`."""
        write_columns(self._cursor, "pricing.priced_lines", PRICED_LINES, lines)
        write_columns(self._cursor, "pricing.priced_quotes", PRICED_QUOTES, quotes)

    def finish(self, decisions: Decisions) -> None:
        """Store which moments were priced, and that the pending polls have been."""
        version = np.full(len(decisions.event_id), self.version, np.int32)
        columns = decisions._asdict() | {"version": version}
        write_columns(self._cursor, "pricing.priced_decisions", PRICED_DECISIONS, columns)
        self._cursor.execute(MARK)
        for table in TABLES:
            self._cursor.execute(f"ANALYZE pricing.{table}")

    def _forget(self) -> None:
        """Everything at once where every poll is pending: deleting row by row takes longer than pricing."""
        row = self._cursor.execute(ALL_PENDING).fetchone()
        for table in TABLES:
            everything = row is not None and row[0]
            self._cursor.execute(f"TRUNCATE pricing.{table}" if everything else FORGET.format(table=table))
