"""Limits on one response: far above what the feed has ever sent, and low enough for the machine."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from edge_assets.feeds.odds_api.errors import ResponseTooLargeError

if TYPE_CHECKING:
    from collections.abc import Sequence

T = TypeVar("T")

MAX_ERROR_BODY_BYTES = 64 * 2**10
"""Of an error response."""
REQUEST_TIMEOUT_SECONDS = 20.0
"""From the request to the last byte: a read timeout alone does not stop a server that sends a byte every five
seconds.
"""
MAX_PARTS = 4_000_000
"""Commas and opening brackets in a body; each may become an object of 50 bytes or more."""
MAX_EVENTS_PER_PAYLOAD = 2_000
MAX_BOOKS_PER_EVENT = 150
"""The feed has 114 in all regions."""
MAX_BOOK_KEYS_PER_PAYLOAD = 300
"""Distinct books."""
MAX_BOOKS_PER_PAYLOAD = 20_000
"""Summed over events: 40 books on 400 events, more than any region has, are 16,000."""
NEW_BOOK_LIMITS, NEW_MARKET_LIMITS = (MAX_BOOK_KEYS_PER_PAYLOAD, 10), (1_000, 10)
"""Known ones up to which new ones are unlimited, and how many a payload may add beyond that: there are only 32,767
ids, never released.
"""
NEW_OUTCOME_LIMITS = (0, 20_000)
"""As above, for names of players and teams; each new one costs a round trip."""
MAX_MARKETS_PER_BOOK = 200
"""On one event."""
MAX_OUTCOMES_PER_MARKET = 500
"""Fields of golfers and teams have up to 360."""


def cap_parts(parts: Sequence[T], max_parts: int, reason: str, rejected: list[str]) -> Sequence[T]:
    """The first `max_parts` parts; the reason is added to `rejected` for each of the others."""
    if len(parts) <= max_parts:
        return parts
    rejected += [reason] * (len(parts) - max_parts)
    return parts[:max_parts]


def check_parts(body: bytes) -> None:
    """Check the number of parts before decoding: 32 MB of brackets would become half a gigabyte of objects.

    Raises:
        ResponseTooLargeError: it has more than `MAX_PARTS` parts.
    """
    if len(body) > MAX_PARTS and sum(map(body.count, (b",", b"[", b"{"))) > MAX_PARTS:
        raise ResponseTooLargeError(f"the response has more than {MAX_PARTS} parts")
