"""A tape of recorded payloads, held compressed: a week of one league is 127 MB raw and 3 MB here."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cached_property
from typing import TYPE_CHECKING

import zstandard

from edge_assets.feeds.odds_api.naming import sport_key_of
from edge_assets.feeds.replay.bodies import Score, Sport, as_datetime
from edge_assets.feeds.replay.carrying import carried
from edge_assets.feeds.replay.decoding import decode_events, is_of_one_event
from edge_assets.feeds.replay.merging import PricesDifferError, merged
from edge_assets.feeds.replay.reading import Reading, Skipped, read
from edge_assets.feeds.replay.sources import TapeError, recorded_files
from edge_assets.feeds.replay.tape import Capture, Content, Neighbours

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from datetime import datetime
    from pathlib import Path

    from edge_assets.feeds.replay.bodies import EventOdds

_SCORES_REACH_BACK = timedelta(days=3)


@dataclass(frozen=True)
class RecordedSnapshot:
    """One capture; unpacked and decoded when somebody looks."""

    captured_at: datetime
    content: Content
    packed: bytes
    of_several_sports: bool = False
    rejected: Counter[str] = field(default_factory=Counter)
    """What was left out of an answer that was written anew; of one as recorded the differ counts for itself."""

    @cached_property
    def body(self) -> bytes:
        """The recorded event or events (for a historical capture, the envelope's `data`), byte for byte."""
        return zstandard.decompress(self.packed)

    @property
    def is_of_one_event(self) -> bool:
        """Whether nothing was asked of the sport but this event."""
        return is_of_one_event(self.body)

    @cached_property
    def events(self) -> list[EventOdds]:
        """The events as recorded, without what cannot be decoded."""
        return decode_events(self.body, [])


@dataclass(frozen=True, slots=True)
class _Track:
    """The captures of one sport in order of time."""

    times: list[datetime] = field(default_factory=list)
    readings: list[Reading] = field(default_factory=list)

    def index(self, at: datetime) -> int:
        return bisect_right(self.times, at) - 1


class RecordedTape:
    """Captured payloads as a `Tape`. Use `RecordedTape.load`."""

    def __init__(self, readings: Iterable[Reading], skipped: Sequence[Skipped] = ()) -> None:
        self.skipped = list(skipped)
        self._tracks: dict[str, _Track] = defaultdict(_Track)
        self._titles: dict[str, str] = {}
        self.left_out: Counter[str] = Counter()
        for reading in sorted(readings, key=lambda r: (r.at, r.sport, r.path)):
            self._add(reading)
        self.captures = sorted(Capture(at, sport) for sport, track in self._tracks.items() for at in track.times)

    @classmethod
    def load(
        cls, path: Path, progress: Callable[[int], None] = lambda _: None, *, single_events: bool = False
    ) -> RecordedTape:
        """Read a directory or tar of captures; `progress` is told the number of files read so far.

        Files that are no captures are skipped, each with a reason in `skipped`; so are answers about single events,
        which cannot be played as what a sport has on offer, unless they are asked for.

        Raises:
            TapeError: nothing playable is there.
        """
        readings: list[Reading] = []
        skipped: list[Skipped] = []
        for count, file in enumerate(recorded_files(path), start=1):
            for found in read(file):
                outcome = found if single_events or isinstance(found, Skipped) else _as_played(found)
                if isinstance(outcome, Reading):
                    readings.append(outcome)
                elif outcome not in skipped[-1:]:
                    skipped.append(outcome)
            progress(count)
        tape = cls(_with_known_sports(readings, skipped), skipped)
        if not single_events:
            tape.carry()
        if not tape.captures:
            raise TapeError(_nothing_to_play(path, tape.skipped))
        return tape

    def carry(self) -> None:
        """Make of captures that ask for a part what stands after each, to be played as what a sport has on offer."""
        for track in self._tracks.values():
            track.readings[:] = carried(track.readings)

    def sports(self) -> list[Sport]:
        """The sports that were captured."""
        return [
            Sport(sport, _group(sport), title, title, active=True, has_outrights=sport.endswith("_winner"))
            for sport, title in sorted(self._titles.items())
        ]

    def snapshot(self, sport: str, at: datetime) -> RecordedSnapshot | None:
        """The newest capture of the sport that is not later than `at`."""
        track = self._tracks.get(sport)
        if track is None or (index := track.index(at)) < 0:
            return None
        found = track.readings[index]
        rejected = found.rejected if found.is_rewritten else Counter[str]()
        return RecordedSnapshot(found.at, found.content, found.packed, found.of_several_sports, rejected)

    def neighbours(self, sport: str, at: datetime) -> Neighbours:
        """The capture times around `snapshot(sport, at)`."""
        track = self._tracks.get(sport, _Track())
        index = track.index(at)
        previous = track.times[index - 1] if index > 0 else None
        return Neighbours(previous, track.times[index + 1] if index + 1 < len(track.times) else None)

    def scores(self, sport: str, at: datetime) -> list[Score]:
        """The snapshot's events without scores: recordings of odds hold no results."""
        snapshot = self.snapshot(sport, at)
        events = snapshot.events if snapshot else []
        return [
            Score(e.id, e.sport_key, e.sport_title, e.commence_time, False, e.home_team, e.away_team)
            for e in events
            if as_datetime(e.commence_time) > at - _SCORES_REACH_BACK
        ]

    def skipped_by_reason(self) -> Counter[str]:
        """How many files were left out, by reason."""
        return Counter(skip.reason for skip in self.skipped)

    def _add(self, reading: Reading) -> None:
        """Put a capture behind those before; two of one moment become one."""
        track = self._tracks[reading.sport]
        self._titles.setdefault(reading.sport, reading.title or reading.sport)
        self.left_out += reading.rejected
        if not track.times or track.times[-1] != reading.at:
            track.times.append(reading.at)
            track.readings.append(reading)
            return
        try:
            both = merged(track.readings[-1], reading)
        except PricesDifferError as error:
            reason, remedy = "the same sport and time twice", "remove one of the files"
            self.skipped.append(Skipped(reading.path, reason, remedy, str(error)))
        else:
            track.readings[-1] = both


def _as_played(reading: Reading) -> Reading | Skipped:
    """A capture that can be played as what a sport has on offer."""
    if reading.of_one_event:
        remedy = "record /odds for a replay; `edge import odds-api` takes this"
        return Skipped(reading.path, "odds of a single event", remedy)
    if reading.of_several_sports:
        remedy = "record each sport by its own key, not by `upcoming`; `edge import odds-api` takes this"
        return Skipped(reading.path, "several sports in one list", remedy)
    return reading


def _with_known_sports(readings: list[Reading], skipped: list[Skipped]) -> list[Reading]:
    """Give captures of an empty list the sport of their folder, or the only one that the tape has."""
    known = {reading.sport for reading in readings if reading.sport}
    for reading in readings:
        if not reading.sport:
            folder = reading.path.rpartition("/")[0].rpartition("/")[2]
            reading.sport = sport_key_of(folder) if folder in known or not known else ""
            if len(known) == 1:
                reading.sport = next(iter(known))
    homeless = [reading for reading in readings if not reading.sport]
    skipped += map(_homeless, homeless)
    return [reading for reading in readings if reading.sport]


def _homeless(reading: Reading) -> Skipped:
    if reading.rejected:
        detail = ", ".join(f"{reason}: {n}" for reason, n in sorted(reading.rejected.items()))
        return Skipped(
            reading.path, "no event that can be read", "see that its events name a sport and a start", detail
        )
    remedy = "put it into a folder named after its sport key"
    return Skipped(reading.path, "an empty list that does not say of which sport", remedy)


def _group(sport: str) -> str:
    names = {"americanfootball": "American Football", "icehockey": "Ice Hockey", "mma": "Mixed Martial Arts"}
    family = sport.partition("_")[0]
    return names.get(family, family.title())


def _nothing_to_play(path: Path, skipped: Sequence[Skipped]) -> str:
    hint = "record one with the `/odds` endpoint, one file for each call, the UTC time in its name"
    if not skipped:
        return f"{path} holds no .json or .jsonl file, plain or packed (.zst, .gz, .xz, .bz2): {hint}"
    first = skipped[0]
    return f"{path} holds {len(skipped)} files, none playable; {first}"
