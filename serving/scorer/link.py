"""The scorer's side of Redis: polls come by one stream, alerts go to another, while it is there.

Scoring needs the database alone. While Redis is away, hangs or refuses, polls are found in the database, alerts wait in
the outbox, and `problems` says so; seconds after it is right again everything is announced, in order.
"""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING, Any, TypeVar

import redis

from edge_assets.store import streams
from edge_assets.store.alerts import count_unpublished
from edge_assets.store.problems import ProblemKind, clear_problem, report_problem

if TYPE_CHECKING:
    from collections.abc import Callable

    import psycopg

    Entry = tuple[bytes, dict[bytes, bytes]]

log = logging.getLogger(__name__)

T = TypeVar("T")

BATCH = 64
BLOCK_MS = 1_000
SOCKET_SECONDS = 1.5
"""Longer than a read blocks. So long a Redis that hangs keeps the scorer from the database, once in `RETRY_SECONDS`."""
RETRY_SECONDS = 3.0
POLL_SECONDS = 0.25
"""How often the database is asked instead."""
AWAY = (redis.ConnectionError, redis.TimeoutError)


class StreamLink:
    """Reads `odds:changes` and fills `alerts`, as far as Redis lets it; `owes`: alerts may wait in the outbox."""

    def __init__(
        self, conn: psycopg.Connection, client: redis.Redis, seconds: Callable[[], float] = time.monotonic
    ) -> None:
        self.owes = True
        self._conn = conn
        self._client = client
        self._seconds = seconds
        self._position: bytes | None = None
        """The last entry read; None while there is no link."""
        self._is_checked = False
        self._foreign = ""
        """Why nothing can be announced, though Redis is there."""
        self._retry_at = dict.fromkeys((ProblemKind.REDIS_UNREACHABLE, ProblemKind.REDIS_REFUSES_WRITES), 0.0)
        self._told: dict[ProblemKind, bool] = {}

    def read(self) -> list[Entry]:
        """What has come since the last time, after a second at most; nothing while Redis is away.

        Nothing, too, when a link has just been made: what was committed before is in the database.
        """
        if self._position is None:
            self._connect()
            return []
        answer: Any = self._attempt(ProblemKind.REDIS_UNREACHABLE, self._read_stream)
        entries = streams.entries(answer)
        if entries:
            self._position = entries[-1][0]
        return entries

    def announce(self) -> None:
        """Announce what the outbox holds, if Redis takes it; else later."""
        if not self.owes or self._position is None:
            return
        published = self._attempt(ProblemKind.REDIS_REFUSES_WRITES, self._publish)
        if published is not None:
            self.owes = False
            self._clear(ProblemKind.ALERTS_NOT_PUBLISHED)

    def tell(self) -> None:
        """Say how many alerts wait, if any have to, and why Redis is of no use to them."""
        if not self.owes:
            return
        waiting = count_unpublished(self._conn)
        if waiting or self._foreign:
            why = self._foreign and f": {self._foreign}"
            self._report(ProblemKind.ALERTS_NOT_PUBLISHED, f"{waiting} alerts wait to be announced{why}")

    def _connect(self) -> None:
        connected = self._attempt(ProblemKind.REDIS_UNREACHABLE, lambda: streams.newest_change(self._client))
        if connected is None:
            time.sleep(POLL_SECONDS)
        else:
            self._position = connected

    def _publish(self) -> int | None:
        """How many alerts were announced; None where the stream is somebody else's."""
        try:
            if not self._is_checked:
                streams.check_same_story(self._conn, self._client)
            published = streams.publish_alerts(self._conn, self._client)
        except streams.ForeignStreamError as error:
            self._retry_at[ProblemKind.REDIS_REFUSES_WRITES] = self._seconds() + RETRY_SECONDS
            self._is_checked, self._foreign = False, str(error)
            self.tell()
            return None
        self._is_checked, self._foreign = True, ""
        return published

    def _read_stream(self) -> Any:
        return self._client.xread({streams.ODDS_CHANGES: self._position or b"$"}, count=BATCH, block=BLOCK_MS) or []

    def _attempt(self, kind: ProblemKind, work: Callable[[], T]) -> T | None:
        """Do something with Redis unless it is too soon after it failed; `kind` is what a refusal amounts to."""
        if self._seconds() < self._retry_at[kind]:
            return None
        try:
            done = work()
        except redis.RedisError as error:
            self._failed(ProblemKind.REDIS_UNREACHABLE if isinstance(error, AWAY) else kind, error)
            return None
        self._clear(kind)
        return done

    def _failed(self, kind: ProblemKind, error: redis.RedisError) -> None:
        if kind is ProblemKind.REDIS_UNREACHABLE:
            self._position, self._is_checked = None, False  # what comes next may be another stream
        self._retry_at[kind] = self._seconds() + RETRY_SECONDS
        self._report(kind, f"{type(error).__name__}: {error}")

    def _report(self, kind: ProblemKind, detail: str) -> None:
        if not self._told.get(kind):
            log.warning("%s: %s; scoring goes on", kind.value.replace("_", " "), detail)
        self._told[kind] = True
        report_problem(self._conn, kind, "", detail)

    def _clear(self, kind: ProblemKind) -> None:
        """Also once at the beginning: an earlier life may have left it."""
        if self._told.get(kind) is not False:
            self._told[kind] = False
            clear_problem(self._conn, kind, "")
