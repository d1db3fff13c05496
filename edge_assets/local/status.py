"""The state of a stack: its services, its health, and counts from its database. Answers even if a service hangs."""

from __future__ import annotations

import shutil
from contextlib import closing
from typing import TYPE_CHECKING, Any, NamedTuple

import psutil
import psycopg

from edge_assets.core.lost_polls import lost_polls_folder, read_all
from edge_assets.core.settings import Feed
from edge_assets.health.assessment import assess_health, assess_lost_polls, assess_without_database
from edge_assets.health.credits import forecast_credits
from edge_assets.health.issues import HealthIssue
from edge_assets.health.machine import MachineResources, assess_machine
from edge_assets.local.errors import LocalError
from edge_assets.local.listeners import owns_port
from edge_assets.local.memory import memory_by_service
from edge_assets.local.plan import Plan
from edge_assets.local.supervisor import Supervisor
from edge_assets.local.survivors import has_services
from edge_assets.local.watchdog import probing
from edge_assets.local.watchdog.issue_reporter import read_fallback_file
from edge_assets.local.watchdog.rounds import DOWN_STATES, REDIS_KINDS, supervisor_down_finding
from edge_assets.store.health.problems import ProblemKind
from edge_assets.store.health.totals import load_status as load_totals
from edge_assets.store.health.vital_signs import STATEMENT_TIMEOUT_SECONDS, connect_with_timeout, load_health_snapshot
from edge_assets.store.polls.credit_use import load_credit_use

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

    from psycopg import Connection

    from edge_assets.health.credits import CreditForecast
    from edge_assets.health.issues import Health
    from edge_assets.local.home import Home
    from edge_assets.local.supervisor import ProgramInfo


class StackHealth(NamedTuple):
    """The health of a stack, the credits of a metered feed, and counts from its database."""

    health: Health
    credits: CreditForecast | None = None
    counts: dict[str, Any] = {}  # noqa: RUF012 - never changed


def load_status(home: Home) -> dict[str, Any]:
    """`running`, `feed`, `urls`, `services` with their memory use, `health`, `credits`, and the database's counts.

    `unknown` states what could not be determined, and why.
    """
    supervisor = Supervisor(home)
    if not is_running(home):
        return {"running": False, "home": str(home.root), "services": {}}
    plan = Plan.load(home)
    programs, other_findings = _load_programs(supervisor)
    state: dict[str, Any] = {"running": True, "home": str(home.root), "services": _describe_services(programs)}
    if plan is None:
        return state
    health, outlook, database_counts = _check_health(home, plan, programs, other_findings, _load_counts)
    return {
        **state,
        "feed": plan.feed.value,
        "feed_identity": plan.feed_identity,
        "urls": plan.urls,
        "health": {
            "status": health.status,
            "headline": health.headline,
            "problems": [finding.as_json() for finding in health.issues],
        },
        **({"credits": {**outlook.as_json(), "summary": outlook.summary}} if outlook else {}),
        **database_counts,
    }


def check_health(home: Home) -> StackHealth | None:
    """The health of this home's stack; None if none is running."""
    supervisor = Supervisor(home)
    plan = Plan.load(home) if is_running(home) else None
    if plan is None:
        return None
    return _check_health(home, plan, *_load_programs(supervisor), lambda _: {})


def is_running(home: Home) -> bool:
    """Whether any process of a stack runs, supervised or not."""
    return Supervisor(home).pid is not None or has_services(home)


def _check_health(
    home: Home,
    plan: Plan,
    programs: list[ProgramInfo],
    other_findings: list[HealthIssue],
    load_counts: Callable[[Connection], dict[str, Any]],
) -> StackHealth:
    other_findings = [*other_findings, *_findings_outside_database(home, plan, programs)]
    try:
        with closing(connect_with_timeout(plan.database_url, "edge status")) as conn:
            signs = load_health_snapshot(conn)
            return StackHealth(
                assess_health(signs, other_findings), _credit_outlook(conn, plan, signs.now), load_counts(conn)
            )
    except psycopg.Error as error:
        database_counts = {"unknown": f"counts: the database does not answer: {_driver_message(error)}"}
        return StackHealth(
            assess_without_database(_driver_message(error), [*other_findings, *read_fallback_file(home)]),
            counts=database_counts,
        )


def _load_programs(supervisor: Supervisor) -> tuple[list[ProgramInfo], list[HealthIssue]]:
    if supervisor.pid is None:
        return [], [supervisor_down_finding()]
    try:
        return supervisor.programs(), []
    except (LocalError, OSError) as error:
        return [], [HealthIssue(ProblemKind.SERVICE_HANGS, "supervisord", str(error))]


def _describe_services(programs: list[ProgramInfo]) -> dict[str, dict[str, Any]]:
    memory = memory_by_service({program.name: program.pid for program in programs if program.pid})
    return {
        p.name: {"state": p.state, "pid": p.pid or None, "about": p.description, "memory_bytes": memory.get(p.name)}
        for p in programs
    }


def _findings_outside_database(home: Home, plan: Plan, programs: list[ProgramInfo]) -> Iterator[HealthIssue]:
    """Findings that need neither the database nor the watchdog, which may hang itself."""
    for program in programs:
        if program.state in DOWN_STATES:
            last_line = probing.last_log_line(home.logs / f"{program.name}.log")
            yield HealthIssue(ProblemKind.SERVICE_DOWN, program.name, last_line or program.description)
    yield from _serving_findings(plan, programs)
    if fault := probing.redis_fault(plan.redis_url):
        yield HealthIssue(REDIS_KINDS[fault[0]], "", fault[1])
    yield from assess_lost_polls(read_all(lost_polls_folder(home.root, plan.feed.value)))
    memory = psutil.virtual_memory().available
    yield from assess_machine(MachineResources(str(home.root), shutil.disk_usage(home.root).free, memory))


def _serving_findings(plan: Plan, programs: list[ProgramInfo]) -> Iterator[HealthIssue]:
    if not any(program.name == "serving" and program.state == "RUNNING" for program in programs):
        return
    if probing.get_json(plan.serving_port, "/readyz") is None:
        yield HealthIssue(
            ProblemKind.SERVICE_HANGS, "serving", f"no answer within {probing.PROBE_TIMEOUT_SECONDS:.0f} seconds"
        )
    elif not owns_port(programs, "serving", plan.serving_port):
        detail = f"another program answers on its port {plan.serving_port}"
        yield HealthIssue(ProblemKind.SERVICE_DOWN, "serving", detail)


def _credit_outlook(conn: Connection, plan: Plan, now: datetime) -> CreditForecast | None:
    if plan.feed is not Feed.ODDS_API:
        return None
    return forecast_credits(load_credit_use(conn, plan.feed.value, now), now)


def _load_counts(conn: Connection) -> dict[str, Any]:
    try:
        return load_totals(conn)
    except psycopg.errors.QueryCanceled:
        return {"unknown": f"counts: the database did not return them within {STATEMENT_TIMEOUT_SECONDS} seconds"}


def _driver_message(error: psycopg.Error) -> str:
    """The first line of a driver's error."""
    if isinstance(error, psycopg.errors.ConnectionTimeout):
        return f"no answer within {STATEMENT_TIMEOUT_SECONDS} seconds"
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[0] if lines else type(error).__name__
