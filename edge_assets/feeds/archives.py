"""Read external files and archives within limits: 328 KB of zstandard can expand to 2.5 GB.

Only regular files are read: a fifo would block, and `/dev/zero` never ends.
"""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import os
import stat
import zlib
from typing import IO, TYPE_CHECKING, Protocol

import zstandard

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

MAX_FILE_BYTES = 512 << 20
"""Of one file or member, unpacked; the largest real recording has 130 MB."""
MAX_ARCHIVE_BYTES = 16 << 30
"""Of a whole tar: a year of one league, recorded every minute."""
MAX_COMPRESSION_RATIO = 1_000
"""Unpacked to packed; a week of nearly identical captures reaches 150."""
MIN_RATIO_CHECKED_BYTES = 16 << 20
"""Below this size the compression ratio is not checked."""
MAX_MEMBERS = 1_000_000
"""Folders and links count too: they take half a kilobyte each, and almost nothing packed."""
CHUNK_BYTES = 1 << 20
DAMAGED_FILE_ERRORS = (OSError, EOFError, lzma.LZMAError, zlib.error, zstandard.ZstdError)
"""Raised by decompressors for files that are truncated or in another format."""


DESCRIPTION_NAMES = frozenset({"README", "LICENSE", "COPYING", "CHANGELOG"})


def is_description(name: str) -> bool:
    """Whether a file is hidden or a README or the like, which imports ignore silently."""
    plain = name.rpartition("/")[2]
    return plain.startswith(".") or plain.partition(".")[0].upper() in DESCRIPTION_NAMES


class TooLargeError(ValueError):
    """A file or archive exceeds a limit; the message gives the size."""


class Readable(Protocol):
    """A stream of bytes."""

    def read(self, size: int = -1, /) -> bytes:
        """At most `size` bytes, none at the end."""
        ...


def _open_zstandard(stream: IO[bytes]) -> Readable:
    return zstandard.ZstdDecompressor().stream_reader(stream, read_across_frames=True)


_OPENERS: dict[str, Callable[[IO[bytes]], Readable]] = {
    ".gz": lambda stream: gzip.GzipFile(fileobj=stream),
    ".xz": lzma.LZMAFile,
    ".bz2": bz2.BZ2File,
    ".zst": _open_zstandard,
}
_SUFFIX_BY_MAGIC = {b"\x1f\x8b": ".gz", b"\xfd7zXZ\0": ".xz", b"BZh": ".bz2", b"\x28\xb5\x2f\xfd": ".zst"}


class LimitedStream:
    """A stream that raises `TooLargeError` beyond a size limit or compression ratio."""

    def __init__(self, stream: Readable, packed_bytes: int, limit: int = MAX_FILE_BYTES) -> None:
        self._stream = stream
        self._limit = min(limit, max(MIN_RATIO_CHECKED_BYTES, packed_bytes * MAX_COMPRESSION_RATIO))
        self._bytes_read = 0

    def read(self, size: int = CHUNK_BYTES) -> bytes:
        """The next bytes."""
        found = self._stream.read(size)
        self._bytes_read += len(found)
        if self._bytes_read > self._limit:
            msg = f"more than {_format_size(self._limit)} unpacked"
            raise TooLargeError(msg)
        return found


def unpack(content: bytes, suffix: str) -> bytes:
    """Decompress a file's content by its suffix; an unknown suffix leaves it unchanged.

    Raises:
        TooLargeError: it exceeds `MAX_FILE_BYTES`, or `MAX_COMPRESSION_RATIO` times its packed size.
        DAMAGED_FILE_ERRORS: it is truncated or not in that format.
    """
    opener = _OPENERS.get(suffix)
    if opener is None:
        return content
    limited = LimitedStream(opener(io.BytesIO(content)), len(content))
    return b"".join(iter(limited.read, b""))


def open_unpacked(file: IO[bytes], packed_bytes: int) -> LimitedStream:
    """An archive as a stream, decompressed according to its first bytes."""
    start = file.read(max(map(len, _SUFFIX_BY_MAGIC)))
    file.seek(0)
    suffix = next((suffix for magic, suffix in _SUFFIX_BY_MAGIC.items() if start.startswith(magic)), "")
    return LimitedStream(_OPENERS[suffix](file) if suffix else file, packed_bytes, MAX_ARCHIVE_BYTES)


def open_regular(path: Path) -> IO[bytes]:
    """Open a file to read.

    Raises:
        OSError: it cannot be read, or is a fifo, a device, a socket or a folder.
    """
    # non-blocking: opening a fifo would wait for a writer
    number = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
    file = os.fdopen(number, "rb") if stat.S_ISREG(os.fstat(number).st_mode) else None
    if file is None:
        os.close(number)
        msg = "not a regular file (a fifo, a device, a socket or a folder)"
        raise OSError(msg)
    return file


def read_regular(path: Path) -> bytes:
    """The content of a file.

    Raises:
        TooLargeError: it exceeds `MAX_FILE_BYTES`.
        OSError: as `open_regular`.
    """
    with open_regular(path) as file:
        size = os.fstat(file.fileno()).st_size
        if size > MAX_FILE_BYTES:
            msg = f"{_format_size(size)} exceeds the limit of {_format_size(MAX_FILE_BYTES)}"
            raise TooLargeError(msg)
        return file.read()


def _format_size(n: int) -> str:
    return f"{n / (1 << 20):,.0f} MB"
