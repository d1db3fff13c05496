"""Stopping the stack, however it was left."""

from __future__ import annotations

import signal
from contextlib import suppress
from typing import TYPE_CHECKING

import psutil

from edge_assets.local.errors import LocalError
from edge_assets.local.services import INFRASTRUCTURE
from edge_assets.local.supervisor import MARKER, Supervisor

if TYPE_CHECKING:
    from collections.abc import Iterator

    from edge_assets.local.home import Home

SECONDS_TO_END = 10.0
ATTEMPTS = 3
"""A supervisord that is being ended may have started a program anew in the meantime."""


def down(home: Home) -> int:
    """Stop everything of this home; returns how many processes there were. Nothing to stop is no error."""
    found = len(list(survivors(home)))
    with suppress(LocalError, OSError, psutil.Error):  # a supervisord that cannot do it is ended itself
        _ask(Supervisor(home))
    for _ in range(ATTEMPTS):
        if not (left := list(survivors(home))):
            return found
        _end(left)
    msg = f"processes {', '.join(str(process.pid) for process in left)} do not end"
    raise LocalError(msg, "end them yourself: kill -9")


def _ask(supervisor: Supervisor) -> None:
    """An orderly end: the databases last."""
    names = {program.name for program in supervisor.programs()}
    supervisor.stop(names - set(INFRASTRUCTURE))
    supervisor.stop(names & set(INFRASTRUCTURE))
    supervisor.shutdown()


def survivors(home: Home) -> Iterator[psutil.Process]:
    """Every process that this home's stack started and that still runs, under supervision or not."""
    for process in psutil.process_iter():
        try:
            if _belongs(process, home):
                yield process
        except psutil.Error:  # gone, or somebody else's
            continue


def _belongs(process: psutil.Process, home: Home) -> bool:
    """By the marker in the environment; PostgreSQL overwrites that, so by its working directory."""
    if process.environ().get(MARKER) == str(home.root):
        return process.status() != psutil.STATUS_ZOMBIE
    return process.name() == "postgres" and process.cwd() == str(home.postgres)


def _end(processes: list[psutil.Process]) -> None:
    """Ask first, then kill. For PostgreSQL SIGINT asks, and its own sessions are its to end."""
    for process in processes:
        _send(process, signal.SIGINT if process.name() == "postgres" else signal.SIGTERM)
    _, stubborn = psutil.wait_procs(processes, timeout=SECONDS_TO_END)
    for process in stubborn:
        _send(process, signal.SIGKILL)
    psutil.wait_procs(stubborn, timeout=SECONDS_TO_END)


def _send(process: psutil.Process, number: signal.Signals) -> None:
    with suppress(psutil.NoSuchProcess):
        process.send_signal(number)
