"""Any request gets a response or a message about what is wrong with it; never a server error."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any
from urllib.parse import quote

import httpx2
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

PATHS = ("/api/value-bets", "/api/likely-errors", "/api/arbitrage", "/api/odds/nfl", "/api/odds/nfl/events")
NAMES = ("sport", "book", "min_edge", "limit", "event_id", "after", "x\0")
ODD = (
    "", "nan", "inf", "-inf", "-1", "0", "1e999", "9" * 400, "9" * 5_000, str(2**31), str(2**63), "\0", "a\0b",
    "%ED%A0%80",
    "nfl", " NFL ", "pinnacle", "curling", "\u202enfl", "' OR 1=1 --", "../../etc/passwd", "[]", "{}", "true", "½",
)  # fmt: skip
texts = st.sampled_from(ODD) | st.text(max_size=20) | st.integers().map(str) | st.floats().map(str)
served_once = settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])


def get(served: Any, url: str) -> httpx2.Response:
    with served.http as http:
        answer: httpx2.Response = http.get(url, timeout=20)
    return answer


def check(answer: httpx2.Response) -> None:
    assert answer.status_code < 500, (answer.request.url, answer.text)
    body = answer.json()
    if answer.status_code >= 400:
        assert body["detail"]


@served_once
@given(path=st.sampled_from(PATHS), query=st.dictionaries(st.sampled_from(NAMES), texts, max_size=3))
def test_any_query_is_answered(site: Any, path: str, query: dict[str, str]) -> None:
    words = "&".join(f"{quote(name)}={_quote(value)}" for name, value in query.items())
    check(get(site, f"{path}?{words}"))


@served_once
@given(sport=texts)
def test_any_sport_in_the_path_is_answered(site: Any, sport: str) -> None:
    answer = get(site, f"/api/odds/{_quote(sport)}")
    assert answer.status_code < 500, (sport, answer.text)


def _quote(value: str) -> str:
    return value if value.startswith("%ED") else quote(value, safe="", errors="surrogatepass")


@pytest.mark.parametrize(
    ("url", "code", "message"),
    [
        ("/api/value-bets?min_edge=nan", 422, "min_edge"),
        ("/api/value-bets?limit=1000000000000", 422, "limit"),
        ("/api/value-bets?limit=-1", 422, "limit"),
        ("/api/value-bets?book=nonsense", 404, "unknown book 'nonsense'"),
        ("/api/arbitrage?book=%00", 404, "unknown book"),
        ("/api/odds/nfl?event_id=99999999999999999999", 422, "event_id"),
        ("/api/odds/%00", 404, "unknown sport"),
    ],
)
def test_an_invalid_request_is_explained(site: Any, url: str, code: int, message: str) -> None:
    answer = get(site, url)
    assert answer.status_code == code
    assert message in answer.text


def test_books_are_known_from_the_database_or_the_list(site: Any) -> None:
    for book in ("pinnacle", " Pinnacle ", "betfair_ex_eu"):
        assert get(site, f"/api/value-bets?book={quote(book)}").status_code == 200
    assert "fanduel" in get(site, "/api/value-bets?book=nonsense").json()["known"]


first_messages = st.one_of(
    st.text(max_size=50),
    st.binary(max_size=50),
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=5),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(("token", "after", "x")), inner),
        max_leaves=6,
    ).map(json.dumps),
    st.sampled_from((
        "[" * 8_000, '{"x":' * 3_000, '{"token": "\\ud83d"}', '{"token": "\\u0000"}', '{"token": 7}', "\ufeff{}",
        '{"token": "a", "after": 1e999}', '{"token": "a", "after": ' + "9" * 6_000 + "}", "null", "",
    )),
)  # fmt: skip


def close_code_after(url: str, first: str | bytes, **kwargs: Any) -> tuple[int | None, str | None]:
    with connect(url, **kwargs) as ws:
        with suppress(ConnectionClosed):
            ws.send(first)
            while True:
                ws.recv(timeout=10)
        return ws.close_code, ws.close_reason


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(first=first_messages)
def test_any_first_message_is_refused_with_a_reason(site: Any, first: str | bytes) -> None:
    code, reason = close_code_after(site.ws, first)
    assert code in {4400, 4401}, (first, code, reason)
    assert reason


@pytest.mark.parametrize("after", [-1, 2**63, 2**64, 10**30, 1.5, "1", [1], {}, True, "nan", None])
def test_any_after_is_refused_or_accepted(site: Any, after: object) -> None:
    with connect(site.ws) as ws:
        ws.send(json.dumps({"token": site.token(), "after": after}))
        if after is None:
            assert json.loads(ws.recv(timeout=5))["type"] == "hello"
            return
        with pytest.raises(ConnectionClosed):
            ws.recv(timeout=10)
        assert ws.close_code == 4400
        assert ws.close_reason


@pytest.mark.parametrize("after", ["-1", "", "9" * 5_000, str(2**63), "%00", "1.5", "nan"])
def test_any_after_in_the_query_is_refused(site: Any, after: str) -> None:
    code, reason = close_code_after(f"{site.ws}?after={after}", "ignored", additional_headers=site.bearer())
    assert (code, reason) == (4400, "after must be an alert id")


def test_an_after_beyond_the_newest_is_refused(site: Any) -> None:
    code, _ = close_code_after(site.ws, json.dumps({"token": site.token(), "after": 2**63 - 1}))
    assert code == 4409
