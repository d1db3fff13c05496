"""The connected clients and the position in the stream."""

from __future__ import annotations

import asyncio
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterator

    from serving.realtime.client import Client

HEARTBEAT_SECONDS = 15.0


class Hub:
    """All clients of this process.

    `position` is the id of the last alert broadcast, None before the database was first reached. `read_at` is when
    database and stream last answered the reader (monotonic seconds), `foreign_entries` how many entries it has ignored.
    """

    def __init__(self) -> None:
        self.clients: set[Client] = set()
        self.position: int | None = None
        self.read_at = time.monotonic()
        self.foreign_entries = 0

    @contextmanager
    def join(self, client: Client) -> Iterator[None]:
        """Send `client` every alert after its position."""
        self.clients.add(client)
        try:
            yield
        finally:
            self.clients.discard(client)
            client.stop()

    def broadcast(self, alert_id: int, text: str) -> None:
        """Offer an alert to every client; never waits."""
        self.position = alert_id
        for client in self.clients:
            client.send_alert(alert_id, text)

    async def send_heartbeats(self) -> None:
        """Send heartbeats until cancelled."""
        while True:
            await asyncio.sleep(HEARTBEAT_SECONDS)
            text = msgspec.json.encode({"type": "heartbeat", "last_id": self.position}).decode()
            for client in self.clients:
                client.send_heartbeat(text)
