"""The services of a stack, declared: what to run, after what, when it is ready."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from edge_assets.local import dagster, postgres, probes, valkey
from edge_assets.local.environment import for_psycopg2
from edge_assets.local.plan import with_database
from edge_assets.local.ports import HOST
from edge_assets.local.programs import Program
from edge_assets.local.sockets import socket_path
from edge_assets.settings import Feed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from edge_assets.local.home import Home
    from edge_assets.local.plan import Plan
    from edge_assets.local.supervisor import Supervisor

INFRASTRUCTURE = ("postgres", "valkey")
"""Stopped last, when nobody needs them any more."""
PYTHON = (sys.executable, "-m")
BRIEFLY = 2
"""Seconds to stop for pages that would wait for their open connections, and for code servers, which wait for their
threads: none has anything to lose."""
LAUNCHES_END_SECONDS = 20
"""For the daemon, which ends the runs (`edge_assets.defs.ending`) once it launches no more."""
LOG_LEVEL = ("--log-level", "warning")
"""Dagster's own INFO is several lines every five seconds, which push what went wrong out of the logs."""


@dataclass(frozen=True)
class Service:
    """A program with its place in the order of starting. Alerts flow once all `essential` ones are ready."""

    program: Program
    after: tuple[str, ...]
    ready: Callable[[], bool]
    essential: bool = True


def services(home: Home, plan: Plan, supervisor: Supervisor) -> Iterator[Service]:
    """Everything that the plan has us run."""
    yield from _infrastructure(home, plan)
    yield from _feed(plan, supervisor)
    yield from _dagster(home, plan, supervisor)
    yield from _serving(plan, supervisor)
    yield _watchdog(plan, supervisor)
    if plan.mlflow_port:
        yield _mlflow(home, plan)
    yield _activator(home, plan, supervisor)


def _infrastructure(home: Home, plan: Plan) -> Iterator[Service]:
    if plan.postgres_port:
        server = with_database(plan.database_url, "postgres")
        yield Service(postgres.program(home, plan.postgres_port), (), partial(probes.postgres, server))
    if plan.valkey_port:
        program = valkey.program(home, plan.valkey_port, home.secret("valkey"))
        yield Service(program, (), partial(probes.valkey, plan.redis_url))


def _feed(plan: Plan, supervisor: Supervisor) -> Iterator[Service]:
    if plan.feed_port is None:
        return
    options = {
        Feed.REPLAY: ("edge_assets.feeds.replay", "--tape", str(plan.tape), "--speed", plan.speed),
        Feed.SIMULATE: ("edge_assets.feeds.simulate", "--seed", str(plan.seed)),
    }[plan.feed]
    command = (*PYTHON, *options, "--port", str(plan.feed_port))
    yield Service(
        Program("feed", command), (), partial(probes.serves, supervisor, "feed", plan.feed_port, "/_edge/ready")
    )


def _dagster(home: Home, plan: Plan, supervisor: Supervisor) -> Iterator[Service]:
    """The daemon waits for the code servers: of each that is away it tells every second, in thirty lines."""
    places = dagster.locations()
    yield from (_code_server(home, location) for location in places)
    workspace = ("--workspace", str(dagster.workspace_file(home)))
    yield Service(
        Program(
            "dagster-daemon",
            (*PYTHON, "edge_assets.defs.daemon", "run", *LOG_LEVEL, *workspace),
            stop_seconds=LAUNCHES_END_SECONDS,
        ),
        ("databases", "feed-sports", *(location.service for location in places)),
        partial(probes.runs, supervisor, "dagster-daemon"),
    )
    port = str(plan.inner_ports["dagster-webserver"])
    web = ("edge_assets.web.dagster_ui", "--host", HOST, "--port", port, *workspace)
    yield _on_demand(Program("dagster-webserver", (*PYTHON, *web), stop_seconds=BRIEFLY, on_demand=True))


def _code_server(home: Home, location: dagster.Location) -> Service:
    path = socket_path(home, location.service)
    what = ("--module-name", location.module, "--location-name", location.name)
    where = ("--socket", str(path), "--use-python-environment-entry-point")
    command = (*PYTHON, "dagster", "api", "grpc", *LOG_LEVEL, *what, *where)
    program = Program(location.service, command, stop_seconds=1)  # its runs have been ended before it
    essential = location.name == dagster.ESSENTIAL_LOCATION
    return Service(program, ("databases", "feed-sports"), partial(probes.answers_at, path), essential=essential)


def _serving(plan: Plan, supervisor: Supervisor) -> Iterator[Service]:
    after = ("migrations", "feed-sports", *(("valkey",) if plan.valkey_port else ()))
    scorer = Program("scorer", (*PYTHON, "serving.scorer"))
    yield Service(scorer, after, partial(probes.runs, supervisor, "scorer"))
    yield Service(
        Program("serving", (*PYTHON, "serving", "--host", HOST, "--port", str(plan.serving_port))),
        after,
        partial(probes.serves, supervisor, "serving", plan.serving_port, "/readyz"),
    )


def _watchdog(plan: Plan, supervisor: Supervisor) -> Service:
    listening = {
        "serving": plan.serving_port,
        "feed": plan.feed_port,
        "activator": plan.dagster_port,
        "valkey": plan.valkey_port,
        "postgres": plan.postgres_port,
    }
    ports = [word for name, port in listening.items() if port for word in (f"--{name}-port", str(port))]
    return Service(
        Program("watchdog", (*PYTHON, "edge_assets.local.watchdog", *ports), stop_seconds=BRIEFLY),
        ("migrations", "feed-sports"),
        partial(probes.runs, supervisor, "watchdog"),
        essential=False,
    )


def _mlflow(home: Home, plan: Plan) -> Service:
    """Its database comes by environment, so that no password shows in the list of processes."""
    environment = {
        "MLFLOW_BACKEND_STORE_URI": for_psycopg2(plan.mlflow_database_url),
        "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
    }
    artifacts = ("--serve-artifacts", "--artifacts-destination", home.mlflow.as_uri())
    where = ("--host", HOST, "--port", str(plan.inner_ports["mlflow"]))
    command = (*PYTHON, "edge_assets.web.mlflow_ui", "server", *where, *artifacts)
    return _on_demand(
        Program("mlflow", command, environment=environment, stop_seconds=BRIEFLY, on_demand=True),
    )


def _on_demand(program: Program) -> Service:
    """It only has to be known: the activator starts it."""
    return Service(program, ("databases",), lambda: True)


def _activator(home: Home, plan: Plan, supervisor: Supervisor) -> Service:
    """Listens where a browser looks for the pages that hardly anybody has open."""
    doors = {"dagster-webserver": plan.dagster_port, **({"mlflow": plan.mlflow_port} if plan.mlflow_port else {})}
    words = (f"{name}:{port}:{plan.inner_ports[name]}" for name, port in doors.items())
    command = (*PYTHON, "edge_assets.local.activator", str(home.root), *words)
    ready = partial(probes.listens_as, supervisor, "activator", plan.dagster_port)
    return Service(Program("activator", command, stop_seconds=BRIEFLY), ("databases",), ready)
