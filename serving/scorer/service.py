"""The loop around `ml.scoring`: read an entry, score it, commit, announce, acknowledge."""

from __future__ import annotations

import logging
import time
from contextlib import ExitStack
from typing import TYPE_CHECKING

import psycopg
import redis

from edge_assets.store import streams
from ml.quotes import decode_changes

if TYPE_CHECKING:
    from collections.abc import Callable
    from threading import Event

    from ml.quotes import Micros
    from serving.scorer.sports import Sports

log = logging.getLogger(__name__)

GROUP = "scorer"
CONSUMER = "scorer-1"
BLOCK_MS = 1_000
BATCH = 64
SECONDS_BETWEEN_TICKS = 1.0
SECONDS_BEFORE_A_NEW_LIFE = 1.0
AWAY = (psycopg.OperationalError, psycopg.InterfaceError, redis.ConnectionError, redis.TimeoutError)
PASSING = ("NOGROUP", "LOADING", "UNBLOCKED")
"""Answers of a Redis that has just been started, emptied or told to let go."""


class Session:
    """One life of the scorer: it lasts until a connection breaks, and leaves nothing in memory that counts.

    `now` tells the time that passes between polls, or None where only polls move it (a replay).
    """

    def __init__(
        self, conn: psycopg.Connection, client: redis.Redis, sports: Sports, now: Callable[[], Micros] | None
    ) -> None:
        self._conn = conn
        self._client = client
        self._sports = sports
        self._now = now
        self._passed_at = time.monotonic()

    def run(self, stopping: Callable[[], bool]) -> None:
        """Announce what was left unannounced, catch up, then follow the stream."""
        _ensure_group(self._client)
        self._announce()
        self._sports.restore_all()
        self._catch_up()
        while self._read("0"):
            pass
        while not stopping():
            if not self._read(">"):
                self._catch_up()
            self._pass_time()

    def _read(self, start: str) -> int:
        """Score a batch of entries: `0` for those delivered to an earlier life, `>` for new ones."""
        entries = streams.entries(
            self._client.xreadgroup(GROUP, CONSUMER, {streams.ODDS_CHANGES: start}, count=BATCH, block=BLOCK_MS)
        )
        for entry_id, fields in entries:
            if fields and self._sports.score(decode_changes(fields[streams.CHANGES_FIELD])):
                self._announce()
            self._client.xack(streams.ODDS_CHANGES, GROUP, entry_id)
        return len(entries)

    def _catch_up(self) -> None:
        """Score from the database what the stream has not brought: lost with Redis, or never published."""
        for changes in self._sports.missed():
            if self._sports.score(changes):
                self._announce()

    def _pass_time(self) -> None:
        if self._now is None or time.monotonic() - self._passed_at < SECONDS_BETWEEN_TICKS:
            return
        self._passed_at = time.monotonic()
        if self._sports.tick(self._now()):
            self._announce()

    def _announce(self) -> None:
        streams.publish_alerts(self._conn, self._client)


def _ensure_group(client: redis.Redis) -> None:
    """Create the consumer group at the stream's beginning; one that exists is fine."""
    try:
        client.xgroup_create(streams.ODDS_CHANGES, GROUP, id="0", mkstream=True)
    except redis.ResponseError as error:
        if "BUSYGROUP" not in str(error):
            raise


def run_forever(open_session: Callable[[ExitStack], Session], stop: Event) -> None:
    """Live until `stop` is set, and live again a second after the database or Redis went away."""
    while not stop.is_set():
        try:
            with ExitStack() as stack:
                open_session(stack).run(stop.is_set)
        except AWAY as error:
            _start_over(error, stop)
        except redis.ResponseError as error:
            if not str(error).startswith(PASSING):
                raise
            _start_over(error, stop)


def _start_over(error: Exception, stop: Event) -> None:
    log.warning("the scorer starts over: %s", error)
    stop.wait(SECONDS_BEFORE_A_NEW_LIFE)
