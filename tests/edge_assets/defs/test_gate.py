"""The gate in Dagster: findings are shown with their remedy, and everything after the gate runs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest
from dagster import AssetsDefinition, DagsterInstance, TableMetadataValue, asset, materialize

from edge_assets.defs.analytics.build_lock import BuildLockResource
from edge_assets.defs.analytics.definitions import analytics_definitions
from edge_assets.defs.analytics.gate import quality_gate
from edge_assets.defs.lineage import QUARANTINE
from edge_assets.quality.checks import CHECK_DESCRIPTIONS
from edge_assets.store.postgres.database import connect
from tests.support.invented_seasons import SeasonHarness, season, shift_prices

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dagster import ExecuteInProcessResult

JOB = "expectations"


@pytest.fixture
def harness(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[SeasonHarness]:
    """A database that Dagster's runs use."""
    monkeypatch.setenv("DATABASE_URL", database_url)
    monkeypatch.setenv("EDGE_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("EDGE_LOCAL", "true")
    with connect(database_url, "test") as conn:
        yield SeasonHarness(database_url, conn, tmp_path)


@asset(deps=[QUARANTINE])
def behind() -> None:
    """Stands in for the warehouse."""


def run_gate() -> ExecuteInProcessResult:
    assets: list[AssetsDefinition] = [quality_gate, behind]
    with DagsterInstance.ephemeral() as instance:
        return materialize(
            assets, instance=instance, resources={"build_lock": BuildLockResource()}, raise_on_error=False
        )


def test_a_finding_fails_its_check_without_stopping_the_build(harness: SeasonHarness) -> None:
    harness.store(season())
    result = run_gate()
    verdicts = {check.check_name: check.passed for check in result.get_asset_check_evaluations()}
    assert verdicts == dict.fromkeys(CHECK_DESCRIPTIONS, True)
    assert result.asset_materializations_for_node("behind")
    harness.store(shift_prices(season(1, 2024)), "shifted.csv")
    for _ in range(2):
        result = run_gate()
        checks = {check.check_name: check for check in result.get_asset_check_evaluations()}
        assert not checks["blind_betting"].passed
        table = checks["blind_betting"].metadata["findings"]
        assert isinstance(table, TableMetadataValue)
        [row] = [record.data for record in table.records]
        assert str(row["held out"]).endswith("shifted.csv)")
        assert "`edge quality accept 1 --why" in str(row["what to do"])
        assert result.asset_materializations_for_node("behind")


@pytest.mark.untraced
@pytest.mark.filterwarnings("ignore")  # Great Expectations imports retired modules of the standard library
def test_expectations_are_checked_and_their_docs_linked(harness: SeasonHarness) -> None:
    harness.store(season()[:40])
    harness.conn.execute(
        "UPDATE odds_ticks SET price = 0.5 WHERE event_id = (SELECT min(id) FROM events) AND book_id = 1"
    )
    hostile = "UPDATE events SET (home_team, away_team) = (%(name)s, %(name)s) WHERE id = (SELECT min(id) FROM events)"
    harness.conn.execute(hostile, {"name": "<script>alert(1)</script>"})
    with DagsterInstance.ephemeral() as instance:
        result = analytics_definitions().resolve_job_def(JOB).execute_in_process(instance=instance)
    checks = {check.asset_key.path[-1]: check for check in result.get_asset_check_evaluations()}
    unmet = {table: check.metadata["unmet"].value for table, check in checks.items()}
    assert unmet == {
        "odds_ticks": ["price expect_column_values_to_be_between"],
        "events": ["expect_select_column_values_to_be_unique_within_record"],
        "results": [],
    }
    assert {table: check.passed for table, check in checks.items()} == {t: not u for t, u in unmet.items()}
    docs = harness.folder / "home" / "data_docs"
    page = Path(str(checks["events"].metadata["path"].value))
    assert page.is_relative_to(docs / "validations" / "events")
    assert "home_team" in page.read_text()
    assert "&lt;script&gt;alert(1)" in page.read_text().replace("&amp;lt;", "&lt;").replace("&amp;gt;", "&gt;")
    assert "<script>alert(1)" not in page.read_text()
    shown = checks["events"].metadata["data_docs"].value
    assert shown == f"http://127.0.0.1:8000/data-docs/{quote(page.relative_to(docs).as_posix())}"
    pages = [page.read_text() for page in docs.rglob("*.html")]
    assert not any("postgresql" in page for page in pages), "Data Docs name no server and no password"
