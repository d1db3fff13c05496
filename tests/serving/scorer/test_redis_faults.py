"""Redis full, hanging or away: alerts are found all the same, and announced once, late and marked, when it is back."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest
import redis

from edge_assets.store import streams
from edge_assets.store.problems import read_heartbeats
from serving.scorer import life, link
from tests.serving.scorer.desk import ScorerDesk, wait
from tests.serving.scorer.test_service import service

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.servers.valkey import ValkeyServer

Fault = tuple["Callable[[ValkeyServer], None]", "Callable[[ValkeyServer], None]", str]


def limit_memory(server: ValkeyServer, limit: str) -> None:
    """Let it refuse whatever takes memory (noeviction), or no more (0)."""
    with redis.Redis.from_url(server.url) as client:
        client.config_set("maxmemory", limit)


FAULTS: dict[str, Fault] = {
    "full": (lambda s: limit_memory(s, "1"), lambda s: limit_memory(s, "0"), "redis_refuses_writes"),
    "hanging": (lambda s: s.process.suspend(), lambda s: s.process.resume(), "redis_unreachable"),
    "away": (lambda s: s.process.kill(), lambda s: s.process.start(), "redis_unreachable"),
}


@contextmanager
def desk_at(database_url: str, server: ValkeyServer) -> Iterator[ScorerDesk]:
    """A desk at a Redis of its own."""
    desk = ScorerDesk(database_url, server.url)
    yield desk
    desk.close()


@pytest.mark.chaos
@pytest.mark.parametrize("fault", FAULTS)
def test_alerts_are_found_meanwhile_and_announced_afterwards(
    database_url: str, own_redis: ValkeyServer, monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    break_redis, mend, kind = FAULTS[fault]
    with desk_at(database_url, own_redis) as desk, service(desk):
        polls = desk.history(8)
        desk.publish(*polls)
        wait(desk.settled)
        before = len(desk.story())
        monkeypatch.setattr(streams, "LATE_AFTER_SECONDS", 0.05)
        break_redis(own_redis)
        polls += desk.history(8, seed=2)
        wait(desk.scored)
        wait(lambda: {kind, "alerts_not_published"} <= desk.problems().keys())
        assert not desk.settled()
        mend(own_redis)
        wait(desk.settled)
        wait(lambda: desk.problems() == {})
        desk.assert_whole(polls)
        late = [message["late_s"] for message in desk.messages()]
        assert late[:before] == [None] * before
        assert all(seconds > 0 for seconds in late[before:])


def test_it_starts_without_redis(database_url: str, own_redis: ValkeyServer) -> None:
    own_redis.process.kill()
    with desk_at(database_url, own_redis) as desk:
        polls = desk.history(4)
        with service(desk):
            wait(desk.scored)
            desk.assert_table(polls)
            assert "scorer" in read_heartbeats(desk.conn)
            own_redis.process.start()
            wait(desk.settled)
        desk.assert_whole(polls)


def test_a_scorer_that_is_behind_says_so(desk: ScorerDesk) -> None:
    polls = desk.history(3)
    desk.conn.execute("UPDATE polls SET received_at = received_at - interval '5 minutes'")

    desk.life()

    assert desk.problems()["scorer_behind"].startswith("2 polls wait to be scored, the oldest for 30")
    assert read_heartbeats(desk.conn)["scorer"].detail["behind"] == 2
    desk.life(lambda: desk.problems() == {})
    desk.assert_whole(polls)


@pytest.mark.parametrize("when", ["before it starts", "while it runs"])
@pytest.mark.parametrize("fields", [{"json": '{"id": 7, "alert_id": "another", "seq": 0}'}, {"foo": "bar"}])
def test_a_stream_that_somebody_else_fills_is_told_and_scoring_goes_on(
    desk: ScorerDesk, monkeypatch: pytest.MonkeyPatch, fields: dict[Any, Any], when: str
) -> None:
    monkeypatch.setattr(link, "RETRY_SECONDS", 0.1)
    monkeypatch.setattr(life, "BEAT_SECONDS", 0.2)
    polls = desk.history(4)
    if when == "before it starts":
        desk.redis.xadd(streams.ALERTS, fields)
    with service(desk):
        wait(desk.scored)
        if when == "while it runs":
            wait(desk.settled)
            desk.redis.xadd(streams.ALERTS, fields)
        polls += desk.history(4, seed=2)
        desk.publish(*polls[-4:])
        wait(desk.scored)
        wait(lambda: "redis-cli DEL alerts" in desk.problems().get("alerts_not_published", ""))
        assert not desk.settled()
        desk.redis.delete(streams.ALERTS)
        wait(desk.settled)
        wait(lambda: desk.problems() == {})
    desk.assert_table(polls)
