"""Alerts arrive in order, without gap or duplicate, despite any failure."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from edge_assets.store.alerts import streams
from edge_assets.store.postgres.database import ensure_database
from edge_assets.store.postgres.schema import upgrade
from serving.realtime import client, endpoint, hub, reader
from tests.serving.conftest import until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from websockets.sync.connection import Connection

    from tests.support.servers.postgres import PostgresServer
    from tests.support.servers.valkey import ValkeyServer


def alerts(ws: Connection, n: int) -> list[dict[str, Any]]:
    """The next `n` alerts; other messages are ignored."""
    found: list[dict[str, Any]] = []
    while len(found) < n:
        message = json.loads(ws.recv(timeout=10))
        if "type" not in message:
            found.append(message)
    return found


@contextmanager
def listen(served: Any, after: int | None = None, **kwargs: Any) -> Iterator[Connection]:
    """An authenticated client that has received the hello."""
    with connect(served.ws, compression=None, **kwargs) as ws:
        ws.send(json.dumps({"token": served.token(), "after": after}))
        assert json.loads(ws.recv(timeout=5))["type"] == "hello"
        yield ws


def close_code(ws: Connection) -> int | None:
    """The code with which the server closes; messages before that are ignored."""
    try:
        while True:
            ws.recv(timeout=10)
    except ConnectionClosed:
        return ws.close_code


def test_an_alert_reaches_every_client_promptly(site: Any, market: Any) -> None:
    with listen(site) as one, listen(site) as two:
        market.publish(market.value())
        (first,), (second,) = alerts(one, 1), alerts(two, 1)
    assert first == second
    assert (first["id"], first["state"], first["sport"]) == (1, "opened", "americanfootball_nfl")
    assert (first["book_title"], first["price"], first["edge"]) == ("FanDuel", 2.0, 0.06)


def test_the_life_of_an_alert_arrives_in_order(site: Any, market: Any) -> None:
    opened = market.value()
    updated = market.make_update(opened)
    with listen(site) as ws:
        market.publish(opened, updated)
        market.publish(market.make_closing(updated))
        steps = alerts(ws, 3)
    assert [(s["seq"], s["state"], s["reason"]) for s in steps] == [
        (0, "opened", None),
        (1, "updated", None),
        (2, "closed", "price_moved"),
    ]
    assert len({s["alert_id"] for s in steps}) == 1


def test_resuming_while_alerts_keep_coming_leaves_no_gap_and_no_duplicate(
    site: Any, market: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(endpoint, "RESUME_PAGE_ALERTS", 7)
    total = 150

    def keep_publishing() -> None:
        for i in range(total):
            market.publish(market.value(seconds=i))

    publisher = threading.Thread(target=keep_publishing)
    publisher.start()
    seen: list[int] = []
    after = 0
    while len(seen) < total:
        with listen(site, after) as ws:
            seen += [a["id"] for a in alerts(ws, min(11, total - len(seen)))]
        after = seen[-1]
    publisher.join()
    assert seen == list(range(1, total + 1))


def test_an_alert_during_the_hello_is_not_missed(site: Any, market: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A socket may block while it takes the hello, which has named the newest alert already."""
    send_hello = endpoint._send_hello

    async def send_slowly(websocket: Any, resources: Any, after: int | None) -> int:
        position = await send_hello(websocket, resources, after)
        before = resources.hub.position
        await asyncio.to_thread(market.publish, market.value())
        await asyncio.to_thread(until, lambda: resources.hub.position != before)
        return position

    monkeypatch.setattr(endpoint, "_send_hello", send_slowly)
    with listen(site) as ws:
        assert [alert["id"] for alert in alerts(ws, 1)] == [1]


def test_the_header_resumes_with_a_query_parameter(site: Any, market: Any) -> None:
    market.publish(*(market.value(seconds=i) for i in range(3)))
    with connect(f"{site.ws}?after=1", additional_headers=site.bearer()) as ws:
        assert [a["id"] for a in alerts(ws, 2)] == [2, 3]


def test_a_redis_that_dies_costs_latency_but_no_alert(serve: Any, market: Any, own_redis: Any) -> None:
    market.redis_url = own_redis.url
    with serve(redis_url=own_redis.url) as served, listen(served) as ws:
        market.publish(market.value(seconds=0))
        assert alerts(ws, 1)[0]["id"] == 1
        own_redis.process.kill()
        market.commit(market.value(seconds=1))
        assert alerts(ws, 1)[0]["id"] == 2
        own_redis.process.start()
        market.publish(market.value(seconds=2))
        market.publish(market.value(seconds=3))
        assert [a["id"] for a in alerts(ws, 2)] == [3, 4]


def test_an_alert_that_redis_lost_still_arrives(site: Any, market: Any) -> None:
    with listen(site) as ws:
        market.publish(market.value(seconds=0))
        alerts(ws, 1)
        market.commit(market.value(seconds=1))
        assert alerts(ws, 1)[0]["id"] == 2
        with market.redis() as client:
            client.flushall()
        market.publish(market.value(seconds=2))
        assert alerts(ws, 1)[0]["id"] == 3


def test_heartbeats_carry_the_position_of_the_stream(serve: Any, market: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hub, "HEARTBEAT_SECONDS", 0.1)
    with serve() as served, listen(served) as ws:
        market.publish(market.value())
        alerts(ws, 1)
        assert json.loads(ws.recv(timeout=5)) == {"type": "heartbeat", "last_id": 1}


def test_a_slow_client_is_dropped_and_delays_no_other(site: Any, market: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """One client stops reading: its socket fills, then its backlog; the other receives every alert at once."""
    monkeypatch.setattr(client, "MAX_BACKLOG_MESSAGES", 20)
    delays = []
    with (
        listen(site, max_queue=1) as slow,
        listen(site) as quick,
        market.redis() as stream,
    ):
        for number in range(1, 400):
            sent = time.monotonic()
            text = json.dumps({"id": number, "alert_id": "x", "seq": 0, "pad": "x" * 65536})
            stream.xadd(streams.ALERTS_STREAM, {"json": text}, id=f"{number}-0")
            assert alerts(quick, 1)[0]["id"] == number
            delays.append(time.monotonic() - sent)
            if len(site.app.state.resources.hub.clients) == 1:
                break
        assert number < 399, "the slow client was never dropped"
        assert sorted(delays)[len(delays) // 2] < 0.1
        assert close_code(slow) == 4413


def test_a_client_that_pauses_gets_everything_in_order_afterwards(site: Any, market: Any) -> None:
    total = 300
    with listen(site, max_queue=1) as ws, market.redis() as stream:
        for number in range(1, total + 1):
            text = json.dumps({"id": number, "alert_id": "x", "seq": 0, "pad": "x" * 65536})
            stream.xadd(streams.ALERTS_STREAM, {"json": text}, id=f"{number}-0")
        time.sleep(1)
        assert site.app.state.resources.hub.position == total
        assert [a["id"] for a in alerts(ws, total)] == list(range(1, total + 1))


def test_a_shutdown_closes_the_clients_with_a_code(serve: Any, market: Any) -> None:
    with ExitStack() as clients:
        with serve() as served:
            ws = clients.enter_context(listen(served))
        assert close_code(ws) == 1012


def test_alerts_come_while_redis_hangs(serve: Any, market: Any, own_redis: ValkeyServer) -> None:
    with serve(redis_url=own_redis.url) as served, listen(served) as ws:
        own_redis.process.suspend()
        market.commit(market.value())
        assert alerts(ws, 1)[0]["late_s"] is None
        own_redis.process.resume()


@pytest.mark.parametrize(
    "fields", [{"foo": "bar"}, {"json": "{"}, {"json": '{"id": 1, "alert_id": "other", "seq": 0}'}]
)
def test_an_entry_that_is_not_an_alert_is_counted_and_ignored(site: Any, market: Any, fields: dict[str, str]) -> None:
    with listen(site) as ws, market.redis() as redis:
        market.publish(market.value(seconds=0))
        redis.xadd(streams.ALERTS_STREAM, fields, id="1-7")
        market.publish(market.value(seconds=1))
        redis.xadd(streams.ALERTS_STREAM, fields)  # its id is a timestamp, larger than any alert id
        market.commit(market.value(seconds=2))
        assert [alert["id"] for alert in alerts(ws, 3)] == [1, 2, 3]
    with site.http as http:
        reported = http.get("/api/health").json()
    assert reported["stream_foreign_entries"] == 2
    assert reported["stream_read_s"] < 10


def test_a_failing_reader_is_logged_and_continues(
    site: Any, market: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: Any) -> None:
        raise ZeroDivisionError

    with listen(site) as ws:
        with monkeypatch.context() as patch:
            patch.setattr(reader, "decode_alert_message", fail)
            market.publish(market.value(seconds=0))
            assert alerts(ws, 1)[0]["id"] == 1, "from the database"
        market.publish(market.value(seconds=1))
        assert alerts(ws, 1)[0]["id"] == 2
    assert "ZeroDivisionError" in caplog.text
    with site.http as http:

        def is_reported() -> bool:
            site.app.state.resources.hub.read_at -= 60  # the reader sets it again within two seconds
            problems = http.get("/api/health").json()["problems"]
            return ("service_hangs", "live stream") in {(p["kind"], p["subject"]) for p in problems}

        until(is_reported)


@pytest.mark.parametrize("failure", ["hanging", "stopped"])
def test_a_resume_without_the_database_is_closed_with_try_again(
    serve: Any, own_postgres: PostgresServer, redis_url: str, monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture, failure: str,
) -> None:  # fmt: skip
    monkeypatch.setattr(endpoint, "DATABASE_TIMEOUT_SECONDS", 0.5)
    url = ensure_database(own_postgres.url, f"resume_{failure}")
    upgrade(url)
    with serve(database_url=url) as served, ExitStack() as stack:
        served.app.state.resources.hub.position = 5  # as if five alerts had been sent
        if failure == "hanging":
            stack.enter_context(own_postgres.process.suspend_during())
        else:
            own_postgres.process.stop()
            stack.callback(own_postgres.process.start)
        for after in (1, 9):
            with connect(served.ws, compression=None) as ws:
                ws.send(json.dumps({"token": served.token(), "after": after}))
                assert close_code(ws) == 1013
        stack.close()
    assert "Traceback" not in caplog.text
