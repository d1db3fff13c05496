"""For every response: methods, conditional requests, parameters and security headers."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import jwt
import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from tests.serving.conftest import SECRET

if TYPE_CHECKING:
    from pathlib import Path

PAGES = (
    "/",
    "/docs",
    "/redoc",
    "/board/main.js",
    "/api/sports",
    "/api/value-bets",
    "/healthz",
    "/openapi.json",
    "/nowhere",
)


@pytest.fixture
def local(serve: Any, market: Any, tmp_path: Path) -> Any:
    with serve(edge_local=True, edge_home=tmp_path) as served:
        yield served


def test_every_response_has_security_headers(local: Any) -> None:
    with local.http as http:
        for path in PAGES:
            headers = http.get(path).headers
            policy = headers["content-security-policy"]
            assert "frame-ancestors 'none'" in policy, path
            assert "unsafe" not in policy, path
            assert headers["x-content-type-options"] == "nosniff", path
            assert headers["referrer-policy"] == "no-referrer", path
            assert headers["x-frame-options"] == "DENY", path
        token = http.post("/api/session", headers={"origin": local.url})
        assert token.headers["cache-control"] == "no-store"


def test_pages_use_only_local_files(local: Any) -> None:
    with local.http as http:
        for path in ("/", "/docs", "/redoc"):
            assert "://" not in http.get(path).text, path


def test_head_and_options_are_answered(local: Any) -> None:
    with local.http as http:
        for path in ("/", "/docs", "/api/value-bets", "/api/odds/nfl", "/healthz", "/openapi.json"):
            got, head = http.get(path), http.head(path)
            assert (head.status_code, head.content) == (got.status_code, b""), path
            assert http.options(path).headers["allow"] == "OPTIONS, HEAD, GET", path
        assert http.options("/api/session").headers["allow"] == "OPTIONS, POST"
        assert http.options("/nowhere").status_code == 404
        assert http.post("/api/value-bets").status_code == 405


def test_an_unchanged_response_is_not_sent_again(local: Any) -> None:
    with local.http as http:
        for path in ("/", "/docs", "/board/main.js", "/api/odds/nfl", "/api/sports"):
            got = http.get(path)
            known = {"if-none-match": f'"other", {got.headers["etag"]}'}
            again = http.get(path, headers=known)
            assert (again.status_code, again.content) == (304, b""), path
            assert again.headers["etag"] == got.headers["etag"]
        assert http.get("/openapi.json").headers["content-encoding"] == "gzip"
        assert "content-encoding" not in http.get("/openapi.json", headers={"accept-encoding": "identity"}).headers


@pytest.mark.parametrize(
    ("query", "code", "message"),
    [
        ("value-bets?boook=pinnacle", 422, "known: book, limit, min_edge, sport"),
        ("value-bets?book=nosuch", 404, "unknown book 'nosuch'"),
        ("value-bets?book=", 404, "unknown book"),
        ("value-bets?sport=", 404, "unknown sport"),
        ("arbitrage?sport=nfl&sport=nba", 422, "given more than once"),
        ("arbitrage?rules=nosuch", 422, "same"),
        ("odds/nfl?event_id=1&event_id=2", 422, "given more than once"),
        ("odds/nfl?event_id=424242", 404, "unknown event '424242'"),
        ("odds/nfl/events?limit=3", 422, "none are accepted"),
        ("status?x=1", 422, "unknown parameter"),
        ("odds/nosuch", 404, "unknown sport 'nosuch'"),
    ],
)
def test_an_unknown_name_is_an_error_that_lists_the_known_ones(site: Any, query: str, code: int, message: str) -> None:
    with site.http as http:
        answer = http.get(f"/api/{query}")
    assert answer.status_code == code
    assert message in answer.text


def test_a_known_event_is_returned(site: Any, market: Any) -> None:
    with site.http as http:
        known = http.get("/api/odds/nfl?event_id=424242").json()["known"]
        assert known == [str(market.event)]
        assert http.get(f"/api/odds/nfl?event_id={market.event}").json()["events"]


@pytest.mark.parametrize(
    ("headers", "code"),
    [
        ({"host": "[::1"}, 400),
        ({"host": "evil.example"}, 403),
        ({"origin": "http://evil.example"}, 403),
        ({"origin": "null"}, 403),
        ({"x-forwarded-for": "garbage"}, 400),
        ({"x-forwarded-for": "garbage", "origin": "OWN"}, 400),
        ({"x-forwarded-for": "10.0.0.1", "origin": "OWN"}, 403),
    ],
)
def test_no_other_page_or_name_gets_a_token(local: Any, headers: dict[str, str], code: int) -> None:
    sent = {name: value.replace("OWN", local.url) for name, value in headers.items()}
    with local.http as http:
        assert http.post("/api/session", headers=sent).status_code == code


def test_no_other_page_or_name_gets_the_stream(local: Any) -> None:
    for headers, code in (({"Origin": "http://evil.example"}, 403), ({"X-Forwarded-For": "x"}, 400)):
        with pytest.raises(InvalidStatus) as refused, connect(local.ws, additional_headers=headers):
            pass
        assert refused.value.response.status_code == code
        assert json.loads(refused.value.response.body)["detail"]


def close_code_after(url: str, first: dict[str, Any]) -> int | None:
    with connect(url) as ws:
        with suppress(ConnectionClosed):
            ws.send(json.dumps(first))
            ws.recv(timeout=20)
        return ws.close_code


@pytest.mark.parametrize("exp", [1e300, float("inf"), float("nan"), -1e20, 10**40, "soon", None, [], True])
def test_any_expiry_is_refused(site: Any, exp: object) -> None:
    token = jwt.encode({"sub": "x", "aud": "edge-alerts"}, SECRET)
    claims = jwt.decode(token, SECRET, algorithms=["HS256"], audience="edge-alerts") | {"exp": exp}
    signed = jwt.api_jws.encode(json.dumps(claims).encode(), SECRET, "HS256")
    assert close_code_after(site.ws, {"token": signed}) == 4401


@pytest.mark.parametrize("query", ["?after=1&after=2", "?afterr=1", "?token=x"])
def test_the_stream_refuses_unknown_parameters(site: Any, query: str) -> None:
    assert close_code_after(site.ws + query, {"token": site.token()}) == 4400


def test_data_docs_are_sandboxed(serve: Any, market: Any, tmp_path: Path) -> None:
    with serve(edge_local=True, edge_home=tmp_path) as served, served.http as http:
        page = tmp_path / "data_docs" / "sub"
        page.mkdir()
        (page / "index.html").write_text("<script>alert(1)</script>")
        answer = http.get("/data-docs/sub/index.html")
        policy = answer.headers["content-security-policy"]
        assert "sandbox;" in policy
        assert "script" not in policy
        assert "default-src 'none'" in policy
        redirect = http.get("/data-docs/sub")
        assert (redirect.status_code, redirect.headers["location"]) == (307, "/data-docs/sub/")
