"""Who may listen: the token from the header or from the first message."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Annotated, NamedTuple

import msgspec

from edge_assets.tokens import InvalidTokenError, verify_token
from serving.realtime.closing import CloseCode, Closing

if TYPE_CHECKING:
    from datetime import datetime

    from fastapi import WebSocket

ADMISSION_SECONDS = 5.0
LAST_ID = 2**63 - 1
"""The largest id that the database can give an alert."""


class FirstMessage(msgspec.Struct):
    """What a client that sent no header says first."""

    token: str
    after: Annotated[int, msgspec.Meta(ge=0, le=LAST_ID)] | None = None


class Ticket(NamedTuple):
    """An admitted client: who, until when, and the last alert it has."""

    subject: str
    expires_at: datetime
    after: int | None
    by_header: bool


async def admit(websocket: WebSocket, secret: str) -> Ticket:
    """Admit a client or raise `Closing`."""
    after = _after(websocket)
    scheme, _, bearer = websocket.headers.get("authorization", "").partition(" ")
    by_header = bool(bearer) and scheme.lower() == "bearer"
    if by_header:
        first = FirstMessage(bearer.strip(), after)
    else:
        first = await _first_message(websocket)
    try:
        claims = verify_token(secret, first.token)
    except InvalidTokenError as error:
        raise Closing(CloseCode.UNAUTHORISED, str(error)) from None
    return Ticket(claims.subject, claims.expires_at, first.after, by_header)


async def _first_message(websocket: WebSocket) -> FirstMessage:
    try:
        async with asyncio.timeout(ADMISSION_SECONDS):
            text = await websocket.receive_text()
    except TimeoutError:
        raise Closing(CloseCode.AUTH_TIMEOUT, f"no token within {ADMISSION_SECONDS:.0f} seconds") from None
    except KeyError:
        raise Closing(CloseCode.MALFORMED, "the first message must be text") from None
    try:
        return msgspec.json.decode(text, type=FirstMessage)
    except (msgspec.DecodeError, RecursionError, UnicodeError):  # the second: brackets without end
        raise Closing(
            CloseCode.MALFORMED, 'the first message must be {"token": ..., "after": number or absent}'
        ) from None


def _after(websocket: WebSocket) -> int | None:
    """The address's `after`; there is no other parameter, and it stands there once."""
    names = [name for name, _ in websocket.query_params.multi_items()]
    if names not in ([], ["after"]):
        raise Closing(CloseCode.MALFORMED, "the only parameter is after, once")
    after = websocket.query_params.get("after")
    if after is None:
        return None
    if not (after.isascii() and after.isdigit() and len(after) <= len(str(LAST_ID)) and int(after) <= LAST_ID):
        raise Closing(CloseCode.MALFORMED, "after must be an alert's id")
    return int(after)
