"""Oversized, damaged and special files and archives."""

from __future__ import annotations

import gzip
import io
import json
import lzma
import os
import subprocess
import tarfile
from typing import TYPE_CHECKING

import pytest
import zstandard

from edge_assets.feeds import archives
from edge_assets.feeds.archives import MIN_RATIO_CHECKED_BYTES, TooLargeError
from edge_assets.feeds.recordings import capture_reader
from edge_assets.feeds.recordings.files import RecordingError
from edge_assets.feeds.recordings.recording import Recording
from edge_assets.importers.formats.batch import RejectedFileError
from edge_assets.importers.formats.source_units import ImportUnit, find_file_units, find_path_units, read_unpacked
from tests.support.recordings import NFL

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

NAME = "nfl_20251103T015058Z.json"
PACK: dict[str, Callable[[bytes], bytes]] = {".gz": gzip.compress, ".xz": lzma.compress, ".zst": zstandard.compress}


def _body() -> bytes:
    event = {
        "id": "a" * 32,
        "sport_key": NFL,
        "sport_title": "NFL",
        "commence_time": "2025-11-03T18:00:00Z",
        "home_team": "Home",
        "away_team": "Away",
        "bookmakers": [],
    }
    return json.dumps([event]).encode()


@pytest.mark.parametrize("suffix", PACK)
def test_a_decompression_bomb_is_rejected(suffix: str) -> None:
    bomb = PACK[suffix](bytes(MIN_RATIO_CHECKED_BYTES * 4))
    assert len(bomb) * 1_000 < MIN_RATIO_CHECKED_BYTES * 4
    with pytest.raises(TooLargeError, match="unpacked"):
        archives.unpack(bomb, suffix)
    assert archives.unpack(PACK[suffix](bytes(1_000_000)), suffix) == bytes(1_000_000)


@pytest.mark.parametrize("suffix", [".gz", ".zst"])
def test_all_frames_of_a_compressed_file_are_read(suffix: str) -> None:
    assert archives.unpack(PACK[suffix](b"one ") + PACK[suffix](b"two"), suffix) == b"one two"


def test_a_bomb_does_not_affect_other_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archives, "MIN_RATIO_CHECKED_BYTES", 1 << 16)
    monkeypatch.setattr(capture_reader, "MAX_RESPONSE_BYTES", 1 << 18)
    (tmp_path / NAME).write_bytes(_body())
    (tmp_path / f"bomb{NAME}.zst").write_bytes(zstandard.compress(bytes(1 << 22)))
    (tmp_path / f"long{NAME}").write_bytes(b" " * (1 << 19) + _body())
    os.mkfifo(tmp_path / f"fifo{NAME}")
    recording = Recording.load(tmp_path)
    assert len(recording.captures) == 1
    reported = {skip.path.removesuffix(".zst"): skip.reason for skip in recording.skipped}
    assert reported == {
        f"bomb{NAME}": "too large",
        f"fifo{NAME}": "file unreadable",
        f"long{NAME}": "response too long",
    }


def _tar(*members: tuple[str, bytes]) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        for name, content in members:
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return packed.getvalue()


@pytest.mark.parametrize("suffix", PACK)
def test_a_tar_bomb_is_read_up_to_the_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, suffix: str) -> None:
    monkeypatch.setattr(archives, "MIN_RATIO_CHECKED_BYTES", 1 << 16)
    path = tmp_path / f"week.tar{suffix}"
    path.write_bytes(PACK[suffix](_tar((NAME, _body()), ("zeros.json", bytes(1 << 24)))))
    recording = Recording.load(path)
    assert len(recording.captures) == 1
    assert "unpacked" in recording.skipped[0].detail


def test_a_large_member_is_skipped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edge_assets.feeds.recordings.files.MAX_FILE_BYTES", 1 << 20)
    path = tmp_path / "week.tar"
    path.write_bytes(_tar(("large.json", bytes(2 << 20)), (NAME, _body())))
    recording = Recording.load(path)
    assert [skip.path for skip in recording.skipped] == ["large.json"]
    assert len(recording.captures) == 1


def test_reading_stops_after_too_many_invalid_lines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(capture_reader, "MAX_REJECTED_LINES", 3)
    line = json.dumps({"timestamp": "2025-11-03T01:50:58Z", "data": json.loads(_body())}).encode()
    (tmp_path / "many.jsonl").write_bytes(line + b"\n\n" + b"1\n" * 9)
    (tmp_path / "some.jsonl").write_bytes(b"1\n2\n" + line.replace(b"01:50", b"01:51"))
    recording = Recording.load(tmp_path)
    assert len(recording.captures) == 2
    assert recording.count_skipped_by_reason() == {
        "no list of events with odds": 5,
        "too many lines that are not responses": 1,
    }


def _folder(name: str) -> tarfile.TarInfo:
    folder = tarfile.TarInfo(name)
    folder.type = tarfile.DIRTYPE
    return folder


def test_folders_count_as_members_of_a_tar(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edge_assets.feeds.recordings.files.MAX_MEMBERS", 5)
    path = tmp_path / "week.tar"
    with tarfile.open(path, "w") as archive:
        member = tarfile.TarInfo(NAME)
        member.size = len(_body())
        archive.addfile(member, io.BytesIO(_body()))
        for n in range(9):
            archive.addfile(_folder(f"f{n}"))
    recording = Recording.load(path)
    assert len(recording.captures) == 1
    assert [skip.detail for skip in recording.skipped] == ["more than 5 files and folders"]


def test_attributes_of_a_tar_are_limited(tmp_path: Path) -> None:
    path = tmp_path / "week.tar"
    with tarfile.open(path, "w", format=tarfile.GNU_FORMAT) as archive:
        member = tarfile.TarInfo(NAME)
        member.size = len(_body())
        archive.addfile(member, io.BytesIO(_body()))
        archive.addfile(_folder("f" * (1 << 17)))
    recording = Recording.load(path)
    assert len(recording.captures) == 1
    assert "attributes of 131,074 bytes" in recording.skipped[0].detail


def test_endless_attributes_are_reported(tmp_path: Path) -> None:
    """tarfile reads each extension header with a recursive call."""
    extension = tarfile.TarInfo("x")
    extension.type, extension.size = tarfile.XHDTYPE, 12
    block = extension.tobuf(tarfile.USTAR_FORMAT) + b"12 path=a.b\n".ljust(512, b"\0")
    path = tmp_path / "week.tar"
    path.write_bytes(_tar((NAME, _body()))[:-1024].rstrip(b"\0").ljust(1024, b"\0") + block * 5_000 + bytes(1024))
    recording = Recording.load(path)
    assert len(recording.captures) == 1
    assert "recursion" in recording.skipped[0].detail


def test_a_sparse_member_is_not_expanded(tmp_path: Path) -> None:
    (tmp_path / "hole.json").touch()
    os.truncate(tmp_path / "hole.json", 1 << 28)
    (tmp_path / NAME).write_bytes(_body())
    path = tmp_path / "week.tar"
    subprocess.run(["tar", "--sparse", "-C", tmp_path, "-cf", path, "hole.json", NAME], check=True)
    assert path.stat().st_size < 1 << 20
    recording = Recording.load(path)
    assert len(recording.captures) == 1
    assert "sparse" in recording.skipped[0].detail


def test_a_fifo_is_rejected_without_blocking(tmp_path: Path) -> None:
    fifo = tmp_path / "season.csv"
    os.mkfifo(fifo)
    with pytest.raises(RecordingError, match="not a regular file"):
        Recording.load(fifo)
    [part] = find_file_units([fifo])
    with pytest.raises(OSError, match="not a regular file"):
        part.sha256()
    with pytest.raises(RejectedFileError, match="not a regular file"):
        read_unpacked(fifo)
    (tmp_path / NAME).write_bytes(_body())
    assert [len(each.files) for each in find_path_units([tmp_path])] == [1]
    assert isinstance(find_path_units([fifo])[0], ImportUnit)


def test_an_oversized_compressed_csv_is_rejected(tmp_path: Path) -> None:
    path = tmp_path / "E0.csv.gz"
    path.write_bytes(gzip.compress(bytes(MIN_RATIO_CHECKED_BYTES * 4)))
    with pytest.raises(RejectedFileError, match="too_large"):
        read_unpacked(path)
