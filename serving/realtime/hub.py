"""Who listens, and how far the stream has come."""

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
    database and stream last answered the reader (monotonic seconds), `foreign_entries` how many it has passed over.
    """

    def __init__(self) -> None:
        self.clients: set[Client] = set()
        self.position: int | None = None
        self.read_at = time.monotonic()
        self.foreign_entries = 0

    @contextmanager
    def join(self, client: Client) -> Iterator[None]:
        """Let `client` hear every alert behind its position."""
        self.clients.add(client)
        try:
            yield
        finally:
            self.clients.discard(client)
            client.leave()

    def broadcast(self, alert_id: int, text: str) -> None:
        """Offer an alert to every client; never waits."""
        self.position = alert_id
        for client in self.clients:
            client.offer(alert_id, text)

    async def beat(self) -> None:
        """Send heartbeats until cancelled."""
        while True:
            await asyncio.sleep(HEARTBEAT_SECONDS)
            text = msgspec.json.encode({"type": "heartbeat", "last_id": self.position}).decode()
            for client in self.clients:
                client.tell(text)
