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

from edge_assets.clock import micros
from edge_assets.store import alerts, outbox, readers, streams
from ml.quotes import QuoteBatch, decode_changes
from tests.edge_assets.store.bets import arbitrage, value_bet
from tests.edge_assets.store.material import NOON, Desk, rows

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
def bet(desk: Desk) -> Bet:
    """Commits value bets on a poll at noon."""
    poll = desk.write(NOON, QuoteBatch.of([desk.quote()]))
    assert poll is not None

    def commit(*books: int) -> None:
        steps = [value_bet(desk, poll, book=book) for book in books] or [arbitrage(desk, poll)]
        alerts.commit_step(desk.conn, desk.sport, poll, micros(NOON), steps, {})

    return commit


def streamed(client: redis.Redis) -> list[tuple[bytes, Any]]:
    """The alerts' stream: entry ids and messages."""
    found: Any = client.xrange(streams.ALERTS)
    return [(entry, msgspec.json.decode(fields[streams.ALERT_FIELD])) for entry, fields in found]


def test_alerts_are_published_in_order_and_marked(desk: Desk, bet: Bet, client: redis.Redis) -> None:
    bet(0, 1, 2)
    bet()

    assert streams.publish_alerts(desk.conn, client) == 4

    entries = streamed(client)
    ids = [message["id"] for _, message in entries]
    assert ids == sorted(ids)
    assert [entry for entry, _ in entries] == [f"{i}-0".encode() for i in ids]
    assert alerts.unpublished(desk.conn) == []
    # the stream, a resumed client and REST tell the same
    assert [message for _, message in entries] == alerts.since(desk.conn, 0, 10)
    assert all(message["detection_latency_ms"] > 0 for _, message in entries)


@pytest.mark.parametrize("fraction", [0, 500_000, 743_890, 743_891])
def test_the_moment_of_publication_reads_the_same_from_the_database(
    desk: Desk, bet: Bet, client: redis.Redis, monkeypatch: pytest.MonkeyPatch, fraction: int
) -> None:
    bet(0)
    monkeypatch.setattr(time, "time_ns", lambda: (1_795_680_000_000_000 + fraction) * 1_000)
    streams.publish_alerts(desk.conn, client)
    assert [message for _, message in streamed(client)] == alerts.since(desk.conn, 0, 10)


def test_published_twice_is_published_once(desk: Desk, bet: Bet, client: redis.Redis) -> None:
    bet(0, 1)

    assert streams.publish_alerts(desk.conn, client) == 2
    assert streams.publish_alerts(desk.conn, client) == 0
    assert len(streamed(client)) == 2


def test_a_process_that_dies_before_it_marks_repeats_without_effect(
    desk: Desk, bet: Bet, client: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    def die(*_: object) -> None:
        raise psycopg.OperationalError

    bet(0)
    with monkeypatch.context() as patch:
        patch.setattr(alerts, "mark_published", die)
        with pytest.raises(psycopg.OperationalError):
            streams.publish_alerts(desk.conn, client)
    bet(1)

    assert streams.publish_alerts(desk.conn, client) == 2
    assert [message["book"] for _, message in streamed(client)] == ["pinnacle", "fanduel"]
    assert alerts.unpublished(desk.conn) == []


def test_where_one_is_refused_none_is_published(desk: Desk, bet: Bet, client: redis.Redis) -> None:
    bet(0, 1)
    client.config_set("maxmemory", "1")
    try:
        with pytest.raises(redis.RedisError):
            streams.publish_alerts(desk.conn, client)
    finally:
        client.config_set("maxmemory", "0")
    assert len(alerts.unpublished(desk.conn)) == 2

    assert streams.publish_alerts(desk.conn, client) == 2
    assert len(streamed(client)) == 2


def test_a_stream_of_another_database_is_refused(desk: Desk, bet: Bet, client: redis.Redis) -> None:
    streams.check_same_story(desk.conn, client)
    client.xadd(streams.ALERTS, {"json": '{"alert_id": "another", "seq": 0}'}, id="1-0")

    for _ in range(2):  # ahead of the database, and then level with it
        with pytest.raises(streams.ForeignStreamError, match="another Redis database"):
            streams.check_same_story(desk.conn, client)
        bet(0)


def test_a_stream_of_ones_own_is_continued(desk: Desk, bet: Bet, client: redis.Redis) -> None:
    bet(0, 1)
    streams.publish_alerts(desk.conn, client)
    bet()

    streams.check_same_story(desk.conn, client)


def test_a_redis_that_lost_everything_is_continued(desk: Desk, bet: Bet, client: redis.Redis) -> None:
    bet(0)
    streams.publish_alerts(desk.conn, client)
    client.flushall()
    bet(1)

    streams.check_same_story(desk.conn, client)
    assert streams.publish_alerts(desk.conn, client) == 1


async def test_the_outbox_is_published_as_it_was_and_stays_until_marked(
    desk: Desk, client: redis.Redis, redis_url: str
) -> None:
    quotes = QuoteBatch.of([desk.quote(2 + 1 / 3), desk.quote(1.5, book=1, point=-0.5)])
    poll = desk.write(NOON, quotes, [(desk.events[0], desk.books[0], 1, micros(NOON))])
    assert poll is not None

    async with redis.asyncio.Redis.from_url(redis_url) as publisher:
        for _ in range(2):  # a process that died before it marked publishes again
            for changes in outbox.unpublished_polls(desk.conn, desk.sport):
                await streams.publish_changes(publisher, changes)
    outbox.mark_published(desk.conn, desk.sport, [poll])

    assert outbox.unpublished_polls(desk.conn, desk.sport) == []
    found: Any = client.xrange(streams.ODDS_CHANGES)
    first, second = (decode_changes(fields[streams.CHANGES_FIELD]) for _, fields in found)
    assert first.poll_id == second.poll_id == poll
    assert (first.sport, first.run_id) == ("americanfootball_nfl", "run-1")
    assert (first.observed_at, first.received_at) == (micros(NOON), micros(NOON) + 7)
    assert rows(first.quotes) == rows(quotes) == rows(readers.changes(desk.conn, poll).quotes)
    assert first.times.book_time.tolist() == [micros(NOON)]
    assert first.starts.event.tolist() == desk.events


@pytest.mark.parametrize("protocol", [2, 3])
def test_entries_are_the_same_in_both_protocols(client: redis.Redis, redis_url: str, protocol: int) -> None:
    for i in range(3):
        client.xadd("s", {"n": i})
    with redis.Redis.from_url(redis_url, protocol=protocol) as reader:
        found = streams.entries(reader.xread({"s": "0"}))
        assert [fields for _, fields in found] == [{b"n": b"0"}, {b"n": b"1"}, {b"n": b"2"}]
        assert streams.entries(reader.xread({"nothing": "0"})) == []


@pytest.mark.parametrize(("observed", "late"), [("12:00:00", 90.0), ("12:01:29", None), ("13:00:00", 90.0)])
def test_what_only_time_has_done_is_not_late(observed: str, late: float | None) -> None:
    """Counted from the step's own time, unless a clock has put that ahead; a poll's is before its receipt."""
    published = int(datetime(2026, 1, 1, 12, 1, 30, tzinfo=UTC).timestamp() * 1_000_000)
    message = {"id": 1, "received_at": "2026-01-01T12:00:00+00:00", "observed_at": f"2026-01-01T{observed}+00:00"}
    assert streams._stamp(message, published).late_s == late
