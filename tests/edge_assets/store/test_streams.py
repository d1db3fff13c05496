"""What is durable reaches the streams: in order, and an alert once."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import msgspec
import psycopg
import pytest
import redis
import redis.asyncio

from edge_assets.core.clock import to_micros
from edge_assets.store.alerts import alert_log, streams
from edge_assets.store.polls import as_of, outbox
from ml.quotes import QuoteBatch, decode_changes
from tests.support.alert_factories import arbitrage, value_bet
from tests.support.poll_factories import NOON, StoreHarness, rows

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

Bet = Callable[..., None]


@pytest.fixture
def client(redis_url: str) -> Iterator[redis.Redis]:
    """The emptied Redis."""
    with redis.Redis.from_url(redis_url) as connection:
        yield connection


@pytest.fixture
def bet(harness: StoreHarness) -> Bet:
    """Commits value bets on a poll at noon."""
    poll = harness.write(NOON, QuoteBatch.from_rows([harness.quote()]))
    assert poll is not None

    def commit(*books: int) -> None:
        steps = [value_bet(harness, poll, book=book) for book in books] or [arbitrage(harness, poll)]
        alert_log.commit_scoring_step(harness.conn, harness.sport, poll, to_micros(NOON), steps, {})

    return commit


def read_stream(client: redis.Redis) -> list[tuple[bytes, Any]]:
    """The alerts' stream: entry ids and messages."""
    found: Any = client.xrange(streams.ALERTS_STREAM)
    return [(entry, msgspec.json.decode(fields[streams.ALERT_FIELD])) for entry, fields in found]


def test_alerts_are_published_in_order_and_marked(harness: StoreHarness, bet: Bet, client: redis.Redis) -> None:
    bet(0, 1, 2)
    bet()

    assert streams.publish_alerts(harness.conn, client) == 4

    entries = read_stream(client)
    ids = [message["id"] for _, message in entries]
    assert ids == sorted(ids)
    assert [entry for entry, _ in entries] == [f"{i}-0".encode() for i in ids]
    assert alert_log.load_unpublished_messages(harness.conn) == []
    # the stream, a resumed client and REST agree
    assert [message for _, message in entries] == alert_log.load_messages_since(harness.conn, 0, 10)
    assert all(message["detection_latency_ms"] > 0 for _, message in entries)


@pytest.mark.parametrize("fraction", [0, 500_000, 743_890, 743_891])
def test_the_moment_of_publication_reads_the_same_from_the_database(
    harness: StoreHarness, bet: Bet, client: redis.Redis, monkeypatch: pytest.MonkeyPatch, fraction: int
) -> None:
    bet(0)
    monkeypatch.setattr(time, "time_ns", lambda: (1_795_680_000_000_000 + fraction) * 1_000)
    streams.publish_alerts(harness.conn, client)
    assert [message for _, message in read_stream(client)] == alert_log.load_messages_since(harness.conn, 0, 10)


def test_published_twice_is_published_once(harness: StoreHarness, bet: Bet, client: redis.Redis) -> None:
    bet(0, 1)

    assert streams.publish_alerts(harness.conn, client) == 2
    assert streams.publish_alerts(harness.conn, client) == 0
    assert len(read_stream(client)) == 2


def test_a_process_that_dies_before_it_marks_repeats_without_effect(
    harness: StoreHarness, bet: Bet, client: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    def die(*_: object) -> None:
        raise psycopg.OperationalError

    bet(0)
    with monkeypatch.context() as patch:
        patch.setattr(alert_log, "mark_published", die)
        with pytest.raises(psycopg.OperationalError):
            streams.publish_alerts(harness.conn, client)
    bet(1)

    assert streams.publish_alerts(harness.conn, client) == 2
    assert [message["book"] for _, message in read_stream(client)] == ["pinnacle", "fanduel"]
    assert alert_log.load_unpublished_messages(harness.conn) == []


def test_if_one_alert_is_refused_none_is_published(harness: StoreHarness, bet: Bet, client: redis.Redis) -> None:
    bet(0, 1)
    client.config_set("maxmemory", "1")
    try:
        with pytest.raises(redis.RedisError):
            streams.publish_alerts(harness.conn, client)
    finally:
        client.config_set("maxmemory", "0")
    assert len(alert_log.load_unpublished_messages(harness.conn)) == 2

    assert streams.publish_alerts(harness.conn, client) == 2
    assert len(read_stream(client)) == 2


def test_a_stream_of_another_database_is_refused(harness: StoreHarness, bet: Bet, client: redis.Redis) -> None:
    streams.verify_stream_ownership(harness.conn, client)
    client.xadd(streams.ALERTS_STREAM, {"json": '{"alert_id": "another", "seq": 0}'}, id="1-0")

    for _ in range(2):  # ahead of the database, and then level with it
        with pytest.raises(streams.StreamMismatchError, match="another Redis database"):
            streams.verify_stream_ownership(harness.conn, client)
        bet(0)


def test_a_stream_of_ones_own_is_continued(harness: StoreHarness, bet: Bet, client: redis.Redis) -> None:
    bet(0, 1)
    streams.publish_alerts(harness.conn, client)
    bet()

    streams.verify_stream_ownership(harness.conn, client)


def test_a_redis_that_lost_everything_is_continued(harness: StoreHarness, bet: Bet, client: redis.Redis) -> None:
    bet(0)
    streams.publish_alerts(harness.conn, client)
    client.flushall()
    bet(1)

    streams.verify_stream_ownership(harness.conn, client)
    assert streams.publish_alerts(harness.conn, client) == 1


async def test_the_outbox_is_published_as_it_was_and_stays_until_marked(
    harness: StoreHarness, client: redis.Redis, redis_url: str
) -> None:
    quotes = QuoteBatch.from_rows([harness.quote(2 + 1 / 3), harness.quote(1.5, book=1, point=-0.5)])
    poll = harness.write(NOON, quotes, [(harness.events[0], harness.books[0], 1, to_micros(NOON))])
    assert poll is not None

    async with redis.asyncio.Redis.from_url(redis_url) as publisher:
        for _ in range(2):  # a process that died before it marked publishes again
            for changes in outbox.load_unpublished_polls(harness.conn, harness.sport):
                await streams.publish_changes(publisher, changes)
    outbox.mark_published(harness.conn, harness.sport, [poll])

    assert outbox.load_unpublished_polls(harness.conn, harness.sport) == []
    found: Any = client.xrange(streams.CHANGES_STREAM)
    first, second = (decode_changes(fields[streams.CHANGES_FIELD]) for _, fields in found)
    assert first.poll_id == second.poll_id == poll
    assert (first.sport, first.run_id) == ("americanfootball_nfl", "run-1")
    assert (first.observed_at, first.received_at) == (to_micros(NOON), to_micros(NOON) + 7)
    assert rows(first.quotes) == rows(quotes) == rows(as_of.load_poll_changes(harness.conn, poll).quotes)
    assert first.confirmations.confirmed_at.tolist() == [to_micros(NOON)]
    assert first.starts.event.tolist() == harness.events


@pytest.mark.parametrize("protocol", [2, 3])
def test_entries_are_the_same_in_both_protocols(client: redis.Redis, redis_url: str, protocol: int) -> None:
    for i in range(3):
        client.xadd("s", {"n": i})
    with redis.Redis.from_url(redis_url, protocol=protocol) as reader:
        found = streams.parse_entries(reader.xread({"s": "0"}))
        assert [fields for _, fields in found] == [{b"n": b"0"}, {b"n": b"1"}, {b"n": b"2"}]
        assert streams.parse_entries(reader.xread({"nothing": "0"})) == []


@pytest.mark.parametrize(("observed", "late"), [("12:00:00", 90.0), ("12:01:29", None), ("13:00:00", 90.0)])
def test_changes_made_by_time_alone_are_not_late(observed: str, late: float | None) -> None:
    """Counted from the step's own time, unless a clock has put that ahead; a poll's is before its receipt."""
    published = int(datetime(2026, 1, 1, 12, 1, 30, tzinfo=UTC).timestamp() * 1_000_000)
    message = {"id": 1, "received_at": "2026-01-01T12:00:00+00:00", "observed_at": f"2026-01-01T{observed}+00:00"}
    assert streams._set_published_at(message, published).late_s == late
