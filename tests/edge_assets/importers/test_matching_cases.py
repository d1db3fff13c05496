"""Collected cases of event matching: no score is assigned to another game, and no two matches are merged."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from edge_assets.importers.importer import Importer, ImportReport
from edge_assets.reference.sources import Source
from tests.support.football_files import rows

DATA = os.environ.get("EDGE_DATA_DIR")
CASES = (Path(DATA).parent if DATA else Path(__file__).parents[4] / "shared") / "cases"
EVENTS = """
SELECT
    e.home_team, e.commence_at::text,
    (SELECT r.home_score || '-' || r.away_score FROM event_results AS r WHERE r.event_id = e.id AND r.period = 'full')
FROM events AS e ORDER BY e.commence_at, e.home_team
"""


def case(name: str) -> Path:
    if not (path := CASES / name).exists():
        reason = f"{path} is missing: the cases belong next to EDGE_DATA_DIR"
        pytest.fail(reason) if os.environ.get("CI") else pytest.skip(reason)
    return path


def run(url: str, name: Source, *paths: Path) -> ImportReport:
    with Importer(url, "run-1") as importer:
        return importer.run(name, paths)


def test_names_in_different_scripts(database_url: str) -> None:
    folder = case("oa_nonlatin")
    run(database_url, Source.ODDS_API, folder / "gre_20260307T180000Z.json")
    run(database_url, Source.FOOTBALL_DATA, folder / "G1.csv")
    assert [(home, score) for home, _, score in rows(database_url, EVENTS)] == [("ΝΟΤΟΣ", None), ("Запад", "0-3")]


def test_a_doubleheader_keeps_its_scores(database_url: str) -> None:
    run(database_url, Source.ODDS_TICKS, case("ot_doubleheader"))
    assert rows(database_url, EVENTS) == [
        ("River Cats", "2026-05-02 17:05:00+00", "3-2"),
        ("River Cats", "2026-05-02 20:35:00+00", "0-7"),
    ]


@pytest.mark.parametrize("weeks", [("week1", "week3"), ("week3", "week1")])
def test_a_match_rescheduled_by_days_is_one_event_with_both_starts(database_url: str, weeks: tuple[str, str]) -> None:
    for week in weeks:
        run(database_url, Source.FOOTBALL_DATA, case("fd_rescheduled") / week)
    assert [(at[:10], score) for _, at, score in rows(database_url, EVENTS)] == [("2020-09-16", "1-0")]
    first = "2020-09-05 14:00:00+00"
    assert rows(database_url, "SELECT original_commence_at::text FROM events") == [(first,)]
    starts = rows(database_url, "SELECT commence_at::text FROM event_starts ORDER BY observed_at")
    assert starts == [(first,), ("2020-09-16 18:45:00+00",)]
