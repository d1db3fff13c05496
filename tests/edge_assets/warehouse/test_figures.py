"""The published figures of the recorded data, from the warehouse by command: every match, every tick."""

from __future__ import annotations

import json
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest
from typer.testing import CliRunner

from edge_assets.cli import app
from edge_assets.importers.importer import Importer
from edge_assets.quality.gate import run_quality_gate
from edge_assets.reference.sources import Source
from edge_assets.store.postgres.database import connect
from edge_assets.warehouse.settlements import settle_matches
from tests.ml.market.test_football_data import PUBLISHED
from tests.support.dbt_build import Warehouse

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.support.servers.postgres import PostgresServer

    Ask = Callable[..., dict[str, Any]]
pytestmark = pytest.mark.untraced


@pytest.fixture(scope="module")
def url(postgres_server: PostgresServer, migrated_template: str) -> Iterator[str]:
    """One database for all tests of this module."""
    with postgres_server.clone_of(migrated_template) as own:
        yield own


@pytest.fixture(scope="module", autouse=True)
def imports(url: str, data_dir: Path, dbt_scratch: Path) -> None:
    """Two million quotes of football and half a million of the NFL; only the models that the commands need."""
    with Importer(url, "test") as importer:
        importer.run(Source.FOOTBALL_DATA, [data_dir / "football_data_uk"])
        importer.run(Source.ODDS_TICKS, [data_dir / "nfl_2025_ticks"])
    with closing(connect(url, "test")) as conn:
        settle_matches(conn)
    Warehouse(url, dbt_scratch).run("int_events_with_season", "int_winners_settled", "int_closes_expected")


@pytest.fixture
def ask(url: str, monkeypatch: pytest.MonkeyPatch) -> Ask:
    """Runs `edge warehouse` and parses its output."""
    monkeypatch.setenv("DATABASE_URL", url)

    def run(*words: str) -> dict[str, Any]:
        done = CliRunner().invoke(app, ["warehouse", *words, "--json"])
        assert done.exit_code == 0, done.output
        answer: dict[str, Any] = json.loads(done.stdout)
        return answer

    return run


def test_the_published_table_to_the_digit(ask: Ask) -> None:
    answer = ask("table", "--sport", "soccer", "--with-quarantined")
    assert answer["events"] == 62_149
    assert f"{answer['blind_rate']:+.2%}" == "-1.28%"
    assert set(map(" ".join, map(str.split, PUBLISHED.strip().splitlines()))) <= set(map(line, answer["rows"]))
    best = answer["comparisons"][1]
    assert (best["price"], best["with_quarantined"]) == ("best", False)
    assert all(own["bets"] < row["bets"] for own, row in zip(best["rows"], answer["rows"], strict=True))
    assert best["blind_rate"] < answer["blind_rate"]
    assert len(answer["notes"]) == len(answer["comparisons"])


def line(row: dict[str, Any]) -> str:
    return (
        f"{row['devig']} {row['ev_above']:.0%} {row['bets']:,} {row['claimed_ev']:.2%} {row['profit_rate']:+.2%} "
        f"{row['mean_clv']:+.2%} {row['beat_the_close']:.1%}"
    )


def test_the_close_of_pinnacle_predicts_better(ask: Ask) -> None:
    words = ("--reference", "pinnacle", "--sport", "soccer", "--market", "h2h_3_way", "--devig", "power")
    original, last_known = ask("accuracy", *words, "--with-quarantined")["rows"]
    assert losses(original, 5) == ("51,575", "1.00332", "1.00012")
    assert losses(last_known, 5) == losses(original, 5)  # these files know one start


def test_the_close_of_the_nfl_by_either_start(ask: Ask) -> None:
    """One of the 269 games was a tie, which has no winner in a two-way market."""
    rows = ask("accuracy", "--sport", "americanfootball_nfl")["rows"]
    found = {(row["start"], row["devig"]): losses(row, 3) for row in rows}
    assert found["last_known", "multiplicative"] == found["last_known", "power"] == ("268", "0.619", "0.611")
    assert found["original", "multiplicative"][:2] == found["original", "power"][:2] == ("268", "0.619")
    assert all("0.611" < close < "0.619" for (start, _), (_, _, close) in found.items() if start == "original")


def test_the_recorded_data_passes_the_gate(database_url: str, data_dir: Path) -> None:
    """Every third season of football, and the NFL: the others pass too, but take twice as long again."""
    seasons = sorted(path for path in (data_dir / "football_data_uk").iterdir() if path.is_dir())
    with Importer(database_url, "test") as importer:
        importer.run(Source.FOOTBALL_DATA, seasons[::3])
        importer.run(Source.ODDS_TICKS, [data_dir / "nfl_2025_ticks"])
    with closing(connect(database_url, "test")) as conn:
        settle_matches(conn)
        report = run_quality_gate(conn)
    assert report.open_findings == []
    assert 0 < report.quarantined < 0.002 * report.ticks
    assert report.events > 20_000


def losses(row: dict[str, Any], digits: int) -> tuple[str, ...]:
    return f"{row['games']:,}", *(f"{row[name]:.{digits}f}" for name in ("first_log_loss", "closing_log_loss"))
