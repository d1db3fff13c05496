"""Which sports cannot be scored at present, and when each is tried again: with back-off, without end."""

from __future__ import annotations

import logging
import time
import traceback
from pathlib import Path
from typing import TYPE_CHECKING

from edge_assets.store import scorer_failures
from edge_assets.store.problems import ProblemKind, clear_problem, report_problem
from edge_assets.texts import MAX_TEXT_LENGTH, UnusableTextError, clean_text

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    import psycopg

log = logging.getLogger(__name__)

FIRST_RETRY_SECONDS = 1.0
LONGEST_RETRY_SECONDS = 60.0
"""What a sport that works again waits at most. Trying costs what a restart of the sport does: some tens of ms."""


class FailingSports:
    """Sports whose scoring has failed, in the database too, so that others can show them.

    A new life of the scorer tries each at once, as its code or the data may have been mended, and goes on counting.
    """

    def __init__(self, conn: psycopg.Connection, seconds: Callable[[], float] = time.monotonic) -> None:
        self._conn = conn
        self._seconds = seconds
        self._count = scorer_failures.failures_in_a_row(conn)
        self._retry_at = dict.fromkeys(self._count, seconds())

    def __contains__(self, sport_id: int) -> bool:
        return sport_id in self._count

    @property
    def sports(self) -> Collection[int]:
        """The sports that fail."""
        return self._count.keys()

    def due(self) -> list[int]:
        """The sports that are to be tried again now."""
        now = self._seconds() if self._retry_at else 0.0
        return [sport_id for sport_id, at in self._retry_at.items() if at <= now]

    def record(self, sport_id: int, key: str, error: Exception) -> None:
        """Count a failure, tell it, and put the next try off."""
        count = self._count[sport_id] = self._count.get(sport_id, 0) + 1
        wait = min(FIRST_RETRY_SECONDS * 2.0 ** min(count - 1, 10), LONGEST_RETRY_SECONDS)
        self._retry_at[sport_id] = self._seconds() + wait
        scorer_failures.record_failure(self._conn, sport_id, wait, describe_error(error))
        report_problem(self._conn, ProblemKind.SCORING_FAILS, key, describe_error(error))
        # where it happened is told once; then only that it still does
        log.error(
            "%s is not scored (failure %d in a row, next try in %.0f s; other sports go on): %s%s",
            key, count, wait, describe_error(error), f"\n{_traceback(error)}" if count == 1 else "",
        )  # fmt: skip

    def clear(self, sport_id: int, key: str) -> None:
        """The sport is scored again."""
        del self._count[sport_id], self._retry_at[sport_id]
        scorer_failures.clear_failure(self._conn, sport_id)
        clear_problem(self._conn, ProblemKind.SCORING_FAILS, key)
        log.info("%s is scored again", key)


def _traceback(error: Exception) -> str:
    """Where it was raised, in characters that every log can hold: the message may quote half of a surrogate pair."""
    return "".join(traceback.format_exception(error)).encode("utf-8", "backslashreplace").decode()


def describe_error(error: Exception) -> str:
    """An error in a line that the database can hold: what it says, and the place that raised it."""
    frames = traceback.extract_tb(error.__traceback__)
    place = f" ({frames[-1].name} in {Path(frames[-1].filename).name}, line {frames[-1].lineno})" if frames else ""
    try:
        said = clean_text(str(error)[:MAX_TEXT_LENGTH])
    except UnusableTextError:
        said = "no message"
    return f"{type(error).__name__}: {said}{place}"
