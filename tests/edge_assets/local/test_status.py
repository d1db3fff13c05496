"""`edge status` and `edge doctor`, with everything running and with servers that do not answer."""

from __future__ import annotations

import os
import signal
import socket
import sys
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from edge_assets.core.settings import Feed, Settings
from edge_assets.health.credits import forecast_credits
from edge_assets.local import plan as planning
from edge_assets.local.diagnostics import _check_credits
from edge_assets.local.plan import StartOptions
from edge_assets.local.programs import Program
from edge_assets.local.status import check_health, load_status
from edge_assets.local.supervisor import Supervisor
from edge_assets.local.watchdog.issue_reporter import IssueReporter
from edge_assets.local.watchdog.rounds import Endpoints, Watchdog
from edge_assets.local.watchdog.services import WatchedPorts
from edge_assets.store.health.problems import ProblemKind, load_problems, report_problem
from edge_assets.store.polls.credit_use import CreditUse
from edge_assets.store.postgres.database import connect
from tests.support.embedded_servers import eventually
from tests.support.servers.processes import free_port

if TYPE_CHECKING:
    from edge_assets.local.home import Home
    from edge_assets.local.plan import Plan
    from tests.support.embedded_servers import Servers


@pytest.fixture
def plan(servers: Servers, database_url: str, redis_url: str) -> Plan:
    """A stack of which only the database and Redis run."""
    planned = planning.make_plan(Settings(), servers.home, StartOptions(Feed.SIMULATE))
    planned = replace(planned, database_url=database_url, redis_url=redis_url)
    planned.save(servers.home)
    return planned


def test_a_stack_that_works(plan: Plan, servers: Servers) -> None:
    state = load_status(servers.home)
    assert state["running"]
    assert state["health"]["status"] == "ok"
    assert state["services"]["postgres"]["memory_bytes"] > 2**20
    assert state["payloads"] == 0
    assert "unknown" not in state


def test_reported_problems_are_shown(plan: Plan, servers: Servers) -> None:
    with connect(plan.database_url, "test") as conn:
        report_problem(conn, ProblemKind.OUT_OF_CREDITS, "", "0 left")
    [problem] = load_status(servers.home)["health"]["problems"]
    assert (problem["kind"], problem["detail"]) == ("out_of_credits", "0 left")
    stack = check_health(servers.home)
    assert stack is not None
    assert stack.health.status == "down"


def test_a_silent_database_is_reported_within_seconds(plan: Plan, servers: Servers) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        replace(plan, database_url=f"postgresql://edge@127.0.0.1:{port}/edge").save(servers.home)
        began = time.monotonic()
        state = load_status(servers.home)
    assert time.monotonic() - began < 20
    assert state["health"]["status"] == "down"
    assert state["health"]["problems"][0]["kind"] == "database_unreachable"
    assert "2 seconds" in state["unknown"]


def test_a_dead_supervisor_is_reported_while_its_programs_run(home: Home, database_url: str, redis_url: str) -> None:
    planned = planning.make_plan(Settings(), home, StartOptions(Feed.SIMULATE))
    replace(planned, database_url=database_url, redis_url=redis_url).save(home)
    supervisor = Supervisor(home)
    supervisor.launch(os.environ)
    supervisor.add(Program("sleeper", (sys.executable, "-c", "import time; time.sleep(600)")))
    eventually(lambda: any(program.pid for program in supervisor.programs()))
    os.kill(supervisor.pid or 0, signal.SIGKILL)
    eventually(lambda: supervisor.pid is None)
    state = load_status(home)
    assert state["running"]
    assert [(p["kind"], p["subject"]) for p in state["health"]["problems"]] == [("service_down", "supervisord")]
    endpoints = Endpoints(database_url, None, redis_url, WatchedPorts(free_port(), None))
    Watchdog(home, supervisor, endpoints, IssueReporter(home)).run_round()
    with connect(database_url, "test") as conn:
        assert ("service_down", "supervisord") in {(p.kind, p.subject) for p in load_problems(conn)}


def test_credits_that_run_out_are_a_warning_of_the_doctor() -> None:
    now = datetime(2026, 3, 30, 12, tzinfo=UTC)
    use = CreditUse(1_000, now, {}, {"nfl": 200}, now - timedelta(days=1))
    assert _check_credits(forecast_credits(use, now)).verdict == "ok"
    short = _check_credits(forecast_credits(replace(use, remaining=100), now))
    assert (short.verdict, "buy a larger plan" in short.remedy) == ("warn", True)


def test_no_stack_is_running(home: Home) -> None:
    assert load_status(home) == {"running": False, "home": str(home.root), "services": {}}
    assert check_health(home) is None
