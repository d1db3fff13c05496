"""The body of an answer, or the feed's error that it has none."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edge_assets.feeds import bodies
from edge_assets.feeds.odds_api.errors import AnswerTooLargeError, MalformedBodyError, TransportError

if TYPE_CHECKING:
    import httpx


async def read_body(response: httpx.Response, most_bytes: int) -> bytes:
    """Read a streamed answer.

    Raises:
        AnswerTooLargeError: it is longer than `most_bytes`, as sent or decoded.
        MalformedBodyError: it is encoded as it was not asked for.
        TransportError: what should be gzip is none, or ends early.
        httpx.RequestError: the connection broke, or was silent too long.
    """
    try:
        return await bodies.read_body(response, most_bytes)
    except bodies.BodyTooLargeError as error:
        raise AnswerTooLargeError(str(error)) from error
    except bodies.BodyEncodingError as error:
        raise MalformedBodyError(str(error)) from error
    except bodies.BodyError as error:
        raise TransportError(str(error)) from error
