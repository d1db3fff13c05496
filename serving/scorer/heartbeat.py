"""The scorer's heartbeat, and whether it keeps up."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from edge_assets.store.health.problems import ProblemKind, clear_problem, record_heartbeat, report_problem
from edge_assets.store.polls import as_of

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    import psycopg

HEARTBEAT_SECONDS = 5.0
MAX_POLL_AGE_SECONDS = 30.0
"""A poll that has waited for longer is not merely in transit: the scorer is behind."""


class ScorerHeartbeat:
    """Beats every few seconds, however busy the scorer is, and reports polls that have waited too long."""

    def __init__(
        self, conn: psycopg.Connection, clock: Callable[[], float] = time.monotonic, *, service: str = "scorer"
    ) -> None:
        self._conn = conn
        self._service = service
        self._subject = service.partition(":")[2]
        self._clock = clock
        self._next_at = 0.0
        self._was_behind = True  # an earlier process may have reported it

    def beat_if_due(self, excluded: Collection[int]) -> bool:
        """Beat if due; return whether it was. Polls of `excluded` sports, such as failing ones, do not count."""
        if self._clock() < self._next_at:
            return False
        self._next_at = self._clock() + HEARTBEAT_SECONDS
        backlog = as_of.load_backlog(self._conn, excluded)
        record_heartbeat(self._conn, self._service, behind=backlog.polls, oldest_s=round(backlog.oldest_seconds, 1))
        if backlog.oldest_seconds > MAX_POLL_AGE_SECONDS:
            self._was_behind = True
            detail = f"{backlog.polls} polls not scored yet, the oldest for {backlog.oldest_seconds:.0f} s"
            report_problem(self._conn, ProblemKind.SCORER_BEHIND, self._subject, detail)
        elif self._was_behind:
            self._was_behind = False
            clear_problem(self._conn, ProblemKind.SCORER_BEHIND, self._subject)
        return True
