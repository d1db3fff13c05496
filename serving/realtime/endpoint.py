"""`/ws/alerts`: admission, resume, and the wait for the end. The contract is in `serving.realtime`."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import TYPE_CHECKING, TypeVar

import msgspec
import psycopg
from fastapi import APIRouter, WebSocket, WebSocketDisconnect
from psycopg_pool import PoolClosed, PoolTimeout

from serving.realtime.admission import Ticket, admit
from serving.realtime.client import Client
from serving.realtime.closing import CloseCode, Closing
from serving.realtime.hub import HEARTBEAT_SECONDS
from serving.version import VERSION

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from serving.deps import Resources

PAGE = 500
STALL_SECONDS = 30.0
"""A page of a resume that is not taken in this time ends the connection."""
CLOSE_SECONDS = 5.0
DATABASE_SECONDS = 5.0
"""A database that is stopped in the middle never answers."""
T = TypeVar("T")

router = APIRouter()


@router.websocket("/ws/alerts")
async def alerts(websocket: WebSocket) -> None:
    """Stream alerts to one client."""
    resources: Resources = websocket.app.state.resources
    await websocket.accept()
    try:
        ticket = await admit(websocket, resources.secret)
        await _stream(websocket, resources, ticket)
    except Closing as closing:
        await _close(websocket, closing)
    except WebSocketDisconnect:
        pass


async def _stream(websocket: WebSocket, resources: Resources, ticket: Ticket) -> None:
    client = None
    seconds = (ticket.expires_at - datetime.now(UTC)).total_seconds()
    try:
        async with asyncio.timeout(seconds) as deadline:
            await _greet(websocket, resources, ticket.after)
            position = await _resume(websocket, resources, ticket.after)
            client = Client(websocket.send_text, position, deadline)
            with resources.hub.join(client):
                while (await websocket.receive())["type"] != "websocket.disconnect":
                    if ticket.by_header:  # whoever believes that its `after` was heard would miss alerts
                        raise Closing(CloseCode.MALFORMED, "admitted by the header: to resume, connect with ?after=ID")
    except TimeoutError:
        expired = Closing(CloseCode.UNAUTHORISED, "the token has expired")
        raise (client.closing if client and client.closing else expired) from None


async def _greet(websocket: WebSocket, resources: Resources, after: int | None) -> None:
    newest = resources.hub.position
    if newest is None:
        raise Closing(CloseCode.TRY_AGAIN_LATER, "the database has not been reached yet")
    if after is not None and after > newest and after > await _in_database(resources.alerts.last_id()):
        raise Closing(CloseCode.UNKNOWN_RESUME_ID, f"alert {after} is ahead of the newest, {newest}")
    hello = {
        "type": "hello",
        "last_id": newest,
        "after": after,
        "heartbeat_seconds": HEARTBEAT_SECONDS,
        "feed": resources.settings.edge_feed,
        "version": VERSION,
    }
    await websocket.send_text(msgspec.json.encode(hello).decode())


async def _resume(websocket: WebSocket, resources: Resources, after: int | None) -> int:
    """Send what the client missed; returns the id from which the hub must go on.

    No await lies between the last comparison with the hub's position and joining it, hence no gap.
    """
    newest = resources.hub.position or 0
    position = newest if after is None else after
    while position < (newest := resources.hub.position or 0):
        page = await _in_database(resources.alerts.since(position, PAGE))
        try:
            async with asyncio.timeout(STALL_SECONDS):
                for message in page:
                    await websocket.send_text(msgspec.json.encode(message).decode())
        except TimeoutError:
            raise Closing(CloseCode.TOO_SLOW, "the resume is not being read") from None
        position = page[-1]["id"] if page else newest
    return position


async def _in_database(question: Awaitable[T]) -> T:
    """The database's answer; without one the client is to come again."""
    try:
        async with asyncio.timeout(DATABASE_SECONDS):
            return await question
    except (TimeoutError, psycopg.Error, PoolTimeout, PoolClosed):
        raise Closing(CloseCode.TRY_AGAIN_LATER, "the database does not answer; resume later") from None


async def _close(websocket: WebSocket, closing: Closing) -> None:
    """Say goodbye, if the socket takes it in time; the server drops the connection in any case."""
    try:
        async with asyncio.timeout(CLOSE_SECONDS):
            await websocket.close(closing.code, closing.reason)
    except (TimeoutError, WebSocketDisconnect, RuntimeError):
        pass
