"""Virtual time: stepping, flowing, several sports, restarts."""

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
def stepping(serve: Serve, recording_path: Recording) -> httpx2.Client:
    return serve(recording_path)


def at(minute: int) -> str:
    return f"2025-11-03T12:{minute:02}:00+00:00"


def test_nothing_is_skipped_and_the_end_repeats_the_last_capture(stepping: httpx2.Client) -> None:
    seen: dict[str, list[str]] = {NFL: [], EPL: []}
    for _ in range(6):
        for sport, times in seen.items():
            answer = poll(stepping, sport, times[-1] if times else None)
            times.append(answer.headers["x-edge-time"])
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
    answer = poll(client, EPL, None)
    assert (answer.json(), answer.headers["x-requests-last"]) == ([], "0")
    assert "x-edge-captured-at" not in answer.headers


def test_a_restarted_server_jumps_to_what_was_acknowledged(stepping: httpx2.Client) -> None:
    assert poll(stepping, NFL, at(20)).headers["x-edge-time"] == at(20)
    assert poll(stepping, EPL, at(5)).headers["x-edge-time"] == at(25)


def test_an_unreadable_acknowledgement_is_refused(client: httpx2.Client) -> None:
    for value in ("yesterday", "2025-11-03T12:00:00"):
        assert poll(client, NFL, value).status_code == 422


def test_an_acknowledgement_counts_for_its_own_sport_only() -> None:
    stepping = SteppingPlayback(CAPTURES)
    assert stepping.advance(EPL, CAPTURES[3].at).at == CAPTURES[3].at
    assert stepping.position() == 0
    assert stepping.advance(NFL, CAPTURES[0].at).at == CAPTURES[2].at
    assert stepping.position() == 2
    assert stepping.advance(NFL, CAPTURES[2].at) == (CAPTURES[2].at, 0.0)
    assert stepping.position() == 4


@pytest.mark.parametrize("steps", [(NFL, EPL), (EPL, NFL), (EPL, EPL, NFL), (NFL, NFL, NFL, EPL)])
def test_every_capture_is_seen_in_whatever_order_sports_ask(steps: tuple[str, ...]) -> None:
    stepping, seen = SteppingPlayback(CAPTURES), set()
    consumed: dict[str, datetime] = {}
    for _ in range(10):
        for sport in steps:
            moment = stepping.advance(sport, consumed.get(sport))
            assert moment.at >= consumed.get(sport, NOON)
            consumed[sport] = moment.at
            seen.add(Capture(moment.at, sport))
    assert set(CAPTURES) <= seen
    assert stepping.now().speed == 0


def test_time_flows_from_the_first_request_for_odds() -> None:
    now = [100.0]
    flowing = TimedPlayback(CAPTURES, 60.0, lambda: now[0])
    now[0] = 200.0
    assert flowing.now().at == NOON
    assert flowing.advance(NFL, None).at == NOON
    now[0] = 210.0
    assert flowing.now() == (NOON + timedelta(minutes=10), 60.0)
    assert flowing.position() == 2
    now[0] = 300.0
    assert flowing.now() == (CAPTURES[-1].at, 0.0)
    assert flowing.position() == 4


def test_flowing_time_starts_after_what_was_acknowledged_and_never_turns_back() -> None:
    now = [0.0]
    flowing = TimedPlayback(CAPTURES, 60.0, lambda: now[0])
    assert flowing.advance(NFL, NOON + timedelta(minutes=7)).at == NOON + timedelta(minutes=7)
    assert flowing.advance(EPL, NOON).at == NOON + timedelta(minutes=7)
    assert flowing.advance(EPL, NOON + timedelta(minutes=9)).at == NOON + timedelta(minutes=9)
    now[0] = 1.0
    assert flowing.now().at == NOON + timedelta(minutes=10)


def test_the_clients_clock_follows_a_flowing_server(serve: Serve, recording_path: Recording) -> None:
    client, clock = serve(recording_path, speed=60), VirtualClock()
    clock.observe_headers(poll(client, NFL, None).headers)
    assert (clock.speed, clock.now() >= NOON) == (60.0, True)
    clock.observe_headers(poll(client, EPL, at(25)).headers)
    assert (clock.speed, clock.now()) == (0.0, NOON + timedelta(minutes=25))


def test_a_tape_without_captures_runs_by_the_wall_clock() -> None:
    wall = create_playback([], inf)
    assert isinstance(wall, WallClockPlayback)
    before = datetime.now(UTC)
    assert before <= wall.advance(NFL, NOON).at <= wall.horizon()
    assert (wall.position(), wall.now().speed) == (0, 1.0)
