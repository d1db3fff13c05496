"""From a sportsbook's price to an alert: dictionaries, ticks, polls, alerts, leases."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from alembic import op

from ml.quotes import FIRST_DYNAMIC_ID, Market, Outcome

if TYPE_CHECKING:
    from sqlalchemy import Connection

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

TIME_SERIES_TABLES = ("odds_ticks", "payloads")


def upgrade() -> None:
    """Apply."""
    connection = op.get_bind()
    timescale = _create_timescale_extension(connection)
    schema = Path(__file__).with_suffix(".sql").read_text(encoding="utf-8")
    partitioned = "" if timescale else " PARTITION BY RANGE (observed_at)"
    connection.exec_driver_sql(schema.replace("/* PARTITIONED */", partitioned))
    if timescale:
        for table in TIME_SERIES_TABLES:
            # a day, as in edge_assets.store.postgres.partitions; with 200,000 ticks a day, writes and as-of reads
            # measure alike from 6 hours to 7 days, while hourly chunks slow the read of an old event by half; to read
            # one poll back, without its events, takes 8 ms in daily chunks and 47 ms in weekly ones
            connection.exec_driver_sql(
                f"SELECT create_hypertable('{table}', 'observed_at', "
                "chunk_time_interval => interval '1 day', create_default_indexes => false)"
            )
    _insert_markets_and_outcomes(connection)


def _create_timescale_extension(connection: Connection) -> bool:
    """Create the extension where the server has it.

    It is there once its library is preloaded, which its settings show to every user; where its files are merely
    installed, creating it fails.
    """
    loaded = connection.exec_driver_sql("SELECT count(*) FROM pg_settings WHERE starts_with(name, 'timescaledb.')")
    if not loaded.scalar_one():
        return False
    connection.exec_driver_sql("CREATE EXTENSION IF NOT EXISTS timescaledb")
    return True


def _insert_markets_and_outcomes(connection: Connection) -> None:
    """Markets and outcomes whose ids are constants of the code; the feeds' own follow behind them."""
    for table, column, members in (("markets", "key", [*Market]), ("outcomes", "name", [*Outcome])):
        rows = ", ".join(f"({int(member)}, '{member.key}')" for member in members)
        connection.exec_driver_sql(f"INSERT INTO {table} (id, {column}) OVERRIDING SYSTEM VALUE VALUES {rows}")
        connection.exec_driver_sql(f"ALTER TABLE {table} ALTER COLUMN id RESTART WITH {FIRST_DYNAMIC_ID}")
