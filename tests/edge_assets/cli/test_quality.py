"""`edge quality`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from edge_assets.store.postgres.database import connect
from tests.support.invented_seasons import SeasonHarness, rotate_columns, season

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.edge_command import Edge

WHY = ("--why", "checked the source", "--by", "ada", "--json")


@pytest.fixture
def harness(database_url: str, tmp_path: Path) -> Iterator[SeasonHarness]:
    """A database with one book's columns rotated."""
    with connect(database_url, "test") as conn:
        own = SeasonHarness(database_url, conn, tmp_path)
        own.store(rotate_columns(season()))
        own.gate()
        yield own


@pytest.mark.parametrize(
    "command",
    [
        ("quality", "withdraw", "--import", "", "--why", "oops"),
        ("quality", "withdraw", "--import= ", "--why", "oops"),
        ("quality", "exclude", "--sport", "soccer", "--book", "", "--why", "oops"),
        ("quarantine", "list", "--sport", ""),
        ("results", "list", "--team", ""),
        ("lines", ""),
        ("import", "football-data", ""),
    ],
    ids=" ".join,
)
def test_an_empty_value_is_refused(edge: Edge, command: tuple[str, ...]) -> None:
    """An unset shell variable leaves it; as the end of a path, it would match every import."""
    done = edge(*command, DATABASE_URL="postgresql://127.0.0.1:1/nowhere")
    assert (done.returncode, "is empty" in done.stderr) == (2, True), done.stderr


def test_a_finding_and_names_together_are_refused(edge: Edge, harness: SeasonHarness) -> None:
    done = edge(
        "quality", "exclude", "1", "--book", "pinnacle", "--sport", "soccer_epl", *WHY, DATABASE_URL=harness.url
    )
    assert (done.returncode, "not both" in done.stderr) == (1, True), done.stderr


def test_a_finding_is_listed_shown_and_decided(edge: Edge, harness: SeasonHarness) -> None:
    url = harness.url
    [finding] = json.loads(edge("quality", "list", "--json", DATABASE_URL=url).stdout)
    assert (finding["book"], finding["season"], finding["state"]) == ("williamhill", 2023, "open")
    for narrowed, n in (
        (("--book", "williamhill", "--sport", "soccer", "--season", "2023"), 1),
        (("--season", "2022"), 0),
        (("--state", "excluded"), 0),
        (("--check", finding["checks"][0]), 1),
        (("--check", "by_hand"), 0),
    ):
        assert len(json.loads(edge("quality", "list", "--json", *narrowed, DATABASE_URL=url).stdout)) == n, narrowed
    odd = edge("quality", "list", "--book", "wiliamhill", DATABASE_URL=url)
    assert (odd.returncode, "did you mean williamhill" in odd.stderr) == (1, True)
    number = str(finding["id"])
    shown = edge("quality", "show", number, DATABASE_URL=url).stdout
    assert "other books have a median" in shown
    assert f"`edge quality accept {number} --why" in shown
    details = json.loads(edge("quality", "show", number, "--json", DATABASE_URL=url).stdout)
    assert (details["prices"], details["events"], details["decisions"]) == (1140, 380, [])
    excluded = json.loads(edge("quality", "exclude", number, *WHY, DATABASE_URL=url).stdout)
    assert (excluded["state"], excluded["decided_by"], excluded["decision_reason"]) == (
        "excluded",
        "ada",
        "checked the source",
    )
    accepted = json.loads(edge("quality", "accept", number, *WHY, DATABASE_URL=url).stdout)
    assert accepted["state"] == "accepted"
    details = json.loads(edge("quality", "show", number, "--json", DATABASE_URL=url).stdout)
    assert [d["decision"] for d in details["decisions"]] == ["excluded", "accepted"]
    assert edge("quality", "list", DATABASE_URL=url).stdout.count("williamhill") == 0
    assert edge("quality", "list", "--all", DATABASE_URL=url).stdout.count("accepted") == 1


def test_an_import_and_a_book_in_a_season_are_decided_on_without_a_finding(edge: Edge, harness: SeasonHarness) -> None:
    url = harness.url
    place = ("--book", "bet365", "--sport", "soccer_epl", "--season", "2023")
    excluded = json.loads(edge("quality", "exclude", *place, *WHY, DATABASE_URL=url).stdout)
    assert (excluded["state"], excluded["checks"], excluded["book"]) == ("excluded", ["by_hand"], "bet365")
    assert harness.rows("SELECT count(*) FROM clean_ticks") == [(380 * 12,)]
    [known] = json.loads(edge("quality", "imports", "--json", DATABASE_URL=url).stdout)
    assert (known["rows"], known["is_held_out"]) == (380, False)
    withdrawn = json.loads(edge("quality", "withdraw", "--import", "E0.csv", *WHY, DATABASE_URL=url).stdout)
    assert (withdrawn["state"], withdrawn["import_id"]) == ("withdrawn", known["id"])
    assert harness.rows("SELECT count(*) FROM clean_ticks") == [(0,)]
    assert "held out" in edge("quality", "imports", DATABASE_URL=url).stdout


@pytest.mark.parametrize(
    ("args", "reported"),
    [
        (("accept", "99"), "there is no finding 99"),
        (("accept",), "nothing selected to decide on"),
        (("exclude", "--sport", "cricket"), "unknown sport 'cricket'"),
        (("exclude", "--sport", "soccer_epl", "--season", "2150"), "unknown season '2150'"),
        (("withdraw", "--import", "nowhere.csv"), "no imports match 'nowhere.csv'"),
    ],
)
def test_unknown_names_are_reported(edge: Edge, harness: SeasonHarness, args: tuple[str, ...], reported: str) -> None:
    done = edge("quality", *args, *WHY, DATABASE_URL=harness.url)
    assert done.returncode == 1
    assert reported in done.stderr
    assert "→" in done.stderr


def test_double_events_are_listed(edge: Edge, harness: SeasonHarness) -> None:
    url = harness.url
    assert json.loads(edge("quality", "duplicates", "--json", DATABASE_URL=url).stdout) == []
    harness.conn.execute(
        "INSERT INTO events (key, sport_id, home_team, away_team, commence_at, original_commence_at, first_seen_at) "
        "SELECT 'again', sport_id, home_team, away_team, n.at, n.at, first_seen_at FROM events, "
        "LATERAL (SELECT commence_at + interval '40 days' AS at) AS n ORDER BY id LIMIT 1"
    )
    [pair] = json.loads(edge("quality", "duplicates", "--sport", "soccer", "--json", DATABASE_URL=url).stdout)
    assert (pair["first"]["has_result"], pair["second"]["key"], "twice in a season" in pair["reason"]) == (
        True,
        "again",
        True,
    )
    assert not pair["second"]["has_result"]
    assert f"{pair['first']['id']}, {pair['second']['id']}" in edge("quality", "duplicates", DATABASE_URL=url).stdout
