"""Which sports currently fail to be scored, and when each is retried: with back-off, indefinitely."""

from __future__ import annotations

import logging
import time
import traceback
from pathlib import Path
from typing import TYPE_CHECKING

from edge_assets.core.texts import MAX_TEXT_LENGTH, UnusableTextError, clean_text
from edge_assets.store.health import scorer_failures
from edge_assets.store.health.problems import ProblemKind, clear_problem, report_problem

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    import psycopg

log = logging.getLogger(__name__)

FIRST_RETRY_SECONDS = 1.0
MAX_RETRY_SECONDS = 60.0
"""The longest delay before a sport that would work again is scored. A retry costs as little as restoring the sport."""


class FailingSports:
    """Sports whose scoring has failed; also stored in the database, where other processes can read them.

    Covers only sports that this scorer `owns`. A restarted scorer retries each at once, since its code or the data may
    have been fixed, and continues the count.
    """

    def __init__(
        self,
        conn: psycopg.Connection,
        clock: Callable[[], float] = time.monotonic,
        *,
        owns: Callable[[int], bool] = lambda _: True,
    ) -> None:
        self._conn = conn
        self._clock = clock
        known = scorer_failures.count_failures_in_a_row(conn)
        self._failures = {sport_id: count for sport_id, count in known.items() if owns(sport_id)}
        self._retry_at = dict.fromkeys(self._failures, clock())

    def __contains__(self, sport_id: int) -> bool:
        return sport_id in self._failures

    @property
    def sports(self) -> Collection[int]:
        """The sports that fail."""
        return self._failures.keys()

    def due_sports(self) -> list[int]:
        """The sports that are due for a retry."""
        now = self._clock() if self._retry_at else 0.0
        return [sport_id for sport_id, at in self._retry_at.items() if at <= now]

    def record(self, sport_id: int, key: str, error: Exception) -> None:
        """Count and report a failure, and schedule the next attempt."""
        count = self._failures[sport_id] = self._failures.get(sport_id, 0) + 1
        wait = min(FIRST_RETRY_SECONDS * 2.0 ** min(count - 1, 10), MAX_RETRY_SECONDS)
        self._retry_at[sport_id] = self._clock() + wait
        scorer_failures.record_failure(self._conn, sport_id, wait, describe_error(error))
        report_problem(self._conn, ProblemKind.SCORING_FAILS, key, describe_error(error))
        # log the traceback only for the first failure in a row
        log.error(
            "scoring %s failed (%d in a row, retry in %.0f s; other sports continue): %s%s",
            key, count, wait, describe_error(error), f"\n{_format_traceback(error)}" if count == 1 else "",
        )  # fmt: skip

    def clear(self, sport_id: int, key: str) -> None:
        """Clear the failure of a sport that is scored again."""
        del self._failures[sport_id], self._retry_at[sport_id]
        scorer_failures.clear_failure(self._conn, sport_id)
        clear_problem(self._conn, ProblemKind.SCORING_FAILS, key)
        log.info("scoring %s again", key)


def _format_traceback(error: Exception) -> str:
    """The traceback, escaped so that any log can hold it: the message may contain a lone surrogate."""
    return "".join(traceback.format_exception(error)).encode("utf-8", "backslashreplace").decode()


def describe_error(error: Exception) -> str:
    """An error in one line that the database can store: type, message and the place that raised it."""
    frames = traceback.extract_tb(error.__traceback__)
    location = f" ({frames[-1].name} in {Path(frames[-1].filename).name}, line {frames[-1].lineno})" if frames else ""
    try:
        message = clean_text(str(error)[:MAX_TEXT_LENGTH])
    except UnusableTextError:
        message = "no message"
    return f"{type(error).__name__}: {message}{location}"
