"""The services of a stack: what to run, after what, and when it is ready."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from edge_assets.core.settings import Feed
from edge_assets.local import dagster_home, postgres, probes, valkey
from edge_assets.local.environment import sqlalchemy_url
from edge_assets.local.plan import with_database
from edge_assets.local.ports import HOST
from edge_assets.local.programs import Program
from edge_assets.local.sockets import socket_path

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from edge_assets.local.home import Home
    from edge_assets.local.plan import Plan
    from edge_assets.local.supervisor import Supervisor

PYTHON_MODULE = (sys.executable, "-m")
SHORT_STOP_SECONDS = 2
"""For services that would wait for open connections when stopped, and have nothing to lose."""
DAEMON_STOP_SECONDS = 20
"""The daemon ends the runs (`edge_assets.defs.run_termination`) after it stops launching new ones."""
LOG_LEVEL_OPTIONS = ("--log-level", "warning")
"""At INFO, Dagster logs several lines every five seconds, which push errors out of the rotated logs."""


@dataclass(frozen=True)
class Service:
    """A program with its start order. Alerts flow once all `essential` services are ready."""

    program: Program
    after: tuple[str, ...]
    is_ready: Callable[[], bool]
    essential: bool = True


def define_services(home: Home, plan: Plan, supervisor: Supervisor) -> Iterator[Service]:
    """All services of a plan."""
    yield from _infrastructure_services(home, plan)
    yield from _feed_services(plan, supervisor)
    yield from _dagster_services(home, plan, supervisor)
    yield from _serving_services(plan, supervisor)
    yield _watchdog_service(plan, supervisor)
    if plan.mlflow_port:
        yield _mlflow_service(home, plan)
    yield _activator_service(home, plan, supervisor)


def _infrastructure_services(home: Home, plan: Plan) -> Iterator[Service]:
    if plan.postgres_port:
        server = with_database(plan.database_url, "postgres")
        yield Service(postgres.server_program(home, plan.postgres_port), (), partial(probes.is_postgres_ready, server))
    if plan.valkey_port:
        program = valkey.server_program(home, plan.valkey_port, home.secret("valkey"))
        yield Service(program, (), partial(probes.is_valkey_ready, plan.redis_url))


def _feed_services(plan: Plan, supervisor: Supervisor) -> Iterator[Service]:
    if plan.feed_port is None:
        return
    options = {
        Feed.REPLAY: ("edge_assets.sandbox.server", "--recording", str(plan.recording), "--speed", plan.speed),
        Feed.SIMULATE: ("edge_assets.sandbox.simulator", "--seed", str(plan.seed)),
    }[plan.feed]
    command = (*PYTHON_MODULE, *options, "--port", str(plan.feed_port))
    yield Service(
        Program("feed", command), (), partial(probes.is_serving, supervisor, "feed", plan.feed_port, "/_edge/ready")
    )


def _dagster_services(home: Home, plan: Plan, supervisor: Supervisor) -> Iterator[Service]:
    """The daemon starts after the code servers: it logs thirty lines a second for each that is missing."""
    code_locations = dagster_home.load_code_locations()
    yield from (_code_server_service(home, location) for location in code_locations)
    workspace = ("--workspace", str(dagster_home.workspace_file(home)))
    yield Service(
        Program(
            "dagster-daemon",
            (*PYTHON_MODULE, "edge_assets.defs.daemon", "run", *LOG_LEVEL_OPTIONS, *workspace),
            stop_seconds=DAEMON_STOP_SECONDS,
        ),
        ("databases", "feed-sports", *(location.service for location in code_locations)),
        partial(probes.is_program_running, supervisor, "dagster-daemon"),
    )
    port = str(plan.inner_ports["dagster-webserver"])
    web_command = ("edge_assets.web.dagster_ui", "--host", HOST, "--port", port, *workspace)
    yield _on_demand_service(
        Program("dagster-webserver", (*PYTHON_MODULE, *web_command), stop_seconds=SHORT_STOP_SECONDS, on_demand=True)
    )


def _code_server_service(home: Home, location: dagster_home.CodeLocation) -> Service:
    path = socket_path(home, location.service)
    location_options = ("--module-name", location.module, "--location-name", location.name)
    socket_options = ("--socket", str(path), "--use-python-environment-entry-point")
    command = (*PYTHON_MODULE, "dagster", "api", "grpc", *LOG_LEVEL_OPTIONS, *location_options, *socket_options)
    program = Program(location.service, command, stop_signal="KILL")  # its runs have ended; Dagster would wait for more
    essential = location.name == dagster_home.ESSENTIAL_LOCATION
    return Service(
        program, ("databases", "feed-sports"), partial(probes.is_socket_listening, path), essential=essential
    )


def _serving_services(plan: Plan, supervisor: Supervisor) -> Iterator[Service]:
    after = ("migrations", "feed-sports", *(("valkey",) if plan.valkey_port else ()))
    scorer = Program("scorer", (*PYTHON_MODULE, "serving.scorer"))
    yield Service(scorer, after, partial(probes.is_program_running, supervisor, "scorer"))
    yield Service(
        Program("serving", (*PYTHON_MODULE, "serving", "--host", HOST, "--port", str(plan.serving_port))),
        after,
        partial(probes.is_serving, supervisor, "serving", plan.serving_port, "/readyz"),
    )


def _watchdog_service(plan: Plan, supervisor: Supervisor) -> Service:
    listening = {
        "serving": plan.serving_port,
        "feed": plan.feed_port,
        "activator": plan.dagster_port,
        "valkey": plan.valkey_port,
        "postgres": plan.postgres_port,
        "dagster-page": plan.inner_ports["dagster-webserver"],
        "mlflow": plan.inner_ports["mlflow"] if plan.mlflow_port else None,
    }
    ports = [word for name, port in listening.items() if port for word in (f"--{name}-port", str(port))]
    servers = [word for location in dagster_home.load_code_locations() for word in ("--code-server", location.service)]
    command = (*PYTHON_MODULE, "edge_assets.local.watchdog", *ports, *servers)
    return Service(
        Program("watchdog", command, stop_seconds=SHORT_STOP_SECONDS),
        ("migrations", "feed-sports"),
        partial(probes.is_program_running, supervisor, "watchdog"),
        essential=False,
    )


def _mlflow_service(home: Home, plan: Plan) -> Service:
    """MLflow; its database URL is in the environment, because it contains a password."""
    environment = {
        "MLFLOW_BACKEND_STORE_URI": sqlalchemy_url(plan.mlflow_database_url),
        "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
    }
    artifacts = ("--serve-artifacts", "--artifacts-destination", home.mlflow.as_uri())
    address_options = ("--host", HOST, "--port", str(plan.inner_ports["mlflow"]))
    command = (*PYTHON_MODULE, "edge_assets.web.mlflow_ui", "server", *address_options, *artifacts)
    return _on_demand_service(
        Program("mlflow", command, environment=environment, stop_seconds=SHORT_STOP_SECONDS, on_demand=True),
    )


def _on_demand_service(program: Program) -> Service:
    """A service that supervisord knows and the activator starts."""
    return Service(program, ("databases",), lambda: True)


def _activator_service(home: Home, plan: Plan, supervisor: Supervisor) -> Service:
    """Listens on the public ports of the services that start on demand."""
    public_ports = {
        "dagster-webserver": plan.dagster_port,
        **({"mlflow": plan.mlflow_port} if plan.mlflow_port else {}),
    }
    routes = (f"{name}:{port}:{plan.inner_ports[name]}" for name, port in public_ports.items())
    command = (*PYTHON_MODULE, "edge_assets.local.activator", str(home.root), *routes)
    ready = partial(probes.is_program_listening, supervisor, "activator", plan.dagster_port)
    return Service(Program("activator", command, stop_seconds=SHORT_STOP_SECONDS), ("databases",), ready)
