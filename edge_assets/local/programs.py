"""Programs to keep running, and their sections in supervisord's configuration."""

from __future__ import annotations

import shlex
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

MIN_UPTIME_SECONDS = 3
"""A program that exits sooner has failed to start; most settings errors show within this time."""
START_RETRIES = 1_000_000
"""Practically forever: a full disk or an unreachable database may recover unattended. supervisord's pause grows by a
second per try, so after an outage of T seconds it is at most sqrt(2 T) seconds."""
INFRASTRUCTURE = ("postgres", "valkey")
"""Stopped last, when nothing uses them any more."""
MAX_LOG_BYTES = 5_000_000
MAX_LOG_BACKUPS = 2


@dataclass(frozen=True)
class Program:
    """What to run.

    `stop_group`: signal its children too; not for a server that stops its own children in order. `on_demand`: started
    by the activator, not by supervisord.
    """

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)
    stop_signal: str = "TERM"
    stop_seconds: int = 10
    stop_group: bool = True
    on_demand: bool = False


def escape_percent(text: str | Path) -> str:
    """Escape `%` for supervisord's configuration."""
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
        "stdout_logfile": escape_percent(logs / f"{program.name}.log"),  # expanded twice
        "stdout_logfile_maxbytes": str(MAX_LOG_BYTES),
        "stdout_logfile_backups": str(MAX_LOG_BACKUPS),
    }
    lines = [f"{key}={escape_percent(value)}" for key, value in options.items() if value]
    return "\n".join([f"[program:{program.name}]", *lines, ""])
