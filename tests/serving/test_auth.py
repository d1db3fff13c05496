"""Which pages get a session token, and startup without a secret."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from websockets.sync.client import connect

from edge_assets.core.settings import MissingSettingError, Settings
from serving.app import create_app

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.calendar
def test_the_boards_own_page_gets_a_token_that_works(serve: Any, market: Any) -> None:
    with serve(edge_local=True) as served, served.http as http:
        answer = http.post("/api/session", headers={"Origin": served.url})
        assert answer.status_code == 200
        with connect(served.ws) as ws:
            ws.send(json.dumps({"token": answer.json()["token"]}))
            assert json.loads(ws.recv(timeout=5))["type"] == "hello"


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://evil.example", "Host": "evil.example"},
    ],
    ids=["no origin", "foreign origin", "opaque origin", "rebound name"],
)
def test_other_pages_get_none(serve: Any, market: Any, headers: dict[str, str]) -> None:
    with serve(edge_local=True) as served, served.http as http:
        assert http.post("/api/session", headers=headers).status_code == 403


def test_there_are_no_sessions_outside_the_local_demo(site: Any) -> None:
    with site.http as http:
        assert http.post("/api/session", headers={"Origin": site.url}).status_code in {404, 405}


def test_data_docs_are_a_page_of_the_local_board_only(serve: Any, market: Any, tmp_path: Path) -> None:
    docs = tmp_path / "data_docs"
    with serve(edge_local=True, edge_home=tmp_path) as served, served.http as http:
        assert http.get("/data-docs/index.html").status_code == 404
        (docs / "index.html").write_text("all expectations were met")
        assert http.get("/data-docs/").text == "all expectations were met"
    with serve(edge_home=tmp_path) as served, served.http as http:
        assert http.get("/data-docs/index.html").status_code == 404


@pytest.mark.parametrize("secret", [None, "", "short"])
def test_serving_requires_a_secret(secret: str | None) -> None:
    chosen = {"database_url": "postgresql:///x", "redis_url": "redis://localhost", "jwt_secret": secret}
    settings = Settings.model_validate(chosen)
    with pytest.raises(MissingSettingError, match="JWT_SECRET"):
        create_app(settings)
