"""One round of the watchdog: look at everything, tell what is wrong, restart what hangs."""

from __future__ import annotations

import logging
import math
import shutil
import time
from collections import defaultdict
from contextlib import closing, suppress
from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

import psutil
import psycopg

from edge_assets.health.assessment import BURSTS
from edge_assets.health.findings import Finding
from edge_assets.health.machine import Machine, assess_machine
from edge_assets.health.words import duration
from edge_assets.local.disk import keep_reserve
from edge_assets.local.errors import LocalError
from edge_assets.local.listeners import owns
from edge_assets.local.watchdog import probing
from edge_assets.local.watchdog.bursts import BurstWatch
from edge_assets.local.watchdog.clock import ClockWatch, read_clocks
from edge_assets.local.watchdog.duties import CODE, Ports, duties, recording_ended
from edge_assets.local.watchdog.liveness import Liveness, Starts
from edge_assets.store.dagster_runs import last_runs, run_processes
from edge_assets.store.growth import bytes_per_day
from edge_assets.store.problems import ProblemKind, beat
from edge_assets.store.vital_signs import VitalSigns, connect_briefly, read_vital_signs

if TYPE_CHECKING:
    from collections.abc import Iterator

    from edge_assets.local.home import Home
    from edge_assets.local.supervisor import ProgramInfo, Supervisor
    from edge_assets.local.watchdog.duties import Duty
    from edge_assets.local.watchdog.notes import Notes

log = logging.getLogger(__name__)

NAME = "watchdog"
DOWN = {"BACKOFF", "FATAL", "EXITED", "UNKNOWN"}
MANY_STARTS = 3
SECONDS_BETWEEN_MEASUREMENTS = 3_600.0
"""Of what grows: it looks at every file of the home."""
ERRORS_OF_SERVER = (psycopg.Error, TimeoutError)
REDIS_KINDS = {
    probing.UNREACHABLE: ProblemKind.REDIS_UNREACHABLE,
    probing.REFUSES_WRITES: ProblemKind.REDIS_REFUSES_WRITES,
}


def without_supervisor() -> Finding:
    """What is wrong when supervisord is dead: its programs run on, each until it ends."""
    detail = "what ends is not started again: `edge down`, then `edge up`"
    return Finding(ProblemKind.SERVICE_DOWN, "supervisord", detail)


class Places(NamedTuple):
    """Where everything is; `dagster_url` is of Dagster's own database."""

    database_url: str
    dagster_url: str | None
    redis_url: str
    ports: Ports


class Rounds:
    """Remembers from round to round what was seen when."""

    def __init__(self, home: Home, supervisor: Supervisor, places: Places, notes: Notes) -> None:
        self._home = home
        self._supervisor = supervisor
        self._places = places
        self._notes = notes
        self._clock = ClockWatch()
        self._bursts = BurstWatch()
        self._starts: dict[str, Starts] = defaultdict(Starts)
        self._programs: list[ProgramInfo] = []
        self._is_database_away = False
        self._bytes_per_day, self._measured_at = 0.0, -math.inf
        self._duties = duties(places.ports, time.monotonic, self._owns)
        self._lives = {duty.service: Liveness(duty.patience, time.monotonic()) for duty in self._duties}

    def make(self) -> None:
        """Make one; what cannot be asked is left out, and told."""
        keep_reserve(self._home.reserve)
        signs = self._signs()
        self._is_database_away = signs is None
        findings = [*self._found(signs)]
        try:
            if signs is None:
                raise TimeoutError
            with closing(connect_briefly(self._places.database_url, NAME)) as conn:
                self._notes.store(conn, findings)
                beat(conn, NAME)
                self._measure(conn)
        except ERRORS_OF_SERVER:
            self._notes.keep_beside(findings)

    def _signs(self) -> VitalSigns | None:
        try:
            with closing(connect_briefly(self._places.database_url, NAME)) as conn:
                return read_vital_signs(conn)
        except ERRORS_OF_SERVER as error:
            if not self._is_database_away:
                log.warning("the database does not answer: %s", error)
            return None

    def _found(self, signs: VitalSigns | None) -> Iterator[Finding]:
        if said := self._clock.observe(read_clocks()):
            yield Finding(ProblemKind.CLOCK_CHANGED, "", said)
        yield from self._down()
        for duty in self._duties:
            yield from self._silent(duty, signs)
        yield from self._redis()
        yield from assess_machine(self._machine())
        if signs is not None:
            yield from self._runs()
        if recording_ended(self._places.ports):
            yield Finding(ProblemKind.RECORDING_ENDED, "", "")

    def _down(self) -> Iterator[Finding]:
        """Programs that have ended, or end again and again; without a supervisor the others are those of before."""
        if self._supervisor.pid is None:
            yield without_supervisor()
            return
        try:
            self._programs = self._supervisor.programs()
        except (LocalError, OSError) as error:
            yield Finding(ProblemKind.SERVICE_HANGS, "supervisord", str(error))
            return
        for program in self._programs:
            starts = self._starts[program.name].observe(program.pid, time.monotonic())
            if program.state in DOWN or starts >= MANY_STARTS:
                said = probing.last_words(self._home.logs / f"{program.name}.log")
                again = f"started {starts} times in 3 minutes; " if starts >= MANY_STARTS else ""
                yield Finding(ProblemKind.SERVICE_DOWN, program.name, f"{again}it last said: {said or 'nothing'}")

    def _silent(self, duty: Duty, signs: VitalSigns | None) -> Iterator[Finding]:
        life, now = self._lives[duty.service], time.monotonic()
        life.observe(duty.sign(signs), self._pid(duty.restarts[0]), now)
        quiet = life.silence(now)
        if quiet is not None:
            detail = f"no sign of life for {duration(timedelta(seconds=quiet))}"
            yield Finding(ProblemKind.SERVICE_HANGS, duty.service, detail)
            if life.is_to_restart(now):
                self._restart(duty.restarts[life.restarted() % len(duty.restarts)])

    def _pid(self, name: str) -> int:
        return next((program.pid for program in self._programs if program.name == name), 0)

    def _owns(self, name: str, port: int) -> bool:
        return owns(self._programs, name, port)

    def _restart(self, program: str) -> None:
        log.warning("%s hangs and is restarted", program)
        with suppress(LocalError, OSError):
            self._supervisor.restart(program)

    def _redis(self) -> Iterator[Finding]:
        if fault := probing.redis_fault(self._places.redis_url):
            yield Finding(REDIS_KINDS[fault[0]], "", fault[1])

    def _measure(self, conn: psycopg.Connection) -> None:
        if time.monotonic() - self._measured_at > SECONDS_BETWEEN_MEASUREMENTS:
            self._measured_at = time.monotonic()
            self._bytes_per_day = bytes_per_day(conn, self._home.root)

    def _machine(self) -> Machine:
        free = shutil.disk_usage(self._home.root).free
        return Machine(str(self._home.root), free, psutil.virtual_memory().available, self._bytes_per_day)

    def _runs(self) -> Iterator[Finding]:
        if self._places.dagster_url is None:
            return
        with suppress(*ERRORS_OF_SERVER), closing(connect_briefly(self._places.dagster_url, NAME)) as conn:
            for run in last_runs(conn):
                if run.is_failure and run.job != BURSTS:  # those the sensor tells, with the reason
                    yield Finding(ProblemKind.RUN_FAILED, run.job, f"run {run.run_id[:8]}")
            yield from self._bursts.look(self._pid(CODE), run_processes(conn), time.monotonic())
