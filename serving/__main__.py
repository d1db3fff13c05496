"""`python -m serving`: the web server, under uvicorn."""

from __future__ import annotations

import socket
import sys
from typing import Annotated

import typer
import uvicorn

from edge_assets.settings import MissingSettingError, Settings
from serving.app import create_app

DEAD_PEER_MS = 60_000
"""Linux drops a connection whose peer takes nothing for so long; asyncio's close would wait forever."""
MAX_MESSAGE_BYTES = 16_384
SHUTDOWN_SECONDS = 5


def main(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on; 0 chooses a free one.")] = 8000,
) -> None:
    """Serve the API, the live stream and the board."""
    try:
        app = create_app(Settings())
    except MissingSettingError as error:
        sys.exit(str(error))
    # deflate costs 1.5-2.2 times the CPU of a fan-out and 44 KB a client
    config = uvicorn.Config(
        app,
        host=host,
        port=port,
        ws="websockets-sansio",
        ws_per_message_deflate=False,
        ws_max_size=MAX_MESSAGE_BYTES,
        timeout_graceful_shutdown=SHUTDOWN_SECONDS,
        access_log=False,
    )
    listener = config.bind_socket()
    if sys.platform == "linux":
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, DEAD_PEER_MS)
    uvicorn.Server(config).run(sockets=[listener])


if __name__ == "__main__":
    typer.run(main)
