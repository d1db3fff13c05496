"""The client against a real HTTP server."""

from __future__ import annotations

import asyncio
import gzip
import logging
import time
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta, timezone
from email.utils import format_datetime
from typing import TYPE_CHECKING, Any

import httpx2
import msgspec
import pytest
from pydantic import SecretStr

from edge_assets.core.clock import VirtualClock, WallClock
from edge_assets.feeds.http_bodies import MAX_BODY_BYTES
from edge_assets.feeds.odds_api import errors, transport
from edge_assets.feeds.odds_api.client import OddsApiClient
from edge_assets.feeds.odds_api.quota import Quota, Spending
from edge_assets.feeds.odds_api.transport import RetryPolicy
from tests.support.scripted_server import Scripted, error
from tests.support.wire_factories import HOME, book, event, h2h, payload

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from edge_assets.core.clock import Clock
    from tests.support.scripted_server import ScriptedApi

KEY = "s3cr3t+key/0123"
QUICK = RetryPolicy(max_attempts=3, initial_wait_seconds=0.01, max_wait_seconds=1.5, jitter_seconds=0.01)
BODY = payload(event(book("a", h2h())))
QUOTA = {"x-requests-last": "2", "x-requests-used": "40", "x-requests-remaining": "460"}
SPORT_BODY = {
    "key": "icehockey_nhl",
    "group": "Ice Hockey",
    "title": "NHL",
    "description": "US Ice Hockey",
    "active": True,
    "has_outrights": False,
}


@asynccontextmanager
async def client_of(
    url: str, clock: Clock | None = None, retries: RetryPolicy = QUICK, http_timeout: float = 5.0
) -> AsyncIterator[OddsApiClient]:
    key = SecretStr(KEY)
    async with OddsApiClient(
        url, key, clock or WallClock(), retry_policy=retries, timeout=httpx2.Timeout(http_timeout)
    ) as client:
        yield client


async def poll(client: OddsApiClient, **asked: Any) -> bytes:
    markets = asked.pop("markets", ["h2h"])
    return (await client.odds_payload("icehockey_nhl", regions=["us"], markets=markets, **asked)).body


async def test_a_payload_comes_with_its_times_and_credits(api: ScriptedApi) -> None:
    api.set_answers(Scripted(BODY, headers=QUOTA))
    before = datetime.now(UTC)
    async with client_of(api.url) as client:
        answer = await client.odds_payload("icehockey_nhl", regions=["us", "eu"], markets=["h2h", "totals"])
    assert answer.body == BODY
    assert before <= answer.observed_at <= datetime.now(UTC)
    assert abs(answer.received_at / 1e6 - time.time()) < 5
    assert answer.request_ms > 0
    assert answer.quota == client.quota == Quota(2, 40, 460)
    [asked] = api.asked
    assert asked.path == "/v4/sports/icehockey_nhl/odds"
    assert asked.params == {
        "apiKey": KEY,
        "regions": "us,eu",
        "markets": "h2h,totals",
        "dateFormat": "iso",
        "oddsFormat": "decimal",
    }
    assert asked.headers["accept-encoding"] == "gzip"
    assert "x-edge-consumed" not in asked.headers


async def test_a_replay_is_acknowledged_and_its_time_is_used(api: ScriptedApi) -> None:
    stated = "2025-11-03T12:20:00.000001+00:00"
    api.set_answers(Scripted(BODY, headers={"x-edge-time": stated, "x-edge-speed": "inf"}))
    consumed = datetime(2025, 11, 3, 12, tzinfo=UTC)
    async with client_of(api.url, VirtualClock()) as client:
        answer = await client.odds_payload("s", regions=["us"], markets=["h2h"], consumed=consumed)
    assert answer.observed_at == datetime.fromisoformat(stated)
    assert api.asked[0].headers["x-edge-consumed"] == consumed.isoformat()
    assert answer.quota == Quota(None, None, None)


async def test_gzip_is_decoded(api: ScriptedApi) -> None:
    api.set_answers(Scripted(gzip.compress(BODY), headers={"content-encoding": "gzip"}))
    async with client_of(api.url) as client:
        assert await poll(client) == BODY


async def test_every_endpoint_has_its_path_parameters_and_type(api: ScriptedApi) -> None:
    at = datetime(2025, 1, 2, 3, 4, 5, 999_999, tzinfo=timezone(timedelta(hours=1)))
    one = event(book("a", h2h()))
    bare = {key: value for key, value in one.items() if key != "bookmakers"}
    score = bare | {"completed": True, "scores": [{"name": HOME, "score": "3"}], "last_update": None}
    listed = bare | {"bookmakers": [{"key": "a", "title": "A", "markets": [{"key": "h2h"}]}]}
    envelope = {"timestamp": "2025-01-02T02:00:00Z", "previous_timestamp": None, "next_timestamp": None}
    sport = "icehockey_nhl"
    async with client_of(api.url) as client:

        async def ask(body: Any, call: Any) -> tuple[Any, str, dict[str, str]]:
            api.set_answers(Scripted(msgspec.json.encode(body)))
            content = await call
            params = {k: v for k, v in api.asked[-1].params.items() if k not in ("apiKey", "oddsFormat", "dateFormat")}
            return content, api.asked[-1].path.removeprefix("/v4"), params

        found, path, params = await ask([SPORT_BODY], client.sports(out_of_season=True))
        assert (found[0].title, path, params) == ("NHL", "/sports", {"all": "true"})
        found, path, params = await ask([bare], client.events(sport, commence_from=at, event_ids=["x", "y"]))
        assert (found[0].home_team, path) == (HOME, f"/sports/{sport}/events")
        assert params == {"commenceTimeFrom": "2025-01-02T02:04:05Z", "eventIds": "x,y"}
        found, path, params = await ask([one], client.odds(sport, bookmakers=["a"], commence_to=at))
        assert (found[0].bookmakers[0].markets[0].outcomes[0].price, path) == (1.9, f"/sports/{sport}/odds")
        assert params == {"bookmakers": "a", "commenceTimeTo": "2025-01-02T02:04:05Z"}
        found, path, params = await ask(one, client.event_odds(sport, "e", regions=["us"], markets=["m"]))
        assert (found.id, path, params["markets"]) == (one["id"], f"/sports/{sport}/events/e/odds", "m")
        found, path, params = await ask(listed, client.event_markets(sport, "e", regions=["us"]))
        assert (found.bookmakers[0].markets[0].key, path) == ("h2h", f"/sports/{sport}/events/e/markets")
        found, path, _ = await ask([{"full_name": "A", "id": "par_1"}], client.participants(sport))
        assert (found[0].full_name, path) == ("A", f"/sports/{sport}/participants")
        found, path, params = await ask([score], client.scores(sport, days_from=3))
        assert (found.items[0].scores[0].score, path, params) == ("3", f"/sports/{sport}/scores", {"daysFrom": "3"})
        past = {"date": "2025-01-02T02:04:05Z"}
        found, path, params = await ask(envelope | {"data": [one]}, client.historical_odds(sport, at, regions=["us"]))
        assert (found.data[0].id, path) == (one["id"], f"/historical/sports/{sport}/odds")
        assert params == past | {"regions": "us"}
        found, path, params = await ask(envelope | {"data": [bare]}, client.historical_events(sport, at))
        assert (found.next_timestamp, path, params) == (None, f"/historical/sports/{sport}/events", past)
        found, path, _ = await ask(
            envelope | {"data": one}, client.historical_event_odds(sport, "e", at, regions=["us"])
        )
        assert (found.data.id, path) == (one["id"], f"/historical/sports/{sport}/events/e/odds")


@pytest.mark.parametrize(
    "failure",
    [
        error(429, "EXCEEDED_FREQ_LIMIT", "Requests are too frequent"),
        Scripted(b"<html>bad gateway</html>", 502),
        error(500, "", "oops"),
    ],
    ids=["429", "502", "500"],
)
async def test_temporary_errors_are_retried(api: ScriptedApi, failure: Scripted) -> None:
    api.set_answers(failure, failure, Scripted(BODY))
    async with client_of(api.url) as client:
        assert await poll(client) == BODY
    assert len(api.asked) == 3


@pytest.mark.parametrize(
    "failure",
    [
        Scripted(BODY[:-30]),
        Scripted(BODY[:100], declared_length=len(BODY)),
        Scripted(b"not gzip", headers={"content-encoding": "gzip"}),
        Scripted(BODY, delay=1.0),
    ],
    ids=["truncated JSON", "broken connection", "broken gzip", "timeout"],
)
async def test_requests_that_may_have_been_charged_are_retried_once(api: ScriptedApi, failure: Scripted) -> None:
    api.set_answers(failure, Scripted(BODY))
    async with client_of(api.url, http_timeout=0.5) as client:
        assert await poll(client) == BODY
    api.set_answers(failure)
    async with client_of(api.url, http_timeout=0.5) as client:
        with pytest.raises(errors.OddsApiError) as caught:
            await poll(client)
    assert len(api.asked) == 4
    assert caught.value.spending == Spending(0, 2)


@pytest.mark.parametrize(
    ("failure", "kind"),
    [
        (error(429, "EXCEEDED_FREQ_LIMIT", "slow"), errors.RateLimitedError),
        (error(503, "", "down"), errors.ServerError),
    ],
)
async def test_retries_are_limited(api: ScriptedApi, failure: Scripted, kind: type[Exception]) -> None:
    api.set_answers(failure)
    async with client_of(api.url) as client:
        with pytest.raises(kind):
            await poll(client)
    assert len(api.asked) == QUICK.max_attempts


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (error(401, "INVALID_KEY", "API key is not valid"), errors.InvalidApiKeyError),
        (error(401, "OUT_OF_USAGE_CREDITS", "Usage quota has been reached"), errors.OutOfCreditsError),
        (error(401, "", "?", x_requests_remaining="-3"), errors.OutOfCreditsError),
        (error(404, "UNKNOWN_SPORT", "Unknown sport"), errors.UnknownSportError),
        (error(422, "MISSING_REGION", "Missing regions or bookmakers key"), errors.InvalidRequestError),
        (error(422, "INVALID_MARKET", "Invalid markets: h2h"), errors.InvalidMarketError),
        (Scripted(b'{"success": true, "data": []}'), errors.UnsupportedVersionError),
        (Scripted(b'{"hello": 1}'), errors.MalformedBodyError),
        (Scripted(b"", 302, {"location": "http://elsewhere/"}), errors.InvalidRequestError),
    ],
)
async def test_permanent_errors_are_not_retried(api: ScriptedApi, answer: Scripted, kind: type[Exception]) -> None:
    api.set_answers(answer)
    async with client_of(api.url) as client:
        with pytest.raises(kind):
            await poll(client)
    assert len(api.asked) == 1


PAID = {"x-requests-last": "6", "x-requests-used": "40", "x-requests-remaining": "460"}


@pytest.mark.parametrize(
    ("useless", "kind", "asked"),
    [
        (Scripted(BODY[:-30], headers=PAID), errors.InvalidJsonError, 2),
        (Scripted(BODY[:100], headers=PAID, declared_length=len(BODY)), errors.TransportError, 2),
        (Scripted(b'{"hello": 1}', headers=PAID), errors.MalformedBodyError, 1),
        (error(503, "", "down", x_requests_last="6", x_requests_remaining="460"), errors.ServerError, 2),
    ],
    ids=["truncated JSON", "broken connection", "not a list", "charged 503"],
)
async def test_charged_failures_are_retried_once_and_counted(
    api: ScriptedApi, useless: Scripted, kind: type[errors.OddsApiError], asked: int
) -> None:
    api.set_answers(useless)
    async with client_of(api.url) as client:
        with pytest.raises(kind) as caught:
            await poll(client)
        assert len(api.asked) == asked
        assert caught.value.spending == Spending(6 * asked, asked)
        assert caught.value.quota.remaining == client.quota.remaining == 460


async def test_stated_credits_survive_a_retry_that_states_none(api: ScriptedApi) -> None:
    """A proxy's 502 or page has no quota headers."""
    truncated, bad_gateway = Scripted(b'[{"id":', headers=QUOTA), Scripted(b"<html>", 502)
    async with client_of(api.url) as client:
        api.set_answers(truncated, bad_gateway)
        with pytest.raises(errors.OddsApiError) as caught:
            await poll(client)
        assert (caught.value.quota.remaining, caught.value.spending.credits) == (460, 2)
        api.set_answers(truncated, Scripted(BODY, headers={"x-requests-last": "3"}))
        answer = await client.odds_payload("icehockey_nhl", regions=["us"], markets=["h2h"])
    assert answer.quota == Quota(3, 40, 460)


async def test_a_payload_includes_the_cost_of_failed_attempts(api: ScriptedApi) -> None:
    api.set_answers(Scripted(BODY[:-30], headers=PAID), Scripted(BODY, headers=PAID))
    async with client_of(api.url) as client:
        answer = await client.odds_payload("icehockey_nhl", regions=["us"], markets=["h2h"])
    assert (answer.wasted, answer.spending) == (Spending(6, 1), Spending(12, 2))


async def test_an_unsent_request_costs_nothing(api: ScriptedApi) -> None:
    async with client_of("http://127.0.0.1:1/v4") as client:
        with pytest.raises(errors.UnreachableError) as caught:
            await poll(client)
    assert caught.value.spending == Spending()


@pytest.mark.parametrize(
    "answer",
    [
        Scripted(b" " * (MAX_BODY_BYTES + 1)),
        Scripted(gzip.compress(b" " * 2**20) * 33, headers={"content-encoding": "gzip"}),
        Scripted(gzip.compress(b"[" * 2**20) * 4, headers={"content-encoding": "gzip"}),
    ],
    ids=["32 MB", "gzip bomb", "too many parts"],
)
async def test_responses_are_limited(api: ScriptedApi, answer: Scripted) -> None:
    api.set_answers(answer)
    async with client_of(api.url, http_timeout=20.0) as client:
        with pytest.raises(errors.ResponseTooLargeError):
            await poll(client)
    assert len(api.asked) == 1


async def test_gzip_may_have_several_members(api: ScriptedApi) -> None:
    members = gzip.compress(BODY[:50]) + gzip.compress(BODY[50:])
    api.set_answers(Scripted(members, headers={"content-encoding": "gzip"}))
    async with client_of(api.url) as client:
        assert await poll(client) == BODY
    api.set_answers(Scripted(gzip.compress(BODY)[:-9], headers={"content-encoding": "gzip"}))
    async with client_of(api.url) as client:
        with pytest.raises(errors.TransportError, match="truncated gzip"):
            await poll(client)


async def test_an_unexpected_encoding_is_an_error(api: ScriptedApi) -> None:
    api.set_answers(Scripted(BODY, headers={"content-encoding": "br"}))
    async with client_of(api.url) as client:
        with pytest.raises(errors.MalformedBodyError, match="unexpected content encoding: 'br'"):
            await poll(client)


async def test_a_slow_response_is_abandoned(api: ScriptedApi, monkeypatch: pytest.MonkeyPatch) -> None:
    """No single read times out; only the whole request does."""
    monkeypatch.setattr(transport, "REQUEST_TIMEOUT_SECONDS", 0.5)
    api.set_answers(Scripted(BODY, bytes_a_second=50.0))
    async with client_of(api.url, http_timeout=2.0) as client:
        with pytest.raises(errors.SlowResponseError, match="no complete response within"):
            await poll(client)
    assert len(api.asked) == 1


@pytest.mark.parametrize("http_date", [False, True])
async def test_retry_after_is_honoured(api: ScriptedApi, http_date: bool) -> None:
    wait = format_datetime(datetime.now(UTC) + timedelta(seconds=2), usegmt=True) if http_date else "1"
    api.set_answers(error(429, "EXCEEDED_FREQ_LIMIT", "slow", retry_after=wait), Scripted(BODY))
    started = time.monotonic()
    async with client_of(api.url, retries=RetryPolicy(3, 0.01, 3.0, 0.01)) as client:
        await poll(client)
    assert 0.9 <= time.monotonic() - started < 3


@pytest.mark.parametrize("wait", ["3600", "later"])
async def test_a_long_retry_after_is_not_waited_for(api: ScriptedApi, wait: str) -> None:
    api.set_answers(error(429, "EXCEEDED_FREQ_LIMIT", "slow", retry_after=wait))
    async with client_of(api.url) as client:
        with pytest.raises(errors.RateLimitedError):
            await poll(client)
    assert len(api.asked) == (1 if wait == "3600" else QUICK.max_attempts)


async def test_rejected_markets_are_dropped_permanently(api: ScriptedApi, caplog: pytest.LogCaptureFixture) -> None:
    api.set_answers(
        error(422, "INVALID_MARKET", "Markets not supported by this endpoint: h2h_h1, h2h_p1"), Scripted(BODY)
    )
    async with client_of(api.url) as client:
        for _ in range(2):
            assert await poll(client, markets=["h2h", "h2h_h1", "h2h_p1"]) == BODY
    assert [asked.params["markets"] for asked in api.asked] == ["h2h,h2h_h1,h2h_p1", "h2h", "h2h"]
    assert "h2h_h1, h2h_p1" in caplog.text


async def test_markets_are_dropped_at_most_once_per_call(api: ScriptedApi) -> None:
    api.set_answers(
        error(422, "INVALID_MARKET", "Invalid markets: a"), error(422, "INVALID_MARKET", "Invalid markets: b")
    )
    async with client_of(api.url) as client:
        with pytest.raises(errors.InvalidMarketError):
            await poll(client, markets=["a", "b", "c"])
    assert len(api.asked) == 2


@pytest.mark.parametrize("unreachable", [False, True])
async def test_the_key_never_appears_in_logs_and_errors(
    api: ScriptedApi, caplog: pytest.LogCaptureFixture, unreachable: bool
) -> None:
    caplog.set_level(logging.DEBUG)
    api.set_answers(Scripted(BODY), Scripted(BODY[:100], declared_length=len(BODY)))
    async with client_of(api.url) as client:
        await poll(client)
        url = "http://127.0.0.1:1/v4" if unreachable else api.url
    async with client_of(url) as other:
        with pytest.raises(errors.TransportError) as caught:
            await poll(other)
    reported = [caplog.text, repr(client), repr(vars(client)), *_chain(caught.value)]
    assert "HTTP Request: GET" in caplog.text
    assert not [text for text in reported if "s3cr3t" in text]


def _chain(error: BaseException | None) -> list[str]:
    """All texts of an error and its causes."""
    if error is None:
        return []
    request = str(error.request.url) if isinstance(error, httpx2.RequestError) else ""
    return [repr(error), str(error), request, *_chain(error.__cause__), *_chain(error.__context__)]


async def test_at_most_four_calls_at_a_time(api: ScriptedApi) -> None:
    api.set_answers(Scripted(BODY, delay=0.2))
    started = time.monotonic()
    async with client_of(api.url) as client:
        await asyncio.gather(*(poll(client) for _ in range(8)))
    assert time.monotonic() - started >= 0.4


async def test_the_cost_of_failed_attempts_is_counted_for_lists(
    api: ScriptedApi,
) -> None:
    paid = {"x-requests-last": "2"}
    api.set_answers(Scripted(b"[{", headers=paid), Scripted(b"[]", headers=paid))
    async with client_of(api.url) as client:
        assert (await client.scores("s")).credits == 4
