"""Virtual time: stepping, timed, several sports, restarts."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from math import inf
from typing import TYPE_CHECKING

import pytest

from edge_assets.core.clock import VirtualClock
from edge_assets.feeds.recordings.source import Capture
from edge_assets.sandbox.server.playback import SteppingPlayback, TimedPlayback, WallClockPlayback, create_playback
from tests.support.recordings import EPL, NFL, Serve

if TYPE_CHECKING:
    import httpx2

    from edge_assets.feeds.recordings.recording import Recording

NOON = datetime(2025, 11, 3, 12, tzinfo=UTC)
CAPTURES = [Capture(NOON + timedelta(minutes=m), sport) for m, sport in [(0, NFL), (5, EPL), (20, NFL), (25, EPL)]]


def poll(client: httpx2.Client, sport: str, consumed: str | None) -> httpx2.Response:
    headers = {"x-edge-consumed": consumed} if consumed else {}
    return client.get(f"/v4/sports/{sport}/odds", params={"regions": "us,uk"}, headers=headers)


@pytest.fixture
def stepping(serve: Serve, recording: Recording) -> httpx2.Client:
    return serve(recording)


def at(minute: int) -> str:
    return f"2025-11-03T12:{minute:02}:00+00:00"


def test_no_capture_is_skipped_and_the_last_is_repeated(stepping: httpx2.Client) -> None:
    seen: dict[str, list[str]] = {NFL: [], EPL: []}
    for _ in range(6):
        for sport, times in seen.items():
            response = poll(stepping, sport, times[-1] if times else None)
            times.append(response.headers["x-edge-time"])
    assert list(dict.fromkeys(seen[NFL])) == [at(0), at(20)]
    assert [time for time in dict.fromkeys(seen[EPL]) if time != at(0)] == [at(5), at(25)]
    final = poll(stepping, EPL, at(25))
    assert (final.headers["x-edge-speed"], final.headers["x-edge-time"]) == ("0", at(25))
    assert stepping.get("/_edge/ready").json() == {
        "captures": 4,
        "position": 4,
        "speed": "max",
        "time": "2025-11-03T12:25:00Z",
        "ended": True,
        "sports": [NFL, EPL],
    }


def test_an_unacknowledged_capture_is_served_again(client: httpx2.Client) -> None:
    first, again = poll(client, NFL, None), poll(client, NFL, None)
    assert first.content == again.content
    assert {first.headers["x-edge-time"], again.headers["x-edge-time"]} == {at(0)}
    assert first.headers["x-edge-speed"] == "inf"
    assert first.headers["x-edge-captured-at"] == at(0)


def test_a_sport_before_its_first_capture_is_empty_and_free(client: httpx2.Client) -> None:
    response = poll(client, EPL, None)
    assert (response.json(), response.headers["x-requests-last"]) == ([], "0")
    assert "x-edge-captured-at" not in response.headers


def test_a_restarted_server_continues_at_the_acknowledged_time(stepping: httpx2.Client) -> None:
    assert poll(stepping, NFL, at(20)).headers["x-edge-time"] == at(20)
    assert poll(stepping, EPL, at(5)).headers["x-edge-time"] == at(25)


def test_an_invalid_acknowledgement_is_an_error(client: httpx2.Client) -> None:
    for value in ("yesterday", "2025-11-03T12:00:00"):
        assert poll(client, NFL, value).status_code == 422


def test_an_acknowledgement_counts_only_for_its_sport() -> None:
    stepping = SteppingPlayback(CAPTURES)
    assert stepping.advance(EPL, CAPTURES[3].at).at == CAPTURES[3].at
    assert stepping.position() == 0
    assert stepping.advance(NFL, CAPTURES[0].at).at == CAPTURES[2].at
    assert stepping.position() == 2
    assert stepping.advance(NFL, CAPTURES[2].at) == (CAPTURES[2].at, 0.0)
    assert stepping.position() == 4


@pytest.mark.parametrize("steps", [(NFL, EPL), (EPL, NFL), (EPL, EPL, NFL), (NFL, NFL, NFL, EPL)])
def test_every_capture_is_served_in_any_order_of_requests(steps: tuple[str, ...]) -> None:
    stepping, seen = SteppingPlayback(CAPTURES), set()
    consumed: dict[str, datetime] = {}
    for _ in range(10):
        for sport in steps:
            time_served = stepping.advance(sport, consumed.get(sport))
            assert time_served.at >= consumed.get(sport, NOON)
            consumed[sport] = time_served.at
            seen.add(Capture(time_served.at, sport))
    assert set(CAPTURES) <= seen
    assert stepping.now().speed == 0


def test_time_starts_at_the_first_request_for_odds() -> None:
    now = [100.0]
    timed = TimedPlayback(CAPTURES, 60.0, lambda: now[0])
    now[0] = 200.0
    assert timed.now().at == NOON
    assert timed.advance(NFL, None).at == NOON
    now[0] = 210.0
    assert timed.now() == (NOON + timedelta(minutes=10), 60.0)
    assert timed.position() == 2
    now[0] = 300.0
    assert timed.now() == (CAPTURES[-1].at, 0.0)
    assert timed.position() == 4


def test_timed_playback_starts_at_the_acknowledged_time_and_never_goes_back() -> None:
    now = [0.0]
    timed = TimedPlayback(CAPTURES, 60.0, lambda: now[0])
    assert timed.advance(NFL, NOON + timedelta(minutes=7)).at == NOON + timedelta(minutes=7)
    assert timed.advance(EPL, NOON).at == NOON + timedelta(minutes=7)
    assert timed.advance(EPL, NOON + timedelta(minutes=9)).at == NOON + timedelta(minutes=9)
    now[0] = 1.0
    assert timed.now().at == NOON + timedelta(minutes=10)


def test_the_clients_clock_follows_a_timed_server(serve: Serve, recording: Recording) -> None:
    client, clock = serve(recording, speed=60), VirtualClock()
    clock.observe_headers(poll(client, NFL, None).headers)
    assert (clock.speed, clock.now() >= NOON) == (60.0, True)
    clock.observe_headers(poll(client, EPL, at(25)).headers)
    assert (clock.speed, clock.now()) == (0.0, NOON + timedelta(minutes=25))


def test_a_source_without_captures_follows_the_wall_clock() -> None:
    wall = create_playback([], inf)
    assert isinstance(wall, WallClockPlayback)
    before = datetime.now(UTC)
    assert before <= wall.advance(NFL, NOON).at <= wall.horizon()
    assert (wall.position(), wall.now().speed) == (0, 1.0)
