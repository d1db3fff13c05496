"""The scorer's connection to Redis: polls arrive on one stream, alerts are published to another.

Scoring needs only the database. While Redis is down, hangs or refuses writes, polls are read from the database, alerts
wait in the outbox, and the fault is listed in `problems`; within seconds of its recovery everything is published, in
order.
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
"""Longer than a read blocks. A hanging Redis delays the scorer by this much, once per `RETRY_SECONDS`."""
RETRY_SECONDS = 3.0
DATABASE_CHECK_SECONDS = 0.25
"""How often the database is polled while Redis is down."""
CONNECTION_ERRORS = (redis.ConnectionError, redis.TimeoutError)


class StreamLink:
    """Reads `odds:changes` and publishes to `alerts` while Redis works.

    `has_unpublished`: the outbox may hold alerts.
    """

    def __init__(
        self, conn: psycopg.Connection, client: redis.Redis, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.has_unpublished = True
        self._conn = conn
        self._client = client
        self._clock = clock
        self._position: bytes | None = None
        """The id of the last entry read; None while disconnected."""
        self._is_checked = False
        self._mismatch = ""
        """Why nothing can be published although Redis works; empty if it can."""
        self._retry_at = dict.fromkeys((ProblemKind.REDIS_UNREACHABLE, ProblemKind.REDIS_REFUSES_WRITES), 0.0)
        self._reported: dict[ProblemKind, bool] = {}

    def read(self, *, wait: bool = True) -> list[Entry]:
        """New entries since the last read; blocks for at most a second if it may `wait`. Empty while Redis is down.

        Empty, too, right after connecting: polls committed before are read from the database.
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
        """Publish the outbox if Redis accepts it; otherwise later."""
        if not self.has_unpublished or self._position is None:
            return
        published = self._attempt(ProblemKind.REDIS_REFUSES_WRITES, self._publish)
        if published is not None:
            self.has_unpublished = False
            self._clear(ProblemKind.ALERTS_NOT_PUBLISHED)

    def report_unpublished(self) -> None:
        """Report how many alerts are unpublished, if any, and why they cannot be published."""
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
        """Publish the outbox; return the number of alerts, or None if the stream holds another database's."""
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
        """Run `work` on Redis unless the last failure was too recent; a refused command is reported as `kind`."""
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
            self._position, self._is_checked = None, False  # it may come back as another server
        self._retry_at[kind] = self._clock() + RETRY_SECONDS
        self._report(kind, f"{type(error).__name__}: {error}")

    def _report(self, kind: ProblemKind, detail: str) -> None:
        if not self._reported.get(kind):
            log.warning("%s: %s; scoring continues", kind.value.replace("_", " "), detail)
        self._reported[kind] = True
        report_problem(self._conn, kind, "", detail)

    def _clear(self, kind: ProblemKind) -> None:
        """Clear a problem if it is reported; once at the start too, since an earlier process may have left it."""
        if self._reported.get(kind) is not False:
            self._reported[kind] = False
            clear_problem(self._conn, kind, "")
