"""Stops the stack, in whatever state it is."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from contextlib import suppress
from typing import TYPE_CHECKING

import psutil

from edge_assets.core.settings import HomeSettings
from edge_assets.local import sockets
from edge_assets.local.dagster_home import load_code_locations
from edge_assets.local.errors import LocalError
from edge_assets.local.home import write_private
from edge_assets.local.programs import INFRASTRUCTURE
from edge_assets.local.runs import find_run_processes
from edge_assets.local.supervisor import Supervisor
from edge_assets.local.survivors import find_stack_processes

if TYPE_CHECKING:
    from edge_assets.local.home import Home

TERMINATE_TIMEOUT_SECONDS = 10.0
END_RUNS_TIMEOUT_SECONDS = 45.0
"""Normally two or three, ten times that on a busy machine."""
MAX_ATTEMPTS = 3
"""While it is being stopped, supervisord may have restarted a program."""


def down(home: Home) -> int:
    """Stop everything of this home; returns how many processes there were, 0 if nothing ran."""
    found = len(list(find_stack_processes(home)))
    with suppress(LocalError, OSError, psutil.Error):  # if supervisord cannot, everything is terminated below
        _stop_in_order(home, Supervisor(home))
    for _ in range(MAX_ATTEMPTS):
        if not (remaining := list(find_stack_processes(home))):
            sockets.remove_directory(home)
            return found
        _terminate(remaining)
    msg = f"processes {', '.join(str(process.pid) for process in remaining)} did not stop"
    raise LocalError(msg, "kill them: kill -9 PID")


def _stop_in_order(home: Home, supervisor: Supervisor) -> None:
    """Stop in order: what launches runs, the runs, what they need and their code servers, the databases."""
    programs = supervisor.programs()
    names = {program.name for program in programs}
    code_servers = {location.service for location in load_code_locations()}
    runs_file = HomeSettings(edge_home=home.root).ending_runs_path
    runs = [run.pid for program in programs if program.name in code_servers for run in find_run_processes(program.pid)]
    write_private(runs_file, json.dumps(runs))
    needed_by_runs = code_servers | {"feed"} | set(INFRASTRUCTURE)  # a burst whose feed is gone ends a retry later
    supervisor.request_stop(names - needed_by_runs)
    supervisor.stop(names & {"dagster-daemon"})
    if runs_file.exists():
        _end_runs(home)
        runs_file.unlink(missing_ok=True)
    supervisor.stop(names - set(INFRASTRUCTURE))
    supervisor.stop(names & set(INFRASTRUCTURE))
    supervisor.shutdown()


def _end_runs(home: Home) -> None:
    """End the runs if the daemon did not, because it is gone or hangs."""
    from edge_assets.local.environment import dagster_environment  # noqa: PLC0415 - rarely needed, slow to import
    from edge_assets.local.plan import Plan  # noqa: PLC0415

    with suppress(LocalError, subprocess.TimeoutExpired):  # a damaged plan, or an unreachable database
        if plan := Plan.load(home):
            command = [sys.executable, "-m", "edge_assets.defs.run_termination"]
            environment = {**os.environ, **dagster_environment(home, plan), "EDGE_HOME": str(home.root)}
            subprocess.run(command, env=environment, check=False, capture_output=True, timeout=END_RUNS_TIMEOUT_SECONDS)  # noqa: S603 - ours


def _terminate(processes: list[psutil.Process]) -> None:
    """Signal first, then kill. SIGINT makes PostgreSQL end its own sessions."""
    for process in processes:
        _send_signal(process, signal.SIGINT if process.name() == "postgres" else signal.SIGTERM)
    _, alive = psutil.wait_procs(processes, timeout=TERMINATE_TIMEOUT_SECONDS)
    for process in alive:
        _send_signal(process, signal.SIGKILL)
    psutil.wait_procs(alive, timeout=TERMINATE_TIMEOUT_SECONDS)


def _send_signal(process: psutil.Process, number: signal.Signals) -> None:
    with suppress(psutil.NoSuchProcess):
        process.send_signal(number)
