"""The results asset, its check and its schedule, run by Dagster over a real database."""

from __future__ import annotations

from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from dagster import AssetKey, DagsterInstance, RunRequest, SkipReason, TableMetadataValue, build_schedule_context

from edge_assets.defs.ingest.definitions import ingest_definitions
from edge_assets.defs.ingest.resources import SettingsResource
from edge_assets.defs.ingest.results import results_schedule
from edge_assets.reference.sources import Source
from edge_assets.store.events.results import StatedResult, write_results
from edge_assets.store.polls.dimensions import IdRegistry
from edge_assets.store.postgres.database import connect
from ml.settlement import GameReport, Score
from tests.support.scoreboards import EspnApi, board, event, serve

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.calendar

NFL = "americanfootball_nfl"
NOW = datetime.now(UTC).replace(microsecond=0)
START = NOW - timedelta(hours=6)


@pytest.fixture
def espn(database_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[EspnApi]:
    """ESPN as the only source that answers, with an environment that points to it."""
    api = EspnApi({"football/nfl": board(event("Eagles", "Commanders", ("26", "18"), date=f"{START:%Y-%m-%dT%H:%MZ}"))})
    with serve(api) as url:
        settings = {"EDGE_FEED": "odds-api", "EDGE_SPORTS": NFL, "DATABASE_URL": database_url, "ESPN_URL": url}
        for name, value in (settings | {"ODDS_API_KEY": "k", "ODDS_API_URL": f"{url}/v4"}).items():
            monkeypatch.setenv(name, value)
        yield api


@pytest.fixture
def finished_game(database_url: str) -> int:
    """A game that is over."""
    with closing(connect(database_url, "test")) as conn:
        words = IdRegistry.load(conn)
        event_id = words.event("e1", words.sport(NFL, "NFL"), "Eagles", "Commanders", START, START)
        words.close()
    return event_id


def test_a_run_reports_what_it_found_and_the_check_what_differs(
    espn: EspnApi, finished_game: int, database_url: str
) -> None:
    with closing(connect(database_url, "test")) as conn:
        other = GameReport.final(Score(20, 18))
        event_and_source = (finished_game, Source.NFL_BMR, START + timedelta(hours=4))
        with DagsterInstance.ephemeral() as instance:
            job = ingest_definitions().resolve_job_def("results")
            first = job.execute_in_process(instance=instance)
            write_results(conn, [StatedResult(*event_and_source, other)])
            second = job.execute_in_process(instance=instance)

    [materialization] = first.get_asset_materialization_events()
    metadata = materialization.materialization.metadata
    assert materialization.asset_key == AssetKey(["edge", "results"])
    assert (metadata["new"].value, metadata["contradicted_events"].value) == (2, 0)
    poll_list = metadata["polls"]
    assert isinstance(poll_list, TableMetadataValue)
    found = {(row.data["source"], bool(row.data["failure"])) for row in poll_list.records}
    assert found == {("odds-api", True), ("espn", False)}

    [agreed] = first.get_asset_check_evaluations()
    [differs] = second.get_asset_check_evaluations()
    assert agreed.passed
    assert not differs.passed
    newest = differs.metadata["newest"]
    assert isinstance(newest, TableMetadataValue)
    assert [row.data["statements"] for row in newest.records] == ["nfl-bmr final 20-18; espn final 26-18"]


def tick() -> RunRequest | SkipReason:
    context = build_schedule_context(resources={"settings": SettingsResource()}, scheduled_execution_time=NOW)
    result = results_schedule(context)
    assert isinstance(result, RunRequest | SkipReason)
    return result


def test_a_tick_requests_a_run_if_a_game_misses_its_result(
    espn: EspnApi, finished_game: int, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert isinstance(tick(), RunRequest)
    with closing(connect(database_url, "test")) as conn:
        write_results(conn, [StatedResult(finished_game, Source.ESPN, NOW, GameReport.final(Score(1, 0)))])
    assert tick() == SkipReason("no event is missing a result")
    monkeypatch.setenv("DATABASE_URL", "postgresql://postgres@127.0.0.1:1/nowhere")
    assert "OperationalError" in str(tick())
    monkeypatch.setenv("EDGE_FEED", "replay")
    assert isinstance(tick(), RunRequest)
