"""One listener: takes what it can at once, keeps a bounded backlog while its socket is full."""

from __future__ import annotations

import asyncio
import types
from collections import deque
from typing import TYPE_CHECKING, Any

from fastapi import WebSocketDisconnect

from serving.realtime.closing import CloseCode, Closing

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine, Generator

BACKLOG = 1024
"""Alerts waiting for a full socket; the texts are shared between clients, so this costs 8 KB each."""


class Client:
    """The sending side of one connection.

    `position` is the id of the last alert handed over; `deadline` ends the connection: at the token's
    expiry, or at once when `closing` says why.
    """

    def __init__(
        self, send: Callable[[str], Coroutine[Any, Any, None]], position: int, deadline: asyncio.Timeout
    ) -> None:
        self.position = position
        self.closing: Closing | None = None
        self._send = send
        self._deadline = deadline
        self._backlog: deque[str] = deque()
        self._drain: asyncio.Task[None] | None = None
        self._gone = False

    def offer(self, alert_id: int, text: str) -> None:
        """Hand over an alert, unless a resume has already brought it."""
        if alert_id > self.position:
            self.position = alert_id
            self._push(text)

    def tell(self, text: str) -> None:
        """Hand over a sign of life; pointless to a client that has a backlog to read."""
        if not self._drain:
            self._push(text)

    def leave(self) -> None:
        """Stop sending; a message is on its way entirely or not at all."""
        self._gone = True
        if self._drain:
            self._drain.cancel()

    def _push(self, text: str) -> None:
        if self._gone:
            return
        if self._drain:
            self._backlog.append(text)
            if len(self._backlog) > BACKLOG:
                self._drop()
            return
        try:
            stalled = start(self._send(text))
        except WebSocketDisconnect:
            self._gone = True
            return
        if stalled:
            self._drain = asyncio.create_task(self._catch_up(stalled))

    async def _catch_up(self, stalled: Awaitable[None]) -> None:
        try:
            await stalled
            while self._backlog:
                await self._send(self._backlog.popleft())
        except WebSocketDisconnect:
            self._gone = True
        finally:
            self._drain = None

    def _drop(self) -> None:
        self._gone = True
        self._backlog.clear()
        self.closing = Closing(
            CloseCode.TOO_SLOW, f"more than {BACKLOG} alerts behind; resume after the last one you have"
        )
        self._deadline.reschedule(asyncio.get_running_loop().time())


def start(coroutine: Coroutine[Any, Any, None]) -> Awaitable[None] | None:
    """Run a coroutine as far as it goes without waiting: None if that was to its end, else its rest.

    Sending to a socket that takes the bytes never waits, so a broadcast needs neither a task per client
    (3-4 times slower at the tail) nor a peep into the server to see which sockets are full. Python 3.12's
    eager tasks do the same, at the price of a task each.
    """
    try:
        waiting = coroutine.send(None)
    except StopIteration:
        return None
    return _rest(coroutine, waiting)


@types.coroutine
def _rest(coroutine: Coroutine[Any, Any, None], waiting: object) -> Generator[Any, Any, None]:
    try:
        yield waiting
        yield from coroutine.__await__()
    finally:
        coroutine.close()
