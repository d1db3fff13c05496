"""Every fault switch, over real HTTP."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

import pytest

from edge_assets.sandbox.server.faults import Faults
from tests.support.recordings import GAME, LATER, NFL, Serve

if TYPE_CHECKING:
    from collections.abc import Iterator

    import httpx2

    from edge_assets.feeds.recordings.recording import Recording

ODDS = f"/v4/sports/{NFL}/odds"
QUERY = {"regions": "us,eu", "markets": "h2h,totals", "oddsFormat": "american"}


@pytest.fixture(autouse=True)
def _clear_faults(client: httpx2.Client) -> Iterator[None]:
    yield
    client.delete("/_edge/faults")


def switch(client: httpx2.Client, **faults: Any) -> None:
    assert client.put("/_edge/faults", json=faults).status_code == 200


def test_429_and_5xx_are_temporary(client: httpx2.Client) -> None:
    switch(client, rate_limited=2, server_errors=1, server_error_status=502)
    assert [client.get(ODDS, params=QUERY).status_code for _ in range(4)] == [502, 429, 429, 200]


def test_a_truncated_body(client: httpx2.Client) -> None:
    switch(client, truncated=1)
    with pytest.raises(json.JSONDecodeError):
        client.get(ODDS, params=QUERY).json()
    assert len(client.get(ODDS, params=QUERY).json()) == 2


def test_a_slow_body(client: httpx2.Client) -> None:
    switch(client, slow_seconds=0.2)
    started = time.monotonic()
    assert len(client.get(ODDS, params=QUERY).json()) == 2
    assert time.monotonic() - started >= 0.2


def test_quota_headers_can_be_missing_or_negative(client: httpx2.Client) -> None:
    switch(client, missing_headers=True)
    headers = client.get(ODDS, params=QUERY).headers
    assert not [name for name in headers if name.startswith("x-requests")]
    assert "x-edge-time" in headers
    switch(client, remaining=-60)
    assert client.get(ODDS, params=QUERY).headers["x-requests-remaining"] == "-60"


def test_distorted_content(client: httpx2.Client) -> None:
    switch(client, vanished_events=[LATER], shifted_starts={GAME: 600}, stale_books={"draftkings": 3600})
    [game] = client.get(ODDS, params=QUERY).json()
    assert game["commence_time"] == "2025-11-03T18:10:00Z"
    first, second = game["bookmakers"][:2]
    assert (first["last_update"], second["last_update"]) == ("2025-11-03T11:00:00Z", "2025-11-03T12:00:00Z")
    assert first["markets"][0]["last_update"] == "2025-11-03T11:00:00Z"
    assert client.get(f"/v4/sports/{NFL}/events/{LATER}/odds", params=QUERY).status_code == 404


def test_empty_events_and_an_added_draw(client: httpx2.Client) -> None:
    switch(client, three_way_books=["pinnacle"])
    game = client.get(ODDS, params=QUERY).json()[0]
    outcomes = {b["key"]: [o["name"] for o in b["markets"][0]["outcomes"]] for b in game["bookmakers"]}
    assert outcomes["pinnacle"] == ["Away a", "Home a", "Draw"]
    assert outcomes["draftkings"] == ["Away a", "Home a"]
    switch(client, empty_events=[GAME])
    assert client.get(ODDS, params=QUERY).json()[0]["bookmakers"] == []


def test_switches_can_be_shown_cleared_and_are_validated(serve: Serve, recording: Recording) -> None:
    client = serve(recording, faults=Faults(rate_limited=3))
    assert client.get("/_edge/faults").json()["rate_limited"] == 3
    assert client.delete("/_edge/faults").json()["rate_limited"] == 0
    rejected = client.put("/_edge/faults", json={"explode": True})
    assert (rejected.status_code, "explode" in rejected.json()["message"]) == (422, True)
