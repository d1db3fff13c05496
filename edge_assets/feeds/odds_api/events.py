"""The events of an odds response, with undecoded books; events that fail to decode are repaired."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from edge_assets.feeds.odds_api.conversions import RejectedValueError
from edge_assets.feeds.odds_api.errors import MalformedBodyError
from edge_assets.feeds.odds_api.limits import check_parts
from edge_assets.feeds.odds_api.repair import encode_json, repair_event, repair_events
from edge_assets.feeds.odds_api.wire import DECODE_ERRORS, classify_decode_error

if TYPE_CHECKING:
    from collections.abc import Iterator


class EventBody(msgspec.Struct, gc=False, frozen=True):
    """An event as sent, with undecoded books."""

    id: str
    sport_key: str
    commence_time: str | int
    bookmakers: list[msgspec.Raw] | None = None
    home_team: str | None = None
    away_team: str | None = None

    @property
    def teams(self) -> tuple[str | None, str | None]:
        """Home and away; both None for an outright."""
        return self.home_team, self.away_team

    @property
    def books(self) -> list[msgspec.Raw]:
        """The books; empty if there is no list."""
        return self.bookmakers or []


_events_decoder = msgspec.json.Decoder(list[EventBody])
_event_decoder = msgspec.json.Decoder(EventBody)
_items_decoder = msgspec.json.Decoder(list[msgspec.Raw])


def read_events(body: bytes, rejected: list[str]) -> list[EventBody]:
    """The events of a list; a reason is added to `rejected` for each part that is dropped.

    Raises:
        InvalidJsonError, UnsupportedVersionError, MalformedBodyError: the body is not a complete list of events.
        ResponseTooLargeError: it has more than `MAX_PARTS` parts.
    """
    check_parts(body)
    try:
        return _events_decoder.decode(body)
    except DECODE_ERRORS as error:
        failure = error
    try:
        return list(_decode_each(_items_decoder.decode(body), rejected))
    except DECODE_ERRORS:
        return [_event_decoder.decode(encode_json(event)) for event in _repair_list(body, failure, rejected)]


def check_event_list(body: bytes) -> None:
    """Raise like `read_events` unless the body is a complete list; much cheaper than reading it."""
    check_parts(body)
    try:
        _items_decoder.decode(body)
    except DECODE_ERRORS as error:
        _repair_list(body, error, [])


def _decode_each(items: list[msgspec.Raw], rejected: list[str]) -> Iterator[EventBody]:
    for item in items:
        try:
            yield _event_decoder.decode(item)
        except DECODE_ERRORS:
            try:
                yield _event_decoder.decode(encode_json(repair_event(item, rejected)))
            except RejectedValueError as error:
                rejected.append(str(error))


def _repair_list(body: bytes, failure: Exception, rejected: list[str]) -> list[dict[str, Any]]:
    """Repair a list that is not strict JSON, or raise the error that the failure means."""
    if body.lstrip()[:1] != b"[":
        raise classify_decode_error(body, failure) from failure
    try:
        return repair_events(body, rejected)
    except RejectedValueError as error:
        raise MalformedBodyError(str(error)) from error
    except ValueError:
        raise classify_decode_error(body, failure) from failure
