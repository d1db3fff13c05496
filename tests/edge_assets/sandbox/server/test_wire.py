"""The wire contract over real HTTP."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from edge_assets.feeds.recordings.recording import Recording
from tests.support.recordings import DERBY, EPL, GAME, LATER, NFL, Serve, event, two_way, write
from tests.support.recordings import book as make_book

if TYPE_CHECKING:
    from pathlib import Path

    import httpx2

ODDS = f"/v4/sports/{NFL}/odds"
ALL = {"regions": "us,eu,uk", "markets": "h2h,totals"}


def books(event: dict[str, Any]) -> dict[str, set[str]]:
    return {b["key"]: {m["key"] for m in b["markets"]} for b in event["bookmakers"]}


def prices(event: dict[str, Any], book: str, market: str = "h2h") -> dict[str, float]:
    [found] = [b for b in event["bookmakers"] if b["key"] == book]
    [chosen] = [m for m in found["markets"] if m["key"] == market]
    return {o["name"]: o["price"] for o in chosen["outcomes"]}


def test_sports_are_those_of_the_recording(client: httpx2.Client) -> None:
    response = client.get("/v4/sports/")
    assert [s["key"] for s in response.json()] == [NFL, EPL]
    assert set(response.json()[0]) == {"key", "group", "title", "description", "active", "has_outrights"}
    assert response.headers["x-requests-last"] == "0"


@pytest.mark.parametrize("slash", ["", "/"])
def test_recorded_bytes_are_sent_if_nothing_has_to_change(
    client: httpx2.Client, recording_folder: Path, slash: str
) -> None:
    response = client.get(ODDS + slash, params=ALL | {"oddsFormat": "american"})
    assert response.content == (recording_folder / "nfl_20251103T120000Z.json").read_bytes()
    assert response.headers["x-requests-last"] == "6"


def test_american_becomes_decimal_without_rounding(client: httpx2.Client) -> None:
    game = client.get(ODDS, params=ALL).json()[0]
    assert prices(game, "draftkings") == {"Home a": 1 + 100 / 170, "Away a": 2.5}


def test_decimal_becomes_american(client_at_the_end: httpx2.Client) -> None:
    derby = client_at_the_end.get(f"/v4/sports/{EPL}/odds", params={"regions": "uk", "oddsFormat": "american"}).json()[
        0
    ]
    assert prices(derby, "skybet") == {"Home b": 120, "Away b": 300, "Draw": 250}


def test_regions_select_books_and_unknown_books_are_in_all(client: httpx2.Client) -> None:
    game, later = client.get(ODDS, params={"regions": "us", "markets": "h2h,totals"}).json()
    assert books(game) == {"draftkings": {"h2h", "totals"}, "brand_new_book": {"totals"}}
    assert later["bookmakers"] == []


def test_bookmakers_override_regions_and_are_charged_by_tens(client: httpx2.Client) -> None:
    eleven = ",".join(["pinnacle", *(f"book_{n}" for n in range(10))])
    response = client.get(ODDS, params={"regions": "us", "bookmakers": eleven, "markets": "h2h"})
    assert books(response.json()[0]) == {"pinnacle": {"h2h"}}
    assert response.headers["x-requests-last"] == "2"


def test_a_book_without_markets_is_dropped_and_the_event_stays(client: httpx2.Client) -> None:
    game = client.get(ODDS, params={"bookmakers": "brand_new_book"}).json()[0]
    assert game["bookmakers"] == []


def test_events_are_filtered_by_id_and_by_inclusive_start(client: httpx2.Client) -> None:
    def ids(**params: str) -> list[str]:
        return [e["id"] for e in client.get(ODDS, params=ALL | params).json()]

    assert ids(eventIds=f"{LATER},{'f' * 32}") == [LATER]
    assert ids(commenceTimeFrom="2025-11-10T18:00:00Z") == [LATER]
    assert ids(commenceTimeTo="2025-11-03T18:00:00Z") == [GAME]
    nothing = client.get(ODDS, params=ALL | {"commenceTimeTo": "2020-01-01T00:00:00Z"})
    assert nothing.json() == []
    assert nothing.headers["x-requests-last"] == "0"


def test_unix_times(client: httpx2.Client) -> None:
    game = client.get(ODDS, params=ALL | {"dateFormat": "unix"}).json()[0]
    assert game["commence_time"] == 1762192800
    assert game["bookmakers"][0]["last_update"] == 1762171200
    assert game["bookmakers"][0]["markets"][0]["last_update"] == 1762171200


def test_an_exchange_adds_its_lay_prices_for_free(client_at_the_end: httpx2.Client) -> None:
    response = client_at_the_end.get(f"/v4/sports/{EPL}/odds", params={"regions": "uk"})
    assert books(response.json()[0]) == {"smarkets": {"h2h", "h2h_lay"}, "skybet": {"h2h"}}
    assert response.headers["x-requests-last"] == "1"


def test_event_odds_have_updates_on_markets_only_and_cost_returned_markets(client_at_the_end: httpx2.Client) -> None:
    path = f"/v4/sports/{EPL}/events/{DERBY}/odds"
    response = client_at_the_end.get(path, params={"regions": "uk", "markets": "h2h,btts,player_shots"})
    assert books(response.json()) == {"smarkets": {"h2h", "h2h_lay"}, "skybet": {"h2h", "btts"}}
    assert all("last_update" not in book for book in response.json()["bookmakers"])
    assert response.json()["bookmakers"][0]["markets"][0]["last_update"] == "2025-11-03T12:00:00Z"
    assert response.headers["x-requests-last"] == "2"
    assert (
        client_at_the_end.get(path, params={"regions": "uk", "markets": "player_shots"}).headers["x-requests-last"]
        == "0"
    )


def test_events_markets_participants_and_scores(client: httpx2.Client) -> None:
    events = client.get(f"/v4/sports/{NFL}/events", params={"dateFormat": "unix"})
    assert [e["id"] for e in events.json()] == [GAME, LATER]
    assert "bookmakers" not in events.json()[0]
    assert events.headers["x-requests-last"] == "0"

    listing = client.get(f"/v4/sports/{NFL}/events/{GAME}/markets", params={"regions": "us"})
    assert listing.json()["bookmakers"][0] == {
        "key": "draftkings",
        "title": "Draftkings",
        "markets": [
            {"key": "h2h", "last_update": "2025-11-03T12:00:00Z"},
            {"key": "totals", "last_update": "2025-11-03T12:00:00Z"},
        ],
    }
    assert listing.headers["x-requests-last"] == "1"

    teams = client.get(f"/v4/sports/{NFL}/participants")
    assert [t["full_name"] for t in teams.json()] == ["Away a", "Away c", "Home a", "Home c"]
    assert all(t["id"].startswith("par_") for t in teams.json())

    scores = client.get(f"/v4/sports/{NFL}/scores", params={"daysFrom": "3"})
    assert scores.json()[0]["scores"] is None
    assert scores.json()[0]["completed"] is False
    assert scores.headers["x-requests-last"] == "2"


def test_upcoming_is_sorted_over_all_sports(client_at_the_end: httpx2.Client) -> None:
    response = client_at_the_end.get("/v4/sports/upcoming/odds", params={"regions": "us,uk"})
    assert [e["id"] for e in response.json()] == [DERBY, GAME, LATER]
    assert prices(response.json()[1], "draftkings")["Away a"] == 2.5
    assert response.headers["x-requests-last"] == "2"


def test_history_can_be_walked_by_neighbours(client: httpx2.Client) -> None:
    path, params = f"/v4/historical/sports/{NFL}/odds", {"regions": "us", "date": "2025-11-03T12:10:00Z"}
    first = client.get(path, params=params)
    times = [first.json()[f"{which}timestamp"] for which in ("", "previous_", "next_")]
    assert times == ["2025-11-03T12:00:00Z", None, "2025-11-03T12:20:00Z"]
    assert first.headers["x-requests-last"] == "10"
    second = client.get(path, params=params | {"date": times[2]}).json()
    assert (second["previous_timestamp"], second["next_timestamp"]) == (times[0], None)
    assert prices(second["data"][0], "draftkings")["Home a"] == 1 + 100 / 180
    before = client.get(path, params=params | {"date": "2020-01-01T00:00:00Z"})
    assert (before.json()["data"], before.headers["x-requests-last"]) == ([], "0")


def test_history_of_events_and_of_one_event(client: httpx2.Client) -> None:
    base, date = f"/v4/historical/sports/{NFL}", {"date": "2025-11-03T13:00:00Z"}
    events = client.get(f"{base}/events", params=date)
    assert [e["id"] for e in events.json()["data"]] == [GAME, LATER]
    assert events.headers["x-requests-last"] == "1"
    one = client.get(f"{base}/events/{GAME}/odds", params=date | ALL)
    assert one.json()["data"]["bookmakers"][0]["last_update"] == "2025-11-03T12:00:00Z"
    assert one.headers["x-requests-last"] == "60"


def test_links_and_limits_are_sent_only_on_request(serve: Serve, tmp_path: Path) -> None:
    linked = make_book("draftkings", {"h2h": [{**o, "link": "https://x", "sid": "7"} for o in two_way(1.5, 2.5)]})
    write(tmp_path, "a_20251103T120000Z.json", [event(GAME, NFL, "2025-11-03T18:00:00Z", [linked])])
    client = serve(Recording.load(tmp_path))
    plain = client.get(ODDS, params={"regions": "us"}).json()[0]["bookmakers"][0]
    assert "link" not in json.dumps(plain)
    asked = client.get(ODDS, params={"regions": "us", "includeLinks": "true"}).json()[0]["bookmakers"][0]
    assert asked["link"] is None
    assert asked["markets"][0]["outcomes"][0]["link"] == "https://x"
    assert "sid" not in asked["markets"][0]["outcomes"][0]


def test_rotation_numbers_are_sent_only_on_request(client: httpx2.Client) -> None:
    path = f"/v4/sports/{NFL}/events"
    assert "home_rotation" not in client.get(path).json()[0]
    shown = client.get(path, params={"includeRotationNumbers": "true"}).json()[0]
    assert shown["home_rotation"] is None


def test_gzip_is_sent_only_on_request(client: httpx2.Client) -> None:
    assert client.get(ODDS, params=ALL).headers["content-encoding"] == "gzip"
    plain = client.get(ODDS, params=ALL, headers={"accept-encoding": "identity"})
    assert "content-encoding" not in plain.headers
