"""Consensus weights that the warehouse measures: from `book_quality` to the scorer and the next pricing."""

from __future__ import annotations

import json
from contextlib import closing
from datetime import timedelta
from typing import TYPE_CHECKING

import numpy as np
import pytest
from typer.testing import CliRunner

from edge_assets.cli import app
from edge_assets.core.clock import to_micros
from edge_assets.store.analytics.book_weights import (
    WeightEvidence,
    insert_weights,
    load_last_weights,
    load_published_weights,
    load_weights_at,
)
from edge_assets.store.postgres.database import connect
from edge_assets.warehouse.weights import publication_numbers, publish_weights
from ml.quotes import QuoteBatch
from tests.support.poll_factories import NOON, StoreHarness

if TYPE_CHECKING:
    from collections.abc import Iterator

    from psycopg import Connection

NFL = "americanfootball_nfl"
QUALITY = """
CREATE SCHEMA IF NOT EXISTS analytics;
CREATE TABLE analytics.book_quality (
    sport text, season smallint, book text, scored_closes bigint, log_loss_gain double precision,
    log_loss_gain_error double precision
);
INSERT INTO analytics.book_quality VALUES
('americanfootball_nfl', 2024, 'pinnacle', 30000, 0.0004, 0.0002),
('americanfootball_nfl', 2025, 'pinnacle', 30000, 0.0004, 0.0002),
('americanfootball_nfl', 2025, 'fanduel', 60000, -0.0004, 0.0001),
('americanfootball_nfl', 2025, 'betmgm', 1, 0.1, NULL)
"""


@pytest.fixture
def harness(database_url: str) -> Iterator[StoreHarness]:
    """A sport that was polled at noon."""
    with closing(connect(database_url, "test")) as conn:
        harness = StoreHarness(conn)
        harness.write(NOON, QuoteBatch.from_rows([harness.quote()]))
        yield harness


@pytest.fixture
def measured_warehouse(harness: StoreHarness) -> Connection:
    """A warehouse with measured books."""
    harness.conn.execute(QUALITY)
    return harness.conn


def test_measured_weights_are_published_once_and_count_from_the_next_day(
    measured_warehouse: Connection, harness: StoreHarness
) -> None:
    assert [publish_weights(measured_warehouse), publish_weights(measured_warehouse)] == [1, 0]
    fanduel, pinnacle = sorted(load_last_weights(measured_warehouse), key=lambda weight: weight.book)
    assert pinnacle[:3] == (NFL, NOON + timedelta(hours=12), "pinnacle")
    assert pinnacle.weight > pinnacle.prior == 5
    assert fanduel.weight < fanduel.prior == 1
    assert pinnacle[5:] == pytest.approx((60_000, 0.0004, 0.0002 / np.sqrt(2)))
    [published] = load_published_weights(measured_warehouse)
    before, after = (load_weights_at(measured_warehouse, harness.sport, NOON + timedelta(hours=h)) for h in (11.9, 12))
    assert (before.valid_from, before.weights) == (None, {})
    assert after == published == (NFL, pinnacle.valid_from, {"pinnacle": pinnacle.weight, "fanduel": fanduel.weight})
    assert load_weights_at(measured_warehouse, harness.other_sport, NOON + timedelta(days=9)).weights == {}


def test_a_publication_is_never_changed(measured_warehouse: Connection, harness: StoreHarness) -> None:
    publish_weights(measured_warehouse)
    before = load_published_weights(measured_warehouse)
    measured_warehouse.execute("UPDATE analytics.book_quality SET log_loss_gain = -log_loss_gain")
    publish_weights(measured_warehouse)  # this day's weights are published already
    assert load_published_weights(measured_warehouse) == before
    harness.write(NOON + timedelta(days=1), QuoteBatch.from_rows([harness.quote(2.1)]))
    publish_weights(measured_warehouse)
    assert [p.valid_from for p in load_published_weights(measured_warehouse)] == [
        NOON + timedelta(hours=h) for h in (12, 36)
    ]


def test_the_command_shows_the_evidence_for_weights(
    measured_warehouse: Connection, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    measured_warehouse.execute("CREATE TABLE analytics.closing_coverage ()")
    publish_weights(measured_warehouse)
    monkeypatch.setenv("DATABASE_URL", database_url)
    monkeypatch.setenv("COLUMNS", "160")
    reported = CliRunner().invoke(app, ["warehouse", "weights", "--json"])
    [pinnacle, fanduel] = json.loads(reported.stdout)["weights"]
    assert (pinnacle["book"], pinnacle["games"], fanduel["book"]) == ("pinnacle", 60_000, "fanduel")
    assert pinnacle["weight"] > pinnacle["prior"]
    shown = CliRunner().invoke(app, ["warehouse", "weights"]).stdout
    assert "+0.40 ± 0.14" in shown


def test_each_decision_uses_the_weights_valid_at_its_last_poll(harness: StoreHarness) -> None:
    insert_weights(harness.conn, [(WeightEvidence(NFL, "pinnacle", 9, 0.0, 0.1), 5.0, 9.0)])
    published = load_published_weights(harness.conn)
    at = to_micros(NOON + timedelta(hours=12))
    sport = np.array([NFL, NFL, "icehockey_nhl"])
    assert publication_numbers(published, sport, np.array([at - 1, at, at])).tolist() == [0, 1, 0]
