"""Redis full, hanging or down: alerts are still found, and published once, marked as late, when it is back."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest
import redis

from edge_assets.store.alerts import streams
from edge_assets.store.health.problems import load_heartbeats
from serving.scorer import heartbeat, redis_streams
from tests.serving.scorer.test_service import service
from tests.support.scorer_harness import ScorerHarness, wait

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.support.servers.valkey import ValkeyServer

Fault = tuple["Callable[[ValkeyServer], None]", "Callable[[ValkeyServer], None]", str]


def limit_memory(server: ValkeyServer, limit: str) -> None:
    """Set a limit beyond which writes are refused (noeviction); 0 removes it."""
    with redis.Redis.from_url(server.url) as client:
        client.config_set("maxmemory", limit)


FAULTS: dict[str, Fault] = {
    "full": (lambda s: limit_memory(s, "1"), lambda s: limit_memory(s, "0"), "redis_refuses_writes"),
    "hanging": (lambda s: s.process.suspend(), lambda s: s.process.resume(), "redis_unreachable"),
    "away": (lambda s: s.process.kill(), lambda s: s.process.start(), "redis_unreachable"),
}


@contextmanager
def harness_at(database_url: str, server: ValkeyServer) -> Iterator[ScorerHarness]:
    """A harness with its own Redis server."""
    harness = ScorerHarness(database_url, server.url)
    yield harness
    harness.close()


@pytest.mark.chaos
@pytest.mark.parametrize("fault", FAULTS)
def test_alerts_found_during_a_fault_are_published_after_it(
    database_url: str, own_redis: ValkeyServer, monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    break_redis, mend, kind = FAULTS[fault]
    with harness_at(database_url, own_redis) as harness, service(harness):
        polls = harness.poll_lively_market(8)
        harness.publish(*polls)
        wait(harness.is_settled)
        before = len(harness.alert_steps())
        monkeypatch.setattr(streams, "LATE_AFTER_SECONDS", 0.05)
        break_redis(own_redis)
        polls += harness.poll_lively_market(8, seed=2)
        wait(harness.is_scored)
        wait(lambda: {kind, "alerts_not_published"} <= harness.problems().keys())
        assert not harness.is_settled()
        mend(own_redis)
        wait(harness.is_settled)
        wait(lambda: harness.problems() == {})
        harness.assert_whole(polls)
        late = [message["late_s"] for message in harness.messages()]
        assert late[:before] == [None] * before
        assert all(seconds > 0 for seconds in late[before:])


def test_the_scorer_starts_without_redis(database_url: str, own_redis: ValkeyServer) -> None:
    own_redis.process.kill()
    with harness_at(database_url, own_redis) as harness:
        polls = harness.poll_lively_market(4)
        with service(harness):
            wait(harness.is_scored)
            harness.assert_table(polls)
            assert "scorer" in load_heartbeats(harness.conn)
            own_redis.process.start()
            wait(harness.is_settled)
        harness.assert_whole(polls)


def test_a_scorer_that_is_behind_reports_it(harness: ScorerHarness) -> None:
    polls = harness.poll_lively_market(3)
    harness.conn.execute("UPDATE polls SET received_at = received_at - interval '5 minutes'")

    harness.run_scorer()

    assert harness.problems()["scorer_behind"].startswith("2 polls not scored yet, the oldest for 30")
    assert load_heartbeats(harness.conn)["scorer"].detail["behind"] == 2
    harness.run_scorer(lambda: harness.problems() == {})
    harness.assert_whole(polls)


@pytest.mark.parametrize("when", ["before it starts", "while it runs"])
@pytest.mark.parametrize("fields", [{"json": '{"id": 7, "alert_id": "another", "seq": 0}'}, {"foo": "bar"}])
def test_a_foreign_alert_stream_is_reported_and_scoring_continues(
    harness: ScorerHarness, monkeypatch: pytest.MonkeyPatch, fields: dict[Any, Any], when: str
) -> None:
    monkeypatch.setattr(redis_streams, "RETRY_SECONDS", 0.1)
    monkeypatch.setattr(heartbeat, "HEARTBEAT_SECONDS", 0.2)
    polls = harness.poll_lively_market(4)
    if when == "before it starts":
        harness.redis.xadd(streams.ALERTS_STREAM, fields)
    with service(harness):
        wait(harness.is_scored)
        if when == "while it runs":
            wait(harness.is_settled)
            harness.redis.xadd(streams.ALERTS_STREAM, fields)
        polls += harness.poll_lively_market(4, seed=2)
        harness.publish(*polls[-4:])
        wait(harness.is_scored)
        wait(lambda: "redis-cli DEL alerts" in harness.problems().get("alerts_not_published", ""))
        assert not harness.is_settled()
        harness.redis.delete(streams.ALERTS_STREAM)
        wait(harness.is_settled)
        wait(lambda: harness.problems() == {})
    harness.assert_table(polls)
