from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import psycopg
import pytest
import redis

from edge_assets.core.settings import Feed, Settings
from edge_assets.local import feed_databases
from edge_assets.local import plan as planning
from edge_assets.local.errors import LocalError
from edge_assets.local.plan import Plan, StartOptions, with_database

if TYPE_CHECKING:
    from edge_assets.local.home import Home
    from tests.support.embedded_servers import Servers


@pytest.fixture
def plan(servers: Servers, home: Home) -> Plan:
    """A simulation on the embedded servers of `servers`."""
    planned = planning.make_plan(Settings(), home, StartOptions(Feed.SIMULATE, seed=7))
    return replace(
        planned,
        database_url=with_database(servers.database_url, "edge_simulate"),
        dagster_url=with_database(servers.database_url, "dagster"),
        mlflow_database_url=with_database(servers.database_url, "mlflow"),
        redis_url=servers.redis_url,
    )


def names(servers: Servers) -> set[str]:
    with psycopg.connect(servers.database_url) as conn:
        return {name for (name,) in conn.execute("SELECT datname FROM pg_database")}


def test_databases_are_created_and_reset(plan: Plan, servers: Servers) -> None:
    feed_databases.ensure_databases(plan)
    feed_databases.ensure_databases(plan)
    assert names(servers) >= {"edge_simulate", "dagster", "mlflow"}
    with redis.Redis.from_url(plan.redis_url) as client:
        client.set("alerts", "old")
        feed_databases.reset_databases(plan)
        assert not client.exists("alerts")
    assert "edge_simulate" not in names(servers)
    assert "dagster" in names(servers)


def test_an_unreachable_server_is_reported_without_the_password(plan: Plan) -> None:
    away = replace(plan, database_url="postgresql://edge:hunter2@127.0.0.1:1/edge")
    with pytest.raises(LocalError, match=r"database edge at 127\.0\.0\.1:1") as caught:
        feed_databases.ensure_databases(away)
    assert "hunter2" not in str(caught.value)


def store_a_poll(url: str, feed: Feed) -> None:
    with psycopg.connect(url) as conn:
        conn.execute("INSERT INTO sports (key, title) VALUES ('nfl', 'NFL')")
        conn.execute(
            "INSERT INTO polls (sport_id, feed, run_id, observed_at, received_at, quotes_seen, ticks,"
            " withdrawals, events, rejected, request_ms, body_bytes, market_times, starts)"
            " SELECT id, %s, 'run', now(), now(), 0, 0, 0, 0, '{}', 1, 1, '', '' FROM sports",
            [feed.value],
        )


def test_two_seeds_do_not_share_a_database(plan: Plan, home: Home, database_url: str) -> None:
    ours = replace(plan, database_url=database_url)
    other = replace(ours, feed_identity="seed 8")
    feed_databases.verify_database_feed(home, other)
    feed_databases.verify_database_feed(home, ours)  # nothing of seed 8 was stored
    store_a_poll(database_url, Feed.SIMULATE)
    feed_databases.verify_database_feed(home, ours)
    with pytest.raises(LocalError, match="holds seed 7, not seed 8") as caught:
        feed_databases.verify_database_feed(home, other)
    assert "--fresh" in caught.value.remedy


def test_a_database_of_unknown_origin_is_refused(plan: Plan, home: Home, database_url: str) -> None:
    ours = replace(plan, database_url=database_url)
    store_a_poll(database_url, Feed.SIMULATE)
    with pytest.raises(LocalError, match="holds an unknown recording or seed, not seed 7"):
        feed_databases.verify_database_feed(home, ours)


def test_a_database_of_another_feed_is_refused(plan: Plan, home: Home, database_url: str) -> None:
    ours = replace(plan, database_url=database_url)
    feed_databases.verify_database_feed(home, ours)
    store_a_poll(database_url, Feed.REPLAY)
    with pytest.raises(LocalError, match="holds odds from feed replay, not simulate"):
        feed_databases.verify_database_feed(home, ours)
