"""The fair prices that alerts were valued with, one packed row per sport: written by the scorer, shown by the API."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edge_assets.core.clock import to_datetime
from edge_assets.store.polls.packing import pack_columns, unpack_columns
from ml.scoring.fair_prices import FairPriceBatch, OutlyingBookBatch, StatedFairPrices

if TYPE_CHECKING:
    from datetime import datetime

    from psycopg import Connection

    from ml.quotes import Micros

UPSERT_FAIR_PRICES = """
INSERT INTO fair_prices (sport_id, poll_id, valued_at, prices, outlying_books) VALUES (%s, %s, %s, %s, %s)
ON CONFLICT (sport_id) DO UPDATE
SET poll_id = excluded.poll_id, valued_at = excluded.valued_at,
    prices = excluded.prices, outlying_books = excluded.outlying_books
"""


def store_fair_prices(conn: Connection, sport_id: int, poll_id: int, valued_at: Micros, fair: StatedFairPrices) -> None:
    """Replace a sport's fair prices by those after its poll `poll_id`."""
    packed = [pack_columns(batch) for batch in fair]
    conn.execute(UPSERT_FAIR_PRICES, [sport_id, poll_id, to_datetime(valued_at), *packed])


def find_fair_prices_version(conn: Connection, sport_id: int, poll_id: int) -> datetime | None:
    """When a sport's fair prices were valued; None while the scorer has not scored the poll."""
    query = "SELECT valued_at FROM fair_prices WHERE sport_id = %s AND poll_id = %s"
    row = conn.execute(query, [sport_id, poll_id]).fetchone()
    return row[0] if row else None


def load_fair_prices(conn: Connection, sport_id: int, poll_id: int) -> StatedFairPrices:
    """The fair prices after a poll; empty unless it is the last one that the scorer has scored."""
    query = "SELECT prices, outlying_books FROM fair_prices WHERE sport_id = %s AND poll_id = %s"
    row = conn.execute(query, [sport_id, poll_id]).fetchone()
    if row is None:
        return StatedFairPrices(FairPriceBatch.empty(), OutlyingBookBatch.empty())
    return StatedFairPrices(unpack_columns(FairPriceBatch, row[0]), unpack_columns(OutlyingBookBatch, row[1]))
