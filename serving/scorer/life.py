"""The scorer's signs of life, and whether it keeps up."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from edge_assets.store import readers
from edge_assets.store.problems import ProblemKind, beat, clear_problem, report_problem

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    import psycopg

BEAT_SECONDS = 5.0
BEHIND_SECONDS = 30.0
"""A poll that has waited for so long is no longer on its way."""


class SignOfLife:
    """Beats every few seconds, however busy the scorer is, and tells when polls wait for too long."""

    def __init__(self, conn: psycopg.Connection, seconds: Callable[[], float] = time.monotonic) -> None:
        self._conn = conn
        self._seconds = seconds
        self._next = 0.0
        self._was_behind = True  # an earlier life may have said so

    def show(self, failing: Collection[int]) -> bool:
        """Beat if it is time; whether it was. What waits of `failing` sports is told as their failure."""
        if self._seconds() < self._next:
            return False
        self._next = self._seconds() + BEAT_SECONDS
        backlog = readers.backlog(self._conn, failing)
        beat(self._conn, "scorer", behind=backlog.polls, oldest_s=round(backlog.oldest_seconds, 1))
        if backlog.oldest_seconds > BEHIND_SECONDS:
            self._was_behind = True
            said = f"{backlog.polls} polls wait to be scored, the oldest for {backlog.oldest_seconds:.0f} s"
            report_problem(self._conn, ProblemKind.SCORER_BEHIND, "", said)
        elif self._was_behind:
            self._was_behind = False
            clear_problem(self._conn, ProblemKind.SCORER_BEHIND, "")
        return True
