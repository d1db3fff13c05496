"""The market is a function of (seed, time), in The Odds API's format."""

from __future__ import annotations

import random
import re
import sys
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING

import httpx2
import msgspec
import pytest

from edge_assets.feeds.odds_api import wire
from edge_assets.reference.sports import DEFAULT_SPORTS
from edge_assets.sandbox.simulator.books import BOOKS
from edge_assets.sandbox.simulator.fixtures import LISTED_SECONDS, PLAY_SECONDS
from edge_assets.sandbox.simulator.leagues import LEAGUES
from edge_assets.sandbox.simulator.market import SimulatedMarket
from tests.support.servers.processes import ServerProcess, free_port
from tests.support.simulated_markets import KEYS, NOON, times, utc_time

if TYPE_CHECKING:
    from pathlib import Path


def body(simulator: SimulatedMarket, sport: str, at: datetime) -> bytes:
    snapshot = simulator.snapshot(sport, at)
    assert snapshot is not None
    return msgspec.json.encode(snapshot.events)


@pytest.mark.untraced
def test_the_same_seed_gives_the_same_market_in_any_order() -> None:
    requests = [(sport, at) for sport in KEYS for at in times(1.5, 613)]
    first, second = SimulatedMarket(seed=5), SimulatedMarket(seed=5)
    expected = {request: body(first, *request) for request in requests}
    random.Random(1).shuffle(requests)
    assert all(body(second, *request) == expected[request] for request in requests)
    assert first.scores(KEYS[0], NOON) == second.scores(KEYS[0], NOON)


def test_another_seed_gives_another_market() -> None:
    assert body(SimulatedMarket(seed=5), KEYS[0], NOON) != body(SimulatedMarket(seed=6), KEYS[0], NOON)


def test_other_sports_are_unknown(simulator: SimulatedMarket) -> None:
    assert {sport.key for sport in simulator.sports()} == set(KEYS) <= set(DEFAULT_SPORTS)
    assert simulator.snapshot("cricket_ipl", NOON) is None
    assert not simulator.captures
    assert simulator.neighbours(KEYS[0], NOON) == (None, None)


def test_simulated_names_are_marked_as_such(simulator: SimulatedMarket) -> None:
    assert all("simulated" in league.title for league in LEAGUES)
    assert all(book.key.startswith("sim_") and book.title.endswith("(sim)") for book in BOOKS)
    assert len({book.key for book in BOOKS}) == len(BOOKS) == 24


@pytest.mark.parametrize("sport", KEYS)
def test_payloads_have_the_wire_format(simulator: SimulatedMarket, sport: str) -> None:
    ids = set()
    for at in times(3, 900):
        events = wire.decode(body(simulator, sport, at), list[wire.WireEventOdds])
        assert [e.commence_time for e in events] == sorted(e.commence_time for e in events)
        for event in events:
            assert re.fullmatch("[0-9a-f]{32}", event.id)
            assert event.sport_key == sport
            _check(event, at)
        ids |= {event.id for event in events}
    assert len(ids) > 20


def _check(event: wire.WireEventOdds, at: datetime) -> None:
    teams = {event.home_team, event.away_team}
    assert len(teams) == 2
    for book in event.bookmakers:
        updated = book.last_update
        assert updated is not None
        assert updated <= at
        for market in book.markets:
            assert market.last_update == updated
            names = [o.name for o in market.outcomes]
            assert len(set(names)) == len(names)
            if market.key == "totals":
                assert names == ["Over", "Under"]
                assert market.outcomes[0].point == market.outcomes[1].point
            else:
                assert names == [*sorted(n for n in names if n != "Draw"), *(["Draw"] if "Draw" in names else [])]
                assert set(names) - {"Draw"} == teams
            if market.key == "spreads":
                assert market.outcomes[0].point == -(market.outcomes[1].point or 0.0)
            assert all(1.01 <= o.price <= 101 for o in market.outcomes if market.key != "h2h_lay")


def test_ice_hockey_mixes_two_way_and_three_way_books(simulator: SimulatedMarket) -> None:
    [*_, event] = wire.decode(body(simulator, "icehockey_nhl", NOON), list[wire.WireEventOdds])
    widths = {b.key: len(m.outcomes) for b in event.bookmakers for m in b.markets if m.key == "h2h"}
    assert {k for k, n in widths.items() if n == 3} <= {b.key for b in BOOKS if b.quotes_regulation}
    assert {2, 3} == set(widths.values())


def test_an_exchange_has_a_lay_side_and_limits(simulator: SimulatedMarket) -> None:
    events = wire.decode(body(simulator, "soccer_epl", NOON), list[wire.WireEventOdds])
    exchanges = {b.key for b in BOOKS if b.kind == "exchange"}
    for book in (b for event in events for b in event.bookmakers):
        markets = {m.key: m.outcomes for m in book.markets}
        assert ("h2h_lay" in markets) == (book.key in exchanges)
        if book.key in exchanges:
            assert all(o.bet_limit for o in markets["h2h"])
            assert all(lay.price > back.price for lay, back in zip(markets["h2h_lay"], markets["h2h"], strict=True))


def test_the_life_of_an_event(simulator: SimulatedMarket) -> None:
    event = simulator.listed_events(KEYS[1], NOON)[-1]

    def books(at: float) -> int | None:
        snapshot = simulator.snapshot(KEYS[1], utc_time(at))
        assert snapshot is not None
        return next((len(e.bookmakers) for e in snapshot.events if e.id == event.id), None)

    def score(at: float) -> tuple[bool, dict[str, str]]:
        [found] = [s for s in simulator.scores(KEYS[1], utc_time(at)) if s.id == event.id]
        return found.completed, {s.name: s.score for s in found.scores or ()}

    assert books(event.start - LISTED_SECONDS - 1) is None
    waiting, playing = books(event.start - 1), books(event.start + 1)
    assert waiting is not None
    assert waiting > 20
    assert playing is not None
    assert 4 <= playing < waiting
    assert books(event.start + PLAY_SECONDS) is None
    assert score(event.ends_at - 1) == (False, {})
    home, away = event.result.final
    assert score(event.ends_at) == (True, {event.home: str(home), event.away: str(away)})
    assert home != away


def test_an_event_starts_every_few_minutes(simulator: SimulatedMarket) -> None:
    starts = sorted(
        event.start for sport in KEYS for at in times(24, 3600) for event in simulator.listed_events(sport, at)
    )
    assert max(b - a for a, b in pairwise(starts)) <= 300


def test_the_server_follows_the_wall_clock(tmp_path: Path) -> None:
    port = free_port()
    base = f"http://127.0.0.1:{port}"
    command = [sys.executable, "-m", "edge_assets.sandbox.simulator", "--port", str(port), "--seed", "5"]

    def ready() -> bool:
        try:
            return httpx2.get(f"{base}/_edge/ready").is_success
        except httpx2.TransportError:
            return False

    server = ServerProcess(command, ready, tmp_path / "log")
    server.start()
    try:
        asked = {"apiKey": "any", "regions": "us,eu", "markets": "h2h,spreads,totals"}
        answer = httpx2.get(f"{base}/v4/sports/{KEYS[0]}/odds", params=asked)
    finally:
        server.stop()
    at = datetime.fromisoformat(answer.headers["x-edge-time"])
    assert abs(at - datetime.now(UTC)) < timedelta(seconds=10)
    seen, expected = (
        wire.decode(text, list[wire.WireEventOdds])
        for text in (answer.content, body(SimulatedMarket(seed=5), KEYS[0], at))
    )
    assert [(e.id, len(e.bookmakers)) for e in seen] == [(e.id, len(e.bookmakers)) for e in expected]
