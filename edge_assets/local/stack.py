"""Starts the stack."""

from __future__ import annotations

import http.client
import json
import re
from dataclasses import replace
from functools import partial
from itertools import count
from typing import TYPE_CHECKING

from edge_assets.health.assessment import STACK
from edge_assets.local import dagster_home, feed_databases, postgres, valkey
from edge_assets.local.dumps import dump_before_migration
from edge_assets.local.environment import build_environment, jwt_secret
from edge_assets.local.errors import AddressTakenError, LocalError
from edge_assets.local.external_servers import check_servers
from edge_assets.local.plan import Plan, make_plan
from edge_assets.local.ports import HOST
from edge_assets.local.services import define_services
from edge_assets.local.shutdown import down
from edge_assets.local.startup import StartupStep, start_in_order
from edge_assets.local.supervisor import Supervisor
from edge_assets.store.health.problems import record_heartbeat
from edge_assets.store.health.vital_signs import reset_health
from edge_assets.store.postgres.database import connect
from edge_assets.store.postgres.schema import upgrade

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from edge_assets.core.settings import Settings
    from edge_assets.local.home import Home
    from edge_assets.local.plan import StartOptions
    from edge_assets.local.services import Service
    from edge_assets.local.startup import StepState
    from edge_assets.local.supervisor import ProgramInfo

FAILED_STATES = {"BACKOFF", "FATAL", "EXITED", "UNKNOWN"}
MAX_LOG_LINES = 15
MAX_PORT_ATTEMPTS = 3
"""Ports are chosen again if another program, such as a second stack, takes one before it is used."""
ADDRESS_IN_USE = re.compile("address already in use", re.IGNORECASE)
"""In the system's error message, as asyncio, PostgreSQL and Valkey log it."""


def up(home: Home, settings: Settings, options: StartOptions, report: Callable[[str, StepState, float], None]) -> Plan:
    """Start everything; returns when alerts can flow. Services that are not essential may still be starting.

    Processes that a crashed stack left in this home are stopped first. Raises `LocalError` if a stack is already
    running, or if the start fails; then nothing is left running.
    """
    with home.lock():
        _require_not_running(home)
        jwt_secret(settings, home)
        for attempt in count(1):
            plan = make_plan(settings, home, options)
            check_servers(settings)
            down(home)
            try:
                _Stack(home, settings, plan, fresh=options.fresh).start(report)
            except BaseException as error:
                down(home)
                if attempt == MAX_PORT_ATTEMPTS or not isinstance(error, AddressTakenError):
                    raise
            else:
                break
    return plan


def _require_not_running(home: Home) -> None:
    if (pid := Supervisor(home).pid) is not None:
        running = Plan.load(home)
        msg = f"a stack is already running in {home.root} (pid {pid}, feed {running.feed if running else 'unknown'})"
        raise LocalError(msg, "`edge watch` follows its alerts, `edge status` shows its state, `edge down` stops it")


class _Stack:
    """Carries out a plan in a home."""

    def __init__(self, home: Home, settings: Settings, plan: Plan, *, fresh: bool) -> None:
        self.plan = plan
        self._home = home
        self._settings = settings
        self._fresh = fresh
        self._supervisor = Supervisor(home)
        self._feed_environment: dict[str, str] = {}
        self._log_offsets: dict[str, int] = {}

    def start(self, report: Callable[[str, StepState, float], None]) -> None:
        if self.plan.postgres_port:
            postgres.prepare_cluster(self._home, self._home.secret("postgres"))
        dagster_home.write_dagster_home(self._home)
        self.plan.save(self._home)
        self._supervisor.launch(build_environment(self._settings, self._home, self.plan))
        start_in_order(list(self._steps()), report)
        # on a slow machine the sensor first ticks minutes after the migrations
        with connect(self.plan.database_url, "edge up") as conn:
            record_heartbeat(conn, STACK)

    def _steps(self) -> Iterator[StartupStep]:
        yield StartupStep("feed-sports", ("feed",), self._request_sports)
        for service in define_services(self._home, self.plan, self._supervisor):
            name = service.program.name
            start, ready = partial(self._start, service), partial(self._is_ready, service)
            measure_progress = partial(self._supervisor.cpu_seconds, name)
            yield StartupStep(name, service.after, start, ready, service.essential, measure_progress)
        # an unreadable recording must fail before the old data is deleted
        reset_after = ("feed-sports",) if self._fresh else ()
        yield StartupStep("databases", ("postgres", "valkey", *reset_after), self._create_databases)
        yield StartupStep("migrations", ("databases",), self._migrate)

    def _start(self, service: Service) -> None:
        program = service.program
        log = self._log_path(program.name)
        self._log_offsets[program.name] = log.stat().st_size if log.exists() else 0
        self._supervisor.add(replace(program, environment={**program.environment, **self._feed_environment}))

    def _is_ready(self, service: Service) -> bool:
        name = service.program.name
        for info in self._supervisor.programs():
            if info.name == name and info.state in FAILED_STATES:
                raise self._startup_error(info)
        return service.is_ready()

    def _startup_error(self, program: ProgramInfo) -> LocalError:
        """The error for a failed program; one that could not be spawned has logged nothing."""
        log = self._log_path(program.name)
        written = log.read_bytes()[self._log_offsets.get(program.name, 0) :] if log.exists() else b""
        log_tail = "\n".join(written.decode(errors="replace").splitlines()[-MAX_LOG_LINES:])
        if not log_tail:
            return LocalError(
                f"{program.name} does not start: {program.description}", "run `make sync`, then try again"
            )
        if program.name == "valkey" and (damaged := valkey.find_damage(self._home, log_tail)):
            return damaged
        if ADDRESS_IN_USE.search(log_tail):
            remedy = "`ss -ltnp` lists the programs that hold ports; `edge up --port N` sets the board's port"
            return AddressTakenError(
                f"another program took the port of {program.name}; last log lines:\n{log_tail}", remedy
            )
        return LocalError(f"{program.name} keeps exiting; last log lines:\n{log_tail}", f"see {log}")

    def _log_path(self, name: str) -> Path:
        return self._home.logs / f"{name}.log"

    def _create_databases(self) -> None:
        if self._fresh:
            feed_databases.reset_databases(self.plan)
        feed_databases.ensure_databases(self.plan)

    def _migrate(self) -> None:
        if self.plan.postgres_port:  # an external server has its own backups
            dump_before_migration(self._home, self.plan.database_url)
        upgrade(self.plan.database_url)
        feed_databases.verify_database_feed(self._home, self.plan)
        with connect(self.plan.database_url, "edge up") as conn:
            reset_health(conn, STACK)

    def _request_sports(self) -> None:
        """Poll the sports that the stack's own feed server offers."""
        if self.plan.feed_port is None:
            return
        connection = http.client.HTTPConnection(HOST, self.plan.feed_port, timeout=10)
        connection.request("GET", "/_edge/ready")
        self._feed_environment["EDGE_SPORTS"] = ",".join(json.load(connection.getresponse())["sports"])
        connection.close()
