"""Health reports which dependency is unavailable."""

from __future__ import annotations

from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import psutil
import pytest

from edge_assets.health.assessment import SENSOR
from edge_assets.store.health.problems import ProblemKind, record_heartbeat, report_problem
from edge_assets.store.polls.credits import CreditStatement, write_credit_statement
from edge_assets.store.postgres.database import connect, ensure_database
from edge_assets.store.postgres.schema import upgrade
from tests.serving.conftest import until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.servers.postgres import PostgresServer


def health(served: Any) -> tuple[int, dict[str, Any]]:
    with served.http as http:
        answer = http.get("/healthz", timeout=20)
    return answer.status_code, answer.json()


def test_everything_works(site: Any, market: Any) -> None:
    body = health(site)[1]
    assert (body["database"], body["redis"], body["feed"], body["scorer_lag_polls"]) == (True, True, "simulate", 1)
    assert body["last_poll_at"] is not None
    market.commit()
    code, body = health(site)
    assert (body["problems"], code, body["status"], body["headline"]) == ([], 200, "ok", "everything works")
    assert body["scorer_lag_polls"] == 0


def test_reported_problems_are_shown_with_a_remedy(site: Any, market: Any) -> None:
    market.commit()
    report_problem(market.conn, ProblemKind.RUN_FAILED, "results", "run 0815")
    code, body = health(site)
    [problem] = body["problems"]
    assert (code, body["status"]) == (200, "degraded")
    assert (problem["kind"], problem["subject"], problem["severity"]) == ("run_failed", "results", "warning")
    assert problem["what_to_do"].startswith("open the run in Dagster")
    report_problem(market.conn, ProblemKind.KEY_REFUSED, "", "401 Unauthorized")
    code, body = health(site)
    assert (code, body["status"], body["headline"]) == (
        503,
        "down",
        "the feed refuses the key: no new prices (401 Unauthorized); and 1 more",
    )
    with site.http as http:
        page = http.get("/api/health")
    assert (page.status_code, page.json()["status"]) == (200, "down")


def test_an_overdue_poll_and_one_in_the_future_are_problems(site: Any, market: Any) -> None:
    market.commit()
    market.conn.execute("UPDATE polls SET received_at = clock_timestamp() - interval '60 seconds'")
    record_heartbeat(market.conn, SENSOR, intervals_s={"americanfootball_nfl": 60.0})
    assert health(site)[1]["status"] == "ok"
    market.conn.execute("UPDATE polls SET received_at = clock_timestamp() - interval '150 seconds'")
    code, body = health(site)
    assert (code, body["problems"][0]["kind"]) == (503, "poll_overdue")
    known = body["confirmations"]["americanfootball_nfl"]
    assert known["age_s"] > known["allowed_s"]
    market.conn.execute("UPDATE polls SET received_at = clock_timestamp() + interval '1 hour'")
    assert "clock_changed" in {problem["kind"] for problem in health(site)[1]["problems"]}


def test_a_process_is_ready_while_the_feed_is_not(site: Any, market: Any) -> None:
    report_problem(market.conn, ProblemKind.FEED_UNREACHABLE, "", "refused")
    with site.http as http:
        assert http.get("/healthz").status_code == 503
        answer = http.get("/readyz")
    message = answer.json()
    assert (answer.status_code, message["ready"], message["reason"], message["status"]) == (200, True, "", "down")
    assert message["headline"].startswith("the feed does not answer: prices go stale (refused)")
    assert message["problems"][0]["what_to_do"].startswith("check the internet connection")


@pytest.mark.chaos
def test_a_hanging_database_is_reported_within_seconds(
    serve: Any, own_postgres: PostgresServer, redis_url: str
) -> None:
    url = ensure_database(own_postgres.url, "hung")
    upgrade(url)
    with serve(database_url=url) as served:
        assert health(served)[1]["database"]
        with own_postgres.process.suspend_during():
            code, body = health(served)
            assert (code, body["status"], body["problems"][0]["kind"]) == (503, "down", "database_unreachable")
        until(lambda: health(served)[1]["database"], 30)


@pytest.mark.chaos
def test_a_database_that_rejects_connections_is_reported(
    serve: Any, own_postgres: PostgresServer, redis_url: str
) -> None:
    url = ensure_database(own_postgres.url, "full")
    upgrade(url)
    with serve(database_url=url) as served, connect(url, "test") as conn:
        record_heartbeat(conn, SENSOR)
        conn.execute("UPDATE heartbeats SET beat_at = clock_timestamp() - interval '25 seconds'")
        assert [p["kind"] for p in health(served)[1]["problems"]] == ["service_hangs"]
        with suspend(psutil.Process(conn.info.backend_pid).parent()):
            code, body = health(served)
        assert (code, [p["kind"] for p in body["problems"]]) == (503, ["database_unreachable", "service_hangs"])


@contextmanager
def suspend(process: psutil.Process | None) -> Iterator[None]:
    """Suspend the main process only: its sessions continue."""
    assert process is not None
    process.suspend()
    try:
        yield
    finally:
        process.resume()


def test_credits_are_shown_before_the_first_poll(serve: Any, own_postgres: PostgresServer) -> None:
    url = ensure_database(own_postgres.url, "unpolled")
    upgrade(url)
    with connect(url, "test") as conn:
        write_credit_statement(conn, "odds-api", CreditStatement(datetime.now(UTC), 321))
    with serve(database_url=url, edge_feed="odds-api") as served:
        body = health(served)[1]
    assert (body["feed"], body["credits"]["remaining"], body["credits"]["used_today"]) == (None, 321, 0)


def test_without_redis_prices_are_still_served(serve: Any, market: Any) -> None:
    with serve(redis_url="redis://127.0.0.1:1") as served:
        code, body = health(served)
        assert (code, body["status"], body["redis"], body["database"]) == (503, "down", False, True)
        with served.http as http:
            assert http.get("/api/odds/nfl", timeout=10).status_code == 200
            assert http.get("/api/value-bets").status_code == 200


def test_a_lost_database_connection_is_replaced(site: Any, market: Any) -> None:
    market.conn.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'serving'")
    with site.http as http:
        assert http.get("/api/value-bets").status_code == 200


def test_without_a_database_requests_get_503(serve: Any, redis_url: str) -> None:
    with serve(database_url="postgresql://nobody@127.0.0.1:1/none", wait=False) as served:
        code, body = health(served)
        assert (code, body["status"], body["database"]) == (503, "down", False)
        assert body["confirmations"] is None
        with served.http as http:
            answer = http.get("/api/value-bets", timeout=20)
            assert (http.get("/readyz", timeout=20).status_code) == 503
        assert answer.status_code == 503
        assert "database" in answer.json()["detail"]
