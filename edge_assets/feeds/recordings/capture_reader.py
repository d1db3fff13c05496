"""Read recorded files into captures with time and sport, or skip them with a reason.

Responses about single events of one historical snapshot share its timestamp. Each gets its own microsecond within the
second, derived from its content, so that they stay separate polls and importing the same file again changes nothing.
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
from edge_assets.feeds.lenient_json import parse_lenient_json
from edge_assets.feeds.odds_api.conversions import parse_wire_time
from edge_assets.feeds.odds_api.repair import to_json_safe
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
from ml.quotes import MICROS_PER_SECOND

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
    """The fields that distinguish the API's objects."""

    data: msgspec.Raw | UnsetType = UNSET
    error_code: str | UnsetType = UNSET
    message: str = ""


class _RecordedApiError(Exception):
    """The recording holds an error of the API instead of odds."""


_ENVELOPE_DECODER = msgspec.json.Decoder(RecordedEnvelope)
_RESPONSE_DECODER = msgspec.json.Decoder(_ResponseObject)
_log = logging.getLogger(__name__)
MAX_RESPONSE_BYTES = 32 << 20
"""Of one response, in a file or on a line; the largest real one has 3 MB."""
MAX_REJECTED_LINES = 1_000
"""Of one file: a few packed kilobytes can hold eight million invalid lines."""
_KINDS = {".zst": "zstd", ".gz": "gzip", ".xz": "xz", ".bz2": "bzip2"}
_REMEDIES = {OTHER_FILE: "if it is a recording, name it so"}
_NO_ODDS_REMEDY = "use recorded responses of /odds or /events/{id}/odds, live or historical, API version 4"


class SkippedFile(NamedTuple):
    """A file that is not a capture: which, why, and what to do about it."""

    path: str
    reason: str
    remedy: str
    detail: str = ""

    def __str__(self) -> str:
        """One line for a log."""
        return f"{self.path}: {self.reason}{self.detail and f' ({self.detail})'}; {self.remedy}"


@dataclass(slots=True)
class ParsedCapture:
    """A capture as read: the list of events, or the single event, compressed, with its metadata.

    `is_multi_sport`: the response listed the next events of many sports, not all of this one. `rejected` counts the
    unreadable parts by reason; in `is_rewritten` captures they have already been removed.
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
    """Decode, date and compress the responses of a file; never raises because of its content."""
    try:
        yield from _read(file)
    except Exception as error:  # unexpected data in one file must not stop the others
        _log.exception("could not read %s", file.path)
        remedy = "this is a bug in Edge Finder: report it and attach the file; other files are read"
        yield SkippedFile(file.path, "reader failed", remedy, f"{type(error).__name__}: {error}")


def _read(file: RecordedFile) -> Iterator[ParsedCapture | SkippedFile]:
    if file.problem:
        yield SkippedFile(
            file.path, file.reason, _REMEDIES.get(file.reason, "check its type and permissions"), file.problem
        )
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
        yield from _read_response(file.path, text, parse_capture_time(file.path))
        return
    yield from _read_lines(file.path, text)


def _read_lines(path: str, text: bytes) -> Iterator[ParsedCapture | SkippedFile]:
    """Read a file with one response per line; stop after `MAX_REJECTED_LINES` invalid lines."""
    lines = ((n, line) for n, line in enumerate(BytesIO(text), start=1) if line.strip())
    first = list(islice(lines, 2))
    # the file name can date a single response only
    file_time = parse_capture_time(path) if len(first) == 1 else None
    rejected_lines = 0
    for n, line in chain(first, lines):
        if rejected_lines >= MAX_REJECTED_LINES:
            yield SkippedFile(
                path, "too many lines that are not responses", TOO_LARGE_REMEDY, f"read up to line {n - 1:,}"
            )
            return
        for found in _read_response(f"{path}:{n}", line, file_time):
            rejected_lines += isinstance(found, SkippedFile)
            yield found


def _read_response(path: str, text: bytes, file_time: datetime | None) -> Iterator[ParsedCapture | SkippedFile]:
    rejected: list[str] = []
    if len(text) > MAX_RESPONSE_BYTES:
        detail = f"{len(text) >> 20} MB exceeds the limit of {MAX_RESPONSE_BYTES >> 20} MB"
        yield SkippedFile(path, "response too long", TOO_LARGE_REMEDY, detail)
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
    """Yield a capture for each sport of a response."""
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
        return SkippedFile(path, "an error of the API", "repeat the request once its cause is fixed", str(error))
    if isinstance(error, NotOddsError | msgspec.ValidationError):
        return SkippedFile(path, "no list of events with odds", _NO_ODDS_REMEDY, str(error))
    return SkippedFile(path, "no complete JSON", "fetch the file again", str(error))


def content_microsecond(body: bytes) -> int:
    """A nonzero microsecond derived from the content of a response."""
    return 1 + int.from_bytes(blake2b(body, digest_size=8).digest()) % (MICROS_PER_SECOND - 1)


def _compress(body: bytes) -> bytes:
    """Compress, and copy the result: the compressor's oversized buffers would fragment memory."""
    return memoryview(zstandard.compress(body)).tobytes()


def _unwrap(text: bytes) -> tuple[bytes, WireTime | None]:
    """The event or events and, in a historical envelope, its timestamp (the file is named after the time of the
    request).
    """
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
    """Rewrite a lenient JSON object as strict JSON.

    Raises:
        msgspec.DecodeError: it is not a complete object.
    """
    try:
        return json.dumps(to_json_safe(parse_lenient_json(text))).encode()
    except ValueError as error:
        raise msgspec.DecodeError(str(error)) from error


def _newest_last_update(events: Sequence[RawEventOdds]) -> datetime | None:
    """The newest time that a book states: a lower bound of the capture time, and usually close to it.

    Raises:
        ValueError: times are stated, but none is readable.
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
