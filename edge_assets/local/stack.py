"""Starting the stack."""

from __future__ import annotations

import http.client
import json
import re
from dataclasses import replace
from functools import partial
from itertools import count
from typing import TYPE_CHECKING

from edge_assets.clock import WallClock
from edge_assets.health.assessment import STACK
from edge_assets.local import dagster, postgres, valkey, worlds
from edge_assets.local.dumps import dump_database
from edge_assets.local.environment import environment, jwt_secret
from edge_assets.local.errors import AddressTakenError, LocalError
from edge_assets.local.plan import Plan, make
from edge_assets.local.ports import HOST
from edge_assets.local.reach import check_servers
from edge_assets.local.services import services
from edge_assets.local.shutdown import down
from edge_assets.local.startup import Step, bring_up
from edge_assets.local.supervisor import Supervisor
from edge_assets.store.database import connect
from edge_assets.store.schema import pending_since, upgrade
from edge_assets.store.vital_signs import begin_life

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from edge_assets.local.home import Home
    from edge_assets.local.plan import Wish
    from edge_assets.local.services import Service
    from edge_assets.local.startup import State
    from edge_assets.local.supervisor import ProgramInfo
    from edge_assets.settings import Settings

HOPELESS = {"BACKOFF", "FATAL", "EXITED", "UNKNOWN"}
LOG_LINES = 15
CHOICES = 3
"""How often ports are chosen, as another program (a second stack, say) may take one before it is used."""
TAKEN = re.compile("address already in use", re.IGNORECASE)
"""What servers say then: asyncio, PostgreSQL and Valkey in the system's words."""


def up(home: Home, settings: Settings, wish: Wish, report: Callable[[str, State, float], None]) -> Plan:
    """Start everything; returns when alerts can flow, with the pages of Dagster and MLflow on their way.

    What a crashed stack left running in this home is ended first. Raises `LocalError` if a stack runs
    already, or if the start fails; nothing is left then.
    """
    with home.locked():
        _refuse_if_running(home)
        jwt_secret(settings, home)
        for choice in count(1):
            plan = make(settings, home, wish)
            check_servers(settings)
            down(home)
            try:
                _Stack(home, settings, plan, fresh=wish.fresh).start(report)
            except BaseException as error:
                down(home)
                if choice == CHOICES or not isinstance(error, AddressTakenError):
                    raise
            else:
                break
    return plan


def _refuse_if_running(home: Home) -> None:
    if (pid := Supervisor(home).pid) is not None:
        running = Plan.load(home)
        msg = f"a stack already runs in {home.root} (pid {pid}, feed {running.feed if running else 'unknown'})"
        raise LocalError(msg, "`edge watch` follows its alerts, `edge status` shows it, `edge down` stops it")


class _Stack:
    """A plan being carried out in a home."""

    def __init__(self, home: Home, settings: Settings, plan: Plan, *, fresh: bool) -> None:
        self.plan = plan
        self._home = home
        self._settings = settings
        self._fresh = fresh
        self._supervisor = Supervisor(home)
        self._learned: dict[str, str] = {}
        self._log_began: dict[str, int] = {}

    def start(self, report: Callable[[str, State, float], None]) -> None:
        if self.plan.postgres_port:
            postgres.prepare(self._home, self._home.secret("postgres"))
        dagster.furnish(self._home)
        self.plan.save(self._home)
        self._supervisor.launch(environment(self._settings, self._home, self.plan))
        bring_up(list(self._steps()), report)

    def _steps(self) -> Iterator[Step]:
        yield Step("feed-sports", ("feed",), self._ask_for_sports)
        for service in services(self._home, self.plan, self._supervisor):
            name = service.program.name
            start, ready = partial(self._start, service), partial(self._is_ready, service)
            work = partial(self._supervisor.cpu_seconds, name)
            yield Step(name, service.after, start, ready, service.essential, work)
        # a recording that cannot be read is told before anything is given up for it
        given_up_for = ("feed-sports",) if self._fresh else ()
        yield Step("databases", ("postgres", "valkey", *given_up_for), self._make_databases)
        yield Step("migrations", ("databases",), self._migrate)

    def _start(self, service: Service) -> None:
        program = service.program
        log = self._log_of(program.name)
        self._log_began[program.name] = log.stat().st_size if log.exists() else 0
        self._supervisor.add(replace(program, environment={**program.environment, **self._learned}))

    def _is_ready(self, service: Service) -> bool:
        name = service.program.name
        for info in self._supervisor.programs():
            if info.name == name and info.state in HOPELESS:
                raise self._gave_up(info)
        return service.ready()

    def _gave_up(self, program: ProgramInfo) -> LocalError:
        """A program that could not be spawned has written nothing."""
        log = self._log_of(program.name)
        written = log.read_bytes()[self._log_began.get(program.name, 0) :] if log.exists() else b""
        last = "\n".join(written.decode(errors="replace").splitlines()[-LOG_LINES:])
        if not last:
            return LocalError(
                f"{program.name} does not start: {program.description}", "run `make sync`, then try again"
            )
        if program.name == "valkey" and (damaged := valkey.damage(self._home, last)):
            return damaged
        if TAKEN.search(last):
            remedy = "`ss -ltnp` shows which programs hold ports; `edge up --port N` chooses the board's"
            return AddressTakenError(f"another program took the port of {program.name}; it last said:\n{last}", remedy)
        return LocalError(f"{program.name} does not stay up; it last said:\n{last}", f"see {log}")

    def _log_of(self, name: str) -> Path:
        return self._home.logs / f"{name}.log"

    def _make_databases(self) -> None:
        if self._fresh:
            worlds.begin_anew(self.plan)
        worlds.ensure_databases(self.plan)

    def _migrate(self) -> None:
        self._keep_before_migration()
        upgrade(self.plan.database_url)
        worlds.check_world(self._home, self.plan)
        with connect(self.plan.database_url, "edge up") as conn:
            begin_life(conn, STACK)

    def _keep_before_migration(self) -> None:
        """A server of one's own has backups of one's own."""
        revision = pending_since(self.plan.database_url)
        if revision and self.plan.postgres_port:
            dump_database(self._home, self.plan.database_url, revision, WallClock().now())

    def _ask_for_sports(self) -> None:
        """What our own feed server has is what is polled."""
        if self.plan.feed_port is None:
            return
        connection = http.client.HTTPConnection(HOST, self.plan.feed_port, timeout=10)
        connection.request("GET", "/_edge/ready")
        self._learned["EDGE_SPORTS"] = ",".join(json.load(connection.getresponse())["sports"])
        connection.close()
