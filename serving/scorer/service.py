"""The loop around `ml.scoring`: read an entry, score it, commit, announce, acknowledge."""

from __future__ import annotations

import logging
import time
from contextlib import ExitStack
from typing import TYPE_CHECKING

import msgspec
import redis

from edge_assets.store import streams
from ml.quotes import decode_changes
from serving.scorer.sports import SERVERS_AWAY

if TYPE_CHECKING:
    from collections.abc import Callable
    from threading import Event

    import psycopg

    from ml.quotes import Micros
    from serving.scorer.sports import Sports

log = logging.getLogger(__name__)

GROUP = "scorer"
CONSUMER = "scorer-1"
BLOCK_MS = 1_000
BATCH = 64
SECONDS_BETWEEN_TICKS = 1.0
SECONDS_BEFORE_A_NEW_LIFE = 1.0
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
            self._retry()
            self._pass_time()

    def _read(self, start: str) -> int:
        """Score a batch of entries: `0` for those delivered to an earlier life, `>` for new ones."""
        entries = streams.entries(
            self._client.xreadgroup(GROUP, CONSUMER, {streams.ODDS_CHANGES: start}, count=BATCH, block=BLOCK_MS)
        )
        for entry_id, fields in entries:
            if fields and self._score_entry(entry_id, fields):
                self._announce()
            self._client.xack(streams.ODDS_CHANGES, GROUP, entry_id)
        return len(entries)

    def _score_entry(self, entry_id: bytes, fields: dict[bytes, bytes]) -> bool:
        try:
            changes = decode_changes(fields[streams.CHANGES_FIELD])
        except (KeyError, ValueError, msgspec.DecodeError) as error:
            log.warning("entry %s of %s is not a poll: %s", entry_id.decode(), streams.ODDS_CHANGES, error)
            self._catch_up()  # of another version: the database has it, and the polls behind it build on it
            return False
        return self._sports.score(changes)

    def _catch_up(self) -> None:
        """Score from the database what the stream has not brought: lost with Redis, or never published."""
        for poll in self._sports.missed():
            if self._sports.score_missed(poll):
                self._announce()

    def _retry(self) -> None:
        """Start over with the sports whose scoring has failed, as far as they are due."""
        if self._sports.retry(self._now() if self._now else None):
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
        except SERVERS_AWAY as error:
            _start_over(error, stop)
        except redis.ResponseError as error:
            if not str(error).startswith(PASSING):
                raise
            _start_over(error, stop)


def _start_over(error: Exception, stop: Event) -> None:
    log.warning("the scorer starts over: %s", error)
    stop.wait(SECONDS_BEFORE_A_NEW_LIFE)
