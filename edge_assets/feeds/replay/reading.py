"""Judges one recorded file: a capture with its time and sport, or the reason why it is none."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import msgspec
import zstandard
from msgspec import UNSET

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


_EVENTS = msgspec.json.Decoder(list[EventOdds])
_ENVELOPE = msgspec.json.Decoder(Envelope)
_NO_ODDS = "give recorded answers of /odds or /historical/.../odds, API version 4"


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
    """A capture as read: the list of events compressed, and what is known about it."""

    path: str
    at: datetime
    sport: str
    title: str
    content: Content
    packed: bytes


def read(file: RecordedFile) -> Reading | Skipped:
    """Decode, date and compress one file; never raises for what a file holds."""
    try:
        body, stated = _unwrapped(decompressed(file))
        events = _EVENTS.decode(body)
    except zstandard.ZstdError:
        return Skipped(file.path, "damaged zstd", "fetch the file again")
    except msgspec.ValidationError as error:
        return Skipped(file.path, "no list of events with odds", _NO_ODDS, str(error))
    except msgspec.DecodeError as error:
        return Skipped(file.path, "no complete JSON", "fetch the file again", str(error))
    try:
        at = (as_datetime(stated) if stated else None) or captured_at(file.path) or _newest_update(events)
    except ValueError as error:
        return Skipped(file.path, "an unreadable time", _NO_ODDS, str(error))
    if at is None:
        return Skipped(file.path, "no capture time", "name it like nfl_20251103T015058Z.json")
    return _reading(file.path, at, events, body)


def _reading(path: str, at: datetime, events: Sequence[EventOdds], body: bytes) -> Reading | Skipped:
    sports = {event.sport_key: event.sport_title for event in events}
    if len(sports) > 1:
        return Skipped(path, "several sports in one list", "record each sport by its own key, not by `upcoming`")
    sport, title = next(iter(sports.items()), ("", ""))
    return Reading(path, at, sport, title, content_of(events), _packed(body))


def _packed(body: bytes) -> bytes:
    """Compressed and copied: shrunk in place, the compressor's buffers leave 130 MB of holes a week."""
    return memoryview(zstandard.compress(body)).tobytes()


def _unwrapped(text: bytes) -> tuple[bytes, str | None]:
    """The list of events and, in an envelope, the time that it states (a fetch of history is named later)."""
    if not text.lstrip().startswith(b"{"):
        return text, None
    envelope = _ENVELOPE.decode(text)
    return bytes(envelope.data), envelope.timestamp


def _newest_update(events: Sequence[EventOdds]) -> datetime | None:
    """The newest time that a book states: no capture is older, and few are much younger."""
    books = [book for event in events for book in event.bookmakers]
    stated = [book.last_update for book in books]
    stated += [market.last_update for book in books for market in book.markets]
    return max((as_datetime(at) for at in stated if at is not UNSET), default=None)
