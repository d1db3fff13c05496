"""JSON as programs write it that do not keep to the letter."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import msgspec

MAX_DEPTH = 32
"""Lists and objects within each other that are read; a feed's answer has eight."""
_LONGEST_INTEGER = 18
"""Digits that surely fit into 64 bits; Python refuses to read more than 4,300 and takes its time for fewer."""
_TOKEN = re.compile(rb'"(?:[^"\\]|\\.)*+"|[\[\]{}]', re.DOTALL)


def loosely_read(body: bytes | msgspec.Raw) -> object:
    """JSON that may have half surrogates, bytes that are no UTF-8, NaN, numbers without end, and nesting without end.

    What is nested deeper than `MAX_DEPTH` is null: how deep Python can follow depends on its version.

    Raises:
        ValueError: it is no JSON, or ends early.
    """
    return json.loads(_pruned(bytes(body)).decode("utf-8", "replace"), parse_int=_integer)


def _pruned(body: bytes) -> bytes:
    """The same with null for every list or object that lies deeper than `MAX_DEPTH`."""
    parts, depth, kept = [], 0, 0
    for token in _TOKEN.finditer(body):
        if (sign := token[0]) in {b"[", b"{"}:
            depth += 1
            if depth == MAX_DEPTH + 1:
                parts += [body[kept : token.start()], b"null"]
        elif sign in {b"]", b"}"}:
            if depth == MAX_DEPTH + 1:
                kept = token.end()
            depth -= 1
    if parts and depth:
        msg = "nested without end"
        raise ValueError(msg)
    return b"".join([*parts, body[kept:]])


def _integer(digits: str) -> int | float:
    return int(digits) if len(digits) <= _LONGEST_INTEGER else float(digits)
