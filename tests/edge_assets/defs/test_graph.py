"""The graph of both code locations as a snapshot: a change of the graph must be made here too."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from dagster import AssetKey, Definitions

from edge_assets.defs.analytics.definitions import analytics_definitions
from edge_assets.defs.ingest.definitions import ingest_definitions
from edge_assets.reference.sports import DEFAULT_SPORTS

ROOT = Path(__file__).parents[3]
TABLES = {
    f"edge/{table}"
    for table in (
        *("aggregate_ticks", "books", "event_results", "event_starts", "events", "markets", "odds_ticks", "outcomes"),
        *("polls", "public_bets", "result_decisions", "sports"),
    )
}
STAGING = {
    *(f"stg_edge__{t}" for t in ("aggregates", "alerts", "books", "event_starts", "events", "markets", "outcomes")),
    *(f"stg_edge__{t}" for t in ("polls", "public_bets", "results", "stated_results", "ticks")),
    *(f"stg_pricing__{t}" for t in ("book_moves", "decisions", "lines", "movements", "quotes", "settlements")),
    "stg_pricing__team_ratings",
}
INTERMEDIATE = {
    *(
        "int_match_result_books_counted",
        "int_book_pairs_compared",
        "int_closes_expected",
        "int_closes_scored",
        "int_closes_fingerprinted",
    ),
    *("int_decisions_due", "int_events_with_status", "int_events_with_season", "int_book_margins_calculated"),
    *("int_decisions_with_pricing_version", "int_seasons_fingerprinted", "int_selections_offered"),
    *(
        "int_polls_unpriced",
        "int_quotes_as_of",
        "int_closing_quotes_selected",
        "int_team_ratings_valid_from",
        "int_book_sharpness_by_day",
    ),
    *("int_winners_as_known", "int_winners_settled"),
}
PRICING = {
    f"pricing/{table}"
    for table in (
        *("book_moves", "book_weights", "movements", "priced_decisions", "priced_lines", "priced_quotes"),
        *("settlements", "team_ratings"),
    )
}
MARTS = {
    *("book_quality", "closing_coverage", "closing_lines", "event_features", "line_moves", "market_snapshots"),
    "poll_health",
}
HISTORY = {f"history/{f}" for f in ("football_data", "odds_api", "odds_ticks", "pinnacle_mlb", "nfl_bmr")}
GATE = "edge/quarantined_ticks"
HEAVY = ("mlflow", "pandas", "great_expectations", "dbt", "dagster_dbt", "xgboost", "fastapi", "matplotlib", "sklearn")


@pytest.fixture(scope="module")
def locations() -> dict[str, Definitions]:
    return {"ingest": ingest_definitions(), "analytics": analytics_definitions()}


def declared_assets(definitions: Definitions) -> set[str]:
    """The assets that a location defines; mere references to the other location's have no owner."""
    return {spec.key.to_user_string() for spec in definitions.resolve_all_asset_specs() if spec.owners}


def test_every_asset_is_in_exactly_one_location(locations: dict[str, Definitions]) -> None:
    assert declared_assets(locations["ingest"]) == (
        {f"odds/{sport}" for sport in DEFAULT_SPORTS}
        | {"odds_feed", "espn_scoreboards", "odds_changes", "alerts", "edge/results"}
        | TABLES
    )
    assert declared_assets(locations["analytics"]) == STAGING | INTERMEDIATE | PRICING | MARTS | HISTORY | {GATE}


def test_every_dependency_exists(locations: dict[str, Definitions]) -> None:
    everything = set[str]().union(*map(declared_assets, locations.values()))
    for definitions in locations.values():
        for spec in definitions.resolve_all_asset_specs():
            assert {dep.asset_key.to_user_string() for dep in spec.deps} <= everything


def test_every_reader_of_ticks_waits_for_the_gate(locations: dict[str, Definitions]) -> None:
    ticks = {AssetKey(["edge", "odds_ticks"]), AssetKey(["edge", "aggregate_ticks"])}
    readers = {
        spec.key.to_user_string(): {dep.asset_key for dep in spec.deps}
        for spec in locations["analytics"].resolve_all_asset_specs()
        if ticks & {dep.asset_key for dep in spec.deps} and spec.key.to_user_string() != GATE
    }
    assert readers.keys() == {"stg_edge__ticks", "stg_edge__aggregates"}
    assert all(AssetKey(["edge", "quarantined_ticks"]) in deps for deps in readers.values())


def test_regularly_built_assets_have_a_freshness_policy(locations: dict[str, Definitions]) -> None:
    specs = [spec for definitions in locations.values() for spec in definitions.resolve_all_asset_specs()]
    fresh = {spec.key.to_user_string() for spec in specs if spec.freshness_policy}
    assert fresh == {f"odds/{s}" for s in DEFAULT_SPORTS} | STAGING | INTERMEDIATE | PRICING | MARTS | {GATE}


@pytest.mark.parametrize("mart", sorted(MARTS))
def test_lineage_leads_from_the_feed_to_the_mart(locations: dict[str, Definitions], mart: str) -> None:
    deps = {
        spec.key: {dep.asset_key for dep in spec.deps}
        for definitions in locations.values()
        for spec in definitions.resolve_all_asset_specs()
        if spec.owners
    }
    seen: set[AssetKey] = set()
    frontier = {AssetKey(mart)}
    while frontier:
        seen |= frontier
        frontier = set[AssetKey]().union(*(deps[key] for key in frontier)) - seen
    assert AssetKey("odds_feed") in seen
    priced = any(key.path[0] == "pricing" for key in seen)
    assert mart == "poll_health" or (AssetKey(["edge", "odds_ticks"]) in seen and priced)


@pytest.mark.parametrize(
    ("location", "jobs", "sensors", "schedules", "checks"),
    [
        (
            "ingest",
            {"odds_burst", "results", "retention"},
            {"odds_burst_sensor", "health_sensor"},
            {"results_schedule", "retention_six_hourly"},
            2,
        ),
        (
            "analytics",
            {"warehouse", "expectations"},
            set(),
            {"warehouse_hourly", "expectations_six_hourly"},
            50,
        ),
    ],
)
def test_schedules_and_their_selections(
    locations: dict[str, Definitions],
    location: str,
    jobs: set[str],
    sensors: set[str],
    schedules: set[str],
    checks: int,
) -> None:
    repository = locations[location].get_repository_def()
    assert {job.name for job in repository.get_all_jobs() if not job.name.startswith("__")} == jobs
    assert {sensor.name for sensor in repository.sensor_defs} == sensors
    assert {schedule.name for schedule in repository.schedule_defs} == schedules
    assert len(repository.asset_graph.asset_check_keys) == checks


def test_the_ingest_location_loads_light_and_without_settings(tmp_path: Path) -> None:
    """In a separate process with an empty environment: what a run imports before its first poll."""
    program = (
        "import sys; from edge_assets.defs.ingest.definitions import ingest_definitions; ingest_definitions(); "
        f"print(sorted(set({HEAVY}) & {{name.partition('.')[0] for name in sys.modules}}))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        check=True,
        cwd=tmp_path,
        env={"PYTHONPATH": str(ROOT), "HOME": str(tmp_path)},
    )
    assert done.stdout.strip() == "[]"


def test_the_workspace_lists_both_locations() -> None:
    workspace = yaml.safe_load((ROOT / "workspace.yaml").read_text())
    modules = {m["python_module"]["location_name"]: m["python_module"]["module_name"] for m in workspace["load_from"]}
    assert modules == {
        "ingest": "edge_assets.defs.ingest.definitions",
        "analytics": "edge_assets.defs.analytics.definitions",
    }
