"""Rejected requests: codes, messages, order of checks, credits and rates."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from edge_assets.sandbox.server.errors import ApiError
from edge_assets.sandbox.server.quota import CreditAccounts
from tests.support.recordings import GAME, NFL, Serve

if TYPE_CHECKING:
    import httpx2

    from edge_assets.feeds.recordings.recording import Recording

ODDS = f"/v4/sports/{NFL}/odds"
HISTORY = f"/v4/historical/sports/{NFL}/odds"
TIME = "2025-11-03T12:00:00Z"


def test_the_body_of_an_error(client: httpx2.Client) -> None:
    response = client.get(ODDS, params={"regions": "us", "markets": "h2h_h1,h2h,btts"})
    assert response.status_code == 422
    assert response.text == (
        '{"message":"Markets not supported by this endpoint: h2h_h1, btts","error_code":"INVALID_MARKET",'
        '"details_url":"https://the-odds-api.com/liveapi/guides/v4/api-error-codes.html#invalid-market"}\n'
    )
    assert response.headers["x-requests-last"] == "0"
    assert response.headers["x-edge-time"] == "2025-11-03T12:00:00+00:00"


@pytest.mark.parametrize(
    ("path", "params", "status", "code"),
    [
        ("/v4/sports", {"all": "yes"}, 422, "INVALID_ALL_SPORTS_PARAM"),
        ("/v4/sports/curling/odds", {}, 404, "UNKNOWN_SPORT"),
        (ODDS, {}, 422, "MISSING_REGION"),
        (ODDS, {"regions": "us, eu"}, 422, "INVALID_REGION"),
        (ODDS, {"bookmakers": "pinnacle, betmgm"}, 422, "INVALID_BOOKMAKERS"),
        (ODDS, {"regions": "us", "markets": ""}, 422, "MISSING_MARKET"),
        (ODDS, {"regions": "us", "markets": "h2h, totals"}, 422, "INVALID_MARKET"),
        (ODDS, {"regions": "us", "oddsFormat": "fractional"}, 422, "INVALID_ODDS_FORMAT"),
        (ODDS, {"regions": "us", "dateFormat": "rfc"}, 422, "INVALID_DATE_FORMAT"),
        (ODDS, {"regions": "us", "eventIds": "abc"}, 422, "INVALID_EVENT_IDS"),
        (ODDS, {"regions": "us", "includeLinks": "1"}, 422, "INVALID_INCLUDE_LINKS"),
        (
            ODDS,
            {"regions": "us", "commenceTimeFrom": "2025-11-03T12:00:00.000Z"},
            422,
            "INVALID_COMMENCE_TIME_FROM",
        ),
        (ODDS, {"regions": "us", "commenceTimeTo": "2025-13-03T12:00:00Z"}, 422, "INVALID_COMMENCE_TIME_TO"),
        (
            ODDS,
            {"regions": "us", "commenceTimeFrom": TIME, "commenceTimeTo": "2025-11-02T12:00:00Z"},
            422,
            "INVALID_COMMENCE_TIME_RANGE",
        ),
        (f"/v4/sports/{NFL}/scores", {"daysFrom": "4"}, 422, "INVALID_SCORES_DAYS_FROM"),
        (f"/v4/sports/{NFL}/events/xyz/odds", {"regions": "us"}, 422, "INVALID_EVENT_ID"),
        (f"/v4/sports/{NFL}/events/{'f' * 32}/odds", {"regions": "us"}, 404, "EVENT_NOT_FOUND"),
        (
            f"/v4/sports/{NFL}/events/{GAME}/odds",
            {"regions": "us", "markets": "nonsense"},
            422,
            "INVALID_MARKET",
        ),
        (HISTORY, {"regions": "us"}, 422, "MISSING_HISTORICAL_TIMESTAMP"),
        (HISTORY, {"regions": "us", "date": "yesterday"}, 422, "INVALID_HISTORICAL_TIMESTAMP"),
    ],
)
def test_codes(client: httpx2.Client, path: str, params: dict[str, str], status: int, code: str) -> None:
    response = client.get(path, params=params)
    assert (response.status_code, response.json()["error_code"]) == (status, code)


def test_keys(serve: Serve, recording: Recording) -> None:
    client = serve(recording)
    assert client.get("/v4/sports", params={"apiKey": ""}).json()["error_code"] == "MISSING_KEY"
    assert client.get("/v4/sports", params={"apiKey": "", "api_key": "other"}).status_code == 200
    client.put("/_edge/faults", json={"invalid_keys": ["x"], "deactivated_keys": ["y"], "free_keys": ["z"]})
    assert client.get("/v4/sports", params={"apiKey": "x"}).json()["error_code"] == "INVALID_KEY"
    assert client.get("/v4/sports", params={"apiKey": "y"}).json()["error_code"] == "DEACTIVATED_KEY"
    assert client.get(HISTORY, params={"apiKey": "z"}).json()["error_code"].startswith("HISTORICAL_UNAVAILABLE")
    assert client.get("/v4/sports", params={"apiKey": "z"}).status_code == 200


def test_running_out_of_credits_blocks_only_calls_that_cost(serve: Serve, recording: Recording) -> None:
    client = serve(recording, credits_per_month=5)
    query = {"regions": "us,eu", "markets": "h2h,totals"}
    assert client.get(ODDS, params=query).headers["x-requests-remaining"] == "1"
    assert client.get(ODDS, params=query).headers["x-requests-remaining"] == "-3"
    rejected = client.get(ODDS, params=query)
    assert (rejected.status_code, rejected.json()["error_code"]) == (401, "OUT_OF_USAGE_CREDITS")
    assert rejected.headers["x-requests-used"] == "8"
    assert client.get(f"/v4/sports/{NFL}/events").status_code == 200
    assert client.get(ODDS, params=query | {"apiKey": "other"}).status_code == 200
    assert client.get(ODDS, params=query | {"markets": "x"}).status_code == 422  # parameters before quota


def test_credits_return_on_the_first_of_the_month() -> None:
    accounts = CreditAccounts(1, 30)
    accounts.charge("k", 1, datetime(2025, 11, 30, tzinfo=UTC))
    with pytest.raises(ApiError, match="OUT_OF_USAGE_CREDITS"):
        accounts.require_credit("k", datetime(2025, 11, 30, 23, 59, tzinfo=UTC))
    accounts.require_credit("k", datetime(2025, 12, 1, tzinfo=UTC))


def test_thirty_calls_a_second() -> None:
    now = [0.0]
    accounts = CreditAccounts(1, 30, lambda: now[0])
    for _ in range(30):
        accounts.check_rate_limit("k")
    with pytest.raises(ApiError, match="EXCEEDED_FREQ_LIMIT"):
        accounts.check_rate_limit("k")
    accounts.check_rate_limit("other")
    now[0] = 1.0
    accounts.check_rate_limit("k")


def test_the_rate_is_checked_first_and_in_virtual_time(serve: Serve, recording: Recording) -> None:
    slow, fast = serve(recording, speed=1), serve(recording)
    codes = {slow.get("/v4/sports/curling/odds").status_code for _ in range(40)}
    assert codes == {404, 429}
    assert {fast.get("/v4/sports").status_code for _ in range(40)} == {200}
