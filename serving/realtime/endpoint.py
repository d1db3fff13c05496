"""`/ws/alerts`: authentication, resume, and waiting for the client to leave. The contract is in `PROTOCOL.md`."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import TYPE_CHECKING, TypeVar

import msgspec
import psycopg
from fastapi import APIRouter, WebSocket, WebSocketDisconnect
from psycopg_pool import PoolClosed, PoolTimeout

from serving.realtime.authentication import Subscription, authenticate
from serving.realtime.client import Client
from serving.realtime.close_codes import CloseCode, CloseConnection
from serving.realtime.hub import HEARTBEAT_SECONDS
from serving.version import VERSION

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from serving.resources import Resources

RESUME_PAGE_ALERTS = 500
STALL_TIMEOUT_SECONDS = 30.0
"""A client that does not read a page of its resume within this time is disconnected."""
CLOSE_TIMEOUT_SECONDS = 5.0
DATABASE_TIMEOUT_SECONDS = 5.0
"""A database suspended in mid-query never answers."""
T = TypeVar("T")

router = APIRouter()


@router.websocket("/ws/alerts")
async def alerts(websocket: WebSocket) -> None:
    """Stream alerts to one client."""
    resources: Resources = websocket.app.state.resources
    await websocket.accept()
    try:
        subscription = await authenticate(websocket, resources.secret)
        await _stream(websocket, resources, subscription)
    except CloseConnection as closing:
        await _close(websocket, closing)
    except WebSocketDisconnect:
        pass


async def _stream(websocket: WebSocket, resources: Resources, subscription: Subscription) -> None:
    client = None
    seconds = (subscription.expires_at - datetime.now(UTC)).total_seconds()
    try:
        async with asyncio.timeout(seconds) as deadline:
            position = await _send_hello(websocket, resources, subscription.after)
            position = await _resume(websocket, resources, position)
            client = Client(websocket.send_text, position, deadline)
            with resources.hub.join(client):
                while (await websocket.receive())["type"] != "websocket.disconnect":
                    if subscription.by_header:  # a client that thinks its `after` was read would miss alerts
                        raise CloseConnection(
                            CloseCode.MALFORMED, "authenticated by header: to resume, connect with ?after=ID"
                        )
    except TimeoutError:
        expired = CloseConnection(CloseCode.UNAUTHORISED, "the token has expired")
        raise (client.close_reason if client and client.close_reason else expired) from None


async def _send_hello(websocket: WebSocket, resources: Resources, after: int | None) -> int:
    """Returns the id after which the stream starts: what comes in while the client takes its hello is part of it."""
    newest = resources.hub.position
    if newest is None:
        raise CloseConnection(CloseCode.TRY_AGAIN_LATER, "database not reached yet")
    if after is not None and after > newest and after > await _query_database(resources.alerts.last_id()):
        raise CloseConnection(CloseCode.UNKNOWN_RESUME_ID, f"alert {after} is ahead of the newest, {newest}")
    hello = {
        "type": "hello",
        "last_id": newest,
        "after": after,
        "heartbeat_seconds": HEARTBEAT_SECONDS,
        "feed": resources.settings.edge_feed,
        "version": VERSION,
    }
    await websocket.send_text(msgspec.json.encode(hello).decode())
    return newest if after is None else after


async def _resume(websocket: WebSocket, resources: Resources, position: int) -> int:
    """Send the alerts after `position` that are stored already; returns the id after which the hub continues.

    There is no await between the last comparison with the hub's position and joining it, so no alert is missed.
    """
    while position < (newest := resources.hub.position or 0):
        page = await _query_database(resources.alerts.since(position, RESUME_PAGE_ALERTS))
        try:
            async with asyncio.timeout(STALL_TIMEOUT_SECONDS):
                for message in page:
                    await websocket.send_text(msgspec.json.encode(message).decode())
        except TimeoutError:
            raise CloseConnection(CloseCode.TOO_SLOW, "the resume is not being read") from None
        position = page[-1]["id"] if page else newest
    return position


async def _query_database(query: Awaitable[T]) -> T:
    """The result of a query; without one the connection is closed, and the client may retry."""
    try:
        async with asyncio.timeout(DATABASE_TIMEOUT_SECONDS):
            return await query
    except (TimeoutError, psycopg.Error, PoolTimeout, PoolClosed):
        raise CloseConnection(CloseCode.TRY_AGAIN_LATER, "database unavailable; resume later") from None


async def _close(websocket: WebSocket, closing: CloseConnection) -> None:
    """Send the close frame if the socket accepts it in time; the server drops the connection anyway."""
    try:
        async with asyncio.timeout(CLOSE_TIMEOUT_SECONDS):
            await websocket.close(closing.code, closing.reason)
    except (TimeoutError, WebSocketDisconnect, RuntimeError):
        pass
