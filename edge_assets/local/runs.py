"""The processes of Dagster's runs, of which a code server spawns one for each."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

import psutil

if TYPE_CHECKING:
    from collections.abc import Iterator


def find_run_processes(code_server: int) -> Iterator[psutil.Process]:
    """Those that a code server with this process id (0: none) has spawned, from their first moment on."""
    children: list[psutil.Process] = []
    with suppress(psutil.Error):
        children = psutil.Process(code_server).children(recursive=True) if code_server else []
    yield from filter(is_run, children)


def is_run(process: psutil.Process) -> bool:
    """Whether a process is a run's, and has not ended."""
    try:
        return process.status() != psutil.STATUS_ZOMBIE and any("spawn_main" in word for word in process.cmdline())
    except psutil.Error:
        return False
