"""The files below given paths as the parts that are imported whole, each known by its content."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from edge_assets.feeds.history.batch import Refusal, RefusedFileError
from edge_assets.feeds.unpacking import DAMAGED, TooLargeError, is_description, open_regular, read_regular
from edge_assets.feeds.unpacking import unpacked as unpacked_content

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

PACKED = (".xz", ".gz")
CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class Part:
    """What is imported whole or not at all: a file, or a folder whose files belong together."""

    name: str
    path: Path
    files: tuple[Path, ...]

    @property
    def size(self) -> int:
        """Bytes; nothing of a file that cannot be looked at."""
        return sum(map(_size, self.files))

    def sha256(self) -> bytes:
        """The hash of the contents; of several files, of their hashes."""
        hashes = [_sha256(file) for file in self.files]
        return hashes[0] if len(hashes) == 1 else hashlib.sha256(b"".join(hashes)).digest()

    def content(self, ending: str) -> bytes | None:
        """The unpacked content of the file whose name, without `.xz` or `.gz`, ends so.

        Raises:
            RefusedFileError: the file is damaged.
        """
        for file in self.files:
            if _plain(file).endswith(ending):
                return unpacked(file)
        return None


def unpacked(file: Path) -> bytes:
    """The content of a file, unpacked if its name says so.

    Raises:
        RefusedFileError: the file is damaged, or holds too much.
    """
    try:
        return unpacked_content(read_regular(file), file.suffix if file.suffix in PACKED else "")
    except TooLargeError as error:
        remedy = "give it in parts, or see that it is what it should be"
        raise RefusedFileError(Refusal(printable(file), "too_large", str(error), remedy)) from error
    except DAMAGED as error:
        raise RefusedFileError(Refusal(printable(file), "file_damaged", str(error), "fetch the file again")) from error


def single_files(paths: Sequence[Path], ending: str = ".csv") -> list[Part]:
    """One part a file, for formats whose files stand alone."""
    found = [file for path in paths for file in _files(path) if _plain(file).lower().endswith(ending)]
    return [Part(_short(file), file, (file,)) for file in dict.fromkeys(found)]


def folders(paths: Sequence[Path], main: str, others: Sequence[str]) -> list[Part]:
    """One part for every file whose name ends with `main`, with those beside it that end with the `others`."""
    parts = []
    for file in dict.fromkeys(file for path in paths for file in _files(path) if _plain(file).endswith(main)):
        start = _plain(file).removesuffix(main)
        names = {start + other for other in others}
        beside = sorted(other for other in file.parent.iterdir() if _plain(other) in names)
        parts.append(Part(_short(file.parent), file.parent, (file, *beside)))
    return parts


def whole(paths: Sequence[Path]) -> list[Part]:
    """One part a path: of a folder, all its files."""
    return [Part(printable(Path(path.name)), path, tuple(_regular_files(path))) for path in paths]


def left_out(path: Path, parts: Sequence[Part]) -> list[Path]:
    """The files below a path that are in none of its parts, but for what describes the others and what is hidden."""
    used = {file for part in parts for file in part.files}
    return [file for file in _files(path) if file not in used and not is_description(file.name)]


def _files(path: Path) -> Iterator[Path]:
    """The file, or those below the folder; what turns out to be none is told when it is opened.

    Raises:
        RefusedFileError: nothing is there.
    """
    if path.is_dir():
        yield from sorted(file for file in path.rglob("*") if not file.is_dir())
    elif path.exists():
        yield path
    else:
        raise RefusedFileError(
            Refusal(printable(path), "nothing_there", "no such file or folder", "give one that exists")
        )


def _regular_files(path: Path) -> Iterator[Path]:
    """The same without what is no file below a folder, which is told where the folder is read as one recording."""
    return (file for file in _files(path) if file == path or file.is_file())


def printable(path: Path) -> str:
    """A path as text; the name of a file may be none in any encoding."""
    return os.fsencode(path).decode(errors="replace")


def _short(path: Path) -> str:
    return "/".join(Path(printable(path)).parts[-2:])


def _size(file: Path) -> int:
    try:
        return file.stat().st_size
    except OSError:
        return 0


def _plain(file: Path) -> str:
    return file.name.removesuffix(file.suffix) if file.suffix in PACKED else file.name


def _sha256(file: Path) -> bytes:
    digest = hashlib.sha256()
    with open_regular(file) as stream:
        for chunk in _chunks(stream.read):
            digest.update(chunk)
    return digest.digest()


def _chunks(read: Callable[[int], bytes]) -> Iterable[bytes]:
    return iter(lambda: read(CHUNK), b"")
