"""JSON as programs write it that do not keep to the letter."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import msgspec

MAX_DEPTH = 32
"""Lists and objects within each other that are read; a feed's answer has eight."""
_MAX_INTEGER_DIGITS = 18
"""Digits that surely fit into 64 bits; Python refuses to read more than 4,300 and takes its time for fewer."""
_TOKEN_PATTERN = re.compile(rb'"(?:[^"\\]|\\.)*+"|[\[\]{}]', re.DOTALL)


def parse_lenient_json(body: bytes | msgspec.Raw) -> object:
    """JSON that may have half surrogates, bytes that are no UTF-8, NaN, numbers without end, and nesting without end.

    What is nested deeper than `MAX_DEPTH` is null: how deep Python can follow depends on its version.

    Raises:
        ValueError: it is no JSON, or ends early.
    """
    return json.loads(_prune(bytes(body)).decode("utf-8", "replace"), parse_int=_parse_integer)


def _prune(body: bytes) -> bytes:
    """The same with null for every list or object that lies deeper than `MAX_DEPTH`."""
    parts, depth, kept = [], 0, 0
    for token in _TOKEN_PATTERN.finditer(body):
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


def _parse_integer(digits: str) -> int | float:
    return int(digits) if len(digits) <= _MAX_INTEGER_DIGITS else float(digits)
