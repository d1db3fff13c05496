"""How a stack fares: its services, whether it works, and what its database counts. Answers whatever hangs."""

from __future__ import annotations

import shutil
from contextlib import closing
from typing import TYPE_CHECKING, Any, NamedTuple

import psutil
import psycopg

from edge_assets.health.assessment import assess, assess_lost, without_database
from edge_assets.health.credits import foresee
from edge_assets.health.findings import Finding
from edge_assets.health.machine import Machine, assess_machine
from edge_assets.local.errors import LocalError
from edge_assets.local.listeners import owns
from edge_assets.local.memory import memory_by_service
from edge_assets.local.plan import Plan
from edge_assets.local.supervisor import Supervisor
from edge_assets.local.survivors import survivors
from edge_assets.local.watchdog import probing
from edge_assets.local.watchdog.notes import read_beside
from edge_assets.local.watchdog.rounds import DOWN, REDIS_KINDS, without_supervisor
from edge_assets.lost_polls import folder_of, read_all
from edge_assets.settings import Feed
from edge_assets.store.credit_use import read_credit_use
from edge_assets.store.problems import ProblemKind
from edge_assets.store.status import status as counts
from edge_assets.store.vital_signs import ANSWER_SECONDS, connect_briefly, read_vital_signs

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

    from psycopg import Connection

    from edge_assets.health.credits import CreditOutlook
    from edge_assets.health.findings import Health
    from edge_assets.local.home import Home
    from edge_assets.local.supervisor import ProgramInfo


class Examined(NamedTuple):
    """Whether a stack works, the credits of a metered feed, and what its database counts."""

    health: Health
    credits: CreditOutlook | None = None
    counts: dict[str, Any] = {}  # noqa: RUF012 - never changed


def status(home: Home) -> dict[str, Any]:
    """`running`, `feed`, `urls`, `services` with the bytes each takes, `health`, `credits`, and the database's counts.

    What cannot be known is told under `unknown`, with the reason.
    """
    supervisor = Supervisor(home)
    if not is_running(home):
        return {"running": False, "home": str(home.root), "services": {}}
    plan = Plan.load(home)
    programs, beside = _programs(supervisor)
    state: dict[str, Any] = {"running": True, "home": str(home.root), "services": _services(programs)}
    if plan is None:
        return state
    health, outlook, counted = _examine(home, plan, programs, beside, _counts)
    return {
        **state,
        "feed": plan.feed.value,
        "world": plan.story,
        "urls": plan.urls,
        "health": {
            "status": health.status,
            "headline": health.headline,
            "problems": [finding.as_json() for finding in health.findings],
        },
        **({"credits": {**outlook.as_json(), "summary": outlook.sentence}} if outlook else {}),
        **counted,
    }


def examine(home: Home) -> Examined | None:
    """Whether the stack of this home works; None if none runs."""
    supervisor = Supervisor(home)
    plan = Plan.load(home) if is_running(home) else None
    if plan is None:
        return None
    return _examine(home, plan, *_programs(supervisor), lambda _: {})


def is_running(home: Home) -> bool:
    """Whether anything of a stack runs, under supervision or not."""
    return Supervisor(home).pid is not None or any(survivors(home))


def _examine(
    home: Home,
    plan: Plan,
    programs: list[ProgramInfo],
    beside: list[Finding],
    count: Callable[[Connection], dict[str, Any]],
) -> Examined:
    beside = [*beside, *_seen_beside(home, plan, programs)]
    try:
        with closing(connect_briefly(plan.database_url, "edge status")) as conn:
            signs = read_vital_signs(conn)
            return Examined(assess(signs, beside), _outlook(conn, plan, signs.now), count(conn))
    except psycopg.Error as error:
        counted = {"unknown": f"counts: the database does not answer: {_why(error)}"}
        return Examined(without_database(_why(error), [*beside, *read_beside(home)]), counts=counted)


def _programs(supervisor: Supervisor) -> tuple[list[ProgramInfo], list[Finding]]:
    if supervisor.pid is None:
        return [], [without_supervisor()]
    try:
        return supervisor.programs(), []
    except (LocalError, OSError) as error:
        return [], [Finding(ProblemKind.SERVICE_HANGS, "supervisord", str(error))]


def _services(programs: list[ProgramInfo]) -> dict[str, dict[str, Any]]:
    memory = memory_by_service({program.name: program.pid for program in programs if program.pid})
    return {
        p.name: {"state": p.state, "pid": p.pid or None, "about": p.description, "memory_bytes": memory.get(p.name)}
        for p in programs
    }


def _seen_beside(home: Home, plan: Plan, programs: list[ProgramInfo]) -> Iterator[Finding]:
    """What is seen without the database and without the watchdog, which may hang itself."""
    for program in programs:
        if program.state in DOWN:
            said = probing.last_words(home.logs / f"{program.name}.log")
            yield Finding(ProblemKind.SERVICE_DOWN, program.name, said or program.description)
    yield from _serving(plan, programs)
    if fault := probing.redis_fault(plan.redis_url):
        yield Finding(REDIS_KINDS[fault[0]], "", fault[1])
    yield from assess_lost(read_all(folder_of(home.root, plan.feed.value)))
    memory = psutil.virtual_memory().available
    yield from assess_machine(Machine(str(home.root), shutil.disk_usage(home.root).free, memory))


def _serving(plan: Plan, programs: list[ProgramInfo]) -> Iterator[Finding]:
    if not any(program.name == "serving" and program.state == "RUNNING" for program in programs):
        return
    if probing.get_json(plan.serving_port, "/readyz") is None:
        yield Finding(ProblemKind.SERVICE_HANGS, "serving", f"no answer within {probing.SECONDS:.0f} seconds")
    elif not owns(programs, "serving", plan.serving_port):
        detail = f"another program answers on its port {plan.serving_port}"
        yield Finding(ProblemKind.SERVICE_DOWN, "serving", detail)


def _outlook(conn: Connection, plan: Plan, now: datetime) -> CreditOutlook | None:
    if plan.feed is not Feed.ODDS_API:
        return None
    return foresee(read_credit_use(conn, plan.feed.value, now), now)


def _counts(conn: Connection) -> dict[str, Any]:
    try:
        return counts(conn)
    except psycopg.errors.QueryCanceled:
        return {"unknown": f"counts: the database did not give them within {ANSWER_SECONDS} seconds"}


def _why(error: psycopg.Error) -> str:
    """In a line, without what a driver adds."""
    if isinstance(error, psycopg.errors.ConnectionTimeout):
        return f"no answer within {ANSWER_SECONDS} seconds"
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[0] if lines else type(error).__name__
