"""`AlertMetrics` declares the metrics; table, messages, API and warehouse must have the same ones."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from edge_assets.store.alerts import alert_log
from ml.quotes import QuoteBatch
from ml.scoring.alerts import AlertMetrics
from serving.api.models import AlertMessage
from tests.support.alert_factories import value_bet
from tests.support.poll_factories import NOON

if TYPE_CHECKING:
    from psycopg import Connection

    from tests.support.poll_factories import StoreHarness

DECLARED = set(AlertMetrics.__struct_fields__)
OTHER_COLUMNS = {"id", "sport_id", *alert_log.STATE_COLUMNS, *alert_log.KEY_COLUMNS}
IDENTITY_FIELDS = {
    "id", "alert_id", "seq", "kind", "state", "reason", "sport", "event_id", "event", "home_team", "away_team",
    "commence_at", "market", "outcome", "selection", "point", "book", "book_title", "detection_latency_ms", "late_s",
    "observed_at", "published_at", "poll_id", "tick_poll_id", "run_id", "feed",
}  # fmt: skip
"""The fields of a message apart from the metrics."""
STAGING = Path(__file__).parents[3] / "dbt_project/models/staging/stg_edge__alerts.sql"
STAGED_AS = {"price": "price_decimal"}
NOT_STAGED = {
    "books", "price_age_s", "implied_probability", "method_spread", "market_width", "hold", "error_probability", "legs",
}  # fmt: skip
"""No model of the warehouse uses them."""


def test_the_table_has_a_column_for_each_metric(conn: Connection) -> None:
    query = (
        "SELECT attname::text FROM pg_attribute WHERE attrelid = 'alerts'::regclass AND attnum > 0 AND NOT attisdropped"
    )
    columns = {name for (name,) in conn.execute(query)}
    assert columns - OTHER_COLUMNS == DECLARED


def test_the_columns_have_the_declared_types(conn: Connection) -> None:
    query = "SELECT attname::text, format_type(atttypid, NULL) FROM pg_attribute WHERE attrelid = 'alerts'::regclass"
    types = {name: "bigint" if kind in {"integer", "smallint"} else kind for name, kind in conn.execute(query)}
    assert {name: types[name] for name in alert_log.METRIC_COLUMNS} == {
        name: alert_log.COLUMN_TYPES[name] for name in alert_log.METRIC_COLUMNS
    }


def test_a_message_carries_each_metric(harness: StoreHarness) -> None:
    poll = harness.write(NOON, QuoteBatch.from_rows([harness.quote()]))
    assert poll is not None
    alert_log.commit_scoring_step(harness.conn, harness.sport, poll, 0, [value_bet(harness, poll)], {})
    [message] = alert_log.load_messages_since(harness.conn, 0, 1)
    assert message.keys() - IDENTITY_FIELDS == DECLARED


def test_the_api_describes_each_metric() -> None:
    assert AlertMessage.model_fields.keys() - IDENTITY_FIELDS == DECLARED


def test_the_warehouse_stages_the_metrics_it_needs() -> None:
    staged = set(re.findall(r"^\s+alerts\.(\w+)", STAGING.read_text(encoding="utf-8"), re.MULTILINE))
    assert staged - OTHER_COLUMNS == DECLARED - NOT_STAGED


def test_staged_metrics_keep_their_names() -> None:
    renamed = dict(re.findall(r"^\s+alerts\.(\w+) as (\w+)", STAGING.read_text(encoding="utf-8"), re.MULTILINE))
    assert {name: renamed[name] for name in renamed.keys() & DECLARED} == STAGED_AS
