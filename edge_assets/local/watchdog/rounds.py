"""One round of the watchdog: check everything, report problems, restart what hangs."""

from __future__ import annotations

import logging
import math
import shutil
import time
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

import psutil
import psycopg

from edge_assets.health.assessment import BURSTS
from edge_assets.health.formatting import format_duration
from edge_assets.health.issues import HealthIssue
from edge_assets.health.machine import MachineResources, assess_machine
from edge_assets.local.disk import ensure_reserve
from edge_assets.local.errors import LocalError
from edge_assets.local.listeners import owns_port
from edge_assets.local.watchdog import probing
from edge_assets.local.watchdog.bursts import BurstWatch, measure_work
from edge_assets.local.watchdog.clock import ClockMonitor, read_clocks
from edge_assets.local.watchdog.liveness import Liveness, StartCounter
from edge_assets.local.watchdog.services import (
    CODE_SERVER,
    Observer,
    WatchedPorts,
    has_recording_ended,
    watched_services,
)
from edge_assets.store.health.dagster_runs import load_last_runs, load_run_processes
from edge_assets.store.health.problems import ProblemKind, record_heartbeat
from edge_assets.store.health.vital_signs import HealthSnapshot, connect_with_timeout, load_health_snapshot
from edge_assets.store.maintenance.growth import measure_bytes_per_day

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterator, Mapping
    from pathlib import Path

    from edge_assets.local.home import Home
    from edge_assets.local.supervisor import ProgramInfo, Supervisor
    from edge_assets.local.watchdog.issue_reporter import IssueReporter
    from edge_assets.local.watchdog.services import WatchedService

log = logging.getLogger(__name__)

WATCHDOG_NAME = "watchdog"
DOWN_STATES = {"BACKOFF", "FATAL", "EXITED", "UNKNOWN"}
MIN_CRASH_LOOP_STARTS = 3
MEASURE_INTERVAL_SECONDS = 3_600.0
"""Between measurements of growth, which read every file of the home."""
DATABASE_ERRORS = (psycopg.Error, TimeoutError)
REDIS_KINDS = {
    probing.UNREACHABLE: ProblemKind.REDIS_UNREACHABLE,
    probing.REFUSES_WRITES: ProblemKind.REDIS_REFUSES_WRITES,
}


def supervisor_down_finding() -> HealthIssue:
    """The finding for a dead supervisord: its programs go on, but are not restarted."""
    detail = "programs that exit are not restarted: run `edge down`, then `edge up`"
    return HealthIssue(ProblemKind.SERVICE_DOWN, "supervisord", detail)


class Endpoints(NamedTuple):
    """The servers of the stack; `dagster_url` is Dagster's own database, `code_servers` are sockets by name."""

    database_url: str
    dagster_url: str | None
    redis_url: str
    ports: WatchedPorts
    code_servers: Mapping[str, Path] = {}


class Watchdog:
    """The watchdog, with what it remembers between rounds."""

    def __init__(self, home: Home, supervisor: Supervisor, endpoints: Endpoints, reporter: IssueReporter) -> None:
        self._home = home
        self._supervisor = supervisor
        self._endpoints = endpoints
        self._reporter = reporter
        self._clock = ClockMonitor()
        self._bursts = BurstWatch()
        self._start_counters: dict[str, StartCounter] = defaultdict(StartCounter)
        self._programs: list[ProgramInfo] = []
        self._is_database_away = False
        self._bytes_per_day, self._measured_at = 0.0, -math.inf
        observer = Observer(time.monotonic, self._owns_port, self._measure_work)
        self._watched = watched_services(endpoints.ports, observer, endpoints.code_servers)
        self._liveness = {duty.name: Liveness(duty.timeouts, time.monotonic()) for duty in self._watched}

    def run_round(self) -> None:
        """Run a round; what cannot be checked is reported and skipped."""
        ensure_reserve(self._home.reserve)
        signs = self._read_signs()
        self._is_database_away = signs is None
        findings = [*self._find_problems(signs)]
        try:
            if signs is None:
                raise TimeoutError
            with closing(connect_with_timeout(self._endpoints.database_url, WATCHDOG_NAME)) as conn:
                self._reporter.save(conn, findings)
                record_heartbeat(conn, WATCHDOG_NAME)
                self._measure_growth(conn)
        except DATABASE_ERRORS:
            self._reporter.write_fallback_file(findings)

    def _read_signs(self) -> HealthSnapshot | None:
        try:
            with closing(connect_with_timeout(self._endpoints.database_url, WATCHDOG_NAME)) as conn:
                return load_health_snapshot(conn)
        except DATABASE_ERRORS as error:
            if not self._is_database_away:
                log.warning("the database does not answer: %s", error)
            return None

    def _find_problems(self, signs: HealthSnapshot | None) -> Iterator[HealthIssue]:
        if change := self._clock.observe(read_clocks()):
            yield HealthIssue(ProblemKind.CLOCK_CHANGED, "", change)
        yield from self._find_down()
        yield from self._find_unresponsive(signs)
        yield from assess_machine(self._machine_state())
        if signs is not None:
            yield from self._find_failed_runs()
        if has_recording_ended(self._endpoints.ports):
            yield HealthIssue(ProblemKind.RECORDING_ENDED, "", "")

    def _find_down(self) -> Iterator[HealthIssue]:
        """Programs that have exited or keep exiting. Without supervisord, the list of programs stays as it was."""
        if self._supervisor.pid is None:
            yield supervisor_down_finding()
            return
        try:
            self._programs = self._supervisor.programs()
        except (LocalError, OSError) as error:
            yield HealthIssue(ProblemKind.SERVICE_HANGS, "supervisord", str(error))
            return
        for program in self._programs:
            starts = self._start_counters[program.name].observe(program.pid, time.monotonic())
            if program.state in DOWN_STATES or starts >= MIN_CRASH_LOOP_STARTS:
                last_line = probing.last_log_line(self._home.logs / f"{program.name}.log")
                prefix = f"started {starts} times in 3 minutes; " if starts >= MIN_CRASH_LOOP_STARTS else ""
                yield HealthIssue(
                    ProblemKind.SERVICE_DOWN, program.name, f"{prefix}last log line: {last_line or 'none'}"
                )

    def _find_unresponsive(self, signs: HealthSnapshot | None) -> Iterator[HealthIssue]:
        """Ask all services at once: each that hangs would delay the others' by seconds."""
        with ThreadPoolExecutor(len(self._watched) + 1) as pool:
            redis_answer = pool.submit(probing.redis_fault, self._endpoints.redis_url)
            found = list(pool.map(lambda watched: watched.sign_of_life(signs), self._watched))
        for watched, sign in zip(self._watched, found, strict=True):
            yield from self._find_silent(watched, sign)
        if fault := redis_answer.result():
            yield HealthIssue(REDIS_KINDS[fault[0]], "", fault[1])

    def _find_silent(self, watched: WatchedService, sign: Hashable) -> Iterator[HealthIssue]:
        pid, now = self._pid(watched.restart_programs[0]), time.monotonic()
        if watched.on_demand and not pid:
            self._liveness[watched.name] = Liveness(watched.timeouts, now)
            return
        liveness = self._liveness[watched.name]
        liveness.observe(sign, pid, now)
        silent_seconds = liveness.silent_seconds(now)
        if silent_seconds is not None:
            detail = f"no sign of life for {format_duration(timedelta(seconds=silent_seconds))}"
            yield HealthIssue(ProblemKind.SERVICE_HANGS, watched.name, detail)
            if liveness.is_restart_due(now):
                self._restart(watched.restart_programs[liveness.record_restart() % len(watched.restart_programs)])

    def _pid(self, name: str) -> int:
        return next((program.pid for program in self._programs if program.name == name), 0)

    def _owns_port(self, name: str, port: int) -> bool:
        return owns_port(self._programs, name, port)

    def _measure_work(self, name: str) -> Hashable:
        try:
            return measure_work(psutil.Process(pid)) if (pid := self._pid(name)) else None
        except psutil.NoSuchProcess:
            return None

    def _restart(self, program: str) -> None:
        log.warning("%s hangs: restarting it", program)
        with suppress(LocalError, OSError):
            self._supervisor.restart(program)

    def _measure_growth(self, conn: psycopg.Connection) -> None:
        if time.monotonic() - self._measured_at > MEASURE_INTERVAL_SECONDS:
            self._measured_at = time.monotonic()
            self._bytes_per_day = measure_bytes_per_day(conn, self._home.root)

    def _machine_state(self) -> MachineResources:
        free = shutil.disk_usage(self._home.root).free
        return MachineResources(str(self._home.root), free, psutil.virtual_memory().available, self._bytes_per_day)

    def _find_failed_runs(self) -> Iterator[HealthIssue]:
        if self._endpoints.dagster_url is None:
            return
        with (
            suppress(*DATABASE_ERRORS),
            closing(connect_with_timeout(self._endpoints.dagster_url, WATCHDOG_NAME)) as conn,
        ):
            for run in load_last_runs(conn):
                if run.is_failure and run.job != BURSTS:  # the sensor reports failed bursts, with the reason
                    yield HealthIssue(ProblemKind.RUN_FAILED, run.job, f"run {run.run_id[:8]}")
            yield from self._bursts.check(self._pid(CODE_SERVER), load_run_processes(conn), time.monotonic())
