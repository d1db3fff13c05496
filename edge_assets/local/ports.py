"""Free TCP ports on the loopback interface, the same ones from start to start where possible."""

from __future__ import annotations

import secrets
import socket
from typing import TYPE_CHECKING

from edge_assets.local.errors import LocalError

if TYPE_CHECKING:
    from edge_assets.local.home import Home

HOST = "127.0.0.1"
PREFERRED = {"serving": 8000, "dagster-webserver": 3000, "mlflow": 5000}
"""What a person expects to type into a browser; every other service takes any free port."""
ACTIVATOR_PATH = "/_edge/activator"
"""Where the activator answers for itself, and starts nothing."""

QUIET_PORTS = range(20_000, 32_768)
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


def choose(home: Home, service: str, asked_for: int | None = None) -> int:
    """The port for `service`: the one asked for, else the preferred, the remembered or any free one.

    Raises `LocalError` if the one asked for is taken.
    """
    if asked_for is not None:
        if not is_free(asked_for):
            msg = f"port {asked_for} is taken by another program"
            raise LocalError(msg, "stop that program, or choose another with --port")
        return asked_for
    remembered: dict[str, int] = home.recall("ports", {})
    candidates = (PREFERRED.get(service), remembered.get(service))
    port = next((p for p in candidates if p and is_free(p)), None) or _any_free(remembered)
    home.remember("ports", remembered | {service: port})
    return port


def _any_free(remembered: dict[str, int]) -> int:
    free = (port for port in secrets.SystemRandom().sample(QUIET_PORTS, k=100) if is_free(port))
    return next(port for port in free if port not in remembered.values())
