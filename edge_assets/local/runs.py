"""Processes of Dagster runs; a code server spawns one per run."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

import psutil

if TYPE_CHECKING:
    from collections.abc import Iterator


def find_run_processes(code_server: int) -> Iterator[psutil.Process]:
    """The run processes that a code server (its pid; 0: none) has spawned, including those just starting."""
    children: list[psutil.Process] = []
    with suppress(psutil.Error):
        children = psutil.Process(code_server).children(recursive=True) if code_server else []
    yield from filter(is_run, children)


def is_run(process: psutil.Process) -> bool:
    """Whether a process executes a run and has not ended."""
    try:
        return process.status() != psutil.STATUS_ZOMBIE and any("spawn_main" in word for word in process.cmdline())
    except psutil.Error:
        return False
