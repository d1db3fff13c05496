"""Whether one of this home's programs listens on a port, or another's does."""

from __future__ import annotations

from typing import TYPE_CHECKING

import psutil

if TYPE_CHECKING:
    from collections.abc import Iterable

    from edge_assets.local.supervisor import ProgramInfo


def owns_port(programs: Iterable[ProgramInfo], name: str, port: int) -> bool:
    """Whether our program `name` or a child of it listens on a port; False for processes of other users."""
    pid = next((program.pid for program in programs if program.name == name), 0)
    try:
        processes = [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)] if pid else []
        return any(
            connection.status == psutil.CONN_LISTEN and connection.laddr.port == port
            for process in processes
            for connection in process.net_connections("tcp")
        )
    except psutil.Error:
        return False
