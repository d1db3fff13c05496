"""Group the files below given paths into units that are imported atomically and identified by content."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from edge_assets.feeds.archives import DAMAGED_FILE_ERRORS, TooLargeError, is_description, open_regular, read_regular
from edge_assets.feeds.archives import unpack as unpacked_content
from edge_assets.importers.formats.batch import RejectedFileError, Rejection

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

COMPRESSION_SUFFIXES = (".xz", ".gz")
CHUNK_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class ImportUnit:
    """A unit that is imported completely or not at all: a file, or a folder whose files belong together."""

    name: str
    path: Path
    files: tuple[Path, ...]

    @property
    def size(self) -> int:
        """The size in bytes; unreadable files count as empty."""
        return sum(map(_file_size, self.files))

    def sha256(self) -> bytes:
        """The hash of the content; for several files, the hash of their hashes."""
        hashes = [_hash_file(file) for file in self.files]
        return hashes[0] if len(hashes) == 1 else hashlib.sha256(b"".join(hashes)).digest()

    def read_content(self, ending: str) -> bytes | None:
        """The decompressed content of the file whose name, without `.xz` or `.gz`, has this ending.

        Raises:
            RejectedFileError: the file is damaged.
        """
        for file in self.files:
            if _uncompressed_name(file).endswith(ending):
                return read_unpacked(file)
        return None


def read_unpacked(file: Path) -> bytes:
    """The content of a file, decompressed according to its suffix.

    Raises:
        RejectedFileError: the file is damaged or too large.
    """
    try:
        return unpacked_content(read_regular(file), file.suffix if file.suffix in COMPRESSION_SUFFIXES else "")
    except TooLargeError as error:
        remedy = "split the file, or check that it is the right one"
        raise RejectedFileError(Rejection(format_path(file), "too_large", str(error), remedy)) from error
    except DAMAGED_FILE_ERRORS as error:
        raise RejectedFileError(
            Rejection(format_path(file), "file_damaged", str(error), "fetch the file again")
        ) from error


def find_file_units(paths: Sequence[Path], ending: str = ".csv") -> list[ImportUnit]:
    """One unit per file, for formats with independent files."""
    found = [file for path in paths for file in _iter_files(path) if _uncompressed_name(file).lower().endswith(ending)]
    return [ImportUnit(_short_name(file), file, (file,)) for file in dict.fromkeys(found)]


def find_folder_units(paths: Sequence[Path], main: str, others: Sequence[str]) -> list[ImportUnit]:
    """One unit for every file whose name ends with `main`, with the files next to it that end with the `others`."""
    units = []
    for file in dict.fromkeys(
        file for path in paths for file in _iter_files(path) if _uncompressed_name(file).endswith(main)
    ):
        start = _uncompressed_name(file).removesuffix(main)
        names = {start + other for other in others}
        siblings = sorted(other for other in file.parent.iterdir() if _uncompressed_name(other) in names)
        units.append(ImportUnit(_short_name(file.parent), file.parent, (file, *siblings)))
    return units


def find_path_units(paths: Sequence[Path]) -> list[ImportUnit]:
    """One unit per path: for a folder, all its files."""
    return [ImportUnit(format_path(Path(path.name)), path, tuple(_iter_regular_files(path))) for path in paths]


def find_unused_files(path: Path, units: Sequence[ImportUnit]) -> list[Path]:
    """The files below a path that are in no unit, except hidden ones and descriptions such as a README."""
    used = {file for unit in units for file in unit.files}
    return [file for file in _iter_files(path) if file not in used and not is_description(file.name)]


def _iter_files(path: Path) -> Iterator[Path]:
    """Yield the file, or those below the folder; special files are reported when they are opened.

    Raises:
        RejectedFileError: the path does not exist.
    """
    if path.is_dir():
        yield from sorted(file for file in path.rglob("*") if not file.is_dir())
    elif path.exists():
        yield path
    else:
        raise RejectedFileError(
            Rejection(format_path(path), "nothing_there", "no such file or folder", "check the path")
        )


def _iter_regular_files(path: Path) -> Iterator[Path]:
    """Yield only regular files of a folder; others are reported when it is read as a recording."""
    return (file for file in _iter_files(path) if file == path or file.is_file())


def format_path(path: Path) -> str:
    """A path as text; file names may be invalid in any encoding."""
    return os.fsencode(path).decode(errors="replace")


def _short_name(path: Path) -> str:
    return "/".join(Path(format_path(path)).parts[-2:])


def _file_size(file: Path) -> int:
    try:
        return file.stat().st_size
    except OSError:
        return 0


def _uncompressed_name(file: Path) -> str:
    return file.name.removesuffix(file.suffix) if file.suffix in COMPRESSION_SUFFIXES else file.name


def _hash_file(file: Path) -> bytes:
    digest = hashlib.sha256()
    with open_regular(file) as stream:
        for chunk in _read_chunks(stream.read):
            digest.update(chunk)
    return digest.digest()


def _read_chunks(read: Callable[[int], bytes]) -> Iterable[bytes]:
    return iter(lambda: read(CHUNK_BYTES), b"")
