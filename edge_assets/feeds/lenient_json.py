"""A lenient JSON parser for responses that violate the standard."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import msgspec

MAX_DEPTH = 32
"""Nesting of lists and objects; a feed's response has eight levels."""
MAX_CONTAINERS = 1_000_000
"""Lists and objects of a response, far more than the largest real one has. Each takes sixty bytes or more in memory:
32 MB of `{}` would take a gigabyte."""
_MAX_INTEGER_DIGITS = 18
"""Digits that always fit into 64 bits; Python rejects integers of more than 4,300 digits and is slow for fewer."""
_TOKEN_PATTERN = re.compile(rb'"(?:[^"\\]|\\.)*+"|[\[\]{}]', re.DOTALL)


def parse_lenient_json(body: bytes | msgspec.Raw) -> object:
    """Parse JSON that may contain lone surrogates, invalid UTF-8, NaN, huge numbers and deep nesting.

    Values nested deeper than `MAX_DEPTH` become null: Python's own limit depends on its version.

    Raises:
        ValueError: it is not JSON, truncated, or has more than `MAX_CONTAINERS` lists and objects.
    """
    return json.loads(_prune(bytes(body)).decode("utf-8", "replace"), parse_int=_parse_integer)


def _prune(body: bytes) -> bytes:
    """Replace every list or object deeper than `MAX_DEPTH` with null."""
    parts, depth, kept, opened = [], 0, 0, 0
    for token in _TOKEN_PATTERN.finditer(body):
        if (sign := token[0]) in {b"[", b"{"}:
            depth, opened = depth + 1, opened + 1
            if opened > MAX_CONTAINERS:
                msg = f"more than {MAX_CONTAINERS:,} lists and objects"
                raise ValueError(msg)
            if depth == MAX_DEPTH + 1:
                parts += [body[kept : token.start()], b"null"]
        elif sign in {b"]", b"}"}:
            if depth == MAX_DEPTH + 1:
                kept = token.end()
            depth -= 1
    if parts and depth:
        msg = "unbalanced nesting"
        raise ValueError(msg)
    return b"".join([*parts, body[kept:]])


def _parse_integer(digits: str) -> int | float:
    return int(digits) if len(digits) <= _MAX_INTEGER_DIGITS else float(digits)
