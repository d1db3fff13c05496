"""Lenient reader of the lists of `/sports`, `/events` and `/scores`: unusable entries are dropped and counted."""

from __future__ import annotations

from collections import Counter
from functools import cache
from typing import Any, Generic, NamedTuple, TypeVar

import msgspec

from edge_assets.core.texts import UnusableTextError, clean_text
from edge_assets.feeds.lenient_json import parse_lenient_json
from edge_assets.feeds.odds_api.limits import check_parts
from edge_assets.feeds.odds_api.wire import classify_decode_error

T = TypeVar("T", bound=msgspec.Struct)
MALFORMED_ENTRY = "malformed_entry"


class Entries(NamedTuple, Generic[T]):
    """The readable entries of a response, and counts of rejected parts by reason.

    `credits` is its cost including failed attempts; None if no response stated any.
    """

    items: list[T]
    rejected: Counter[str]
    credits: int | None = None


def read_entries(body: bytes, kind: type[T]) -> Entries[T]:
    """Read a list. An invalid optional field is dropped alone, an invalid required one with its entry.

    Raises:
        InvalidJsonError: the JSON is truncated or invalid.
        UnsupportedVersionError: it is of API version 3.
        MalformedBodyError: it is not a list, or has too many parts.
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
    """The value of a field; `UNSET` if it is optional and missing.

    Raises:
        ValidationError, UnusableTextError: it is invalid, or required and missing.
    """
    value = sent.get(field.encode_name)
    if value is None and not field.required:
        return msgspec.UNSET
    if field.type is str and type(value) is int:
        value = str(value)  # an id
    return msgspec.convert(_clean(value), field.type, strict=False)


def _clean(value: Any) -> Any:
    """Clean all texts in a value; empty ones stay.

    Raises:
        UnusableTextError: a text is too long or has no visible character.
    """
    if isinstance(value, str):
        return clean_text(value) if value else value
    if isinstance(value, list):
        return [_clean(item) for item in value]
    return {key: _clean(item) for key, item in value.items()} if isinstance(value, dict) else value


@cache
def _struct_fields(kind: type[msgspec.Struct]) -> tuple[msgspec.structs.FieldInfo, ...]:
    return msgspec.structs.fields(kind)
