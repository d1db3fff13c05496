"""The service survives faults of its servers: Redis emptied or killed, database connections cut, a full disk."""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from edge_assets.store.alerts import streams
from serving.scorer import service as scorer_service
from serving.scorer.__main__ import open_worker
from serving.scorer.service import run_forever
from tests.support.scorer_harness import ScorerHarness, wait

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.servers.valkey import ValkeyServer


@contextmanager
def service(harness: ScorerHarness) -> Iterator[threading.Thread]:
    """The scorer's loop in a thread, stopped at the end."""
    stop = threading.Event()
    settings = harness.settings()
    thread = threading.Thread(target=run_forever, args=(lambda stack: open_worker(settings, stack), stop))
    thread.start()
    try:
        yield thread
    finally:
        stop.set()
        thread.join(10)
        assert not thread.is_alive()


def test_publishing_continues_after_redis_is_emptied(harness: ScorerHarness) -> None:
    polls = harness.poll_lively_market(8)
    with service(harness):
        harness.publish(*polls)
        wait(harness.is_settled)
        before = len(harness.alert_steps())
        harness.redis.flushall()
        polls += harness.poll_lively_market(8, seed=2)
        harness.publish(*polls[-4:])
        wait(harness.is_settled)
    harness.assert_table(polls)
    assert harness.streamed_steps() == [step[:2] for step in harness.alert_steps()][before:]


def test_a_killed_redis_loses_no_alert(database_url: str, own_redis: ValkeyServer) -> None:
    harness = ScorerHarness(database_url, own_redis.url)
    polls = harness.poll_lively_market(8)
    with service(harness):
        harness.publish(*polls)
        wait(harness.is_settled)
        own_redis.process.kill()
        polls += harness.poll_lively_market(8, seed=2)
        wait(harness.is_scored)
        assert not harness.is_settled()
        own_redis.process.start()
        wait(harness.is_settled)
    harness.assert_whole(polls)
    harness.close()


def test_cut_database_connections_are_reopened(harness: ScorerHarness, caplog: pytest.LogCaptureFixture) -> None:
    polls = harness.poll_lively_market(8)
    with service(harness):
        wait(harness.is_settled)
        for seed in (2, 3):
            harness.cut_connections()
            more = harness.poll_lively_market(8, seed)
            harness.publish(*more)
            polls += more
            wait(harness.is_settled)
    harness.assert_whole(polls)
    assert "scorer failed, restarting" in caplog.text


def test_a_key_that_is_not_a_stream_is_reported_and_blocks_nothing(harness: ScorerHarness) -> None:
    harness.redis.set(streams.CHANGES_STREAM, "not a stream")
    polls = harness.poll_lively_market(4)
    with service(harness):
        wait(harness.is_scored)
        wait(lambda: "WRONGTYPE" in harness.problems().get("redis_unreachable", ""))
        harness.redis.delete(streams.CHANGES_STREAM)
        wait(harness.is_settled)
    harness.assert_whole(polls)
    assert harness.problems() == {}


def test_the_service_survives_a_full_disk(harness: ScorerHarness, monkeypatch: pytest.MonkeyPatch) -> None:
    """While the disk is full, not even the failure can be recorded."""
    monkeypatch.setattr(scorer_service, "MIN_RESTART_DELAY_SECONDS", 0.05)
    polls = harness.poll_lively_market(4)
    harness.conn.execute(
        "CREATE FUNCTION fill() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE disk_full USING MESSAGE = 'No space left on device'; END $$"
    )
    tables = ("scorer_progress", "scorer_failures", "problems")
    for table in tables:
        harness.conn.execute(f"CREATE TRIGGER fill BEFORE INSERT OR UPDATE ON {table} EXECUTE FUNCTION fill()")
    with service(harness) as thread:
        time.sleep(1)
        assert thread.is_alive()
        assert harness.progress() == 0
        for table in tables:
            harness.conn.execute(f"DROP TRIGGER fill ON {table}")
        wait(harness.is_settled)
    harness.assert_whole(polls)
    harness.conn.execute("DROP FUNCTION fill()")
