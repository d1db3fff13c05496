"""From the outbox to the stream: every committed, unscored poll of a sport, in order, at least once.

Polls are removed from the outbox in batches after they have been published; a process that dies in between publishes
them again, and the scorer drops poll ids that it has seen.
"""

from __future__ import annotations

import asyncio
import logging
import time
from typing import TYPE_CHECKING

from redis.exceptions import RedisError

from edge_assets.store.alerts import streams

if TYPE_CHECKING:
    from redis.asyncio import Redis

    from edge_assets.ingestion.report import SportReport
    from edge_assets.ingestion.session import SportSession
    from ml.quotes import PollChanges

MARK_PUBLISHED_EVERY_POLLS = 50
RETRY_AFTER_SECONDS = 0.5
"""Real seconds between two attempts to reach a stream that is down; polling goes on meanwhile."""
PUBLISH_TIMEOUT_SECONDS = 1.0
"""For a stream that hangs: the next poll is delayed by this much."""

log = logging.getLogger(__name__)


class Publisher:
    """The outbox relay of one sport. While it is behind, everything goes through the outbox, which keeps the order."""

    def __init__(self, session: SportSession, redis: Redis, report: SportReport) -> None:
        self._session = session
        self._redis = redis
        self._report = report
        self._is_behind = True
        self._next_attempt = 0.0
        self._unmarked: list[int] = []

    async def publish(self, changes: PollChanges, arrived: float) -> None:
        """Publish a poll that was just committed, after all older ones; `arrived` is its receipt on the monotonic
        clock.

        The monotonic clock excludes the time the machine sleeps, which is not latency.
        """
        if self._is_behind:
            await self.catch_up(changes.poll_id, arrived)
        elif await self._send(changes):
            self._record_latency(arrived)
        else:
            self._is_behind = True

    def mark_outbox_dirty(self) -> None:
        """Check the outbox before the next poll: a commit may have succeeded unnoticed."""
        self._is_behind = True

    async def catch_up(self, fresh_poll_id: int | None = None, arrived: float = 0.0) -> None:
        """Publish the outbox, oldest first; gives up until later if the stream is down.

        Latency is recorded only for the poll that was just committed (`fresh_poll_id`); the others had to wait.
        """
        if not self._is_behind or time.monotonic() < self._next_attempt:
            return
        await self.flush()
        while unpublished := await asyncio.to_thread(self._session.unpublished_polls):
            for changes in unpublished:
                if not await self._send(changes):
                    return
                if changes.poll_id == fresh_poll_id:
                    self._record_latency(arrived)
                else:
                    self._report.published_late += 1
            await self.flush()
        self._is_behind = False

    async def flush(self) -> None:
        """Remove published polls from the outbox."""
        if self._unmarked:
            await asyncio.to_thread(self._session.mark_published, self._unmarked)
            self._unmarked = []

    def _record_latency(self, arrived: float) -> None:
        self._report.latency_ms.append((time.monotonic() - arrived) * 1000)

    async def _send(self, changes: PollChanges) -> bool:
        try:
            async with asyncio.timeout(PUBLISH_TIMEOUT_SECONDS):
                await streams.publish_changes(self._redis, changes)
        except (RedisError, OSError) as error:
            self._next_attempt = time.monotonic() + RETRY_AFTER_SECONDS
            self._report.errors[type(error).__name__] += 1
            if not self._is_behind:
                log.warning("%s: the stream is down (%r); polling goes on", changes.sport, error)
            return False
        self._unmarked.append(changes.poll_id)
        if len(self._unmarked) >= MARK_PUBLISHED_EVERY_POLLS:
            await self.flush()
        return True
