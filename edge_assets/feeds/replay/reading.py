"""Judges one recorded file: a capture with its time and sport, or the reason why it is none.

An answer about a single event is put within the second after its time, by its content. Else all that a historical
snapshot says of its events, in answers that state its time, would be one look; and the same answer stays the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from hashlib import blake2b
from typing import TYPE_CHECKING, NamedTuple

import msgspec
import zstandard
from msgspec import UNSET, UnsetType

from edge_assets.feeds.replay.bodies import EventOdds, as_datetime
from edge_assets.feeds.replay.snapshots import content_of
from edge_assets.feeds.replay.sources import captured_at, decompressed

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from edge_assets.feeds.replay.sources import RecordedFile
    from edge_assets.feeds.replay.tape import Content


class Envelope(msgspec.Struct, frozen=True):
    """A body of the historical endpoint, `data` left as recorded."""

    timestamp: str
    data: msgspec.Raw


class _Opened(msgspec.Struct, frozen=True):
    """What tells the objects of the API apart."""

    data: msgspec.Raw | UnsetType = UNSET
    error_code: str | UnsetType = UNSET
    message: str = ""


class _ApiError(Exception):
    """Not odds but the reason why there are none."""


_EVENTS = msgspec.json.Decoder(list[EventOdds])
_EVENT = msgspec.json.Decoder(EventOdds)
_ENVELOPE = msgspec.json.Decoder(Envelope)
_OPENED = msgspec.json.Decoder(_Opened)
_SECOND = 1_000_000
_NO_ODDS = "give recorded answers of /odds or /events/{id}/odds, live or historical, API version 4"


class Skipped(NamedTuple):
    """A file that is no capture: which, why, and what to do about it."""

    path: str
    reason: str
    remedy: str
    detail: str = ""

    def __str__(self) -> str:
        """One line for a log."""
        return f"{self.path}: {self.reason}{self.detail and f' ({self.detail})'}; {self.remedy}"


@dataclass(slots=True)
class Reading:
    """A capture as read: the list of events, or the one event, compressed, and what is known about it."""

    path: str
    at: datetime
    sport: str
    title: str
    content: Content
    packed: bytes
    of_one_event: bool = False


def read(file: RecordedFile) -> Reading | Skipped:
    """Decode, date and compress one file; never raises for what a file holds."""
    try:
        body, stated = _unwrapped(decompressed(file))
        events = events_of(body)
    except (zstandard.ZstdError, msgspec.DecodeError, _ApiError) as error:
        return _unread(file.path, error)
    try:
        at = (as_datetime(stated) if stated else None) or captured_at(file.path) or _newest_update(events)
    except ValueError as error:
        return Skipped(file.path, "an unreadable time", _NO_ODDS, str(error))
    if at is None:
        return Skipped(file.path, "no capture time", "name it like nfl_20251103T015058Z.json")
    return _reading(file.path, at, events, body)


def _unread(path: str, error: Exception) -> Skipped:
    if isinstance(error, zstandard.ZstdError):
        return Skipped(path, "damaged zstd", "fetch the file again")
    if isinstance(error, _ApiError):
        return Skipped(path, "an error of the API", "ask again when its cause is gone", str(error))
    if isinstance(error, msgspec.ValidationError):
        return Skipped(path, "no list of events with odds", _NO_ODDS, str(error))
    return Skipped(path, "no complete JSON", "fetch the file again", str(error))


def events_of(body: bytes) -> list[EventOdds]:
    """The events with odds that an answer holds, a list of them or a single one.

    Raises:
        msgspec.DecodeError: it is no such answer.
    """
    return [_EVENT.decode(body)] if is_of_one_event(body) else _EVENTS.decode(body)


def is_of_one_event(body: bytes) -> bool:
    """Whether an answer with odds is about one event, not a sport."""
    return body.lstrip()[:1] == b"{"


def _reading(path: str, at: datetime, events: Sequence[EventOdds], body: bytes) -> Reading | Skipped:
    sports = {event.sport_key: event.sport_title for event in events}
    if len(sports) > 1:
        return Skipped(path, "several sports in one list", "record each sport by its own key, not by `upcoming`")
    sport, title = next(iter(sports.items()), ("", ""))
    of_one_event = is_of_one_event(body)
    moment = at + timedelta(microseconds=_own_microsecond(body)) if of_one_event else at
    return Reading(path, moment, sport, title, content_of(events), _packed(body), of_one_event)


def _own_microsecond(body: bytes) -> int:
    return 1 + int.from_bytes(blake2b(body, digest_size=8).digest()) % (_SECOND - 1)


def _packed(body: bytes) -> bytes:
    """Compressed and copied: shrunk in place, the compressor's buffers leave 130 MB of holes a week."""
    return memoryview(zstandard.compress(body)).tobytes()


def _unwrapped(text: bytes) -> tuple[bytes, str | None]:
    """The event or events and, in an envelope, the time that it states (a fetch of history is named later)."""
    if not is_of_one_event(text):
        return text, None
    opened = _OPENED.decode(text)
    if opened.error_code is not UNSET:
        raise _ApiError(f"{opened.error_code}: {opened.message}")
    if opened.data is UNSET:
        return text, None
    envelope = _ENVELOPE.decode(text)
    return bytes(envelope.data), envelope.timestamp


def _newest_update(events: Sequence[EventOdds]) -> datetime | None:
    """The newest time that a book states: no capture is older, and few are much younger."""
    books = [book for event in events for book in event.bookmakers]
    stated = [book.last_update for book in books]
    stated += [market.last_update for book in books for market in book.markets]
    return max((as_datetime(at) for at in stated if at is not UNSET), default=None)
