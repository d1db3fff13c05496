"""The fair prices that alerts were valued with, one packed row per sport: written by the scorer, shown by the API."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edge_assets.core.clock import to_datetime
from edge_assets.store.polls.packing import pack_columns, unpack_columns
from ml.scoring.fair_prices import FairPriceBatch

if TYPE_CHECKING:
    from datetime import datetime

    from psycopg import Connection

    from ml.quotes import Micros

UPSERT_FAIR_PRICES = """
INSERT INTO fair_prices (sport_id, poll_id, valued_at, prices) VALUES (%s, %s, %s, %s)
ON CONFLICT (sport_id) DO UPDATE
SET poll_id = excluded.poll_id, valued_at = excluded.valued_at, prices = excluded.prices
"""


def store_fair_prices(conn: Connection, sport_id: int, poll_id: int, valued_at: Micros, prices: FairPriceBatch) -> None:
    """Replace a sport's fair prices by those after its poll `poll_id`."""
    conn.execute(UPSERT_FAIR_PRICES, [sport_id, poll_id, to_datetime(valued_at), pack_columns(prices)])


def find_fair_prices_version(conn: Connection, sport_id: int, poll_id: int) -> datetime | None:
    """When a sport's fair prices were valued; None while the scorer has not scored the poll."""
    query = "SELECT valued_at FROM fair_prices WHERE sport_id = %s AND poll_id = %s"
    row = conn.execute(query, [sport_id, poll_id]).fetchone()
    return row[0] if row else None


def load_fair_prices(conn: Connection, sport_id: int, poll_id: int) -> FairPriceBatch:
    """The fair prices after a poll; empty unless it is the last one that the scorer has scored."""
    query = "SELECT prices FROM fair_prices WHERE sport_id = %s AND poll_id = %s"
    row = conn.execute(query, [sport_id, poll_id]).fetchone()
    return unpack_columns(FairPriceBatch, row[0]) if row else FairPriceBatch.empty()
