"""Parameters of the odds endpoints, and their encoding in a URL."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypedDict

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


class EventFilter(TypedDict, total=False):
    """Which events: by id, or by start (both ends included). Filters do not lower the cost."""

    event_ids: Sequence[str]
    commence_from: datetime
    commence_to: datetime


class OddsFilter(EventFilter, total=False):
    """Which prices: `bookmakers` overrides `regions`, and one of them is required."""

    regions: Sequence[str]
    bookmakers: Sequence[str]
    markets: Sequence[str]


_WIRE_NAMES = {
    "event_ids": "eventIds",
    "commence_from": "commenceTimeFrom",
    "commence_to": "commenceTimeTo",
}


def to_wire_params(filters: Mapping[str, Any]) -> dict[str, str]:
    """URL parameters. Empty ones are dropped; lists have no spaces, which would make the keys invalid."""
    return {_WIRE_NAMES.get(name, name): _format_value(value) for name, value in filters.items() if value}


def format_wire_time(at: datetime) -> str:
    """A time in the only format that the API accepts: UTC, whole seconds, `Z`."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _format_value(value: str | datetime | Sequence[str]) -> str:
    if isinstance(value, datetime):
        return format_wire_time(value)
    return value if isinstance(value, str) else ",".join(value)
