"""Reads recordings from disk: the files of a directory or a tar, and what their names say."""

from __future__ import annotations

import io
import re
import tarfile
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import zstandard

if TYPE_CHECKING:
    from collections.abc import Iterator

SUFFIXES = (".json", ".json.zst")
_TIME = re.compile(
    r"(?<!\d)(20\d\d)[-_]?(\d\d)[-_]?(\d\d)[T_ -](\d\d)[-_:]?(\d\d)[-_:]?(\d\d)(?:[.,_](\d{1,6}))?(?!\d)"
)


class TapeError(Exception):
    """A recording cannot be played; the message says what to do."""


class RecordedFile(NamedTuple):
    """One file of a recording and its raw content."""

    path: str
    content: bytes


def recorded_files(path: Path) -> Iterator[RecordedFile]:
    """Every `.json` or `.json.zst` file below a directory or in a tar of any compression.

    Raises:
        TapeError: the path is missing, or neither a directory nor a readable tar.
    """
    if path.is_dir():
        yield from _from_directory(path)
    elif not path.exists():
        msg = f"no recording at {path}: give a directory or a tar (.xz, .gz, .zst) of captured payloads"
        raise TapeError(msg)
    else:
        yield from _from_tar(path)


def captured_at(path: str) -> datetime | None:
    """The capture time (UTC) in a file name like `nfl_20251103T015058Z` or `2026-04-16T18-59-54.982601Z`."""
    found = _TIME.search(Path(path).name)
    if not found:
        return None
    *fields, fraction = found.groups(default="")
    try:
        return datetime.strptime("".join([*fields, fraction.ljust(6, "0"), "+0000"]), "%Y%m%d%H%M%S%f%z")
    except ValueError:
        return None


def decompressed(file: RecordedFile) -> bytes:
    """The file's JSON text.

    Raises:
        zstandard.ZstdError: the file ends in `.zst` and is damaged.
    """
    if not file.path.endswith(".zst"):
        return file.content
    return zstandard.ZstdDecompressor().stream_reader(file.content).read()


def _from_directory(path: Path) -> Iterator[RecordedFile]:
    for file in sorted(path.rglob("*")):
        if file.name.endswith(SUFFIXES) and file.is_file():
            yield RecordedFile(str(file.relative_to(path)), file.read_bytes())


def _from_tar(path: Path) -> Iterator[RecordedFile]:
    try:
        with _opened(path) as archive:
            for member in archive:
                if member.isfile() and member.name.endswith(SUFFIXES) and (file := archive.extractfile(member)):
                    yield RecordedFile(member.name, file.read())
    except (tarfile.TarError, EOFError, OSError, zstandard.ZstdError) as error:
        msg = f"{path} cannot be read as a tar ({error}): fetch or pack it again"
        raise TapeError(msg) from error


def _opened(path: Path) -> tarfile.TarFile:
    if path.suffix == ".zst":  # tarfile learns zstd only in Python 3.14
        return tarfile.open(fileobj=io.BytesIO(_unpacked(path)))
    return tarfile.open(path)


def _unpacked(path: Path) -> bytes:
    return zstandard.ZstdDecompressor().stream_reader(path.read_bytes()).read()
