"""Candles for charts; compression where the server is TimescaleDB's community edition."""

from __future__ import annotations

from pathlib import Path

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

SELECT_EDITION = "SELECT current_setting('timescaledb.license') FROM pg_extension WHERE extname = 'timescaledb'"


def upgrade() -> None:
    """Apply."""
    connection = op.get_bind()
    community = connection.exec_driver_sql(SELECT_EDITION).scalar_one_or_none() == "timescale"
    kind = "community" if community else "plain"
    connection.exec_driver_sql(Path(__file__).with_suffix(f".{kind}.sql").read_text(encoding="utf-8"))
    connection.exec_driver_sql(
        "COMMENT ON VIEW price_candles IS 'a quarter of an hour of a price; NULL: withdrawn at its start or end'"
    )
