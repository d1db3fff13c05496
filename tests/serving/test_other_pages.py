"""Requests from a page of another site, and from one whose name was rebound to this machine, in a real Chromium."""

from __future__ import annotations

import json
import os
import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import TYPE_CHECKING, Any

import httpx2
import pytest
from playwright.sync_api import sync_playwright

from tests.serving.board.test_page import ARGUMENTS, CHROMIUM
from tests.support.servers.processes import ServerProcess, free_port

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.untraced
EVIL = "evil.example"
PAUSE = "mutation { setAutoMaterializePaused(paused: %s) }"
IS_PAUSED = "{ instance { autoMaterializePaused } }"
ATTACK = """async ([url, body]) => {
  const sent = [];
  const tried = async (how, options) => {
    const answer = await fetch(how, { mode: "no-cors", credentials: "include", ...options }).catch(() => null);
    sent.push(answer?.type ?? "nothing");
  };
  await tried(`${url}?query=${encodeURIComponent(body)}`);
  await tried(url, { method: "POST", body: JSON.stringify({ query: body }) });
  await tried(url, { method: "POST", body: new URLSearchParams({ query: body }) });
  await tried(url, { method: "POST", headers: { "content-type": "application/graphql" }, body });
  const read = await fetch(url, { method: "POST", headers: { "content-type": "application/json" }, body }).then(
    (answer) => answer.text(), () => "refused");
  return [sent, read];
}"""
CREATE = """([url, body]) =>
  fetch(url, { method: "POST", body, headers: { "content-type": "application/json" } })
    .then((answer) => answer.status, () => 0)
"""
LISTEN = """(url) => new Promise((done) => {
  const socket = new WebSocket(url);
  socket.onopen = () => done("open");
  socket.onerror = () => done("refused");
})"""

UPGRADE = {
    "connection": "Upgrade",
    "upgrade": "websocket",
    "sec-websocket-version": "13",
    "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==",
}


class _Blank(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("content-type", "text/html")
        self.end_headers()
        self.wfile.write(b"<!doctype html><title>evil</title>")

    def log_message(self, *_: Any) -> None:
        """Log nothing."""


@pytest.fixture(scope="module")
def evil() -> Iterator[str]:
    """Another site, whose name resolves to this machine, as after DNS rebinding."""
    server = HTTPServer(("127.0.0.1", 0), _Blank)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://{EVIL}:{server.server_port}/"
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    if CHROMIUM is None:
        if os.environ.get("CI"):
            pytest.fail("CI must have Chromium")
        pytest.skip("there is no chromium in PATH")
    with sync_playwright() as playwright:
        rules = f"--host-resolver-rules=MAP {EVIL} 127.0.0.1"
        # a secure context is not needed: any page may send these requests
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=[*ARGUMENTS, rules])
        yield browser
        browser.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    with browser.new_context() as context:
        page = context.new_page()
        page.set_default_timeout(60_000)
        yield page


def is_up(url: str) -> bool:
    try:
        return httpx2.get(url, timeout=5).is_success
    except httpx2.TransportError:
        return False


def running(command: list[str], url: str, log: Path) -> Iterator[str]:
    server = ServerProcess([sys.executable, "-m", *command], lambda: is_up(url), log)
    server.start()
    yield url
    server.kill()


@pytest.fixture(scope="module")
def dagster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder, port = tmp_path_factory.mktemp("dagster"), free_port()
    (folder / "workspace.yaml").write_text(json.dumps({"load_from": []}))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DAGSTER_HOME", str(folder))
        patch.setenv("DAGSTER_DISABLE_TELEMETRY", "true")
        where = ["--host", "127.0.0.1", "--port", str(port), "--workspace", str(folder / "workspace.yaml")]
        url = f"http://127.0.0.1:{port}/server_info"
        yield from running(["edge_assets.web.dagster_ui", *where], url, folder / "log")


@pytest.fixture(scope="module")
def mlflow(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder, port = tmp_path_factory.mktemp("mlflow"), free_port()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MLFLOW_BACKEND_STORE_URI", f"sqlite:///{folder}/mlflow.db")
        patch.setenv("MLFLOW_SERVER_ENABLE_JOB_EXECUTION", "false")
        patch.setenv("MLFLOW_DISABLE_TELEMETRY", "true")
        where = ["--host", "127.0.0.1", "--port", str(port), "--artifacts-destination", folder.as_uri()]
        yield from running(
            ["edge_assets.web.mlflow_ui", "server", *where], f"http://127.0.0.1:{port}/health", folder / "log"
        )


def with_host(url: str, name: str) -> str:
    return url.replace("127.0.0.1", name)


def test_dagster_obeys_only_its_own_page(dagster: str, evil: str, page: Page) -> None:
    url = dagster.replace("/server_info", "/graphql")

    def query_graphql(query: str) -> Any:
        return httpx2.post(url, json={"query": query}, timeout=60).json()["data"]

    def is_paused() -> bool:
        return bool(query_graphql(IS_PAUSED)["instance"]["autoMaterializePaused"])

    before = is_paused()
    other = str(not before).lower()
    page.goto(evil)
    sent, read = page.evaluate(ATTACK, [url, PAUSE % other])
    assert len(sent) == 4
    assert read == "refused"
    page.set_content(f'<form action="{url}" method="post"><input name="query" value="{PAUSE % other}"></form>')
    with page.expect_navigation() as gone:
        page.evaluate("document.forms[0].submit()")
    assert gone.value.status == 403
    assert is_paused() is before
    rebound = page.goto(with_host(url, EVIL))
    assert rebound is not None
    assert rebound.status == 403
    assert page.evaluate(ATTACK, [with_host(url, EVIL), PAUSE % other])[1].startswith('{"detail"')
    assert page.evaluate(LISTEN, with_host(url, EVIL).replace("http", "ws")) == "refused"
    assert is_paused() is before
    query_graphql(PAUSE % other)
    assert is_paused() is not before, "the attack would have had an effect"
    page.goto(dagster)
    assert page.evaluate(ATTACK, [url, IS_PAUSED])[0][1] == "basic", "its own page gets a response"


@pytest.mark.chaos
def test_mlflow_obeys_only_its_own_page(mlflow: str, evil: str, page: Page) -> None:
    url = mlflow.replace("/health", "/api/2.0/mlflow/experiments/create")
    found = mlflow.replace("/health", "/api/2.0/mlflow/experiments/search?max_results=9")
    page.goto(evil)
    for name in ("no", "yes"):
        body = json.dumps({"name": name})
        status = page.evaluate(CREATE, [url, body])
        assert status == (0 if name == "no" else 200)
        page.goto(mlflow)
    names = {experiment["name"] for experiment in httpx2.get(found, timeout=60).json()["experiments"]}
    assert names == {"Default", "yes"}
    for path in ("/", "/api/2.0/mlflow/experiments/search?max_results=9"):
        rebound = page.goto(with_host(mlflow.replace("/health", path), EVIL))
        assert rebound is not None
        assert rebound.status == 403


def test_the_board_gives_other_pages_nothing(serve: Any, market: Any, evil: str, page: Page, tmp_path: Path) -> None:
    with serve(edge_local=True, edge_home=tmp_path) as served:
        token = "(url) => fetch(url, {method: 'POST'}).then((a) => a.status, () => 0)"
        read = "(url) => fetch(url).then((a) => a.text(), () => 'refused')"
        page.goto(evil)
        assert page.evaluate(token, f"{served.url}/api/session") == 0
        assert page.evaluate(read, f"{served.url}/api/value-bets") == "refused"
        assert page.evaluate(LISTEN, served.ws) == "refused"
        for path in ("/", "/api/value-bets", "/data-docs/", "/healthz"):
            rebound = page.goto(with_host(served.url, EVIL) + path)
            assert rebound is not None
            assert rebound.status == 403, path
        assert page.evaluate(token, with_host(f"{served.url}/api/session", EVIL)) in {0, 403}
        assert page.evaluate(LISTEN, with_host(served.ws, EVIL)) == "refused"


def test_data_docs_run_no_script_and_get_no_token(serve: Any, market: Any, page: Page, tmp_path: Path) -> None:
    requested: list[str] = []
    page.on("request", lambda request: requested.append(request.url))
    with serve(edge_local=True, edge_home=tmp_path) as served:
        hostile = "document.title = 'ran'; fetch('/api/session', {method: 'POST'})"
        text = (
            f'<!doctype html><title>quiet</title><script>{hostile}</script><img src=x onerror="{hostile}"><p>Team</p>'
        )
        text += '<script src="https://cdn.example/x.js"></script>'
        (tmp_path / "data_docs" / "index.html").write_text(text)
        page.goto(f"{served.url}/data-docs/")
        page.wait_for_selector("text=Team")
        page.wait_for_load_state("networkidle")
        assert page.title() == "quiet"
        assert not [url for url in requested if "session" in url or "cdn" in url]


def test_the_api_reference_uses_only_local_files(serve: Any, market: Any, page: Page) -> None:
    errors: list[str] = []
    requested: list[str] = []
    page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
    page.on("request", lambda request: requested.append(request.url))
    with serve() as served:
        page.goto(f"{served.url}/docs")
        page.get_by_text("/api/value-bets", exact=True).wait_for()
        page.wait_for_selector("#OpenAlerts")
        assert errors == []
        assert all(url.startswith(served.url) for url in requested)


def test_a_long_name_leaves_the_numbers_on_the_board(serve: Any, market: Any, page: Page) -> None:
    name = "\u202e" + "W" * 3_000
    market.conn.execute("UPDATE events SET home_team = %s", [name])
    market.conn.execute("UPDATE books SET title = %s WHERE id = %s", [name, market.books[1]])
    with serve(edge_local=True) as served:
        opened = market.value()
        market.publish(opened, market.arbitrage())
        page.set_viewport_size({"width": 1280, "height": 800})
        page.goto(served.url)
        row = page.locator(f'[data-alert="{opened.alert_id}"]')
        row.wait_for()
        assert "\\u202e" in row.inner_text()
        assert page.evaluate("document.documentElement.scrollWidth") <= 1280
        for column in ("Price", "Stake"):
            box = row.locator(f'[data-label="{column}"]').bounding_box()
            assert box is not None
            assert box["x"] + box["width"] <= 1280


@pytest.mark.parametrize("server", ["dagster", pytest.param("mlflow", marks=pytest.mark.chaos)])
def test_too_many_cookies_of_other_programs_get_an_answer(server: str, request: pytest.FixtureRequest) -> None:
    url = httpx2.URL(request.getfixturevalue(server))
    cookies = {"cookie": "; ".join(f"program{i}={'0' * 40}" for i in range(180))}
    for headers in (cookies, cookies | UPGRADE):
        assert httpx2.get(url.copy_with(path="/graphql"), headers=headers, timeout=20).status_code == 431


@pytest.mark.parametrize("server", ["dagster", pytest.param("mlflow", marks=pytest.mark.chaos)])
def test_third_party_pages_work_with_the_added_headers(server: str, request: pytest.FixtureRequest, page: Page) -> None:
    refused: list[str] = []
    page.on(
        "console",
        lambda message: refused.append(message.text) if "Content Security" in message.text else None,
    )
    page.on("requestfailed", lambda request: refused.append(request.url) if "BLOCKED" in str(request.failure) else None)
    answer = page.goto(str(httpx2.URL(request.getfixturevalue(server)).copy_with(path="/")))
    assert answer is not None
    assert answer.headers["cross-origin-resource-policy"] == "same-origin"
    assert answer.headers["content-security-policy"]
    page.locator("#root").locator("a, button").first.wait_for()
    assert refused == []
