"""Captures are imported through the differ that polling uses, in any order."""

from __future__ import annotations

import bz2
import io
import json
import tarfile
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from edge_assets.importers.formats.batch import RejectedFileError
from edge_assets.importers.importer import Importer, ImportReport
from edge_assets.importers.recordings import SportImport
from edge_assets.reference.sources import Source
from edge_assets.store.polls import as_of
from edge_assets.store.postgres.database import connect
from tests.support.football_files import rows

if TYPE_CHECKING:
    from pathlib import Path

    from edge_assets.feeds.recordings.recording import RecordedSnapshot

NOON = datetime(2025, 11, 3, 12, tzinfo=UTC)
NFL = "americanfootball_nfl"
STORED = """
SELECT t.observed_at, e.key, b.key, t.outcome_id, t.point, t.price FROM odds_ticks AS t
JOIN events AS e ON t.event_id = e.id JOIN books AS b ON t.book_id = b.id ORDER BY 1, 2, 3, 4, 5
"""


def body(prices: dict[str, tuple[float, float]], books: tuple[str, ...] = ("acme",)) -> list[dict[str, Any]]:
    """Events with a two-way price of each book, the away team first."""
    return [
        {
            "id": key,
            "sport_key": NFL,
            "sport_title": "NFL",
            "commence_time": "2025-11-04T01:00:00Z",
            "home_team": f"Home {key}",
            "away_team": f"Away {key}",
            "bookmakers": [
                {
                    "key": book,
                    "title": book.title(),
                    "last_update": "2025-11-03T11:59:00Z",
                    "markets": [
                        {
                            "key": "h2h",
                            "outcomes": [
                                {"name": f"Away {key}", "price": away},
                                {"name": f"Home {key}", "price": home},
                            ],
                        }
                    ],
                }
                for book in books
            ],
        }
        for key, (home, away) in prices.items()
    ]


HOURS = [
    body({"e1": (1.9, 1.95), "e2": (1.5, 2.7)}),
    body({"e1": (2.0, 1.85), "e2": (1.5, 2.7)}, ("acme", "other")),
    body({"e2": (1.5, 2.7), "e3": (1.2, 5.0)}),
    body({"e1": (1.9, 1.95), "e2": (1.6, 2.5)}),
]


def name(hour: int) -> str:
    return f"nfl_{NOON + timedelta(hours=hour):%Y%m%dT%H%M%SZ}.json"


def captures(path: Path, *hours: int) -> Path:
    path.mkdir(parents=True, exist_ok=True)
    for hour in hours:
        (path / name(hour)).write_text(json.dumps(HOURS[hour]))
    return path


def run(url: str, *paths: Path) -> ImportReport:
    with Importer(url, "run-1") as importer:
        return importer.run(Source.ODDS_API, paths)


def states(url: str) -> list[set[tuple[Any, ...]]]:
    """The quotes on offer at each poll, by event key."""
    with connect(url, "test") as conn:
        events: dict[int, str] = dict(conn.execute("SELECT id, key FROM events").fetchall())
        polls = conn.execute("SELECT id FROM polls ORDER BY observed_at").fetchall()
        return [
            {
                (events[event], outcome, price)
                for event, _, _, outcome, _, price, _ in zip(
                    *(c.tolist() for c in as_of.load_last_quotes(conn, 1, poll)[0].columns()), strict=True
                )
            }
            for (poll,) in polls
        ]


def test_changes_withdrawals_payloads_and_polls_are_stored(either_url: str, tmp_path: Path) -> None:
    report = run(either_url, captures(tmp_path / "a", 0, 1, 2, 3))
    assert (report.files, report.events, report.rows) == (1, 3, 4 + 8 + 4 + 4)
    poll_list = rows(
        either_url, "SELECT quotes_seen, ticks, withdrawals, feed, import_id IS NULL FROM polls ORDER BY id"
    )
    assert poll_list == [
        (4, 4, 0, "odds-api", False),
        (8, 6, 0, "odds-api", False),
        (4, 2, 0, "odds-api", False),  # e1 and the other book may not have been requested
        (4, 4, 0, "odds-api", False),
    ]
    assert rows(either_url, "SELECT count(*) FROM payloads") == [(4,)]
    again = run(either_url, captures(tmp_path / "a", 0, 1, 2, 3))
    assert (again.known_files, again.ticks) == (1, 0)


@pytest.mark.parametrize(
    "order", [((2,), (0, 1), (3,)), ((3,), (1,), (0, 2)), ((0, 3), (1, 2)), ((0, 1, 2, 3), (0, 1))]
)
def test_the_order_of_imports_does_not_affect_the_offers(
    database_url: str, either_url: str, tmp_path: Path, order: tuple[tuple[int, ...], ...]
) -> None:
    run(database_url, captures(tmp_path / "all", 0, 1, 2, 3))
    reports = [run(either_url, captures(tmp_path / str(n), *hours)) for n, hours in enumerate(order)]
    assert [(sum(report.ticks for report in reports),)] == rows(either_url, "SELECT count(*) FROM odds_ticks")
    assert states(either_url) == states(database_url)
    moved = "SELECT key, commence_at, original_commence_at, first_seen_at FROM events ORDER BY key"
    assert rows(either_url, moved) == rows(database_url, moved)


def test_a_tar_a_folder_and_single_files_are_equivalent(database_url: str, either_url: str, tmp_path: Path) -> None:
    folder = captures(tmp_path / "a", 0, 1)
    with tarfile.open(tmp_path / "a.tar.xz", "w:xz") as tar:
        for hour in (0, 1):
            member = tarfile.TarInfo(name(hour))
            content = json.dumps(HOURS[hour]).encode()
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    run(database_url, folder / name(0), folder / name(1))
    run(either_url, tmp_path / "a.tar.xz")
    assert rows(database_url, STORED) == rows(either_url, STORED)
    assert run(either_url, folder).ticks == 0


def test_american_prices_and_historical_envelopes_are_recognized(database_url: str, tmp_path: Path) -> None:
    envelope = {"timestamp": "2025-11-03T11:55:00Z", "data": body({"e1": (-110, 150)})}
    (tmp_path / "history.json").write_text(json.dumps(envelope))
    run(database_url, tmp_path / "history.json")
    assert [row[0].isoformat() for row in rows(database_url, STORED)] == ["2025-11-03T11:55:00+00:00"] * 2
    assert {row[5] for row in rows(database_url, STORED)} == {1 + 100 / 110, 2.5}


def test_prices_stay_with_their_teams_if_sides_are_swapped(database_url: str, tmp_path: Path) -> None:
    """The captures have one event id; only changed prices are stored."""
    captures(tmp_path / "a", 0)
    swapped = body({"e1": (1.5, 2.5)})
    swapped[0] |= {"home_team": "Away e1", "away_team": "Home e1"}
    (tmp_path / "a" / name(0)).write_text(json.dumps(body({"e1": (1.5, 2.5)})))
    (tmp_path / "a" / name(1)).write_text(json.dumps(swapped))
    swapped[0]["bookmakers"][0]["markets"][0]["outcomes"][1]["price"] = 1.4  # of Home e1
    (tmp_path / "a" / name(2)).write_text(json.dumps(swapped))
    report = run(database_url, tmp_path / "a")
    assert [row[3:] for row in rows(database_url, STORED)] == [(1, None, 1.5), (2, None, 2.5), (1, None, 1.4)]
    assert report.as_json()["rejected"] == {"sides_exchanged": 2}


def test_invalid_prices_are_counted_and_other_files_reported(database_url: str, tmp_path: Path) -> None:
    captures(tmp_path / "a", 0)
    (tmp_path / "a" / name(1)).write_text(json.dumps(body({"e1": (1.0, 1.9)})))
    (tmp_path / "a" / "sports.json").write_text('{"no": "odds"}')
    report = run(database_url, tmp_path / "a")
    assert report.as_json()["rejected"] == {"no_list_of_events_with_odds": 1, "price_not_above_one": 1}
    assert report.rejected.examples[0].file == "sports.json"


def test_compressed_files_in_a_folder_are_read_and_others_reported(database_url: str, tmp_path: Path) -> None:
    folder = captures(tmp_path / "a", 0, 1, 2)
    with tarfile.open(folder / "pack.tar.gz", "w:gz") as tar:
        tar.add(folder / name(0), name(0))
    (folder / f"{name(1)}.bz2").write_bytes(bz2.compress((folder / name(1)).read_bytes()))
    for hour in (0, 1):
        (folder / name(hour)).unlink()
    for other in ("capture.txt", "table.csv.xz"):
        (folder / other).write_bytes(b"other")
    (folder / "x.zst").write_bytes(b"damaged")
    report = run(database_url, folder)
    assert rows(database_url, "SELECT count(*) FROM polls") == [(3,)]
    assert report.rejected.counts == {"other_file": 2, "damaged_zstd": 1}


def test_a_file_that_is_not_a_capture_is_rejected(database_url: str, tmp_path: Path) -> None:
    (tmp_path / "x.json").write_text("[]")
    report = run(database_url, tmp_path / "x.json")
    assert [rejection.reason for rejection in report.rejected_files] == ["no_captures"]
    with pytest.raises(RejectedFileError, match="nothing_there"):
        run(database_url, tmp_path / "nowhere.tar")


def test_a_killed_import_continues_after_its_last_commit(either_url: str, database_url: str, tmp_path: Path) -> None:
    """Half of the captures are committed under the unfinished import."""
    run(either_url, captures(tmp_path / "a", 0, 1))
    with connect(either_url, "test") as conn:
        conn.execute("UPDATE imports SET finished_at = NULL")
    captures(tmp_path / "a", 2, 3)
    run(either_url, tmp_path / "a")
    run(database_url, tmp_path / "a")
    assert rows(either_url, STORED) == rows(database_url, STORED)


def test_an_invalid_sport_key_rejects_only_its_event(database_url: str, tmp_path: Path) -> None:
    captures(tmp_path / "a", 0, 1)
    keys = {"e3": "\0", "e4": "x" * 9_000, "e5": "a b", "e6": "\0Americanfootball_NFL "}
    invalid = [event | {"sport_key": keys[event["id"]]} for event in body(dict.fromkeys(keys, (1.9, 1.95)))]
    (tmp_path / "a" / name(0)).write_text(json.dumps([*HOURS[0], *invalid]))
    report = run(database_url, tmp_path / "a")
    assert report.rejected.counts == {"malformed_sport_key": 3}
    assert report.rejected_files == []
    assert rows(database_url, "SELECT key FROM sports") == [("americanfootball_nfl",)]
    assert [(key,) for key in ("e1", "e2", "e6")] == rows(database_url, "SELECT key FROM events ORDER BY key")
    assert rows(database_url, "SELECT count(*) FROM polls") == [(2,)]


def test_a_failing_capture_does_not_affect_others_and_is_retried(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = captures(tmp_path / "a", 0, 1, 2)

    def break_at_second(self: SportImport, snapshot: RecordedSnapshot) -> None:
        if snapshot.captured_at == NOON + timedelta(hours=1):
            raise ZeroDivisionError("unexpected")
        write(self, snapshot)

    write = SportImport._write_sport_snapshot
    with monkeypatch.context() as patch:
        patch.setattr(SportImport, "_write_sport_snapshot", break_at_second)
        report = run(database_url, path)
    assert [rejection.reason for rejection in report.rejected_files] == ["reader_failed"]
    stored = "SELECT finished_at IS NULL, rejected, (SELECT count(*) FROM polls) FROM imports"
    assert rows(database_url, stored) == [(True, {"reader_failed": 1}, 2)]
    assert run(database_url, path).rejected_files == []
    assert rows(database_url, stored) == [(False, {}, 3)]


def test_the_reason_of_a_rejected_file_is_stored(database_url: str, tmp_path: Path) -> None:
    path = tmp_path / "nfl_20260307T180000Z.json"
    path.write_text("{")
    [rejection] = run(database_url, path).rejected_files
    assert rows(database_url, "SELECT finished_at, rejected FROM imports") == [(None, {rejection.reason: 1})]
