"""Read the files of a recording from a directory or a tar, and the times in their names."""

from __future__ import annotations

import codecs
import re
import tarfile
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, TYPE_CHECKING, NamedTuple, Self, cast

from edge_assets.feeds.archives import (
    DAMAGED_FILE_ERRORS,
    MAX_FILE_BYTES,
    MAX_MEMBERS,
    TooLargeError,
    is_description,
    open_regular,
    open_unpacked,
    read_regular,
    unpack,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

LINE_SUFFIXES = (".jsonl", ".ndjson")
"""Files with one response per line."""
COMPRESSION_SUFFIXES = ("", ".zst", ".gz", ".xz", ".bz2")
RECORDING_SUFFIXES = tuple(kind + packed for kind in (".json", *LINE_SUFFIXES) for packed in COMPRESSION_SUFFIXES)
TAR_SUFFIXES = (".tgz", ".txz", *(f".tar{packed}" for packed in COMPRESSION_SUFFIXES))
OTHER_FILE = "other file"
"""The reason for a file with neither a recording's nor a tar's suffix."""
TOO_LARGE_REMEDY = "split the file, or check that it is the right one"
MAX_EXTENSION_BYTES = 1 << 16
_EXTENSION_TYPES = {
    tarfile.GNUTYPE_LONGNAME,
    tarfile.GNUTYPE_LONGLINK,
    tarfile.XHDTYPE,
    tarfile.XGLTYPE,
    tarfile.SOLARIS_XHDTYPE,
}
_TIME_PATTERN = re.compile(
    r"(?<!\d)(20\d\d)[-_]?(\d\d)[-_]?(\d\d)[T_ -](\d\d)[-_:]?(\d\d)[-_:]?(\d\d)(?:[.,_](\d{1,6}))?(?!\d)"
    r"([+-](?:0\d|1[0-4])(?:[:_]?(?:00|15|30|45)))?(?!\d)"
)
_UNIX_TIME_PATTERN = re.compile(r"(?<!\d)(1\d{9})(\d{3})?(?!\d)")
"""Seconds of the years 2001 to 2033, or milliseconds."""
_BYTE_ORDER_MARKS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))


class RecordingError(Exception):
    """A recording cannot be replayed; the message contains the remedy."""


class RecordedFile(NamedTuple):
    """One file of a recording and its raw content, or why it was not read: a short `reason` and the `problem`."""

    path: str
    content: bytes
    problem: str = ""
    reason: str = "file unreadable"


def iter_recorded_files(path: Path) -> Iterator[RecordedFile]:
    """Yield one recorded file, or all below a directory and in its tars, or all in a tar of any compression.

    Raises:
        RecordingError: the path does not exist, or is neither a directory nor a readable tar.
    """
    if path.is_dir():
        yield from _iter_directory(path)
    elif not path.exists():
        msg = f"no recording at {path}: use a directory or a tar (.xz, .gz, .zst) of captured payloads"
        raise RecordingError(msg)
    elif path.name.endswith(RECORDING_SUFFIXES):
        yield _read_file(path, path.name)
    else:
        yield from _iter_tar(path)


def parse_capture_time(path: str) -> datetime | None:
    """The capture time in a file's name: `nfl_20251103T015058Z`, `2026-04-16T18-59-54.982601-0500`, `nfl_1772906400`.

    UTC if the name states no offset; unix times are seconds or milliseconds.
    """
    name = Path(path).name
    found = _TIME_PATTERN.search(name)
    if not found:
        # only if there is no written-out time: ten digits next to one are the id of a game
        unix = _UNIX_TIME_PATTERN.search(name)
        return datetime.fromtimestamp(int(unix[1]) + int(unix[2] or 0) / 1000, UTC) if unix else None
    *fields, fraction, offset = found.groups(default="")
    text = "".join([*fields, fraction.ljust(6, "0"), offset.replace("_", "") or "+0000"])
    try:
        return datetime.strptime(text, "%Y%m%d%H%M%S%f%z").astimezone(UTC)
    except ValueError:
        return None


def is_line_delimited(path: str) -> bool:
    """Whether a file has one response per line, by its name."""
    suffix = Path(path).suffix
    return path.removesuffix(suffix if suffix in COMPRESSION_SUFFIXES else "").endswith(LINE_SUFFIXES)


def decompress(file: RecordedFile) -> bytes:
    """The file's JSON text, converted to UTF-8 without a byte order mark.

    Raises:
        DAMAGED_FILE_ERRORS: the file is compressed, by its name, and damaged.
        TooLargeError: its content exceeds the limits.
    """
    content = unpack(file.content, Path(file.path).suffix)
    for mark, encoding in _BYTE_ORDER_MARKS:
        if content.startswith(mark):
            rest = content.removeprefix(mark)
            return rest if encoding == "utf-8" else rest.decode(encoding, "replace").encode()
    return content


def _iter_directory(path: Path) -> Iterator[RecordedFile]:
    for file in sorted(path.rglob("*")):
        if not file.is_dir() and not is_description(file.name):
            yield from _from_file(file, str(file.relative_to(path)))


def _from_file(file: Path, name: str) -> Iterator[RecordedFile]:
    """Yield a file, or those of a tar, or the reason why it is skipped; `x.zst` may be either."""
    is_tar, is_packed = (
        name.endswith(TAR_SUFFIXES),
        file.suffix in COMPRESSION_SUFFIXES[1:] and not Path(file.stem).suffix,
    )
    if name.endswith(RECORDING_SUFFIXES):
        yield _read_file(file, name)
    elif not is_tar and not is_packed:
        yield _other(name)
    else:
        try:
            yield from (found._replace(path=f"{name}/{found.path}") for found in _iter_tar(file))
        except RecordingError as error:
            yield RecordedFile(name, b"", str(error)) if is_tar else _read_file(file, name)


def _other(name: str) -> RecordedFile:
    return RecordedFile(
        name,
        b"",
        f"the suffix is neither {', '.join(RECORDING_SUFFIXES[:: len(COMPRESSION_SUFFIXES)])} nor .tar",
        OTHER_FILE,
    )


def _read_file(file: Path, name: str) -> RecordedFile:
    try:
        return RecordedFile(name, read_regular(file))
    except (OSError, TooLargeError) as error:
        return RecordedFile(name, b"", str(error))


def _iter_tar(path: Path) -> Iterator[RecordedFile]:
    """Yield the files of a tar; of a truncated one, those before the damage."""
    found = 0
    try:
        with open_regular(path) as file, closing(_open_tar(file, path.stat().st_size)) as archive:
            for number, member in enumerate(_iter_members(archive), start=1):
                if number > MAX_MEMBERS:
                    yield RecordedFile(path.name, b"", f"more than {MAX_MEMBERS:,} files and folders")
                    return
                if member.isfile() and not is_description(member.name):
                    found += 1
                    yield (
                        _read_member(archive, member)
                        if member.name.endswith(RECORDING_SUFFIXES)
                        else _other(member.name)
                    )
    except (tarfile.TarError, ValueError, ArithmeticError, RecursionError, *DAMAGED_FILE_ERRORS) as error:
        if found:
            yield RecordedFile(path.name, b"", f"damaged after file {found:,}: {error}")
            return
        msg = f"could not read {path} as a tar ({error}): fetch or pack it again"
        raise RecordingError(msg) from error


def _open_tar(file: IO[bytes], size: int) -> tarfile.TarFile:
    """Open as a stream, so that only the current member is in memory."""
    return tarfile.open(fileobj=cast("IO[bytes]", open_unpacked(file, size)), mode="r|", tarinfo=_LimitedTarInfo)


class _LimitedTarInfo(tarfile.TarInfo):
    """A header with a size limit for long names and other attributes, which tarfile reads completely."""

    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> Self:
        """Decode a block."""
        header = super().frombuf(buf, encoding, errors)
        if header.type in _EXTENSION_TYPES and header.size > MAX_EXTENSION_BYTES:
            msg = f"attributes of {header.size:,} bytes"
            raise TooLargeError(msg)
        return header


def _iter_members(archive: tarfile.TarFile) -> Iterator[tarfile.TarInfo]:
    """Yield the members; forget them, as the archive would otherwise keep all of them in memory."""
    while (member := archive.next()) is not None:
        archive.members.clear()  # type: ignore[attr-defined]
        yield member


def _read_member(archive: tarfile.TarFile, member: tarfile.TarInfo) -> RecordedFile:
    if member.issparse():  # its holes expand to zeros that no limit counts
        return RecordedFile(member.name, b"", "sparse file; repack without --sparse")
    if member.size > MAX_FILE_BYTES:
        return RecordedFile(
            member.name, b"", f"{member.size >> 20:,} MB exceeds the limit of {MAX_FILE_BYTES >> 20} MB"
        )
    file = archive.extractfile(member)
    return RecordedFile(member.name, file.read() if file else b"")
