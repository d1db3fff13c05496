"""The web server around the application."""

from __future__ import annotations

import socket
import sys
from typing import TYPE_CHECKING

import uvicorn

from edge_assets.web.connections import LimitedHttpProtocol, LimitedWebSocketProtocol
from edge_assets.web.descriptors import raise_descriptor_limit

if TYPE_CHECKING:
    from collections.abc import Sequence

    from starlette.types import ASGIApp

DEAD_PEER_TIMEOUT_MS = 60_000
"""Linux drops a connection whose peer accepts no data for this long; asyncio's close would wait forever."""
MAX_MESSAGE_BYTES = 16_384
SHUTDOWN_TIMEOUT_SECONDS = 5


def build_config(app: ASGIApp, host: str, port: int, proxies: Sequence[str] = ()) -> uvicorn.Config:
    """The server's configuration; only `proxies` (addresses, networks) may set the client's address.

    No permessage-deflate: it would double the CPU of a fan-out and take 44 KB per client.
    """
    return uvicorn.Config(
        app,
        host=host,
        port=port,
        http=LimitedHttpProtocol,
        ws=LimitedWebSocketProtocol,
        ws_per_message_deflate=False,
        ws_max_size=MAX_MESSAGE_BYTES,
        proxy_headers=bool(proxies),
        forwarded_allow_ips=list(proxies),
        server_header=False,
        timeout_graceful_shutdown=SHUTDOWN_TIMEOUT_SECONDS,
        access_log=False,
        log_level="warning",
    )


def open_listener(config: uvicorn.Config) -> socket.socket:
    """The listening socket; raises `OSError` if the address is taken."""
    raise_descriptor_limit()
    family = socket.AF_INET6 if ":" in config.host else socket.AF_INET
    listener = socket.create_server((config.host, config.port), family=family, backlog=config.backlog)
    if sys.platform == "linux":
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, DEAD_PEER_TIMEOUT_MS)
    return listener
