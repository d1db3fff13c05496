"""A program to be kept running, and its section in supervisord's configuration."""

from __future__ import annotations

import shlex
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

MIN_UPTIME_SECONDS = 3
"""A program that ends sooner has failed to start; most of ours find fault with their settings within it."""
START_RETRIES = 1_000_000
"""For ever: whatever is missing (a disk that is full, a database that is away) may come back, and nobody watches.
supervisord's pause grows by a second a try, so that after a fault of T seconds it is at most the root of 2 T."""
MAX_LOG_BYTES = 5_000_000
MAX_LOG_BACKUPS = 2


@dataclass(frozen=True)
class Program:
    """What to run; `stop_group` is whether its children are stopped by signal too (a server that stops its own
    children in order wants none), `on_demand` whether it waits to be started (see `activator`)."""

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)
    stop_signal: str = "TERM"
    stop_seconds: int = 10
    stop_group: bool = True
    on_demand: bool = False


def escape_percent(text: str | Path) -> str:
    """As supervisord's configuration wants a text that may hold a `%`."""
    return str(text).replace("%", "%%")


def format_section(program: Program, logs: Path) -> str:
    """The `[program:x]` section of a program that writes to `logs`."""
    options = {
        "command": shlex.join(program.command),
        "environment": ",".join(f'{key}="{value}"' for key, value in program.environment.items()),
        "stopsignal": program.stop_signal,
        "stopwaitsecs": str(program.stop_seconds),
        "stopasgroup": str(program.stop_group),
        "killasgroup": str(program.stop_group),
        "autostart": str(not program.on_demand),
        "autorestart": "true",
        "startsecs": str(MIN_UPTIME_SECONDS),
        "startretries": str(START_RETRIES),
        "redirect_stderr": "true",
        "stdout_logfile": escape_percent(logs / f"{program.name}.log"),  # read twice, each time with variables
        "stdout_logfile_maxbytes": str(MAX_LOG_BYTES),
        "stdout_logfile_backups": str(MAX_LOG_BACKUPS),
    }
    lines = [f"{key}={escape_percent(value)}" for key, value in options.items() if value]
    return "\n".join([f"[program:{program.name}]", *lines, ""])
