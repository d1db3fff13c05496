"""What one answer may hold: far more than the feed has ever sent, and what a machine can still take."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from edge_assets.feeds.odds_api.errors import ResponseTooLargeError

if TYPE_CHECKING:
    from collections.abc import Sequence

T = TypeVar("T")

MAX_ERROR_BODY_BYTES = 64 * 2**10
"""Of an answer that says why there is none."""
REQUEST_TIMEOUT_SECONDS = 20.0
"""From the request to the last byte: a time-out between two bytes is no limit for who sends one every five seconds."""
MAX_PARTS = 4_000_000
"""Commas and brackets in a body, each of which may become an object of 50 bytes and more."""
MAX_EVENTS_PER_PAYLOAD = 2_000
MAX_BOOKS_PER_EVENT = 150
"""On an event; the feed knows 114 in all regions."""
MAX_BOOK_KEYS_PER_PAYLOAD = 300
"""Different ones in an answer."""
MAX_BOOKS_PER_PAYLOAD = 20_000
"""Books on events, all in all: 40 books on 400 events, more than any region has, are 16,000."""
NEW_BOOK_LIMITS, NEW_MARKET_LIMITS = (MAX_BOOK_KEYS_PER_PAYLOAD, 10), (1_000, 10)
"""How many there may be before an answer may add only so many more: their ids are 32,767, and are never given back."""
NEW_OUTCOME_LIMITS = (0, 20_000)
"""An answer may add so many names of players and teams; each costs a round trip."""
MAX_MARKETS_PER_BOOK = 200
"""Of a book on an event."""
MAX_OUTCOMES_PER_MARKET = 500
"""Of a market; fields of golfers and teams have up to 360."""


def cap_parts(parts: Sequence[T], max_parts: int, reason: str, rejected: list[str]) -> Sequence[T]:
    """The first parts, as many as are taken; the reason is added to `rejected` for each of the others."""
    if len(parts) <= max_parts:
        return parts
    rejected += [reason] * (len(parts) - max_parts)
    return parts[:max_parts]


def check_parts(body: bytes) -> None:
    """Before anything becomes an object: 32 MB of brackets would be objects of half a gigabyte.

    Raises:
        ResponseTooLargeError: it is made of more parts than any answer can be.
    """
    if len(body) > MAX_PARTS and sum(map(body.count, (b",", b"[", b"{"))) > MAX_PARTS:
        raise ResponseTooLargeError(f"the answer is made of more than {MAX_PARTS} parts")
