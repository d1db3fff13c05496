"""The simulated market through server, client and differ: nothing is rejected."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import httpx2
import numpy as np
import pytest
from pydantic import SecretStr

from edge_assets.core.clock import WallClock
from edge_assets.feeds.odds_api.client import OddsApiClient
from edge_assets.feeds.odds_api.diff import PayloadDiffer
from edge_assets.sandbox.simulator.books import BOOKS
from ml.quotes import Market
from tests.support.in_memory_ids import InMemoryIdResolver
from tests.support.servers.processes import ServerProcess, free_port
from tests.support.simulated_markets import KEYS

if TYPE_CHECKING:
    from collections.abc import Iterator

REGIONS = ["us", "eu"]
MARKETS = ["h2h", "spreads", "totals"]


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A running server with the default seed."""
    base = f"http://127.0.0.1:{(port := free_port())}"

    def ready() -> bool:
        try:
            return httpx2.get(f"{base}/_edge/ready").is_success
        except httpx2.TransportError:
            return False

    command = [sys.executable, "-m", "edge_assets.sandbox.simulator", "--port", str(port)]
    server = ServerProcess(command, ready, tmp_path_factory.mktemp("simulate") / "log")
    server.start()
    yield f"{base}/v4"
    server.stop()


def client(url: str) -> OddsApiClient:
    return OddsApiClient(url, SecretStr("any"), WallClock())


@pytest.mark.parametrize("sport", KEYS)
async def test_the_differ_accepts_everything(url: str, sport: str) -> None:
    ids = InMemoryIdResolver()
    differ = PayloadDiffer(ids, sport, ids.sport(sport, sport))
    async with client(url) as api:
        for _ in range(2):
            payload = await api.odds_payload(sport, regions=REGIONS, markets=MARKETS, consumed=None)
            diff = differ.diff(payload.body, payload.observed_at)
            assert not diff.rejected
            assert 7 <= diff.events <= 9
            assert diff.quotes_seen > 7 * 15 * 5
            differ.commit()
        again = differ.diff(payload.body, payload.observed_at)
    assert len(again.quotes) == 0
    assert payload.quota.last == 6
    assert {ids.books.name(int(b)) for b in np.unique(diff.times.book)} <= {book.key for book in BOOKS}
    moneyline = {Market.H2H_3_WAY} if sport == "soccer_epl" else {Market.H2H}
    mixed = {Market.H2H_3_WAY} if sport == "icehockey_nhl" else set()
    lay = {Market.H2H_3_WAY_LAY} if sport == "soccer_epl" else {Market.H2H_LAY}
    assert set(diff.times.market.tolist()) == moneyline | mixed | lay | {Market.SPREADS, Market.TOTALS}


async def test_events_and_scores_are_served(url: str) -> None:
    async with client(url) as api:
        assert {sport.key for sport in await api.sports()} >= set(KEYS)
        events = {event.id: event for event in await api.events(KEYS[1])}
        scores = {score.id: score for score in (await api.scores(KEYS[1], days_from=3)).items}
    assert set(events) <= set(scores)
    over = [score for score in scores.values() if score.completed]
    assert len(over) > 300
    assert all(len(score.scores or ()) == 2 for score in over)
    assert all(scores[key].home_team == event.home_team for key, event in events.items())


async def test_one_event_can_be_requested(url: str) -> None:
    async with client(url) as api:
        event = (await api.events(KEYS[0]))[-1]
        odds = await api.event_odds(KEYS[0], event.id, regions=REGIONS, markets=["totals"])
    assert odds.id == event.id
    assert {market.key for book in odds.bookmakers for market in book.markets} == {"totals"}
