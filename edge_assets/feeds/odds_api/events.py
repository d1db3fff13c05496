"""The events of an answer with odds, their books unread; an event of which a part cannot be decoded is mended."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from edge_assets.feeds.odds_api.errors import MalformedBodyError
from edge_assets.feeds.odds_api.limits import check_parts
from edge_assets.feeds.odds_api.mending import encoded, mended_event, mended_events
from edge_assets.feeds.odds_api.numbers import RefusedError
from edge_assets.feeds.odds_api.wire import UNREADABLE, misread

if TYPE_CHECKING:
    from collections.abc import Iterator


class EventBody(msgspec.Struct, gc=False, frozen=True):
    """An event as sent, its books unread."""

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
        """The books; none where there is no list of them."""
        return self.bookmakers or []


_events = msgspec.json.Decoder(list[EventBody])
_event = msgspec.json.Decoder(EventBody)
_items = msgspec.json.Decoder(list[msgspec.Raw])


def read_events(body: bytes, rejected: list[str]) -> list[EventBody]:
    """The events of a list; a reason is added to `rejected` for each part that is left out.

    Raises:
        TornBodyError, UnsupportedVersionError, MalformedBodyError: the body is no complete list of events.
        AnswerTooLargeError: it is made of more parts than any answer can be.
    """
    check_parts(body)
    try:
        return _events.decode(body)
    except UNREADABLE as error:
        failure = error
    try:
        return list(_readable(_items.decode(body), rejected))
    except UNREADABLE:
        return [_event.decode(encoded(event)) for event in _loosely(body, failure, rejected)]


def check_list(body: bytes) -> None:
    """Raise like `read_events` unless a body is a complete list, which costs a tenth of reading it."""
    check_parts(body)
    try:
        _items.decode(body)
    except UNREADABLE as error:
        _loosely(body, error, [])


def _readable(items: list[msgspec.Raw], rejected: list[str]) -> Iterator[EventBody]:
    for item in items:
        try:
            yield _event.decode(item)
        except UNREADABLE:
            try:
                yield _event.decode(encoded(mended_event(item, rejected)))
            except RefusedError as refusal:
                rejected.append(str(refusal))


def _loosely(body: bytes, failure: Exception, rejected: list[str]) -> list[dict[str, Any]]:
    """What is no JSON to the letter, as a list; else what the failure means."""
    if body.lstrip()[:1] != b"[":
        raise misread(body, failure) from failure
    try:
        return mended_events(body, rejected)
    except RefusedError as error:
        raise MalformedBodyError(str(error)) from error
    except ValueError:
        raise misread(body, failure) from failure
