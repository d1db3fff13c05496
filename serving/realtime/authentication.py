"""Authentication of a client: the token from the header or the first message."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Annotated, NamedTuple

import msgspec

from edge_assets.core.tokens import InvalidTokenError, verify_token
from serving.realtime.close_codes import CloseCode, CloseConnection

if TYPE_CHECKING:
    from datetime import datetime

    from fastapi import WebSocket

AUTH_TIMEOUT_SECONDS = 5.0
MAX_ALERT_ID = 2**63 - 1
"""The largest id that the database can give an alert."""


class AuthMessage(msgspec.Struct):
    """The first message of a client that sent no header."""

    token: str
    after: Annotated[int, msgspec.Meta(ge=0, le=MAX_ALERT_ID)] | None = None


class Subscription(NamedTuple):
    """An authenticated client: its subject, expiry, and the last alert it has."""

    subject: str
    expires_at: datetime
    after: int | None
    by_header: bool


async def authenticate(websocket: WebSocket, secret: str) -> Subscription:
    """Authenticate a client or raise `CloseConnection`."""
    after = _parse_after(websocket)
    scheme, _, bearer = websocket.headers.get("authorization", "").partition(" ")
    by_header = bool(bearer) and scheme.lower() == "bearer"
    if by_header:
        message = AuthMessage(bearer.strip(), after)
    else:
        message = await _receive_auth_message(websocket)
    try:
        claims = verify_token(secret, message.token)
    except InvalidTokenError as error:
        raise CloseConnection(CloseCode.UNAUTHORISED, str(error)) from None
    return Subscription(claims.subject, claims.expires_at, message.after, by_header)


async def _receive_auth_message(websocket: WebSocket) -> AuthMessage:
    try:
        async with asyncio.timeout(AUTH_TIMEOUT_SECONDS):
            text = await websocket.receive_text()
    except TimeoutError:
        raise CloseConnection(CloseCode.AUTH_TIMEOUT, f"no token within {AUTH_TIMEOUT_SECONDS:.0f} seconds") from None
    except KeyError:
        raise CloseConnection(CloseCode.MALFORMED, "the first message must be text") from None
    try:
        return msgspec.json.decode(text, type=AuthMessage)
    except (msgspec.DecodeError, RecursionError, UnicodeError):  # RecursionError: deeply nested brackets
        raise CloseConnection(
            CloseCode.MALFORMED, 'the first message must be {"token": ..., "after": number or absent}'
        ) from None


def _parse_after(websocket: WebSocket) -> int | None:
    """The query parameter `after`; any other parameter, or a second `after`, is an error."""
    names = [name for name, _ in websocket.query_params.multi_items()]
    if names not in ([], ["after"]):
        raise CloseConnection(CloseCode.MALFORMED, "the only query parameter is after, given once")
    after = websocket.query_params.get("after")
    if after is None:
        return None
    if not (
        after.isascii() and after.isdigit() and len(after) <= len(str(MAX_ALERT_ID)) and int(after) <= MAX_ALERT_ID
    ):
        raise CloseConnection(CloseCode.MALFORMED, "after must be an alert id")
    return int(after)
