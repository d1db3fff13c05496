"""JSON as programs write it that do not keep to the letter."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import msgspec

_LONGEST_INTEGER = 18
"""Digits that surely fit into 64 bits; Python refuses to read more than 4,300 and takes its time for fewer."""


def loosely_read(body: bytes | msgspec.Raw) -> object:
    """JSON that may have half surrogates, bytes that are no UTF-8, NaN and numbers without end.

    Raises:
        ValueError: it is no JSON, ends early, or is nested without end.
    """
    try:
        return json.loads(bytes(body).decode("utf-8", "replace"), parse_int=_integer)
    except RecursionError:
        msg = "nested too deeply"
    raise ValueError(msg)


def _integer(digits: str) -> int | float:
    return int(digits) if len(digits) <= _LONGEST_INTEGER else float(digits)
