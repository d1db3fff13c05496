"""Read response bodies, with the feed's own errors."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edge_assets.feeds import http_bodies
from edge_assets.feeds.odds_api.errors import MalformedBodyError, ResponseTooLargeError, TransportError

if TYPE_CHECKING:
    import httpx2


async def read_body(response: httpx2.Response, max_bytes: int) -> bytes:
    """Read a streamed response.

    Raises:
        ResponseTooLargeError: it exceeds `max_bytes`, as sent or decoded.
        MalformedBodyError: it has an unexpected content encoding.
        TransportError: its gzip is invalid or truncated.
        httpx2.RequestError: the connection broke, or was silent too long.
    """
    try:
        return await http_bodies.read_body(response, max_bytes)
    except http_bodies.BodyTooLargeError as error:
        raise ResponseTooLargeError(str(error)) from error
    except http_bodies.BodyEncodingError as error:
        raise MalformedBodyError(str(error)) from error
    except http_bodies.BodyError as error:
        raise TransportError(str(error)) from error
