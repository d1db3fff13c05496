"""Judges recorded files: captures with their time and sport, or the reason why one is none.

An answer about a single event is put within the second after its time, by its content. Else all that a historical
snapshot says of its events, in answers that state its time, would be one look; and the same answer stays the same.
"""

from __future__ import annotations

import json
import logging
from collections import Counter
from dataclasses import dataclass, field
from datetime import timedelta
from hashlib import blake2b
from io import BytesIO
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import msgspec
import zstandard
from msgspec import UNSET, UnsetType

from edge_assets.feeds.loose_json import loosely_read
from edge_assets.feeds.odds_api.mending import jsonable
from edge_assets.feeds.odds_api.numbers import wire_time
from edge_assets.feeds.odds_api.wire import UNREADABLE
from edge_assets.feeds.replay.decoding import NotOddsError, decode_events, is_of_one_event, split_by_sport
from edge_assets.feeds.replay.price_formats import without_unclear
from edge_assets.feeds.replay.snapshots import content_of
from edge_assets.feeds.replay.sources import LARGER_IS_ODD, OTHER, captured_at, decompressed, is_of_lines
from edge_assets.feeds.unpacking import DAMAGED, TooLargeError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from edge_assets.feeds.replay.bodies import EventOdds, Stamp
    from edge_assets.feeds.replay.sources import RecordedFile
    from edge_assets.feeds.replay.tape import Content


class Envelope(msgspec.Struct, frozen=True):
    """A body of the historical endpoint, `data` left as recorded."""

    timestamp: str | int
    data: msgspec.Raw


class _Opened(msgspec.Struct, frozen=True):
    """What tells the objects of the API apart."""

    data: msgspec.Raw | UnsetType = UNSET
    error_code: str | UnsetType = UNSET
    message: str = ""


class _ApiError(Exception):
    """Not odds but the reason why there are none."""


_ENVELOPE = msgspec.json.Decoder(Envelope)
_OPENED = msgspec.json.Decoder(_Opened)
_SECOND = 1_000_000
_log = logging.getLogger(__name__)
MAX_ANSWER_BYTES = 32 << 20
"""Of one answer, a file's or a line's; the largest real one has 3 MB."""
MAX_REFUSED_LINES = 1_000
"""Of one file: 16 MB can hold eight million of them, each with a reason of its own, in a few packed kilobytes."""
_KINDS = {".zst": "zstd", ".gz": "gzip", ".xz": "xz", ".bz2": "bzip2"}
_REMEDIES = {OTHER: "if it is a recording, name it so"}
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
    """A capture as read: the list of events, or the one event, compressed, and what is known about it.

    `of_several_sports`: the answer listed the soonest events of many sports, and not all of this one. `rejected` counts
    the parts that cannot be read, by reason; in `is_rewritten` answers nobody else can find them.
    """

    path: str
    at: datetime
    sport: str
    title: str
    content: Content
    packed: bytes
    of_one_event: bool = False
    of_several_sports: bool = False
    rejected: Counter[str] = field(default_factory=Counter)
    is_rewritten: bool = False


def read(file: RecordedFile) -> Iterator[Reading | Skipped]:
    """Decode, date and compress the answers of a file; never raises for what a file holds."""
    try:
        yield from _read(file)
    except Exception as error:  # of a kind that nobody has met: the other files have nothing to do with it
        _log.exception("%s cannot be read", file.path)
        remedy = "this is a fault of Edge Finder: report it with the file; the other files are read"
        yield Skipped(file.path, "reader failed", remedy, f"{type(error).__name__}: {error}")


def _read(file: RecordedFile) -> Iterator[Reading | Skipped]:
    if file.problem:
        yield Skipped(file.path, file.reason, _REMEDIES.get(file.reason, "see that it can be read"), file.problem)
        return
    try:
        text = decompressed(file)
    except TooLargeError as error:
        yield Skipped(file.path, "too large", LARGER_IS_ODD, str(error))
        return
    except DAMAGED as error:
        yield Skipped(file.path, f"damaged {_KINDS[Path(file.path).suffix]}", "fetch the file again", str(error))
        return
    if not is_of_lines(file.path):
        yield from _read_answer(file.path, text, captured_at(file.path))
        return
    yield from _read_lines(file.path, text)


def _read_lines(path: str, text: bytes) -> Iterator[Reading | Skipped]:
    """Every line is an answer; after `MAX_REFUSED_LINES` that are none the file is given up."""
    lines = ((n, line) for n, line in enumerate(BytesIO(text), start=1) if line.strip())
    first = list(islice(lines, 2))
    # the name can tell the time of one answer only
    named = captured_at(path) if len(first) == 1 else None
    refused = 0
    for n, line in chain(first, lines):
        if refused >= MAX_REFUSED_LINES:
            yield Skipped(path, "too many lines that are no answers", LARGER_IS_ODD, f"read up to line {n - 1:,}")
            return
        for found in _read_answer(f"{path}:{n}", line, named):
            refused += isinstance(found, Skipped)
            yield found


def _read_answer(path: str, text: bytes, named: datetime | None) -> Iterator[Reading | Skipped]:
    rejected: list[str] = []
    if len(text) > MAX_ANSWER_BYTES:
        detail = f"{len(text) >> 20} MB, of which {MAX_ANSWER_BYTES >> 20} MB are read"
        yield Skipped(path, "answer too long", LARGER_IS_ODD, detail)
        return
    try:
        body, stated = _unwrapped(text)
        events = decode_events(body, rejected)
    except (NotOddsError, _ApiError, *UNREADABLE) as error:
        yield _unread(path, error)
        return
    try:
        at = wire_time(stated) if stated is not None else named or _newest_update(events)
    except ValueError as error:
        yield Skipped(path, "an unreadable time", _NO_ODDS, str(error))
        return
    if at is None:
        yield Skipped(path, "no capture time", "name it like nfl_20251103T015058Z.json")
        return
    yield from _readings(path, at, body, events, rejected)


def _readings(
    path: str, at: datetime, body: bytes, events: Sequence[EventOdds], rejected: list[str]
) -> Iterator[Reading]:
    """A capture for each sport of an answer."""
    of_one_event = is_of_one_event(body)
    moment = at + timedelta(microseconds=own_microsecond(body)) if of_one_event else at
    sports = split_by_sport(body)
    for sport, part in sports.items():
        sent = [event for event in events if event.sport_key == sport]
        theirs = without_unclear(sent, rejected)
        if theirs is not sent:
            body = msgspec.json.encode(theirs[0] if of_one_event else theirs)
        title = theirs[0].sport_title if theirs else ""
        yield Reading(
            path,
            moment,
            sport,
            title,
            content_of(theirs),
            _packed(part if theirs is sent else body),
            of_one_event,
            len(sports) > 1,
            Counter(rejected),
            theirs is not sent,
        )
        rejected = []


def _unread(path: str, error: Exception) -> Skipped:
    if isinstance(error, _ApiError):
        return Skipped(path, "an error of the API", "ask again when its cause is gone", str(error))
    if isinstance(error, NotOddsError | msgspec.ValidationError):
        return Skipped(path, "no list of events with odds", _NO_ODDS, str(error))
    return Skipped(path, "no complete JSON", "fetch the file again", str(error))


def own_microsecond(body: bytes) -> int:
    """A part of a second after the first, by an answer's content."""
    return 1 + int.from_bytes(blake2b(body, digest_size=8).digest()) % (_SECOND - 1)


def _packed(body: bytes) -> bytes:
    """Compressed and copied: shrunk in place, the compressor's buffers leave 130 MB of holes a week."""
    return memoryview(zstandard.compress(body)).tobytes()


def _unwrapped(text: bytes) -> tuple[bytes, Stamp | None]:
    """The event or events and, in an envelope, the time that it states (a fetch of history is named later)."""
    if not is_of_one_event(text):
        return text, None
    try:
        opened = _OPENED.decode(text)
    except UNREADABLE:
        text = _to_the_letter(text)
        opened = _OPENED.decode(text)
    if opened.error_code is not UNSET:
        raise _ApiError(f"{opened.error_code}: {opened.message}")
    if opened.data is UNSET:
        return text, None
    envelope = _ENVELOPE.decode(text)
    return bytes(envelope.data), envelope.timestamp


def _to_the_letter(text: bytes) -> bytes:
    """An object with numbers and texts that JSON does not have, as one without.

    Raises:
        msgspec.DecodeError: it is no complete object.
    """
    try:
        return json.dumps(jsonable(loosely_read(text))).encode()
    except ValueError as error:
        raise msgspec.DecodeError(str(error)) from error


def _newest_update(events: Sequence[EventOdds]) -> datetime | None:
    """The newest time that a book states: no capture is older, and few are much younger.

    Raises:
        ValueError: times are stated and none can be read.
    """
    books = [book for event in events for book in event.bookmakers]
    stated = {book.last_update for book in books}
    stated |= {market.last_update for book in books for market in book.markets}
    times: list[datetime] = []
    failure: ValueError | None = None
    for value in stated:
        if isinstance(value, str | int):
            try:
                times.append(wire_time(value))
            except ValueError as error:
                failure = error
    if not times and failure:
        raise failure
    return max(times, default=None)
