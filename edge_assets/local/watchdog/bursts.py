"""Bursts that hang: an idle process keeps its leases, so no other run takes over.

Progress counts, not time: on a busy machine a run imports for minutes. A process that was not scheduled once in a
minute is stopped, or waits for something that never happens. It is killed: its leases end with its connections, and
the code server that spawned it marks its run as failed within a second.
"""

from __future__ import annotations

import logging
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

import psutil

from edge_assets.health.assessment import BURSTS
from edge_assets.health.formatting import format_duration
from edge_assets.health.issues import HealthIssue
from edge_assets.local.runs import find_run_processes, is_run
from edge_assets.store.health.problems import ProblemKind

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterator, Mapping, Sequence

    from edge_assets.store.health.dagster_runs import RunProcess

BURST_JOB = "burst"
REPORT_AFTER_SECONDS = 15.0
KILL_AFTER_SECONDS = 60.0
"""A waiting burst wakes every second or two to renew its leases."""
MAX_SAMPLE_GAP_SECONDS = 10.0
"""The most that counts between two checks: the watchdog or the machine may itself have been stopped."""

log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Stillness:
    sign: Hashable
    seen_at: float
    seconds: float = 0.0


@dataclass(slots=True)
class Progress:
    """For how long each process has made no progress, as observed. Pure."""

    _known: dict[Hashable, _Stillness] = field(default_factory=dict)

    def observe(self, signs: Mapping[Hashable, Hashable], now: float) -> None:
        """Record the work each process has done so far; processes that are missing are forgotten."""
        before, self._known = self._known, {}
        for process, sign in signs.items():
            last = before.get(process)
            still = _Stillness(sign, now)
            if last is not None and last.sign == sign:
                still.seconds = last.seconds + min(now - last.seen_at, MAX_SAMPLE_GAP_SECONDS)
            self._known[process] = still

    def stillness(self, process: Hashable) -> float:
        """Seconds without progress at the last check."""
        return self._known[process].seconds if process in self._known else 0.0


class BurstWatch:
    """Reports bursts that hang, and kills them."""

    def __init__(self) -> None:
        self._progress = Progress()

    def check(self, code_server: int, recorded: Sequence[RunProcess], now: float) -> Iterator[HealthIssue]:
        """Check the processes that the code server has spawned, and those that Dagster has `recorded` for its runs."""
        runs = dict(_find_bursts(code_server, recorded))
        self._progress.observe({process: measure_work(process) for process in runs}, now)
        hung = {process: name for process, name in runs.items() if self._stillness(process) > REPORT_AFTER_SECONDS}
        if hung:
            details = (f"{name} has made no progress for {self._describe(process)}" for process, name in hung.items())
            yield HealthIssue(ProblemKind.SERVICE_HANGS, BURST_JOB, "; ".join(details))
        for process, name in hung.items():
            if self._stillness(process) >= KILL_AFTER_SECONDS:
                log.warning("%s has made no progress for %s: killing it", name, self._describe(process))
                with suppress(psutil.Error):
                    process.kill()

    def _stillness(self, process: psutil.Process) -> float:
        return self._progress.stillness(process)

    def _describe(self, process: psutil.Process) -> str:
        return format_duration(timedelta(seconds=self._stillness(process)))


def _find_bursts(code_server: int, recorded: Sequence[RunProcess]) -> Iterator[tuple[psutil.Process, str]]:
    """The processes of bursts, including those of a code server that is gone, and of runs that are just starting.

    Other jobs may wait for a long query; they block nothing.
    """
    known = {run.pid for run in recorded}
    for process in find_run_processes(code_server):
        if process.pid not in known:
            yield process, f"process {process.pid} of a starting run"
    for run in recorded:
        with suppress(psutil.Error):
            if run.job == BURSTS and is_run(process := psutil.Process(run.pid)):
                yield process, f"process {run.pid} of run {run.run_id[:8]}"


def measure_work(process: psutil.Process) -> Hashable:
    """A value that changes whenever a process does anything: its CPU times and context switches."""
    with suppress(psutil.Error):
        return process.cpu_times(), process.num_ctx_switches()
    return None
