"""Who may send requests to a web server: its own pages and programs, under its own names."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import httpx2
import pytest
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse, RedirectResponse
from starlette.routing import Route

from edge_assets.web.dagster_ui import refuse_graphql_get, reject_parent_paths
from edge_assets.web.guard import Guard, refuse_non_json

if TYPE_CHECKING:
    from starlette.requests import Request

OWN = "http://127.0.0.1:3000"


async def _answer(request: Request) -> Any:
    if "to" in request.query_params:
        return RedirectResponse(request.query_params["to"].replace("HOST", request.headers["host"]))
    return PlainTextResponse("done")


BEHIND = Starlette(routes=[Route("/{path:path}", _answer, methods=["GET", "POST"])])
GUARDED = Guard(BEHIND, rules=(refuse_non_json, refuse_graphql_get, reject_parent_paths))


def ask(method: str, path: str, headers: dict[str, str] | None = None, url: str = OWN) -> httpx2.Response:
    async def send_request() -> httpx2.Response:
        async with httpx2.AsyncClient(transport=httpx2.ASGITransport(GUARDED), base_url=url) as client:
            return await client.request(method, path, headers=headers)

    return asyncio.run(send_request())


@pytest.mark.parametrize("url", [OWN, "http://localhost:3000", "http://[::1]:3000", "http://LOCALHOST"])
def test_own_names_and_pages_are_answered(url: str) -> None:
    answer = ask("GET", "/", url=url)
    assert answer.text == "done"
    assert answer.headers["x-frame-options"] == "DENY"
    assert answer.headers["referrer-policy"] == "no-referrer"
    json = {"content-type": "application/json; charset=utf-8"}
    assert ask("POST", "/graphql", json | {"origin": str(httpx2.URL(url)).rstrip("/")}, url).status_code == 200
    assert ask("POST", "/graphql", json, url).status_code == 200


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "127.0.0.1.evil.example",
        "localhost.",
        "10.evil.example:3000",
        "192.168.1.5",
        "localhost.evil.example",
    ],
)
def test_other_names_are_refused(host: str) -> None:
    answer = ask("GET", "/", {"host": host})
    assert answer.status_code == 403
    assert "localhost" in answer.json()["detail"]
    assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("host", ["", "[::1", "a b", "127.0.0.1:x", "127.0.0.1:123456", "a@localhost", "localhost/x"])
def test_a_malformed_host_is_a_bad_request(host: str) -> None:
    assert ask("GET", "/", {"host": host}).status_code == 400


@pytest.mark.parametrize(
    "origin",
    ["http://evil.example", "null", "http://127.0.0.1:9999", "https://127.0.0.1:3000", "http://localhost:3000", ""],
)
def test_other_pages_are_refused(origin: str) -> None:
    headers = {"origin": origin, "content-type": "application/json"}
    assert ask("POST", "/graphql", headers).status_code == 403
    assert ask("GET", "/", headers).status_code == 403


@pytest.mark.parametrize(
    "kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "", "x/json"]
)
def test_form_submissions_are_refused(kind: str) -> None:
    assert ask("POST", "/graphql", {"content-type": kind}).status_code == 415
    assert ask("POST", "/report_asset_check/x", {"content-type": kind}).status_code == 415


def test_graphql_queries_in_urls_are_refused() -> None:
    assert ask("GET", "/graphql?query=mutation{x}").status_code == 405
    assert ask("HEAD", "/graphql/?query=").status_code == 405
    assert ask("GET", "/graphql").text == "done"
    assert ask("GET", "/runs?query=x").text == "done"


def test_a_path_with_parent_segments_is_not_found() -> None:
    assert ask("GET", "/logs/%2e%2e/%2e%2e/etc/passwd/x").status_code == 404
    assert ask("GET", "/logs/x..y/z").text == "done"


@pytest.mark.parametrize("value", ["garbage", "1.2.3", "1.2.3.4, <x>", "[::1", ",", "1.2.3.4:port"])
def test_a_malformed_forwarding_header_is_refused(value: str) -> None:
    assert ask("GET", "/", {"x-forwarded-for": value}).status_code == 400


@pytest.mark.parametrize("value", ["1.2.3.4", "1.2.3.4, ::1", "[::1]:80, 1.2.3.4:80", "unknown, 10.0.0.1"])
def test_forwarding_headers_of_proxies_are_accepted(value: str) -> None:
    assert ask("GET", "/", {"x-forwarded-for": value}).status_code == 200


@pytest.mark.parametrize(
    ("to", "location"),
    [
        ("http://HOST/data-docs/", "/data-docs/"),
        ("http://HOST//evil.example/x", "/evil.example/x"),
        ("http://HOST/x?y=1#z", "/x?y=1#z"),
        ("https://the-odds-api.com/", "https://the-odds-api.com/"),
    ],
)
def test_redirects_never_repeat_the_request_host(to: str, location: str) -> None:
    answer = ask(
        "GET",
        f"/?to={to.replace('#', '%23').replace('?', '%3F').replace('HOST', '127.0.0.1:9')}",
        {"host": "127.0.0.1:9"},
    )
    assert answer.headers["location"] == location
