"""Free TCP ports on the loopback interface, the same at every start if possible."""

from __future__ import annotations

import secrets
import socket
from typing import TYPE_CHECKING

from edge_assets.local.errors import LocalError

if TYPE_CHECKING:
    from edge_assets.local.home import Home

HOST = "127.0.0.1"
PREFERRED_PORTS = {"serving": 8000, "dagster-webserver": 3000, "mlflow": 5000}
"""Ports that users expect in a browser; other services take any free port."""
ACTIVATOR_PATH = "/_edge/activator"
"""The activator's own health check, which starts no service."""

EPHEMERAL_SAFE_PORTS = range(20_000, 32_768)
"""Below Linux's range of ephemeral ports for outgoing connections."""


def is_free(port: int) -> bool:
    """Whether a server could listen on `port` now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except (OSError, OverflowError, TypeError):  # taken, or not a port number
            return False
        return True


def allocate_port(home: Home, service: str, requested: int | None = None) -> int:
    """The port for `service`: the requested one, else the preferred, the previous or any free one.

    Raises `LocalError` if the requested port is taken.
    """
    if requested is not None:
        if not is_free(requested):
            msg = f"port {requested} is taken by another program"
            raise LocalError(msg, "stop that program, or choose another with --port")
        return requested
    previous: dict[str, int] = home.get_state("ports", {})
    candidates = (PREFERRED_PORTS.get(service), previous.get(service))
    port = next((p for p in candidates if p and is_free(p)), None) or _find_free_port(previous)
    home.set_state("ports", previous | {service: port})
    return port


def _find_free_port(previous: dict[str, int]) -> int:
    free = (port for port in secrets.SystemRandom().sample(EPHEMERAL_SAFE_PORTS, k=100) if is_free(port))
    return next(port for port in free if port not in previous.values())
