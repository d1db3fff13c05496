"""Free TCP ports on the loopback interface, the same ones from start to start where possible."""

from __future__ import annotations

import secrets
import socket
from typing import TYPE_CHECKING

from edge_assets.local.errors import LocalError

if TYPE_CHECKING:
    from edge_assets.local.home import Home

HOST = "127.0.0.1"
PREFERRED_PORTS = {"serving": 8000, "dagster-webserver": 3000, "mlflow": 5000}
"""What a person expects to type into a browser; every other service takes any free port."""
ACTIVATOR_PATH = "/_edge/activator"
"""Where the activator answers for itself, and starts nothing."""

EPHEMERAL_SAFE_PORTS = range(20_000, 32_768)
"""Below the range from which Linux takes the local end of outgoing connections."""


def is_free(port: int) -> bool:
    """Whether a server could listen on `port` now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except (OSError, OverflowError, TypeError):  # taken, or no port
            return False
        return True


def allocate_port(home: Home, service: str, requested: int | None = None) -> int:
    """The port for `service`: the one asked for, else the preferred, the remembered or any free one.

    Raises `LocalError` if the one asked for is taken.
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
