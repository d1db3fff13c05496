"""What one answer may hold: far more than the feed has ever sent, and what a machine can still take."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from edge_assets.feeds.odds_api.errors import AnswerTooLargeError

if TYPE_CHECKING:
    from collections.abc import Sequence

T = TypeVar("T")

MAX_BODY_BYTES = 32 * 2**20
"""Decoded. The largest captured answer has 4 MB."""
MAX_REFUSAL_BYTES = 64 * 2**10
"""Of an answer that says why there is none."""
REQUEST_SECONDS = 20.0
"""From the request to the last byte: a time-out between two bytes is no limit for who sends one every five seconds."""
MAX_PARTS = 4_000_000
"""Commas and brackets in a body, each of which may become an object of 50 bytes and more."""
MAX_EVENTS = 2_000
MAX_BOOKS = 150
"""On an event; the feed knows 114 in all regions."""
MAX_MARKETS = 200
"""Of a book on an event."""
MAX_OUTCOMES = 500
"""Of a market; fields of golfers and teams have up to 360."""


def capped(parts: Sequence[T], most: int, reason: str, rejected: list[str]) -> Sequence[T]:
    """The first parts, as many as are taken; the reason is added to `rejected` for each of the others."""
    if len(parts) <= most:
        return parts
    rejected += [reason] * (len(parts) - most)
    return parts[:most]


def check_parts(body: bytes) -> None:
    """Before anything becomes an object: 32 MB of brackets would be objects of half a gigabyte.

    Raises:
        AnswerTooLargeError: it is made of more parts than any answer can be.
    """
    if len(body) > MAX_PARTS and sum(map(body.count, (b",", b"[", b"{"))) > MAX_PARTS:
        raise AnswerTooLargeError(f"the answer is made of more than {MAX_PARTS} parts")
