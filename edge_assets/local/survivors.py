"""Finds the processes of a home's stack without its supervisor."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

import psutil

from edge_assets.local.supervisor import STACK_MARKER

if TYPE_CHECKING:
    from collections.abc import Iterator

    from edge_assets.local.home import Home


def find_stack_processes(home: Home) -> Iterator[psutil.Process]:
    """Every running process of this home's stack, supervised or not."""
    for process in psutil.process_iter():
        try:
            if _belongs_to_stack(process, home):
                yield process
        except psutil.Error:  # gone, or another user's
            continue


def has_services(home: Home) -> bool:
    """Whether any process except a database runs: an import runs the embedded database without a stack."""
    for process in find_stack_processes(home):
        with suppress(psutil.Error):
            if process.name() != "postgres":
                return True
    return False


def _belongs_to_stack(process: psutil.Process, home: Home) -> bool:
    """Identified by the marker in the environment; PostgreSQL overwrites it, so by its working directory."""
    if process.environ().get(STACK_MARKER) == str(home.root):
        return process.status() != psutil.STATUS_ZOMBIE
    return process.name() == "postgres" and process.cwd() == str(home.postgres)
