"""Settlements of markets by results, with the time from which they were known; used by the warehouse."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from psycopg.rows import dict_row

from edge_assets.store.postgres.binary_format import TIMESTAMP
from edge_assets.store.postgres.columns import write_columns

if TYPE_CHECKING:
    from psycopg import Connection

    from edge_assets.store.postgres.columns import Columns

SETTLEMENT_TYPES = {
    "event_id": "i4", "market_id": "i2", "known_at": TIMESTAMP, "superseded_at": TIMESTAMP,
    "verdict_id": "i2", "winner_id": "i4",
}  # fmt: skip
COUNT_UNSETTLED_GAMES = """
SELECT timed.sport, timed.season, settled.market, settled.verdict, count(*) AS games
FROM analytics.stg_pricing__settlements AS settled
INNER JOIN analytics.int_events_with_season AS timed ON settled.event_id = timed.event_id
WHERE
    settled.superseded_at IS NULL AND settled.verdict NOT IN ('settled', 'void')
    AND EXISTS (
        SELECT FROM analytics.int_closes_expected AS offered INNER JOIN markets AS m ON offered.market_id = m.id
        WHERE offered.event_id = settled.event_id AND m.key = settled.market
    )
GROUP BY timed.sport, timed.season, settled.market, settled.verdict
ORDER BY timed.sport, timed.season, settled.market, settled.verdict
"""


COUNT_EXCLUDED_GAMES = """
SELECT settled.verdict, count(*)
FROM analytics.stg_pricing__settlements AS settled
INNER JOIN analytics.int_events_with_season AS timed ON settled.event_id = timed.event_id
INNER JOIN markets AS m ON settled.market = m.key
WHERE
    settled.superseded_at IS NULL AND settled.verdict <> 'settled' AND m.id = %(market)s
    AND starts_with(timed.sport, %(sport)s)
    AND EXISTS (
        SELECT FROM analytics.int_closes_expected AS offered
        WHERE offered.event_id = settled.event_id AND offered.market_id = m.id
    )
GROUP BY settled.verdict ORDER BY settled.verdict
"""


def replace_settlements(conn: Connection, columns: Columns) -> None:
    """Replace the settlements (`SETTLEMENT_TYPES`)."""
    with conn.cursor() as cursor:
        cursor.execute("TRUNCATE pricing.settlements")
        write_columns(cursor, "pricing.settlements", SETTLEMENT_TYPES, columns)
        cursor.execute("ANALYZE pricing.settlements")


def count_excluded_games(conn: Connection, market: int, sport: str = "") -> dict[str, int]:
    """The number of games with a known result that a market's figures leave out, by reason."""
    return dict(conn.execute(COUNT_EXCLUDED_GAMES, {"market": market, "sport": sport}).fetchall())


def count_unsettled_games(conn: Connection) -> list[dict[str, Any]]:
    """Games with a known result that does not settle, by sport, season, market and reason."""
    with conn.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(COUNT_UNSETTLED_GAMES).fetchall()
