"""The database of a home for one command: that of the running stack, else the embedded server, started for its time."""

from __future__ import annotations

import signal
import subprocess
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING

import psutil

from edge_assets.local import postgres, probes
from edge_assets.local.dumps import dump_before_migration
from edge_assets.local.errors import LocalError
from edge_assets.local.external_servers import check_database
from edge_assets.local.plan import FEED_DATABASES, Plan, default_feed
from edge_assets.local.ports import allocate_port
from edge_assets.local.startup import StartupStep, start_in_order
from edge_assets.local.supervisor import Supervisor
from edge_assets.local.survivors import find_stack_processes
from edge_assets.store.postgres.database import ensure_database

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from edge_assets.core.settings import Settings
    from edge_assets.local.home import Home
    from edge_assets.local.programs import Program

MAX_LOG_LINES = 15


@contextmanager
def open_database(home: Home, settings: Settings) -> Iterator[str]:
    """The database of DATABASE_URL, of the running stack, or of the embedded server, which is stopped at the end.

    The embedded server runs under the lock of the home, so that no stack and no second server start meanwhile. An old
    schema is dumped first, as by `edge up`. Raises `LocalError` if another command holds the lock, or if the database
    cannot be reached or started.
    """
    plan = Plan.load(home)
    if settings.database_url or (plan and (Supervisor(home).pid is not None or plan.postgres_port is None)):
        url = settings.database_url or (plan.database_url if plan else "")
        check_database(url)
        yield url
        return
    with home.lock():
        if any(find_stack_processes(home)):
            yield _database_of_crashed_stack(home, plan)
            return
        with _run_server(home) as server_url:
            name = FEED_DATABASES[plan.feed if plan else default_feed(settings)].database
            url = ensure_database(server_url, name)
            dump_before_migration(home, url)
            yield url


def _database_of_crashed_stack(home: Home, plan: Plan | None) -> str:
    """The database of a stack whose supervisord is dead, if it still answers."""
    if plan is None or not probes.is_postgres_ready(plan.database_url):
        msg = f"processes of an earlier command are still running in {home.root}"
        raise LocalError(msg, "run `edge down`, then try again")
    return plan.database_url


@contextmanager
def _run_server(home: Home) -> Iterator[str]:
    """Run the embedded server, and stop it at the end; yields the URL of its maintenance database."""
    password = home.secret("postgres")
    postgres.prepare_cluster(home, password)
    port = allocate_port(home, "postgres")
    program, url = postgres.server_program(home, port), postgres.server_url(port, password)
    log = home.logs / "postgres.log"
    with log.open("ab") as output:
        log_offset = output.tell()
        # in a separate session: Ctrl-C must not stop the server before the client
        server = subprocess.Popen(  # noqa: S603 - our own command
            program.command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True
        )
    try:
        is_ready = partial(_is_ready, server, url, log, log_offset)
        step = StartupStep("postgres", (), lambda: None, is_ready, measure_progress=partial(_cpu_seconds, server.pid))
        start_in_order([step], lambda *_: None)
        yield url
    finally:
        _stop(server, program)


def _is_ready(server: subprocess.Popen[bytes], url: str, log: Path, log_offset: int) -> bool:
    if server.poll() is not None:
        written = log.read_bytes()[log_offset:].decode(errors="replace")
        log_tail = "\n".join(written.splitlines()[-MAX_LOG_LINES:])
        msg = f"the embedded database does not start; last log lines:\n{log_tail}"
        raise LocalError(msg, f"see {log}")
    return probes.is_postgres_ready(url)


def _cpu_seconds(pid: int) -> float:
    """CPU time of the server and its children: a recovery takes time, and shows progress."""
    try:
        process = psutil.Process(pid)
        return sum(sum(p.cpu_times()[:2]) for p in (process, *process.children(recursive=True)))
    except psutil.Error:
        return 0.0


def _stop(server: subprocess.Popen[bytes], program: Program) -> None:
    """Shut the server down; kill it if it takes too long."""
    server.send_signal(signal.Signals[f"SIG{program.stop_signal}"])
    try:
        server.wait(program.stop_seconds)
    except subprocess.TimeoutExpired:
        server.kill()
        server.wait()
