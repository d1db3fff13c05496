"""Client and differ against the replay server: both implement the same wire contract."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from edge_assets.core.clock import VirtualClock
from edge_assets.feeds.odds_api import errors
from edge_assets.feeds.odds_api.diff import PayloadDiffer
from edge_assets.feeds.recordings.recording import Recording
from edge_assets.sandbox.server.app import create_app
from edge_assets.sandbox.server.faults import Faults
from tests.edge_assets.feeds.odds_api.test_client import client_of
from tests.support.in_memory_ids import InMemoryIdResolver
from tests.support.wire_factories import HOME, SPORT, book, event, h2h, payload

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

OTHER = event(book("draftkings", h2h(-105, -105)), number=2)
"""Shows that the book was requested."""
CAPTURES = {
    "nhl_20260301T120000Z.json": (event(book("draftkings", h2h(-110, 120))),),
    "nhl_20260301T122000Z.json": (event(book("draftkings", h2h(-115, 120))),),
    "nhl_20260301T124000Z.json": (event(),),
}


def write_recording(folder: Path, *near: Any) -> Recording:
    for name, events in CAPTURES.items():
        (folder / name).write_bytes(payload(*events, *near))
    return Recording.load(folder)


@pytest.fixture
def recording(tmp_path: Path) -> Recording:
    return write_recording(tmp_path)


async def test_every_capture_is_replayed_once_in_order(tmp_path: Path, serve: Callable[[Any], str]) -> None:
    differ, clock, recording = (
        PayloadDiffer(InMemoryIdResolver(), SPORT, 1),
        VirtualClock(),
        write_recording(tmp_path, OTHER),
    )
    consumed, seen = None, []
    async with client_of(serve(create_app(recording)), clock) as client:
        for _ in range(4):
            taken = await client.odds_payload(SPORT, regions=["us"], markets=["h2h"], consumed=consumed)
            diff = differ.diff(taken.body, taken.observed_at)
            differ.commit()
            consumed = taken.observed_at
            seen.append((consumed.strftime("%H:%M"), diff.quotes.price[diff.quotes.event == 1].tolist()))
    assert seen[:2] == [("12:00", [1 + 100 / 110, 2.2]), ("12:20", [1 + 100 / 115])]
    assert [(at, len(prices)) for at, prices in seen[2:]] == [("12:40", 2), ("12:40", 0)]


async def test_the_server_supports_every_call(recording: Recording, serve: Callable[[Any], str]) -> None:
    async with client_of(serve(create_app(recording, credits_per_month=100)), VirtualClock()) as client:
        assert [sport.key for sport in await client.sports()] == [SPORT]
        [listed] = await client.events(SPORT)
        assert listed.home_team == HOME
        [odds] = await client.odds(SPORT, regions=["us"], markets=["h2h"])
        assert client.quota == (1, 1, 99)
        assert (await client.event_odds(SPORT, odds.id, regions=["us"], markets=["h2h"])).id == odds.id
        assert (await client.event_markets(SPORT, odds.id, regions=["us"])).bookmakers[0].key == "draftkings"
        assert {team.full_name for team in await client.participants(SPORT)} >= {HOME}
        assert [score.completed for score in (await client.scores(SPORT)).items] == [False]
        past = await client.historical_odds(SPORT, recording.captures[1].at, regions=["us"], markets=["h2h"])
        assert (past.timestamp, past.data[0].id) == (recording.captures[1].at, odds.id)
        assert (await client.historical_events(SPORT, past.timestamp)).data[0].id == odds.id
        again = await client.historical_event_odds(SPORT, odds.id, past.timestamp, regions=["us"], markets=["h2h"])
        assert again.data.id == odds.id


async def test_temporary_faults_are_retried_and_others_are_typed(
    recording: Recording, serve: Callable[[Any], str]
) -> None:
    faults = Faults(rate_limited=1, truncated=1, missing_headers=True)
    async with client_of(serve(create_app(recording, faults=faults)), VirtualClock()) as client:
        taken = await client.odds_payload(SPORT, regions=["us"], markets=["h2h", "player_points"])
        assert len(msgspec.json.decode(taken.body)) == 1
        assert taken.quota == (None, None, None)
        with pytest.raises(errors.UnknownSportError):
            await client.events("quidditch")
        with pytest.raises(errors.EventNotFoundError):
            await client.event_odds(SPORT, "f" * 32, regions=["us"], markets=["h2h"])
        with pytest.raises(errors.InvalidRequestError):
            await client.odds_payload(SPORT, markets=["h2h"])


async def test_without_credits_only_free_calls_succeed(recording: Recording, serve: Callable[[Any], str]) -> None:
    async with client_of(serve(create_app(recording, credits_per_month=0)), VirtualClock()) as client:
        assert len(await client.events(SPORT)) == 1
        with pytest.raises(errors.OutOfCreditsError):
            await client.odds_payload(SPORT, regions=["us"], markets=["h2h"])
        assert client.quota.is_exhausted
