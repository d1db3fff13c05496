"""What is asked every second touches a bounded number of pages, however long the history."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from edge_assets.store import lookups
from edge_assets.store.alerts import alert_log
from edge_assets.store.health.totals import load_status
from edge_assets.store.health.vital_signs import load_health_snapshot
from edge_assets.store.polls import activity, as_of, outbox
from edge_assets.store.polls.credit_use import load_credit_use
from edge_assets.store.postgres.database import connect
from tests.support.synthetic_history import OPEN_ALERTS, collect_plans, write_season

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from psycopg import Connection

    from tests.support.servers.postgres import PostgresServer

POLLS, STEPS = 2_000, 6_000
TIMES = 10
PAGES = {
    "vital signs": 120,
    "credit use": 2_000,
    "status": 100,
    "feed": 20,
    "last polls": 80,
    "unscored": 80,
    "backlog": 80,
    "open value bets": 800,
    "open bets of a sport": 200,
    "last alert": 20,
    "resume": 600,
    "unpublished": 20,
    "poll outbox": 20,
    "open board": 40,
}
QUESTIONS: dict[str, Callable[[Connection], object]] = {
    "vital signs": load_health_snapshot,
    "credit use": lambda conn: load_credit_use(conn, "odds-api", datetime.now(UTC)),
    "status": load_status,
    "feed": lookups.find_live_feed,
    "last polls": activity.load_last_polls,
    "unscored": as_of.load_unscored_polls,
    "backlog": as_of.load_backlog,
    "open value bets": lambda conn: alert_log.load_open_alert_messages(conn, "value"),
    "open bets of a sport": lambda conn: alert_log.load_open_alerts(conn, 1),
    "last alert": lookups.load_last_alert_id,
    "resume": lambda conn: alert_log.load_messages_since(conn, lookups.load_last_alert_id(conn) - 50, 50),
    "unpublished": alert_log.load_unpublished_messages,
    "poll outbox": lambda conn: outbox.load_unpublished_polls(conn, 1),
    "open board": lambda conn: (as_of.load_last_quotes(conn, 1), as_of.load_market_state(conn, 1)),
}


@pytest.fixture(scope="module", params=[1, TIMES], ids=["a month", "ten times that"])
def season(
    request: pytest.FixtureRequest, postgres_server: PostgresServer, migrated_template: str
) -> Iterator[Connection]:
    """A database with history."""
    with postgres_server.clone_of(migrated_template) as url, connect(url, "test") as conn:
        write_season(conn, POLLS * request.param, STEPS * request.param)
        yield conn


@pytest.mark.parametrize("question", QUESTIONS)
def test_no_history_is_read(season: Connection, question: str) -> None:
    for _ in range(2):  # the second time without what a connection reads once
        with collect_plans(season) as plans:
            QUESTIONS[question](season)
    assert plans.plans
    assert plans.pages <= PAGES[question], plans.plans


def test_the_season_is_what_it_is_taken_for(season: Connection) -> None:
    counts = load_status(season)
    assert (counts["alerts_open"], len(as_of.load_unscored_polls(season))) == (OPEN_ALERTS, 0)
    assert counts["latency_ms"] == {"p50": 50, "p95": 50, "p99": 50}
    assert counts["payloads"] >= POLLS
    assert counts["rejected"] == {"stale": counts["payloads"] // 2}
    assert len(alert_log.load_open_alert_messages(season, "value")) == OPEN_ALERTS
