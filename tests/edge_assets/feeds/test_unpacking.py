"""Files and archives that hold more than they should, or that are none."""

from __future__ import annotations

import gzip
import io
import json
import lzma
import os
import tarfile
from typing import TYPE_CHECKING

import pytest
import zstandard

from edge_assets.feeds import unpacking
from edge_assets.feeds.history.batch import RefusedFileError
from edge_assets.feeds.history.sources import Part, single_files, unpacked, whole
from edge_assets.feeds.replay import reading
from edge_assets.feeds.replay.recorded import RecordedTape
from edge_assets.feeds.replay.sources import TapeError
from edge_assets.feeds.unpacking import RATIO_FROM_BYTES, TooLargeError
from tests.edge_assets.feeds.replay.material import NFL

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
def test_a_bomb_is_left_packed(suffix: str) -> None:
    bomb = PACK[suffix](bytes(RATIO_FROM_BYTES * 4))
    assert len(bomb) * 1_000 < RATIO_FROM_BYTES * 4
    with pytest.raises(TooLargeError, match="unpacked"):
        unpacking.unpacked(bomb, suffix)
    assert unpacking.unpacked(PACK[suffix](bytes(1_000_000)), suffix) == bytes(1_000_000)


@pytest.mark.parametrize("suffix", [".gz", ".zst"])
def test_all_parts_of_a_packed_file_are_read(suffix: str) -> None:
    assert unpacking.unpacked(PACK[suffix](b"one ") + PACK[suffix](b"two"), suffix) == b"one two"


def test_the_file_beside_a_bomb_is_played(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unpacking, "RATIO_FROM_BYTES", 1 << 16)
    monkeypatch.setattr(reading, "MAX_ANSWER_BYTES", 1 << 18)
    (tmp_path / NAME).write_bytes(_body())
    (tmp_path / f"bomb{NAME}.zst").write_bytes(zstandard.compress(bytes(1 << 22)))
    (tmp_path / f"long{NAME}").write_bytes(b" " * (1 << 19) + _body())
    os.mkfifo(tmp_path / f"fifo{NAME}")
    tape = RecordedTape.load(tmp_path)
    assert len(tape.captures) == 1
    told = {skip.path.removesuffix(".zst"): skip.reason for skip in tape.skipped}
    assert told == {f"bomb{NAME}": "too large", f"fifo{NAME}": "file unreadable", f"long{NAME}": "answer too long"}


def _tar(*members: tuple[str, bytes]) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        for name, content in members:
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return packed.getvalue()


@pytest.mark.parametrize("suffix", PACK)
def test_a_tar_that_does_not_end_is_read_up_to_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, suffix: str
) -> None:
    monkeypatch.setattr(unpacking, "RATIO_FROM_BYTES", 1 << 16)
    path = tmp_path / f"week.tar{suffix}"
    path.write_bytes(PACK[suffix](_tar((NAME, _body()), ("zeros.json", bytes(1 << 24)))))
    tape = RecordedTape.load(path)
    assert len(tape.captures) == 1
    assert "unpacked" in tape.skipped[0].detail


def test_a_large_member_is_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edge_assets.feeds.replay.sources.MAX_FILE_BYTES", 1 << 20)
    path = tmp_path / "week.tar"
    path.write_bytes(_tar(("large.json", bytes(2 << 20)), (NAME, _body())))
    tape = RecordedTape.load(path)
    assert [skip.path for skip in tape.skipped] == ["large.json"]
    assert len(tape.captures) == 1


def test_nothing_waits_for_a_fifo(tmp_path: Path) -> None:
    fifo = tmp_path / "season.csv"
    os.mkfifo(fifo)
    with pytest.raises(TapeError, match="no regular file"):
        RecordedTape.load(fifo)
    [part] = single_files([fifo])
    with pytest.raises(OSError, match="no regular file"):
        part.sha256()
    with pytest.raises(RefusedFileError, match="no regular file"):
        unpacked(fifo)
    (tmp_path / NAME).write_bytes(_body())
    assert [len(each.files) for each in whole([tmp_path])] == [1]
    assert isinstance(whole([fifo])[0], Part)


def test_a_packed_csv_that_holds_too_much_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "E0.csv.gz"
    path.write_bytes(gzip.compress(bytes(RATIO_FROM_BYTES * 4)))
    with pytest.raises(RefusedFileError, match="too_large"):
        unpacked(path)
