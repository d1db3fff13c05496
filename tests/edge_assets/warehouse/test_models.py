"""dbt's own checks, on a freshly migrated database."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.dbt_build import Warehouse

pytestmark = pytest.mark.untraced
VIEW_COLUMNS = """
SELECT array_agg(attname::text ORDER BY attnum) AS names FROM pg_attribute
WHERE attrelid = (SELECT oid FROM pg_class WHERE relname = 'stg_edge__books' AND relkind = 'v') AND attnum > 0
"""
MARTS = ("book_quality", "closing_coverage", "closing_lines", "event_features", "line_moves", "market_snapshots")


def test_an_empty_warehouse_is_built_tested_and_documented(warehouse: Warehouse, dbt_scratch: Path) -> None:
    warehouse.build()
    assert [warehouse.rows(f"SELECT count(*) AS n FROM {mart}") for mart in MARTS] == [[{"n": 0}]] * len(MARTS)
    warehouse.test()
    warehouse.document()
    catalog = json.loads((dbt_scratch / "catalog.json").read_bytes())
    columns = catalog["nodes"]["model.edge_finder.event_features"]["columns"]
    assert {"home_elo", "mean_sharpness", "decided_at"} <= columns.keys()
    manifest = json.loads((dbt_scratch / "manifest.json").read_bytes())
    models = [node for node in manifest["nodes"].values() if node["resource_type"] == "model"]
    marts = [node for node in models if node["path"].startswith("marts/") and "/intermediate/" not in node["path"]]
    assert {*MARTS, "poll_health"} == {node["name"] for node in marts}
    assert [node["name"] for node in marts if not node["config"]["contract"]["enforced"]] == []
    features = manifest["nodes"]["model.edge_finder.event_features"]["columns"].values()
    keys = {"event_id", "sport", "season", "decision_point", "decided_at", "version"}
    assert [column["name"] for column in features if column["name"] not in keys and not column["description"]] == []
    assert {name.rsplit(".")[-1] for name in manifest["exposures"]} >= {"warehouse_report", "sharp_table"}


def test_a_view_is_replaced_in_place(warehouse: Warehouse) -> None:
    """Views that a person has built on it are kept unless its columns change; a table of its name is replaced."""
    warehouse.run("stg_edge__books")
    columns = warehouse.rows(VIEW_COLUMNS)
    warehouse.execute("CREATE VIEW public.mine AS SELECT book_id FROM analytics.stg_edge__books")
    warehouse.run("stg_edge__books")
    assert warehouse.rows("SELECT * FROM public.mine") == []

    for other in ("VIEW analytics.stg_edge__books AS SELECT 1 AS one", "TABLE analytics.stg_edge__books (one integer)"):
        warehouse.execute("DROP VIEW analytics.stg_edge__books CASCADE")
        warehouse.execute(f"CREATE {other}")
        warehouse.run("stg_edge__books")
        assert warehouse.rows(VIEW_COLUMNS) == columns
