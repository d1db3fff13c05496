"""Old recordings go without stopping anybody; the rest is in `editions`."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from edge_assets.store import retention
from edge_assets.store.database import connect
from edge_assets.store.retention import retain
from ml.quotes import QuoteBatch

if TYPE_CHECKING:
    from tests.edge_assets.store.material import Desk

pytestmark = pytest.mark.calendar


def test_what_somebody_reads_stays_until_the_next_time(
    desk: Desk, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "LOCK_TIMEOUT", "50ms")
    now = datetime.now(UTC)
    for age in (9, 8, 0):
        desk.write(now - timedelta(days=age), QuoteBatch.of([desk.quote()]))
    with connect(database_url, "analyst") as reader, reader.transaction():
        reader.execute("SELECT count(*) FROM odds_ticks")
        assert retain(desk.conn, {"odds_ticks": 5, "payloads": 5}, now) == {"odds_ticks": 0, "payloads": 2}

    assert retain(desk.conn, {"odds_ticks": 5, "payloads": 5}, now) == {"odds_ticks": 2, "payloads": 0}
    assert desk.conn.execute("SELECT count(*) FROM odds_ticks").fetchone() == (1,)


def test_a_day_that_is_gone_can_be_written_again(desk: Desk, database_url: str) -> None:
    now = datetime.now(UTC)
    at = now - timedelta(days=9)
    desk.write(at, QuoteBatch.of([desk.quote()]))
    retain(desk.conn, {"odds_ticks": 5, "payloads": None}, now)

    with connect(database_url, "importer") as desk.conn:
        assert desk.write(at + timedelta(seconds=1), QuoteBatch.of([desk.quote()])) is not None
