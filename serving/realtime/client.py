"""One client: sends at once if possible, keeps a bounded backlog while its socket is full."""

from __future__ import annotations

import asyncio
import types
from collections import deque
from typing import TYPE_CHECKING, Any

from fastapi import WebSocketDisconnect

from serving.realtime.close_codes import CloseCode, CloseConnection

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine, Generator

MAX_BACKLOG_MESSAGES = 1024
"""Alerts waiting for a full socket; the texts are shared between clients, so this costs 8 KB each."""


class Client:
    """The sending side of one connection.

    `position` is the id of the last alert handed over; `deadline` ends the connection: at the token's
    expiry, or at once if `close_reason` is set.
    """

    def __init__(
        self, send: Callable[[str], Coroutine[Any, Any, None]], position: int, deadline: asyncio.Timeout
    ) -> None:
        self.position = position
        self.close_reason: CloseConnection | None = None
        self._send = send
        self._deadline = deadline
        self._backlog: deque[str] = deque()
        self._drain_task: asyncio.Task[None] | None = None
        self._is_closed = False

    def send_alert(self, alert_id: int, text: str) -> None:
        """Send an alert, unless a resume has already sent it."""
        if alert_id > self.position:
            self.position = alert_id
            self._send_or_queue(text)

    def send_heartbeat(self, text: str) -> None:
        """Send a heartbeat; a client with a backlog needs none."""
        if not self._drain_task:
            self._send_or_queue(text)

    def stop(self) -> None:
        """Stop sending; a message is on its way entirely or not at all."""
        self._is_closed = True
        if self._drain_task:
            self._drain_task.cancel()

    def _send_or_queue(self, text: str) -> None:
        if self._is_closed:
            return
        if self._drain_task:
            self._backlog.append(text)
            if len(self._backlog) > MAX_BACKLOG_MESSAGES:
                self._disconnect()
            return
        try:
            stalled = start_eagerly(self._send(text))
        except WebSocketDisconnect:
            self._is_closed = True
            return
        if stalled:
            self._drain_task = asyncio.create_task(self._drain_backlog(stalled))

    async def _drain_backlog(self, stalled: Awaitable[None]) -> None:
        try:
            await stalled
            while self._backlog:
                await self._send(self._backlog.popleft())
        except WebSocketDisconnect:
            self._is_closed = True
        finally:
            self._drain_task = None

    def _disconnect(self) -> None:
        self._is_closed = True
        self._backlog.clear()
        self.close_reason = CloseConnection(
            CloseCode.TOO_SLOW, f"more than {MAX_BACKLOG_MESSAGES} alerts behind; resume after the last one you have"
        )
        self._deadline.reschedule(asyncio.get_running_loop().time())


def start_eagerly(coroutine: Coroutine[Any, Any, None]) -> Awaitable[None] | None:
    """Run a coroutine until it first waits: None if it finished, else the rest of it to await.

    Sending to a socket that takes the bytes never waits, so a broadcast needs neither a task per client
    (slower at the tail) nor access to the server's internals to see which sockets are full. Python 3.12's
    eager tasks do the same at the cost of a task each.
    """
    try:
        waiting = coroutine.send(None)
    except StopIteration:
        return None
    return _await_rest(coroutine, waiting)


@types.coroutine
def _await_rest(coroutine: Coroutine[Any, Any, None], waiting: object) -> Generator[Any, Any, None]:
    try:
        yield waiting
        yield from coroutine.__await__()
    finally:
        coroutine.close()
