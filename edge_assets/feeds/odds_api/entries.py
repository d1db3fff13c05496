"""Lists of `/sports`, `/events` and `/scores`, entry by entry: what is odd is left out and counted."""

from __future__ import annotations

from collections import Counter
from functools import cache
from typing import Any, Generic, NamedTuple, TypeVar

import msgspec

from edge_assets.core.texts import UnusableTextError, clean_text
from edge_assets.feeds.loose_json import parse_lenient_json
from edge_assets.feeds.odds_api.limits import check_parts
from edge_assets.feeds.odds_api.wire import classify_decode_error

T = TypeVar("T", bound=msgspec.Struct)
MALFORMED_ENTRY = "malformed_entry"


class Entries(NamedTuple, Generic[T]):
    """The entries of an answer that can be read, and what was left out by reason.

    `credits` is what it cost, with the answers before it that were of no use; None where none of them says.
    """

    items: list[T]
    rejected: Counter[str]
    credits: int | None = None


def read_entries(body: bytes, kind: type[T]) -> Entries[T]:
    """Read a list. A part of an entry that need not be there is left out alone, any other odd one with its entry.

    Raises:
        InvalidJsonError: the JSON ends early or is broken.
        UnsupportedVersionError: it is of API version 3.
        MalformedBodyError: it is no list, or one without end.
    """
    check_parts(body)
    try:
        items = parse_lenient_json(body)
    except ValueError as error:
        failure = classify_decode_error(body, error)
    else:
        if isinstance(items, list):
            rejected = Counter[str]()
            entries = [_parse_entry(item, kind, rejected) for item in items]
            return Entries([entry for entry in entries if entry is not None], rejected)
        failure = classify_decode_error(
            body, msgspec.ValidationError(f"Expected `array`, got `{type(items).__name__}`")
        )
    raise failure


def _parse_entry(sent: object, kind: type[T], rejected: Counter[str]) -> T | None:
    values: dict[str, Any] = {}
    for field in _struct_fields(kind):
        try:
            values[field.name] = _parse_field(field, sent if isinstance(sent, dict) else {})
        except (msgspec.ValidationError, UnusableTextError):
            if field.required:
                rejected[MALFORMED_ENTRY] += 1
                return None
            rejected[f"malformed_{field.encode_name}"] += 1
    return kind(**{name: value for name, value in values.items() if value is not msgspec.UNSET})


def _parse_field(field: msgspec.structs.FieldInfo, sent: dict[str, Any]) -> Any:
    """What an entry says in a field; `UNSET` where it says nothing and need not.

    Raises:
        ValidationError, UnusableTextError: it is odd, or missing and needed.
    """
    value = sent.get(field.encode_name)
    if value is None and not field.required:
        return msgspec.UNSET
    if field.type is str and type(value) is int:
        value = str(value)  # an id
    return msgspec.convert(_clean(value), field.type, strict=False)


def _clean(value: Any) -> Any:
    """The same value with the texts in it fit to be stored; empty ones stay.

    Raises:
        UnusableTextError: a text is absurdly long, or consists of what nobody sees.
    """
    if isinstance(value, str):
        return clean_text(value) if value else value
    if isinstance(value, list):
        return [_clean(item) for item in value]
    return {key: _clean(item) for key, item in value.items()} if isinstance(value, dict) else value


@cache
def _struct_fields(kind: type[msgspec.Struct]) -> tuple[msgspec.structs.FieldInfo, ...]:
    return msgspec.structs.fields(kind)
