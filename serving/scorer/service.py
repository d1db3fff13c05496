"""The loop around `ml.scoring`: find a poll, score it, commit, publish."""

from __future__ import annotations

import logging
import time
from contextlib import ExitStack
from typing import TYPE_CHECKING

import msgspec
import psycopg

from edge_assets.store.alerts import streams
from edge_assets.store.postgres.database import is_connection_lost
from ml.quotes import decode_changes
from serving.scorer.heartbeat import ScorerHeartbeat

if TYPE_CHECKING:
    from collections.abc import Callable
    from threading import Event

    from ml.quotes import Micros
    from serving.scorer.redis_streams import StreamLink
    from serving.scorer.sports import SportScorers

log = logging.getLogger(__name__)

CHECK_INTERVAL_SECONDS = 1.0
"""How often to check the database for polls that the stream missed, and the clock for alerts that time closes."""
MIN_RESTART_DELAY_SECONDS = 1.0
MAX_RESTART_DELAY_SECONDS = 30.0
"""The delay doubles up to this while the database is reachable but fails."""


class ScorerWorker:
    """A scorer that lives as long as its database connection; all state that matters is in the database.

    `now` returns the current time; None if only polls advance it (a replay).
    """

    def __init__(
        self,
        conn: psycopg.Connection,
        link: StreamLink,
        sports: SportScorers,
        now: Callable[[], Micros] | None,
        name: str = "scorer",
    ) -> None:
        self._link = link
        self._sports = sports
        self._now = now
        self._heartbeat = ScorerHeartbeat(conn, service=name)
        self._caught_up_at = self._ticked_at = self._prices_written_at = time.monotonic()

    def run(self, stopping: Callable[[], bool]) -> None:
        """Score polls from the stream, and those only in the database, until `stopping` returns true."""
        self._sports.restore_all()
        while not stopping():
            entries = self._link.read(wait=not self._sports.has_unwritten_prices)
            for entry_id, fields in entries:
                self._score_entry(entry_id, fields)
            if not entries or _is_due(self._caught_up_at):
                self._catch_up()
            self._retry_failing()
            self._tick()
            if not entries or _is_due(self._prices_written_at):
                self._write_fair_prices()

    def _score_entry(self, entry_id: bytes, fields: dict[bytes, bytes]) -> None:
        try:
            changes = decode_changes(fields[streams.CHANGES_FIELD])
        except (KeyError, ValueError, msgspec.DecodeError) as error:
            log.warning("entry %s of %s is not a poll: %s", entry_id.decode(), streams.CHANGES_STREAM, error)
            self._catch_up()  # written by another version; the database has the poll
        else:
            self._publish(has_alerts=self._sports.score(changes))

    def _catch_up(self) -> None:
        """Score polls that the stream did not deliver: lost with Redis, or never published."""
        for poll in self._sports.unscored_polls():
            self._publish(has_alerts=self._sports.score_from_database(poll))
        self._caught_up_at = time.monotonic()

    def _retry_failing(self) -> None:
        """Retry the failing sports that are due."""
        self._publish(has_alerts=self._sports.retry(self._now() if self._now else None))

    def _tick(self) -> None:
        if self._now and _is_due(self._ticked_at):
            self._ticked_at = time.monotonic()
            self._publish(has_alerts=self._sports.tick(self._now()))

    def _write_fair_prices(self) -> None:
        """Write one sport's fair prices. Called when no poll waits, or once a second: alerts come first."""
        self._sports.write_fair_prices()
        self._prices_written_at = time.monotonic()

    def _publish(self, *, has_alerts: bool) -> None:
        """Publish new alerts and those that could not be published before; beat if due."""
        self._link.has_unpublished |= has_alerts
        self._link.publish_pending()
        if self._heartbeat.beat_if_due(self._sports.excluded_sports):
            self._link.report_unpublished()


def _is_due(since: float) -> bool:
    return time.monotonic() - since >= CHECK_INTERVAL_SECONDS


def run_forever(open_worker: Callable[[ExitStack], ScorerWorker], stop: Event) -> None:
    """Run workers until `stop` is set; start a new one after the database was lost or failed.

    Such a failure may be a full disk, where not even a sport's failure can be recorded.
    """
    wait = MIN_RESTART_DELAY_SECONDS
    while not stop.is_set():
        started_at = time.monotonic()
        try:
            with ExitStack() as stack:
                open_worker(stack).run(stop.is_set)
        except psycopg.Error as error:
            if is_connection_lost(error) or time.monotonic() - started_at > MAX_RESTART_DELAY_SECONDS:
                wait = MIN_RESTART_DELAY_SECONDS
            log.warning("scorer failed, restarting in %.0f s: %s: %s", wait, type(error).__name__, error)
            stop.wait(wait)
            wait = min(wait * 2, MAX_RESTART_DELAY_SECONDS)
