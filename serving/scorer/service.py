"""The loop around `ml.scoring`: find a poll, score it, commit, announce."""

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
from serving.scorer.life import ScorerHeartbeat

if TYPE_CHECKING:
    from collections.abc import Callable
    from threading import Event

    from ml.quotes import Micros
    from serving.scorer.link import StreamLink
    from serving.scorer.sports import SportScorers

log = logging.getLogger(__name__)

CHECK_INTERVAL_SECONDS = 1.0
"""Into the database, for what the stream does not bring, and at the clock, for what time alone closes."""
MIN_RESTART_DELAY_SECONDS = 1.0
MAX_RESTART_DELAY_SECONDS = 30.0
"""A database that is there and does not do what it is asked is asked twice as late each time, up to this."""


class ScorerWorker:
    """One life of the scorer: that of its connection to the database. It leaves nothing in memory that counts.

    `now` tells the time that passes between polls, or None where only polls move it (a replay).
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
        """Score what the stream brings and what the database has beyond it, until told to stop."""
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
            self._catch_up()  # of another version: the database has it
        else:
            self._publish(has_alerts=self._sports.score(changes))

    def _catch_up(self) -> None:
        """Score what the stream has not brought: lost with Redis, or never published."""
        for poll in self._sports.unscored_polls():
            self._publish(has_alerts=self._sports.score_from_database(poll))
        self._caught_up_at = time.monotonic()

    def _retry_failing(self) -> None:
        """Start over with the sports whose scoring has failed, as far as they are due."""
        self._publish(has_alerts=self._sports.retry(self._now() if self._now else None))

    def _tick(self) -> None:
        if self._now and _is_due(self._ticked_at):
            self._ticked_at = time.monotonic()
            self._publish(has_alerts=self._sports.tick(self._now()))

    def _write_fair_prices(self) -> None:
        """Write one sport's fair prices while no poll waits, and at the latest a second after: alerts come first."""
        self._sports.write_fair_prices()
        self._prices_written_at = time.monotonic()

    def _publish(self, *, has_alerts: bool) -> None:
        """Announce what was found, or could not be announced before, and show that the scorer lives."""
        self._link.has_unpublished |= has_alerts
        self._link.publish_pending()
        if self._heartbeat.beat_if_due(self._sports.excluded):
            self._link.report_unpublished()


def _is_due(since: float) -> bool:
    return time.monotonic() - since >= CHECK_INTERVAL_SECONDS


def run_forever(open_worker: Callable[[ExitStack], ScorerWorker], stop: Event) -> None:
    """Live until `stop` is set, and live again after the database went away or could not do what it was asked.

    That may be a full disk, which also keeps a sport's failure from being recorded.
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
