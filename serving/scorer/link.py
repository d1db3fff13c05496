"""The scorer's side of Redis: polls come by one stream, alerts go to another, while it is there.

Scoring needs the database alone. While Redis is away, hangs or refuses, polls are found in the database, alerts wait in
the outbox, and `problems` says so; seconds after it is right again everything is announced, in order.
"""

from __future__ import annotations

import logging
import time
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

import redis

from edge_assets.store.alerts import streams
from edge_assets.store.alerts.alert_log import count_unpublished
from edge_assets.store.health.problems import ProblemKind, clear_problem, report_problem

if TYPE_CHECKING:
    from collections.abc import Callable

    import psycopg

    Entry = tuple[bytes, dict[bytes, bytes]]

log = logging.getLogger(__name__)

T = TypeVar("T")

MAX_ENTRIES_PER_READ = 64
BLOCK_MS = 1_000
SOCKET_TIMEOUT_SECONDS = 1.5
"""Longer than a read blocks. So long a Redis that hangs keeps the scorer from the database, once in `RETRY_SECONDS`."""
RETRY_SECONDS = 3.0
DATABASE_CHECK_SECONDS = 0.25
"""How often the database is asked instead."""
CONNECTION_ERRORS = (redis.ConnectionError, redis.TimeoutError)


class StreamLink:
    """Reads `odds:changes` and fills `alerts`, as far as Redis lets it; `has_unpublished`: alerts may wait in the
    outbox.
    """

    def __init__(
        self, conn: psycopg.Connection, client: redis.Redis, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.has_unpublished = True
        self._conn = conn
        self._client = client
        self._clock = clock
        self._position: bytes | None = None
        """The last entry read; None while there is no link."""
        self._is_checked = False
        self._mismatch = ""
        """Why nothing can be announced, though Redis is there."""
        self._retry_at = dict.fromkeys((ProblemKind.REDIS_UNREACHABLE, ProblemKind.REDIS_REFUSES_WRITES), 0.0)
        self._reported: dict[ProblemKind, bool] = {}

    def read(self, *, wait: bool = True) -> list[Entry]:
        """What has come since the last time, after a second at most, or at once unless it may `wait`; nothing while
        Redis is away.

        Nothing, too, when a link has just been made: what was committed before is in the database.
        """
        if self._position is None:
            self._connect()
            return []
        answer: Any = self._attempt(
            ProblemKind.REDIS_UNREACHABLE, partial(self._read_stream, BLOCK_MS if wait else None)
        )
        entries = streams.parse_entries(answer)
        if entries:
            self._position = entries[-1][0]
        return entries

    def publish_pending(self) -> None:
        """Announce what the outbox holds, if Redis takes it; else later."""
        if not self.has_unpublished or self._position is None:
            return
        published = self._attempt(ProblemKind.REDIS_REFUSES_WRITES, self._publish)
        if published is not None:
            self.has_unpublished = False
            self._clear(ProblemKind.ALERTS_NOT_PUBLISHED)

    def report_unpublished(self) -> None:
        """Say how many alerts wait, if any have to, and why Redis is of no use to them."""
        if not self.has_unpublished:
            return
        waiting = count_unpublished(self._conn)
        if waiting or self._mismatch:
            why = self._mismatch and f": {self._mismatch}"
            self._report(ProblemKind.ALERTS_NOT_PUBLISHED, f"{waiting} alerts not published yet{why}")

    def _connect(self) -> None:
        connected = self._attempt(ProblemKind.REDIS_UNREACHABLE, lambda: streams.find_newest_change_id(self._client))
        if connected is None:
            time.sleep(DATABASE_CHECK_SECONDS)
        else:
            self._position = connected

    def _publish(self) -> int | None:
        """How many alerts were announced; None where the stream is somebody else's."""
        try:
            if not self._is_checked:
                streams.verify_stream_ownership(self._conn, self._client)
            published = streams.publish_alerts(self._conn, self._client)
        except streams.StreamMismatchError as error:
            self._retry_at[ProblemKind.REDIS_REFUSES_WRITES] = self._clock() + RETRY_SECONDS
            self._is_checked, self._mismatch = False, str(error)
            self.report_unpublished()
            return None
        self._is_checked, self._mismatch = True, ""
        return published

    def _read_stream(self, block_ms: int | None) -> Any:
        return (
            self._client.xread(
                {streams.CHANGES_STREAM: self._position or b"$"}, count=MAX_ENTRIES_PER_READ, block=block_ms
            )
            or []
        )

    def _attempt(self, kind: ProblemKind, work: Callable[[], T]) -> T | None:
        """Do something with Redis unless it is too soon after it failed; `kind` is what a refusal amounts to."""
        if self._clock() < self._retry_at[kind]:
            return None
        try:
            result = work()
        except redis.RedisError as error:
            self._record_failure(ProblemKind.REDIS_UNREACHABLE if isinstance(error, CONNECTION_ERRORS) else kind, error)
            return None
        self._clear(kind)
        return result

    def _record_failure(self, kind: ProblemKind, error: redis.RedisError) -> None:
        if kind is ProblemKind.REDIS_UNREACHABLE:
            self._position, self._is_checked = None, False  # what comes next may be another stream
        self._retry_at[kind] = self._clock() + RETRY_SECONDS
        self._report(kind, f"{type(error).__name__}: {error}")

    def _report(self, kind: ProblemKind, detail: str) -> None:
        if not self._reported.get(kind):
            log.warning("%s: %s; scoring continues", kind.value.replace("_", " "), detail)
        self._reported[kind] = True
        report_problem(self._conn, kind, "", detail)

    def _clear(self, kind: ProblemKind) -> None:
        """Also once at the beginning: an earlier life may have left it."""
        if self._reported.get(kind) is not False:
            self._reported[kind] = False
            clear_problem(self._conn, kind, "")
