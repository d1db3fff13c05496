"""The ESPN client against a real HTTP server."""

from __future__ import annotations

import gzip
from datetime import date
from typing import TYPE_CHECKING

import msgspec
import pytest

from edge_assets.feeds.espn import client
from edge_assets.feeds.espn.client import EspnClient
from edge_assets.feeds.espn.errors import (
    EspnError,
    EspnMalformedBodyError,
    EspnSlowResponseError,
    EspnStatusError,
    EspnTransportError,
    UnknownLeagueError,
)
from edge_assets.feeds.espn.leagues import LEAGUES_BY_SPORT
from edge_assets.feeds.http_bodies import MAX_BODY_BYTES
from edge_assets.feeds.odds_api.transport import RetryPolicy
from tests.edge_assets.feeds.odds_api.conftest import running
from tests.support.scoreboards import EspnApi, board, event, serve
from tests.support.scripted_server import Scripted, ScriptedApi

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NFL, CUP = "americanfootball_nfl", "soccer_fifa_world_cup"
DAYS = (date(2025, 11, 9), date(2025, 11, 11))
QUICK = RetryPolicy(max_attempts=3, initial_wait_seconds=0.01, max_wait_seconds=0.02, jitter_seconds=0)


@pytest.fixture
def api() -> EspnApi:
    return EspnApi({"football/nfl": board(event()), "soccer/fifa.world": b"<html>down</html>"})


@pytest.fixture
def url(api: EspnApi) -> Iterator[str]:
    with serve(api) as url:
        yield url


async def test_scoreboards_are_requested_day_by_day(api: EspnApi, url: str) -> None:
    async with EspnClient(url, retry_policy=QUICK) as espn:
        games, rejected = await espn.games(NFL, *DAYS)
    assert [game.home for game in games] == ["Seattle Seahawks"]
    assert not rejected
    assert api.asked == [("football/nfl", {"dates": f"202511{day:02}", "limit": "500"}) for day in (9, 10, 11)]


async def test_all_games_of_three_full_days_are_returned(api: EspnApi, url: str) -> None:
    """ESPN rejects ranges, and with a limit above 500 it would return 25 games a day."""
    days = [f"2025-11-{day:02}T{hour:02}:00Z" for day in (9, 10, 11) for hour in (18, 19, 20, 21)]
    api.boards["football/nfl"] = board(*(event(f"Home {n}", f"Away {n}", date=day) for day in days for n in range(10)))
    async with EspnClient(url, retry_policy=QUICK) as espn:
        games, rejected = await espn.games(NFL, *DAYS)
    assert len({(game.home, game.start) for game in games}) == len(games) == 120
    assert not rejected


async def test_a_failed_day_does_not_affect_the_others(api: EspnApi, url: str) -> None:
    api.failures = [404]
    async with EspnClient(url, retry_policy=QUICK) as espn:
        games, rejected = await espn.games(NFL, *DAYS)
    assert len(games) == 1
    assert rejected == {"board_refused": 1}


async def test_college_scoreboards_are_requested_with_a_group(api: EspnApi, url: str) -> None:
    async with EspnClient(url, retry_policy=QUICK) as espn:
        with pytest.raises(EspnStatusError, match="404"):
            await espn.games("basketball_ncaab", *DAYS)
    assert {params["groups"] for _, params in api.asked} == {"50"}


async def test_temporary_errors_are_retried(api: EspnApi, url: str) -> None:
    api.failures = [503, 429]
    async with EspnClient(url, retry_policy=QUICK) as espn:
        games, _ = await espn.games(NFL, *DAYS)
    assert len(games) == 1
    assert len(api.asked) == 5


async def test_permanent_errors_are_typed(api: EspnApi, url: str) -> None:
    api.failures = [503] * 9
    async with EspnClient(url, retry_policy=QUICK) as espn:
        with pytest.raises(EspnStatusError) as raised:
            await espn.games(NFL, *DAYS)
        assert raised.value.status == 503
        with pytest.raises(EspnMalformedBodyError):
            await espn.games(CUP, *DAYS)
        with pytest.raises(UnknownLeagueError, match="mma"):
            await espn.games("mma_mixed_martial_arts", *DAYS)
    async with EspnClient("http://127.0.0.1:1", retry_policy=QUICK) as espn:
        with pytest.raises(EspnTransportError, match="ConnectError"):
            await espn.games(NFL, *DAYS)


def test_the_leagues_are_those_of_the_odds_api(data_dir: Path) -> None:
    sports = msgspec.json.decode((data_dir / "odds_api" / "keys.json").read_bytes())["sports"]
    assert LEAGUES_BY_SPORT.keys() <= {sport["key"] for sport in sports if sport["scores"]}
    assert len({league.path for league in LEAGUES_BY_SPORT.values()}) == len(LEAGUES_BY_SPORT)


@pytest.mark.parametrize(
    ("response", "error"),
    [
        (Scripted(b"[" * (MAX_BODY_BYTES + 1)), EspnMalformedBodyError),
        (Scripted(gzip.compress(b" " * 2**20) * 40, headers={"content-encoding": "gzip"}), EspnMalformedBodyError),
        (Scripted(b"{" * 100, bytes_a_second=5.0), EspnSlowResponseError),
    ],
    ids=["too long", "gzip bomb", "too slow"],
)
async def test_an_endless_response_is_abandoned(
    response: Scripted, error: type[EspnError], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client, "REQUEST_TIMEOUT_SECONDS", 1.0)
    board_api = ScriptedApi()
    board_api.set_answers(response)
    with running(board_api) as url:
        async with EspnClient(url, retry_policy=QUICK) as espn:
            with pytest.raises(error):
                await espn.games(NFL, DAYS[0], DAYS[0])
    assert len(board_api.asked) == 1, "not retried"
