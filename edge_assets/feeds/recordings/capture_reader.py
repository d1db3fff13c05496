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

from edge_assets.feeds.archives import DAMAGED_FILE_ERRORS, TooLargeError
from edge_assets.feeds.loose_json import parse_lenient_json
from edge_assets.feeds.odds_api.conversions import parse_wire_time
from edge_assets.feeds.odds_api.mending import to_json_safe
from edge_assets.feeds.odds_api.wire import DECODE_ERRORS
from edge_assets.feeds.recordings.decoding import NotOddsError, decode_events, is_single_event, split_by_sport
from edge_assets.feeds.recordings.files import (
    OTHER_FILE,
    TOO_LARGE_REMEDY,
    decompress,
    is_line_delimited,
    parse_capture_time,
)
from edge_assets.feeds.recordings.price_formats import drop_unclear_prices
from edge_assets.feeds.recordings.snapshots import describe_content

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from edge_assets.feeds.recordings.files import RecordedFile
    from edge_assets.feeds.recordings.source import SnapshotContent
    from edge_assets.feeds.recordings.wire import RawEventOdds, WireTime


class RecordedEnvelope(msgspec.Struct, frozen=True):
    """A body of the historical endpoint, `data` left as recorded."""

    timestamp: str | int
    data: msgspec.Raw


class _ResponseObject(msgspec.Struct, frozen=True):
    """What tells the objects of the API apart."""

    data: msgspec.Raw | UnsetType = UNSET
    error_code: str | UnsetType = UNSET
    message: str = ""


class _RecordedApiError(Exception):
    """Not odds but the reason why there are none."""


_ENVELOPE_DECODER = msgspec.json.Decoder(RecordedEnvelope)
_RESPONSE_DECODER = msgspec.json.Decoder(_ResponseObject)
_MICROS_PER_SECOND = 1_000_000
_log = logging.getLogger(__name__)
MAX_ANSWER_BYTES = 32 << 20
"""Of one answer, a file's or a line's; the largest real one has 3 MB."""
MAX_REJECTED_LINES = 1_000
"""Of one file: 16 MB can hold eight million of them, each with a reason of its own, in a few packed kilobytes."""
_KINDS = {".zst": "zstd", ".gz": "gzip", ".xz": "xz", ".bz2": "bzip2"}
_REMEDIES = {OTHER_FILE: "if it is a recording, name it so"}
_NO_ODDS_REMEDY = "give recorded answers of /odds or /events/{id}/odds, live or historical, API version 4"


class SkippedFile(NamedTuple):
    """A file that is no capture: which, why, and what to do about it."""

    path: str
    reason: str
    remedy: str
    detail: str = ""

    def __str__(self) -> str:
        """One line for a log."""
        return f"{self.path}: {self.reason}{self.detail and f' ({self.detail})'}; {self.remedy}"


@dataclass(slots=True)
class ParsedCapture:
    """A capture as read: the list of events, or the one event, compressed, and what is known about it.

    `is_multi_sport`: the answer listed the soonest events of many sports, and not all of this one. `rejected` counts
    the parts that cannot be read, by reason; in `is_rewritten` answers nobody else can find them.
    """

    path: str
    at: datetime
    sport: str
    title: str
    content: SnapshotContent
    packed: bytes
    is_single_event: bool = False
    is_multi_sport: bool = False
    rejected: Counter[str] = field(default_factory=Counter)
    is_rewritten: bool = False


def read_captures(file: RecordedFile) -> Iterator[ParsedCapture | SkippedFile]:
    """Decode, date and compress the answers of a file; never raises for what a file holds."""
    try:
        yield from _read(file)
    except Exception as error:  # of a kind that nobody has met: the other files have nothing to do with it
        _log.exception("%s cannot be read", file.path)
        remedy = "this is a fault of Edge Finder: report it with the file; the other files are read"
        yield SkippedFile(file.path, "reader failed", remedy, f"{type(error).__name__}: {error}")


def _read(file: RecordedFile) -> Iterator[ParsedCapture | SkippedFile]:
    if file.problem:
        yield SkippedFile(file.path, file.reason, _REMEDIES.get(file.reason, "see that it can be read"), file.problem)
        return
    try:
        text = decompress(file)
    except TooLargeError as error:
        yield SkippedFile(file.path, "too large", TOO_LARGE_REMEDY, str(error))
        return
    except DAMAGED_FILE_ERRORS as error:
        yield SkippedFile(file.path, f"damaged {_KINDS[Path(file.path).suffix]}", "fetch the file again", str(error))
        return
    if not is_line_delimited(file.path):
        yield from _read_answer(file.path, text, parse_capture_time(file.path))
        return
    yield from _read_lines(file.path, text)


def _read_lines(path: str, text: bytes) -> Iterator[ParsedCapture | SkippedFile]:
    """Every line is an answer; after `MAX_REJECTED_LINES` that are none the file is given up."""
    lines = ((n, line) for n, line in enumerate(BytesIO(text), start=1) if line.strip())
    first = list(islice(lines, 2))
    # the name can tell the time of one answer only
    file_time = parse_capture_time(path) if len(first) == 1 else None
    rejected_lines = 0
    for n, line in chain(first, lines):
        if rejected_lines >= MAX_REJECTED_LINES:
            yield SkippedFile(
                path, "too many lines that are no answers", TOO_LARGE_REMEDY, f"read up to line {n - 1:,}"
            )
            return
        for found in _read_answer(f"{path}:{n}", line, file_time):
            rejected_lines += isinstance(found, SkippedFile)
            yield found


def _read_answer(path: str, text: bytes, file_time: datetime | None) -> Iterator[ParsedCapture | SkippedFile]:
    rejected: list[str] = []
    if len(text) > MAX_ANSWER_BYTES:
        detail = f"{len(text) >> 20} MB, of which {MAX_ANSWER_BYTES >> 20} MB are read"
        yield SkippedFile(path, "answer too long", TOO_LARGE_REMEDY, detail)
        return
    try:
        body, stated = _unwrap(text)
        events = decode_events(body, rejected)
    except (NotOddsError, _RecordedApiError, *DECODE_ERRORS) as error:
        yield _skip_unreadable(path, error)
        return
    try:
        at = parse_wire_time(stated) if stated is not None else file_time or _newest_last_update(events)
    except ValueError as error:
        yield SkippedFile(path, "an unreadable time", _NO_ODDS_REMEDY, str(error))
        return
    if at is None:
        yield SkippedFile(path, "no capture time", "name it like nfl_20251103T015058Z.json")
        return
    yield from _build_captures(path, at, body, events, rejected)


def _build_captures(
    path: str, at: datetime, body: bytes, events: Sequence[RawEventOdds], rejected: list[str]
) -> Iterator[ParsedCapture]:
    """A capture for each sport of an answer."""
    single_event = is_single_event(body)
    capture_time = at + timedelta(microseconds=content_microsecond(body)) if single_event else at
    sports = split_by_sport(body)
    for sport, part in sports.items():
        sent = [event for event in events if event.sport_key == sport]
        sport_events = drop_unclear_prices(sent, rejected)
        if sport_events is not sent:
            body = msgspec.json.encode(sport_events[0] if single_event else sport_events)
        title = sport_events[0].sport_title if sport_events else ""
        yield ParsedCapture(
            path,
            capture_time,
            sport,
            title,
            describe_content(sport_events),
            _compress(part if sport_events is sent else body),
            single_event,
            len(sports) > 1,
            Counter(rejected),
            sport_events is not sent,
        )
        rejected = []


def _skip_unreadable(path: str, error: Exception) -> SkippedFile:
    if isinstance(error, _RecordedApiError):
        return SkippedFile(path, "an error of the API", "ask again when its cause is gone", str(error))
    if isinstance(error, NotOddsError | msgspec.ValidationError):
        return SkippedFile(path, "no list of events with odds", _NO_ODDS_REMEDY, str(error))
    return SkippedFile(path, "no complete JSON", "fetch the file again", str(error))


def content_microsecond(body: bytes) -> int:
    """A part of a second after the first, by an answer's content."""
    return 1 + int.from_bytes(blake2b(body, digest_size=8).digest()) % (_MICROS_PER_SECOND - 1)


def _compress(body: bytes) -> bytes:
    """Compressed and copied: shrunk in place, the compressor's buffers leave 130 MB of holes a week."""
    return memoryview(zstandard.compress(body)).tobytes()


def _unwrap(text: bytes) -> tuple[bytes, WireTime | None]:
    """The event or events and, in an envelope, the time that it states (a fetch of history is named later)."""
    if not is_single_event(text):
        return text, None
    try:
        response = _RESPONSE_DECODER.decode(text)
    except DECODE_ERRORS:
        text = _to_strict_json(text)
        response = _RESPONSE_DECODER.decode(text)
    if response.error_code is not UNSET:
        raise _RecordedApiError(f"{response.error_code}: {response.message}")
    if response.data is UNSET:
        return text, None
    envelope = _ENVELOPE_DECODER.decode(text)
    return bytes(envelope.data), envelope.timestamp


def _to_strict_json(text: bytes) -> bytes:
    """An object with numbers and texts that JSON does not have, as one without.

    Raises:
        msgspec.DecodeError: it is no complete object.
    """
    try:
        return json.dumps(to_json_safe(parse_lenient_json(text))).encode()
    except ValueError as error:
        raise msgspec.DecodeError(str(error)) from error


def _newest_last_update(events: Sequence[RawEventOdds]) -> datetime | None:
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
                times.append(parse_wire_time(value))
            except ValueError as error:
                failure = error
    if not times and failure:
        raise failure
    return max(times, default=None)
