"""An import as a run: the same importer, its counts on the asset's page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dagster import DagsterInstance, materialize

from edge_assets.defs.analytics.import_assets import build_import_assets
from edge_assets.defs.lineage import IMPORT_ASSETS
from edge_assets.reference.sources import IMPORT_SOURCES
from tests.support.football_files import MATCHES, rows, season

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

FOOTBALL = "history__football_data"


def run(path: Path) -> Any:
    config = {"ops": {FOOTBALL: {"config": {"paths": [str(path)]}}}}
    with DagsterInstance.ephemeral() as instance:
        return materialize(
            build_import_assets(), selection="key:history/football_data", run_config=config, instance=instance,
            raise_on_error=False,
        )  # fmt: skip


def test_a_run_imports_and_reports_its_counts(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", database_url)
    result = run(season(tmp_path / "E0.csv", *MATCHES))
    assert result.success
    [materialization] = result.asset_materializations_for_node(FOOTBALL)
    assert materialization.metadata["ticks"].value == 21
    assert rows(database_url, "SELECT DISTINCT run_id FROM polls") == [(result.run_id,)]


def test_a_refused_file_fails_the_run(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", database_url)
    (tmp_path / "x.csv").write_text("no,match,file\n")
    assert not run(tmp_path).success


def test_every_format_is_an_asset() -> None:
    assert set(IMPORT_ASSETS) == set(IMPORT_SOURCES)
