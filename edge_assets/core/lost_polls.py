"""Failed polls, kept in files until the database can record them.

On a full disk the database cannot record them and processes die. Each sport has a file, which the holder of its
lease overwrites in place: its blocks were allocated while there was room. It outlives the process.
"""

from __future__ import annotations

import json
import logging
import os
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import quote, unquote

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence
    from pathlib import Path

RESERVED_FILE_BYTES = 2**14
"""About fifty polls; beyond that, the first are kept."""
MAX_ERROR_CHARACTERS = 200
FILE_SUFFIX = ".lost"

log = logging.getLogger(__name__)


class LostPoll(NamedTuple):
    """A failed poll: when in feed time, why, what it cost, and the credits remaining afterwards."""

    at: datetime
    error: str
    credits: int = 0
    remaining: int | None = None


class LostPolls:
    """The file of one sport. Without a `folder`, or if its disk fails, nothing is kept."""

    def __init__(self, folder: Path | None, sport: str) -> None:
        self._path = folder and _sport_path(folder, sport)

    def reserve_space(self) -> None:
        """Allocate the file's blocks before the disk is full."""
        if self._path is None:
            return
        try:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with self._path.open("ab") as file:
                if missing := RESERVED_FILE_BYTES - file.tell():
                    file.write(bytes(missing))
                    file.flush()
                    os.fsync(file.fileno())
        except OSError as error:
            log.warning("%s: could not reserve space for lost polls: %s", self._path, error)

    def save(self, polls: Iterable[LostPoll]) -> None:
        """Replace the file's content with these polls and sync it."""
        if self._path is None:
            return
        self.reserve_space()
        kept = b""
        for poll in polls:
            line = _encode_line(poll)
            kept += line if len(kept) + len(line) <= RESERVED_FILE_BYTES else b""
        try:
            with self._path.open("r+b", buffering=0) as file:
                file.write(kept.ljust(RESERVED_FILE_BYTES, b"\0"))
                os.fsync(file.fileno())
        except OSError as error:
            log.warning("%s: could not save lost polls: %s", self._path, error)

    def read(self) -> list[LostPoll]:
        """The polls that the database has not recorded."""
        return _read(self._path) if self._path else []


def lost_polls_folder(home: Path, feed: str) -> Path:
    """The folder with the files of a feed's sports."""
    return home / "lost_polls" / feed


def delete_other_sports(folder: Path, sports: Collection[str]) -> None:
    """Remove the files of sports that are no longer polled: nothing would ever move them to the database."""
    for sport, polls in read_all(folder).items():
        if sport not in sports:
            log.warning("%s is no longer polled: %s", sport, summarize(polls))
            _sport_path(folder, sport).unlink(missing_ok=True)


def read_all(folder: Path) -> dict[str, list[LostPoll]]:
    """By sport, the polls that the database has not recorded."""
    read = {
        unquote(path.name.removesuffix(FILE_SUFFIX)): _read(path) for path in sorted(folder.glob(f"*{FILE_SUFFIX}"))
    }
    return {sport: polls for sport, polls in read.items() if polls}


def summarize(polls: Sequence[LostPoll]) -> str:
    """Their number, the time span, and the last one's error."""
    first, last = polls[0], polls[-1]
    when = f"{len(polls)} from {first.at:%H:%M:%S} to {last.at:%H:%M:%S} UTC"
    return f"failed polls that could not be recorded, {when}: {last.error}"


def _sport_path(folder: Path, sport: str) -> Path:
    return folder / f"{quote(sport, safe='')}{FILE_SUFFIX}"


def _encode_line(poll: LostPoll) -> bytes:
    at, error = poll.at.isoformat(), poll.error[:MAX_ERROR_CHARACTERS]
    return json.dumps([at, error, poll.credits, poll.remaining]).encode() + b"\n"


def _read(path: Path) -> list[LostPoll]:
    """Skip lines that a power cut has truncated."""
    try:
        lines = path.read_bytes().rstrip(b"\0").splitlines()
    except OSError:
        return []
    polls = []
    for line in lines:
        try:
            at, error, spent, remaining = json.loads(line)
            polls.append(LostPoll(datetime.fromisoformat(at), str(error), int(spent), remaining))
        except (ValueError, TypeError) as error:
            log.warning("%s: skipped an unreadable line: %s", path, error)
    return polls
