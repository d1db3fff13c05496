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
from tests.benchmarks.report import REPORT
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


def read_published_polls(client: redis.Redis) -> list[tuple[float, PollChanges]]:
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


def show(name: str, milliseconds: list[float], floor: list[float]) -> None:
    """Report percentiles, the median as a ratio of the floor's."""
    for percent in (50, 95, 99):
        value, least = np.percentile(milliseconds, percent), np.percentile(floor, percent)
        REPORT.figure(f"{name}, p{percent}", value, "ms", value / least, "COPY, commit and a stream's hop")


def test_payload_to_alert(database_url: str, redis_url: str) -> None:
    with LiveSystem(Path(), SPORT, database_url, redis_url, EDGE_FEED="simulate") as system:
        system.wait_for_payloads(STEPS)
        system.wait_for_scorer()
    with connect(database_url, "bench") as conn, redis.Redis.from_url(redis_url) as client:
        alerts = conn.execute(DETECTED).fetchall()
        [first] = conn.execute(FIRST).fetchone() or (None,)
        polls = read_published_polls(client)
        floor = [floor_ms(conn, client, changes) for _, changes in polls[1:]]
    opened = sum(state == "opened" for _, state in alerts)
    REPORT.note(f"{len(polls)} payloads, {opened} alerts opened, {len(alerts)} publications; target p99 {TARGET_MS} ms")
    REPORT.figure("first payload received to alert", first or 0, "ms")
    detected = [latency for latency, _ in alerts]
    show("received to alert", detected, floor)
    show("received to stream", [at - changes.received_at / 1e3 for at, changes in polls[1:]], floor)
    assert opened >= STEPS
