"""Imports are idempotent, resume after a kill, and report their counts."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from edge_assets.importers.formats.batch import RejectedFileError
from edge_assets.importers.importer import Importer, ImportReport
from edge_assets.importers.registry import FORMATS
from edge_assets.reference.sources import Source
from edge_assets.store import lookups
from edge_assets.store.polls import as_of
from edge_assets.store.postgres.database import connect
from tests.support.football_files import MATCHES, content, rows, season

if TYPE_CHECKING:
    from psycopg import Connection

    from edge_assets.importers.formats.batch import ParseResult
    from edge_assets.importers.formats.source_units import ImportUnit

FOOTBALL = Source.FOOTBALL_DATA


def run(url: str, *paths: Path, name: Source = FOOTBALL) -> ImportReport:
    with Importer(url, "run-1") as one:
        return one.run(name, paths)


def test_a_file_is_imported_on_both_engines(either_url: str, tmp_path: Path) -> None:
    report = run(either_url, season(tmp_path / "E0.csv", *MATCHES))
    assert report.as_json() == {
        "files": 1,
        "known_files": 0,
        "rows": 3,
        "events": 3,
        "ticks": 21,
        "aggregates": 5,
        "results": 2,
        "statistics": 0,
        "contradicted_events": 0,
        "rejected": {},
    }
    ticks, aggregates, results, polls, events = content(either_url)
    assert len(ticks) == 21
    assert {tick[7:9] for tick in ticks} == {("football-data", True)}
    assert ("Manchester United", "Nottingham Forest", "pinnacle", "spreads", "away", 1.25, 1.96) in {
        tick[:7] for tick in ticks
    }
    assert sorted(kind for _, kind, *_ in aggregates) == ["avg", "avg", "max", "max", "max"]
    assert sorted(row[2:] for row in results) == [
        ("full", "final", 0, 0),
        ("full", "final", 2, 1),
        ("regulation", "final", 0, 0),
        ("regulation", "final", 2, 1),
    ]
    assert sum(poll[1] for poll in polls) == 21
    assert all(first_seen < start for *_, start, _, first_seen in events)
    assert not {"max", "avg", "Max", "Avg"} & {key for (key,) in rows(either_url, "SELECT key FROM books")}


def test_importing_the_same_content_again_stores_nothing(either_url: str, tmp_path: Path) -> None:
    first = season(tmp_path / "a" / "E0.csv", *MATCHES)
    run(either_url, first)
    before = content(either_url)
    again = season(tmp_path / "b" / "copy.csv", *MATCHES)
    report = run(either_url, first, again)
    assert (report.files, report.known_files, report.ticks) == (0, 2, 0)
    assert content(either_url) == before


@pytest.mark.parametrize(
    ("day", "home", "away", "score", "contradicted"),
    [
        ("11/08/2019", "Man United", "Nott'm Forest", "0,5,A", 1),
        ("11/08/2019", "Man United", "Nott'm Forest", "2,1,H", 0),
        ("10/08/2019", "Nott'm Forest", "Man United", "2,1,H", 1),
        ("10/08/2019", "Nott'm Forest", "Man United", "1,2,A", 0),
        ("10/08/2019", "Man United", "Nott'm Forest", "0,5,A", 1),
    ],
)
@pytest.mark.parametrize("is_one_file", [False, True])
def test_a_match_listed_again_is_one_event(
    database_url: str, tmp_path: Path, day: str, home: str, away: str, score: str, contradicted: int, is_one_file: bool
) -> None:
    """On another day, with sides swapped, or with another score; differing results settle nothing."""
    again = MATCHES[0].replace("10/08/2019", day).replace("2,1,H", score)
    again = again.replace("Man United,Nott'm Forest", f"{home},{away}")
    files = [(MATCHES[0], again)] if is_one_file else [(MATCHES[0],), (again,)]
    assert again != MATCHES[0]
    report = run(database_url, *(season(tmp_path / f"{n}.csv", *lines) for n, lines in enumerate(files)))
    assert rows(database_url, "SELECT home_team FROM events") == [("Manchester United",)]
    assert report.contradicted_events == contradicted
    is_correction = not is_one_file and (day, home) == ("10/08/2019", "Man United")
    assert report.rejected.counts["match_twice"] == (0 if is_correction else 1)
    settling = rows(database_url, "SELECT home_score, away_score FROM event_results WHERE NOT contradicted")
    assert settling == [(2, 1)] * 2 * (1 - contradicted)


def test_other_files_are_counted_and_the_rest_is_imported(database_url: str, tmp_path: Path) -> None:
    season(tmp_path / "a" / "E0.csv", *MATCHES)
    (tmp_path / "a" / "notes.txt").write_text("other")
    (loop := tmp_path / "loop").symlink_to(loop)
    report = run(database_url, loop, tmp_path / "a")
    assert report.rejected.counts == {"nothing_there": 1, "other_file": 1}
    assert (report.files, report.events, [reported.file for reported in report.rejected_files]) == (2, 3, [str(loop)])


def test_a_season_shifted_by_a_day_adds_no_events(database_url: str, tmp_path: Path) -> None:
    before = run(database_url, season(tmp_path / "a.csv", *MATCHES))
    off = [re.sub(r"\d\d(?=/08/2019)", lambda day: str(int(day[0]) + 1), line) for line in MATCHES]
    after = run(database_url, season(tmp_path / "b.csv", *off))
    assert rows(database_url, "SELECT count(*) FROM events") == [(before.events,)]
    assert after.contradicted_events == 0


def test_a_file_that_has_grown_adds_only_new_rows(either_url: str, tmp_path: Path) -> None:
    """As on the site every week: more matches, and results and closing prices of earlier ones."""
    upcoming = MATCHES[0].replace("2,1,H", ",,").replace("1.52,4.3,7.1", ",,").replace(",1.55,1.5,", ",1.55,,")
    run(either_url, season(tmp_path / "E0.csv", upcoming))
    report = run(either_url, season(tmp_path / "E0.csv", *MATCHES))
    assert (report.ticks, report.aggregates, report.results) == (21 - 5, 4, 2)
    grown = content(either_url)
    assert sum(poll[1] for poll in grown[3]) == len(grown[0]) == 21


def test_the_order_of_files_does_not_matter(database_url: str, either_url: str, tmp_path: Path) -> None:
    files = [season(tmp_path / f"{n}.csv", match) for n, match in enumerate(MATCHES)]
    run(database_url, *files)
    run(either_url, *reversed(files))
    assert content(database_url) == content(either_url)


@pytest.mark.untraced
def test_a_killed_import_can_be_resumed(database_url: str, either_url: str, tmp_path: Path) -> None:
    """Killed between or within files; the result equals that of an uninterrupted import."""
    days = [f"{day:02}/{month:02}/2020" for month in (1, 2) for day in range(1, 25)]
    for n, day in enumerate(days):
        season(tmp_path / "all" / f"{n:03}.csv", MATCHES[0].replace("10/08/2019", day))
    program = (
        "import sys; from pathlib import Path; from edge_assets.importers.importer import Importer; "
        "from edge_assets.importers.registry import Source\n"
        "with Importer(sys.argv[1]) as i: i.run(Source.FOOTBALL_DATA, [Path(sys.argv[2])])"
    )
    root = Path(__file__).parents[3]
    process = subprocess.Popen([sys.executable, "-c", program, either_url, str(tmp_path / "all")], cwd=root)
    with connect(either_url, "test") as conn:
        while process.poll() is None and count_finished(conn) < 3:
            time.sleep(0.01)
        process.kill()
        process.wait()
        done = count_finished(conn)
    assert 0 < done < len(days)
    report = run(either_url, tmp_path / "all")
    assert report.known_files >= done
    run(database_url, tmp_path / "all")
    assert content(either_url) == content(database_url)


def count_finished(conn: Connection) -> int:
    [[finished]] = conn.execute("SELECT count(*) FROM imports WHERE finished_at IS NOT NULL").fetchall()
    return int(finished)


def test_an_invalid_file_is_rejected_and_the_others_are_imported(database_url: str, tmp_path: Path) -> None:
    season(tmp_path / "a.csv", MATCHES[0])
    (tmp_path / "b.csv").write_text("no,match,file\n1,2,3\n")
    report = run(database_url, tmp_path)
    assert (report.files, report.events) == (2, 1)
    [rejection] = report.rejected_files
    assert (Path(rejection.file).name, rejection.reason) == ("b.csv", "columns_missing")
    assert report.as_json()["rejected"] == {"columns_missing": 1}


def test_a_failing_reader_rejects_only_its_file_and_is_reported_as_a_bug(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    original = FORMATS[FOOTBALL].read

    def read(part: ImportUnit) -> ParseResult:
        if original is None or not part.name.endswith("b.csv"):
            raise IndexError("list index out of range")
        return original(part)

    monkeypatch.setitem(FORMATS, FOOTBALL, replace(FORMATS[FOOTBALL], read=read))
    for name, match in zip("abc", MATCHES, strict=True):
        season(tmp_path / f"{name}.csv", match)
    report = run(database_url, tmp_path)
    assert (report.files, report.events) == (3, 1)
    assert report.as_json()["rejected"] == {"reader_failed": 2}
    assert len(report.rejected_files) == 2
    assert "IndexError: list index out of range at test_importer.py, line" in report.rejected_files[0].detail
    assert rows(database_url, "SELECT right(path, 5) FROM imports WHERE finished_at IS NOT NULL") == [("b.csv",)]


@pytest.mark.parametrize(
    ("limit", "events", "ticks", "aggregates"),
    [
        ("events ADD CHECK (home_team <> 'Leeds United')", 2, 21 - 8, 3),
        ("events ADD CHECK (home_team = 'nobody')", 0, 0, 0),
        ("aggregate_ticks ADD CHECK (price <> 2.6)", 3, 21 - 8, 3),
    ],
)
def test_unstorable_data_rejects_only_its_event(
    database_url: str, tmp_path: Path, limit: str, events: int, ticks: int, aggregates: int
) -> None:
    with connect(database_url, "test") as conn:
        conn.execute(f"ALTER TABLE {limit}")
    season(tmp_path / "a.csv", *MATCHES)
    season(tmp_path / "b.csv", MATCHES[0].replace("E0", "D1"))
    report = run(database_url, tmp_path)
    assert report.files == 2
    assert not report.rejected_files
    assert report.rejected.counts["not_storable"] >= 1
    of_a = rows(database_url, "SELECT events, ticks, aggregates FROM imports WHERE right(path, 5) = 'a.csv'")
    assert of_a == [(events, ticks, aggregates)]
    assert rows(database_url, "SELECT count(*) FROM odds_ticks") == [(report.ticks,)]


def test_empty_and_damaged_files_are_counted(database_url: str, tmp_path: Path) -> None:
    season(tmp_path / "header.csv")
    season(tmp_path / "rejected.csv", MATCHES[0].replace("E0", "Z9"))
    (tmp_path / "empty.csv").write_bytes(b"")
    (tmp_path / "empty.csv.xz").write_bytes(b"")
    season(tmp_path / "valid.csv", MATCHES[0])
    report = run(database_url, tmp_path)
    assert (report.files, report.events) == (5, 1)
    assert report.as_json()["rejected"] == {"columns_missing": 1, "file_damaged": 1, "division_unknown": 1}


def test_a_file_name_may_have_an_invalid_encoding(database_url: str, tmp_path: Path) -> None:
    file = season(tmp_path / "E0.csv", *MATCHES)
    report = run(database_url, file.rename(tmp_path / os.fsdecode(b"E\xff0.csv")))
    assert report.events == 3
    assert rows(database_url, "SELECT right(path, 7) FROM imports") == [("E\ufffd0.csv",)]


def test_rejections_are_stored_with_the_import(database_url: str, tmp_path: Path) -> None:
    run(database_url, season(tmp_path / "E0.csv", MATCHES[0].replace(",1.5,4.25", ",1,4.25")))
    assert rows(database_url, "SELECT format, rows, ticks, rejected FROM imports") == [
        ("football-data", 1, 7, {"price_not_above_one": 1})
    ]


@pytest.mark.parametrize("missing", ["nowhere", "."])
def test_nothing_to_import_is_an_error(database_url: str, tmp_path: Path, missing: str) -> None:
    with pytest.raises(RejectedFileError):
        run(database_url, tmp_path / missing)


def test_imported_polls_are_not_scored_published_or_continued(database_url: str, tmp_path: Path) -> None:
    run(database_url, season(tmp_path / "E0.csv", *MATCHES))
    with connect(database_url, "test") as conn:
        assert as_of.load_unscored_polls(conn) == []
        assert as_of.find_last_poll(conn, 1) is None
        assert lookups.find_live_feed(conn) is None
        assert conn.execute("SELECT count(*) FROM poll_outbox").fetchone() == (0,)


def test_old_seasons_share_partitions(database_url: str, tmp_path: Path) -> None:
    days = [f"{day:02}/{month:02}/2020" for month in (1, 2) for day in range(1, 29)]
    run(database_url, season(tmp_path / "E0.csv", *(MATCHES[0].replace("10/08/2019", day) for day in days)))
    found = rows(database_url, "SELECT count(*) FROM pg_inherits WHERE inhparent = 'odds_ticks'::regclass")
    assert found == [(3,)]  # December to February
