"""A recording of payloads, kept compressed in memory: a week of one league has 127 MB, compressed 3 MB."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cached_property
from typing import TYPE_CHECKING

import zstandard

from edge_assets.feeds.odds_api.market_mapping import clean_sport_key
from edge_assets.feeds.recordings.capture_reader import ParsedCapture, SkippedFile, read_captures
from edge_assets.feeds.recordings.carry_forward import carry_forward
from edge_assets.feeds.recordings.decoding import decode_events, is_single_event
from edge_assets.feeds.recordings.files import RecordingError, iter_recorded_files
from edge_assets.feeds.recordings.merging import PriceConflictError, merge_captures
from edge_assets.feeds.recordings.source import Capture, Neighbours, SnapshotContent
from edge_assets.feeds.recordings.wire import RawScore, RawSport, parse_time
from edge_assets.reference.sports import family_title

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from datetime import datetime
    from pathlib import Path

    from edge_assets.feeds.recordings.wire import RawEventOdds

_SCORES_LOOKBACK = timedelta(days=3)


@dataclass(frozen=True)
class RecordedSnapshot:
    """One capture; decompressed and decoded on demand."""

    captured_at: datetime
    content: SnapshotContent
    packed: bytes
    is_multi_sport: bool = False
    rejected: Counter[str] = field(default_factory=Counter)
    """Parts dropped when a capture was rewritten; for one kept as recorded the differ counts them."""

    @cached_property
    def body(self) -> bytes:
        """The recorded event or events (for a historical capture, the envelope's `data`), byte for byte."""
        return zstandard.decompress(self.packed)

    @property
    def is_single_event(self) -> bool:
        """Whether the response is about a single event."""
        return is_single_event(self.body)

    @cached_property
    def events(self) -> list[RawEventOdds]:
        """The events as recorded, without undecodable parts."""
        return decode_events(self.body, [])


@dataclass(frozen=True, slots=True)
class _SportCaptures:
    """The captures of one sport in time order."""

    times: list[datetime] = field(default_factory=list)
    captures: list[ParsedCapture] = field(default_factory=list)

    def index_at(self, at: datetime) -> int:
        return bisect_right(self.times, at) - 1


class Recording:
    """Captured payloads as a `SnapshotSource`. Use `Recording.load`."""

    def __init__(self, captures: Iterable[ParsedCapture], skipped: Sequence[SkippedFile] = ()) -> None:
        self.skipped = list(skipped)
        self._captures_by_sport: dict[str, _SportCaptures] = defaultdict(_SportCaptures)
        self._titles: dict[str, str] = {}
        self.rejected: Counter[str] = Counter()
        for reading in sorted(captures, key=lambda r: (r.at, r.sport, r.path)):
            self._add_capture(reading)
        self.captures = sorted(
            Capture(at, sport) for sport, track in self._captures_by_sport.items() for at in track.times
        )

    @classmethod
    def load(
        cls, path: Path, progress: Callable[[int], None] = lambda _: None, *, single_events: bool = False
    ) -> Recording:
        """Read a directory or tar of captures; `progress` is called with the number of files read so far.

        Files that are not captures are skipped, with a reason in `skipped`; so are responses about single events,
        which cannot be replayed as the odds of a sport, unless `single_events` is set.

        Raises:
            RecordingError: there is nothing to replay.
        """
        captures: list[ParsedCapture] = []
        skipped: list[SkippedFile] = []
        for count, file in enumerate(iter_recorded_files(path), start=1):
            for found in read_captures(file):
                outcome = found if single_events or isinstance(found, SkippedFile) else _check_playable(found)
                if isinstance(outcome, ParsedCapture):
                    captures.append(outcome)
                elif outcome not in skipped[-1:]:
                    skipped.append(outcome)
            progress(count)
        recording = cls(_assign_sports(captures, skipped), skipped)
        if not single_events:
            recording.carry_forward()
        if not recording.captures:
            raise RecordingError(_no_captures_message(path, recording.skipped))
        return recording

    def carry_forward(self) -> None:
        """Complete partial captures with earlier offers, so that each can be replayed as all odds of a sport."""
        for track in self._captures_by_sport.values():
            track.captures[:] = carry_forward(track.captures)

    def sports(self) -> list[RawSport]:
        """The captured sports."""
        return [
            RawSport(sport, family_title(sport), title, title, active=True, has_outrights=sport.endswith("_winner"))
            for sport, title in sorted(self._titles.items())
        ]

    def snapshot(self, sport: str, at: datetime) -> RecordedSnapshot | None:
        """The newest capture of the sport that is not later than `at`."""
        track = self._captures_by_sport.get(sport)
        if track is None or (index := track.index_at(at)) < 0:
            return None
        found = track.captures[index]
        rejected = found.rejected if found.is_rewritten else Counter[str]()
        return RecordedSnapshot(found.at, found.content, found.packed, found.is_multi_sport, rejected)

    def neighbours(self, sport: str, at: datetime) -> Neighbours:
        """The capture times around `snapshot(sport, at)`."""
        track = self._captures_by_sport.get(sport, _SportCaptures())
        index = track.index_at(at)
        previous = track.times[index - 1] if index > 0 else None
        return Neighbours(previous, track.times[index + 1] if index + 1 < len(track.times) else None)

    def scores(self, sport: str, at: datetime) -> list[RawScore]:
        """The snapshot's events without scores: recordings of odds contain no results."""
        snapshot = self.snapshot(sport, at)
        events = snapshot.events if snapshot else []
        return [
            RawScore(e.id, e.sport_key, e.sport_title, e.commence_time, False, e.home_team, e.away_team)
            for e in events
            if parse_time(e.commence_time) > at - _SCORES_LOOKBACK
        ]

    def count_skipped_by_reason(self) -> Counter[str]:
        """The number of skipped files by reason."""
        return Counter(skip.reason for skip in self.skipped)

    def _add_capture(self, capture: ParsedCapture) -> None:
        """Append a capture; two of the same time are merged."""
        track = self._captures_by_sport[capture.sport]
        self._titles.setdefault(capture.sport, capture.title or capture.sport)
        self.rejected += capture.rejected
        if not track.times or track.times[-1] != capture.at:
            track.times.append(capture.at)
            track.captures.append(capture)
            return
        try:
            merged_capture = merge_captures(track.captures[-1], capture)
        except PriceConflictError as error:
            reason, remedy = "the same sport and time twice", "remove one of the files"
            self.skipped.append(SkippedFile(capture.path, reason, remedy, str(error)))
        else:
            track.captures[-1] = merged_capture


def _check_playable(capture: ParsedCapture) -> ParsedCapture | SkippedFile:
    """The capture if it can be replayed as the odds of a sport, else why not."""
    if capture.is_single_event:
        remedy = "record /odds for a replay; `edge import odds-api` takes this"
        return SkippedFile(capture.path, "odds of a single event", remedy)
    if capture.is_multi_sport:
        remedy = "record each sport by its own key, not by `upcoming`; `edge import odds-api` takes this"
        return SkippedFile(capture.path, "several sports in one list", remedy)
    return capture


def _assign_sports(captures: list[ParsedCapture], skipped: list[SkippedFile]) -> list[ParsedCapture]:
    """Assign captures of an empty list the sport of their folder, or the only sport of the recording."""
    known = {reading.sport for reading in captures if reading.sport}
    for reading in captures:
        if not reading.sport:
            folder = reading.path.rpartition("/")[0].rpartition("/")[2]
            reading.sport = clean_sport_key(folder) if folder in known or not known else ""
            if len(known) == 1:
                reading.sport = next(iter(known))
    without_sport = [reading for reading in captures if not reading.sport]
    skipped += map(_skip_without_sport, without_sport)
    return [reading for reading in captures if reading.sport]


def _skip_without_sport(reading: ParsedCapture) -> SkippedFile:
    if reading.rejected:
        detail = ", ".join(f"{reason}: {n}" for reason, n in sorted(reading.rejected.items()))
        return SkippedFile(
            reading.path, "no event that can be read", "check that its events have a sport and a start", detail
        )
    remedy = "put it into a folder named after its sport key"
    return SkippedFile(reading.path, "an empty list that does not say of which sport", remedy)


def _no_captures_message(path: Path, skipped: Sequence[SkippedFile]) -> str:
    hint = "record one with the `/odds` endpoint, one file for each call, the UTC time in its name"
    if not skipped:
        return f"{path} contains no .json or .jsonl file, plain or compressed (.zst, .gz, .xz, .bz2): {hint}"
    first = skipped[0]
    return f"{path} contains {len(skipped)} files, none of them replayable; {first}"
