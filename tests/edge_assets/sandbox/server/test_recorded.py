"""Reading recordings: captures, and skipped files with reasons."""

from __future__ import annotations

import gzip
import io
import json
import tarfile
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
import zstandard

from edge_assets.feeds.recordings.files import RecordingError, parse_capture_time
from edge_assets.feeds.recordings.recording import Recording
from ml.quotes.coverage import MIN_REPEATS
from tests.support.recordings import EPL, GAME, NFL, book, event, nfl_body, two_way, write

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("nfl_20251103T015058Z.json", datetime(2025, 11, 3, 1, 50, 58, tzinfo=UTC)),
        (
            "americanfootball_nfl/2025-11-03T01:50:58.012345Z.json.zst",
            datetime(2025, 11, 3, 1, 50, 58, 12345, tzinfo=UTC),
        ),
        ("2026-04-16T18-59-54.9Z.json", datetime(2026, 4, 16, 18, 59, 54, 900_000, tzinfo=UTC)),
        ("20260416_185954_epl.json", datetime(2026, 4, 16, 18, 59, 54, tzinfo=UTC)),
        ("nfl_20260307T130000-0500.json", datetime(2026, 3, 7, 18, tzinfo=UTC)),
        ("nfl_2026-03-07T13-00-00.250+05:30.jsonl", datetime(2026, 3, 7, 7, 30, 0, 250_000, tzinfo=UTC)),
        ("nfl_1772906400.json.gz", datetime(2026, 3, 7, 18, tzinfo=UTC)),
        ("nfl_20260307T180000Z_1401547665.json", datetime(2026, 3, 7, 18, tzinfo=UTC)),
        ("event_1234567890_20260307T180000Z.json", datetime(2026, 3, 7, 18, tzinfo=UTC)),
        ("nfl_1772906400500.json", datetime(2026, 3, 7, 18, 0, 0, 500_000, tzinfo=UTC)),
        ("01_nba_all_regions_20260416.json", None),
        ("20261316T185954Z.json", None),
    ],
)
def test_capture_times_in_file_names(name: str, expected: datetime | None) -> None:
    assert parse_capture_time(name) == expected


@pytest.mark.parametrize("suffix", [".tar", ".tar.xz", ".tar.gz", ".tar.zst"])
def test_a_tar_of_any_compression(recording_folder: Path, tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"week{suffix}"
    plain = io.BytesIO()
    mode = {".tar.xz": "w:xz", ".tar.gz": "w:gz"}.get(suffix, "w")
    with tarfile.open(fileobj=plain, mode=mode) as archive:  # type: ignore[call-overload]
        archive.add(recording_folder, "week")
    path.write_bytes(zstandard.compress(plain.getvalue()) if suffix == ".tar.zst" else plain.getvalue())
    progress: list[int] = []
    recording = Recording.load(path, progress.append)
    assert [capture.sport for capture in recording.captures] == [NFL, EPL, NFL, EPL]
    assert progress == [1, 2, 3, 4]
    assert recording.snapshot(NFL, recording.captures[-1].at).captured_at == recording.captures[2].at  # type: ignore[union-attr]


def test_our_own_archive_with_an_empty_poll(tmp_path: Path) -> None:
    folder = tmp_path / NFL
    folder.mkdir()
    packed = zstandard.ZstdCompressor().compressobj()  # a frame without its size, as streams write it
    body = packed.compress(json.dumps(nfl_body(-150)).encode()) + packed.flush()
    (folder / "20251103T120000.123456Z.json.zst").write_bytes(body)
    write(folder, "20251103T121000Z.json", [])
    write(tmp_path / EPL, "20251103T121500Z.json", [event(GAME, EPL, "2025-11-03T18:00:00Z", [])])
    recording = Recording.load(tmp_path)
    assert [c.sport for c in recording.captures] == [NFL, NFL, EPL]
    assert recording.captures[0].at.microsecond == 123456
    # after one response an empty list does not prove a withdrawal: its scope is unknown
    assert len(recording.snapshot(NFL, recording.captures[1].at).events) == 1  # type: ignore[union-attr]


def test_the_time_of_an_envelope_takes_precedence(tmp_path: Path) -> None:
    envelope = {"timestamp": "2022-01-22T11:55:00Z", "data": nfl_body(-150)}
    write(tmp_path, "fetched_20251103T120000Z.json", envelope)
    assert Recording.load(tmp_path).captures[0].at == datetime(2022, 1, 22, 11, 55, tzinfo=UTC)


def test_without_a_time_the_newest_update_is_used(tmp_path: Path) -> None:
    write(tmp_path, "some.json", nfl_body(-150))
    assert Recording.load(tmp_path).captures[0].at == datetime(2025, 11, 3, 12, tzinfo=UTC)


def test_other_files_are_skipped_with_a_reason_and_a_remedy(recording_folder: Path) -> None:
    write(recording_folder, "scores.json", [{"id": GAME, "sport_key": NFL}])
    write(recording_folder, "v3.json", {"success": True, "data": []})
    write(recording_folder, "undated.json", [event(GAME, NFL, "2025-11-03T18:00:00Z", [])])
    write(recording_folder, "cut_20251103T120000Z.json", []).write_text('[{"id": "a')
    write(recording_folder, "empty_20251103T120000Z.json", [])
    write(recording_folder, "again_20251103T120000Z.json", nfl_body(-1))
    write(recording_folder, "bad_20251103T130000Z.json.zst", [])
    write(recording_folder, "when.json", {"timestamp": "noon", "data": []})
    write(recording_folder, "single_20251103T120000Z.json", nfl_body(-150)[0])
    write(recording_folder, "error.json", {"message": "no", "error_code": "INVALID_KEY"})
    mixed = [event(GAME, sport, "2025-11-03T18:00:00Z", []) for sport in (NFL, EPL)]
    write(recording_folder, "upcoming_20251103T120000Z.json", mixed)
    (recording_folder / "notes.txt").write_text("ignored")
    recording = Recording.load(recording_folder)
    assert len(recording.captures) == 4
    assert recording.count_skipped_by_reason() == {
        "no list of events with odds": 2,
        "no capture time": 1,
        "no complete JSON": 1,
        "an empty list that does not say of which sport": 1,
        "the same sport and time twice": 1,
        "damaged zstd": 1,
        "an unreadable time": 1,
        "several sports in one list": 1,
        "odds of a single event": 1,
        "an error of the API": 1,
        "other file": 1,
    }
    [undated] = [skip for skip in recording.skipped if skip.path == "undated.json"]
    assert str(undated) == "undated.json: no capture time; name it like nfl_20251103T015058Z.json"


def test_errors_say_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(RecordingError, match=r"no recording at .*missing: use a directory or a tar"):
        Recording.load(tmp_path / "missing")
    with pytest.raises(RecordingError, match=r"contains no \.json .*: record one"):
        Recording.load(tmp_path)
    write(tmp_path, "undated.json", [event(GAME, NFL, "2025-11-03T18:00:00Z", [])])
    with pytest.raises(RecordingError, match=r"1 files, none of them replayable; undated\.json: no capture time"):
        Recording.load(tmp_path)
    broken = tmp_path / "broken.tar.xz"
    broken.write_bytes(b"no tar")
    with pytest.raises(RecordingError, match=r"could not read .* as a tar"):
        Recording.load(broken)


def test_formats_are_recognised(tmp_path: Path) -> None:
    def content(home: float, away: float, start: str | int = "2025-11-03T18:00:00Z") -> tuple[bool, bool]:
        body = [event(GAME, NFL, start, [book("betus", {"h2h": two_way(home, away)})])]  # type: ignore[arg-type]
        write(tmp_path, "a_20251103T120000Z.json", body)
        recording = Recording.load(tmp_path)
        found = recording.snapshot(NFL, recording.captures[0].at).content  # type: ignore[union-attr]
        return found.american, found.unix

    assert content(-110, 120) == (True, False)
    assert content(100, 120) == (True, False)
    assert content(101, 1.5, 1762192800) == (False, True)


def test_there_is_no_snapshot_before_the_first_capture_or_of_unknown_sports(recording: Recording) -> None:
    assert recording.snapshot(NFL, datetime(2020, 1, 1, tzinfo=UTC)) is None
    assert recording.snapshot("curling", recording.captures[0].at) is None
    assert recording.neighbours("curling", recording.captures[0].at) == (None, None)


ENCODINGS: dict[str, Callable[[str], bytes]] = {
    "a_20251103T120000Z.json": lambda text: b"\xef\xbb\xbf" + text.encode(),
    "b_20251103T120100Z.json": lambda text: b"\xff\xfe" + text.encode("utf-16-le"),
    "c_20251103T120200Z.json": lambda text: b"\xfe\xff" + text.encode("utf-16-be"),
    "d_20251103T120300Z.json.gz": lambda text: gzip.compress(text.encode()),
    "e_20251103T120400Z.jsonl": lambda text: text.encode() + b"\n\n",
    "f_20251103T120500Z.ndjson.zst": lambda text: zstandard.compress(text.encode()),
}


def test_captures_in_any_encoding_and_compression(tmp_path: Path) -> None:
    for name, encode in ENCODINGS.items():
        (tmp_path / name).write_bytes(encode(json.dumps(nfl_body(-150))))
    (tmp_path / "damaged_20251103T120000Z.json.gz").write_bytes(b"no gzip")
    recording = Recording.load(tmp_path)
    assert [capture.at.minute for capture in recording.captures] == [0, 1, 2, 3, 4, 5]
    assert recording.count_skipped_by_reason() == {"damaged gzip": 1}


def test_lines_state_their_own_times(tmp_path: Path) -> None:
    lines = [{"timestamp": f"2022-01-22T11:5{n}:00", "data": nfl_body(-150)} for n in (5, 0)]
    (tmp_path / "history_20251103T120000Z.jsonl").write_text("\n".join(map(json.dumps, lines)))
    assert [capture.at.minute for capture in Recording.load(tmp_path).captures] == [50, 55]


def test_responses_of_the_same_time_are_merged(tmp_path: Path) -> None:
    books = [book("betus", {"h2h": two_way(-110, 120)}), book("pinnacle", {"h2h": two_way(-112, 120)})]
    for n, part in enumerate(books):
        write(tmp_path, f"{n}/nfl_20251103T120000Z.json", [event(GAME, NFL, "2025-11-03T18:00:00Z", [part])])
    recording = Recording.load(tmp_path)
    assert (len(recording.captures), recording.skipped) == (1, [])
    assert recording.snapshot(NFL, recording.captures[0].at).content.books == {"betus", "pinnacle"}  # type: ignore[union-attr]


def test_captures_of_one_region_do_not_withdraw_the_other(tmp_path: Path) -> None:
    def write_capture(minute: int, *books: str) -> None:
        sent = [book(key, {"h2h": two_way(1.9 + minute / 100, 2.0)}) for key in books]
        write(tmp_path, f"nfl_20251103T12{minute:02}00Z.json", [event(GAME, NFL, "2025-11-03T18:00:00Z", sent)])

    for minute in range(0, 2 * MIN_REPEATS, 2):
        write_capture(minute, "one", "two", "three")
        write_capture(minute + 1, "un", "deux", "trois")
    write_capture(50, "one", "three")
    write_capture(51, "un", "deux", "trois")
    recording = Recording.load(tmp_path)
    shown = [recording.snapshot(NFL, capture.at).content.books for capture in recording.captures]  # type: ignore[union-attr]
    rest = {"un", "deux", "trois"}
    # a book missing from a response that always had it is withdrawn
    whole = {"one", "two", "three"} | rest
    assert shown == [{"one", "two", "three"}, *[whole] * (2 * MIN_REPEATS - 1), *[whole - {"two"}] * 2]


def test_an_invalid_part_does_not_affect_the_rest(tmp_path: Path) -> None:
    [game, later] = nfl_body(-150)
    game["bookmakers"][0]["markets"][0]["outcomes"][0]["price"] = None
    game["bookmakers"].append("not a book")
    write(
        tmp_path, "nfl_20251103T120000Z.json", [game, later | {"bookmakers": None}, later | {"commence_time": "soon"}]
    )
    recording = Recording.load(tmp_path)
    snapshot = recording.snapshot(NFL, recording.captures[0].at)
    assert [len(e.bookmakers) for e in snapshot.events] == [3, 0]  # type: ignore[union-attr]
    assert recording.rejected == {"malformed_book": 1, "malformed_event": 1}


@pytest.mark.parametrize("junk", [0, -1, 50, 99.5, 1.9, None, "EVEN", 10**400])
@pytest.mark.parametrize("prices", [(150, 220, 190), (150.0, 220.0, 190.0), (450, 12500.5, 8000), (-110, 120, 300)])
def test_a_few_invalid_prices_do_not_change_the_format(tmp_path: Path, junk: object, prices: tuple[float, ...]) -> None:
    names = ("Home a", "Away a", "Draw")
    market = "outrights" if 12500.5 in prices else "h2h"
    books = [
        book(f"b{n}", {market: [{"name": x, "price": p} for x, p in zip(names, prices, strict=True)]}) for n in range(4)
    ]
    books[0]["markets"][0]["outcomes"][0]["price"] = junk
    write(tmp_path, "a_20251103T120000Z.json", [event(GAME, NFL, "2025-11-03T18:00:00Z", books)])
    recording = Recording.load(tmp_path)
    assert recording.snapshot(NFL, recording.captures[0].at).content.american  # type: ignore[union-attr]
