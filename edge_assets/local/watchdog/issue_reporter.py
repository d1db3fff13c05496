"""Publishes the watchdog's findings: in the database, and in a file while that is unreachable."""

from __future__ import annotations

import json
import logging
import time
from contextlib import suppress
from typing import TYPE_CHECKING

from edge_assets.health.assessment import BURSTS
from edge_assets.health.issues import HealthIssue
from edge_assets.local.home import write_private
from edge_assets.store.health.problems import ProblemKind, clear_problem, load_problems, report_problem

if TYPE_CHECKING:
    from collections.abc import Collection

    from psycopg import Connection

    from edge_assets.local.home import Home
    from edge_assets.store.health.problems import Problem

log = logging.getLogger(__name__)

WATCHDOG_KINDS = frozenset(
    {
        ProblemKind.SERVICE_DOWN,
        ProblemKind.SERVICE_HANGS,
        ProblemKind.DISK_LOW,
        ProblemKind.DISK_FULL,
        ProblemKind.MEMORY_LOW,
        ProblemKind.RECORDING_ENDED,
        ProblemKind.REDIS_UNREACHABLE,
        ProblemKind.REDIS_REFUSES_WRITES,
    }
)
"""For any subject. The scorer reports faults of Redis as well, for as long as it sees them."""
MAX_FILE_AGE_SECONDS = 30.0
"""The file is written every few seconds; an older one is obsolete."""
FILE_NAME = "watchdog.json"


class IssueReporter:
    """Reports every finding in each round, and clears those that are over."""

    def __init__(self, home: Home) -> None:
        self._path = home.run / FILE_NAME
        self._reported: set[tuple[str, str]] | None = None

    def save(self, conn: Connection, findings: Collection[HealthIssue]) -> None:
        """Bring the database up to date; raises `psycopg.Error` if that fails."""
        if self._reported is None:
            self._reported = {(p.kind, p.subject) for p in load_problems(conn) if _is_from_watchdog(p)}
        present = {(finding.kind, finding.subject) for finding in findings}
        for finding in findings:
            report_problem(conn, ProblemKind(finding.kind), finding.subject, finding.detail)
        for kind, subject in self._reported - present:
            clear_problem(conn, ProblemKind(kind), subject)
        self._log_changes(present)
        self._reported = present
        self._path.unlink(missing_ok=True)

    def write_fallback_file(self, findings: Collection[HealthIssue]) -> None:
        """Write the findings to a file for `edge status`; on a full disk there is none."""
        rows = [{"kind": f.kind, "subject": f.subject, "detail": f.detail} for f in findings]
        with suppress(OSError):
            write_private(self._path, json.dumps({"at": time.time(), "findings": rows}))

    def _log_changes(self, present: set[tuple[str, str]]) -> None:
        before = self._reported or set()
        for kind, subject in sorted(present - before):
            log.warning("%s %s", kind, subject)
        for kind, subject in sorted(before - present):
            log.info("%s %s is over", kind, subject)


def _is_from_watchdog(problem: Problem) -> bool:
    """Whether a watchdog reported it, perhaps an earlier one that was killed before it could clear it.

    Problems of sports and failed bursts are reported by others.
    """
    is_clock = (problem.kind, problem.subject) == (ProblemKind.CLOCK_CHANGED, "")
    is_run = problem.kind == ProblemKind.RUN_FAILED and problem.subject != BURSTS
    return problem.kind in WATCHDOG_KINDS or is_clock or is_run


def read_fallback_file(home: Home) -> list[HealthIssue]:
    """The watchdog's findings while the database is unreachable; empty if there is no recent file."""
    try:
        content = json.loads((home.run / FILE_NAME).read_text())
        if abs(time.time() - content["at"]) > MAX_FILE_AGE_SECONDS:
            return []
        return [HealthIssue(row["kind"], row["subject"], row["detail"]) for row in content["findings"]]
    except (OSError, ValueError, KeyError, TypeError):
        return []
