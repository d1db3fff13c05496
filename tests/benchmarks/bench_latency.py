"""Milliseconds from a payload's receipt to its alerts, through the real processes, one payload a second.

A feed of 100 events at 40 books, the burst, PostgreSQL (without fsync, as in all tests), the Redis-compatible
server and the scorer share the machine. Target: p99 below 500 ms. The floor, measured in the same run: COPY
and commit of the same rows, and the same blob through a stream.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import redis

from edge_assets.store.alerts import streams
from edge_assets.store.postgres.binary_copy import copy_ticks
from edge_assets.store.postgres.database import connect
from ml.quotes import PollChanges, decode_changes, encode_changes
from tests.benchmarks.payloads import SPORT
from tests.support.running_system import System

if TYPE_CHECKING:
    from psycopg import Connection

STEPS = 30
TARGET_MS = 500
HOP = "bench:hop"
DETECTED = """
SELECT n.detection_latency_ms, a.state
FROM alerts AS a JOIN alert_publications AS n ON a.id = n.id
WHERE a.poll_id > (SELECT min(id) FROM polls)
"""
FIRST = "SELECT max(detection_latency_ms) FROM alert_messages WHERE poll_id = (SELECT min(id) FROM polls)"


class LiveSystem(System):
    """The same processes before a feed that moves once a second."""

    def __enter__(self) -> Self:
        self._start("feed", "-m", "tests.benchmarks.feed", str(self._port), str(STEPS))
        self.wait(self._answers)
        self.start_scorer()
        self.start_burst()
        return self


def published(client: redis.Redis) -> list[tuple[float, PollChanges]]:
    """When the stream took each poll (epoch milliseconds), and the poll."""
    entries: Any = client.xrange(streams.CHANGES_STREAM)
    return [
        (float(entry_id.partition(b"-")[0]), decode_changes(fields[streams.CHANGES_FIELD]))
        for entry_id, fields in entries
    ]


def floor_ms(conn: Connection, client: redis.Redis, changes: PollChanges) -> float:
    """What no implementation saves: the rows into the table, the poll into a stream and out of it."""
    blob = encode_changes(changes)
    started = time.perf_counter()
    with conn.transaction(), conn.cursor() as cursor:
        copy_ticks(cursor, changes.quotes, changes.observed_at, changes.poll_id)
    entry = client.xadd(HOP, {b"blob": blob})
    assert client.xrange(HOP, entry, entry)
    return (time.perf_counter() - started) * 1e3


def show(name: str, milliseconds: list[float]) -> None:
    """One line of percentiles."""
    p50, p95, p99 = np.percentile(milliseconds, [50, 95, 99])
    print(f"{name:<38} p50 {p50:6.1f}  p95 {p95:6.1f}  p99 {p99:6.1f} ms  (n = {len(milliseconds)})")


def test_payload_to_alert(database_url: str, redis_url: str) -> None:
    with LiveSystem(Path(), SPORT, database_url, redis_url, EDGE_FEED="simulate") as system:
        system.wait_for_payloads(STEPS)
        system.wait_for_scorer()
    with connect(database_url, "bench") as conn, redis.Redis.from_url(redis_url) as client:
        alerts = conn.execute(DETECTED).fetchall()
        [first] = conn.execute(FIRST).fetchone() or (None,)
        polls = published(client)
        floor = [floor_ms(conn, client, changes) for _, changes in polls[1:]]
    opened = sum(state == "opened" for _, state in alerts)
    print(f"\n{len(polls)} payloads, {opened} alerts opened, {len(alerts)} steps of alerts; first payload {first} ms")
    detected = [latency for latency, _ in alerts]
    show(f"received to alert (target p99 {TARGET_MS})", detected)
    show("received to stream", [at - changes.received_at / 1e3 for at, changes in polls[1:]])
    show("floor: COPY + commit + stream hop", floor)
    print(f"ratio to the floor, p50 {np.median(detected) / np.median(floor):.1f}")
    assert opened >= STEPS
