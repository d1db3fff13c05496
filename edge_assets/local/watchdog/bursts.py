"""Bursts that hang: a process that lives and does nothing gives up no lease, and no run is planned in its place.

What counts is progress, not time: on a busy machine a run imports for minutes. A process that has used no CPU and was
not once given the CPU for a minute is stopped, or waits for what never comes. It is killed: its leases end with its
connections, and the code server that spawned it marks its run as failed within a second.
"""

from __future__ import annotations

import logging
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

import psutil

from edge_assets.health.assessment import BURSTS
from edge_assets.health.findings import HealthIssue
from edge_assets.health.words import format_duration
from edge_assets.local.runs import find_run_processes, is_run
from edge_assets.store.health.problems import ProblemKind

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterator, Mapping, Sequence

    from edge_assets.store.health.dagster_runs import RunProcess

BURST_JOB = "burst"
REPORT_AFTER_SECONDS = 15.0
KILL_AFTER_SECONDS = 60.0
"""A burst that waits wakes every second or two, to show itself in its leases."""
MAX_SAMPLE_GAP_SECONDS = 10.0
"""No more counts between two looks: a watchdog or a machine that was stopped itself has not seen the time pass."""

log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Stillness:
    sign: Hashable
    seen_at: float
    seconds: float = 0.0


@dataclass(slots=True)
class Progress:
    """For how long each process has made no progress, as far as somebody looked. Pure."""

    _known: dict[Hashable, _Stillness] = field(default_factory=dict)

    def observe(self, signs: Mapping[Hashable, Hashable], now: float) -> None:
        """Take note of what each process has done so far; processes that are not named are forgotten."""
        before, self._known = self._known, {}
        for process, sign in signs.items():
            last = before.get(process)
            still = _Stillness(sign, now)
            if last is not None and last.sign == sign:
                still.seconds = last.seconds + min(now - last.seen_at, MAX_SAMPLE_GAP_SECONDS)
            self._known[process] = still

    def stillness(self, process: Hashable) -> float:
        """Seconds without progress at the last look."""
        return self._known[process].seconds if process in self._known else 0.0


class BurstWatch:
    """Tells of bursts that hang, and kills them."""

    def __init__(self) -> None:
        self._progress = Progress()

    def check(self, code_server: int, noted: Sequence[RunProcess], now: float) -> Iterator[HealthIssue]:
        """Look at what the code server has spawned, and at what Dagster has `noted` of runs in flight."""
        runs = dict(_find_bursts(code_server, noted))
        self._progress.observe({process: _measure_work(process) for process in runs}, now)
        hung = {process: name for process, name in runs.items() if self._stillness(process) > REPORT_AFTER_SECONDS}
        if hung:
            said = (f"{name} makes no progress for {self._describe(process)}" for process, name in hung.items())
            yield HealthIssue(ProblemKind.SERVICE_HANGS, BURST_JOB, "; ".join(said))
        for process, name in hung.items():
            if self._stillness(process) >= KILL_AFTER_SECONDS:
                log.warning("%s made no progress for %s and is killed", name, self._describe(process))
                with suppress(psutil.Error):
                    process.kill()

    def _stillness(self, process: psutil.Process) -> float:
        return self._progress.stillness(process)

    def _describe(self, process: psutil.Process) -> str:
        return format_duration(timedelta(seconds=self._stillness(process)))


def _find_bursts(code_server: int, noted: Sequence[RunProcess]) -> Iterator[tuple[psutil.Process, str]]:
    """The processes of bursts, those of a code server that is gone among them, and of runs that only start.

    Other jobs may wait for a long query of theirs; they are in nobody's way.
    """
    known = {run.pid for run in noted}
    for process in find_run_processes(code_server):
        if process.pid not in known:
            yield process, f"process {process.pid} of a run that starts"
    for run in noted:
        with suppress(psutil.Error):
            if run.job == BURSTS and is_run(process := psutil.Process(run.pid)):
                yield process, f"process {run.pid} of run {run.run_id[:8]}"


def _measure_work(process: psutil.Process) -> Hashable:
    """What changes whenever a process does anything: seconds of CPU, and how often it got and gave up the CPU."""
    with suppress(psutil.Error):
        return process.cpu_times(), process.num_ctx_switches()
    return None
