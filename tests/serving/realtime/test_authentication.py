"""Which clients are accepted, and the close codes for the others."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from serving.realtime import authentication

if TYPE_CHECKING:
    from collections.abc import Callable

FIVE_MINUTES_AGO = -300


def receive_close(url: str, first: object = None, **kwargs: Any) -> tuple[int | None, str | None]:
    with connect(url, compression=None, **kwargs) as ws:
        if first is not None:
            ws.send(first if isinstance(first, str | bytes) else json.dumps(first))
        try:
            while True:
                ws.recv(timeout=10)
        except ConnectionClosed:
            return ws.close_code, ws.close_reason


def test_a_token_in_the_header_admits(site: Any) -> None:
    with connect(site.ws, additional_headers=site.bearer()) as ws:
        hello = json.loads(ws.recv(timeout=5))
    assert hello["type"] == "hello"
    assert hello["last_id"] == 0
    assert hello["after"] is None


def test_a_token_in_the_first_message_admits(site: Any) -> None:
    with connect(site.ws) as ws:
        ws.send(json.dumps({"token": site.token()}))
        assert json.loads(ws.recv(timeout=5))["type"] == "hello"


@pytest.mark.parametrize(
    "token",
    [
        lambda served: "nonsense",
        lambda served: served.token(secret="another secret, just as long as the right one"),
        lambda served: served.token(seconds=FIVE_MINUTES_AGO),
    ],
    ids=["nonsense", "foreign", "expired"],
)
def test_a_bad_token_is_refused(site: Any, token: Callable[[Any], str]) -> None:
    code, reason = receive_close(site.ws, {"token": token(site)})
    assert code == 4401
    assert token(site) not in str(reason)
    header = {"Authorization": f"Bearer {token(site)}"}
    assert receive_close(site.ws, additional_headers=header)[0] == 4401


@pytest.mark.parametrize("first", ["not json", "[]", {"token": 1}, {"after": 3}, {"token": "x", "after": -1}, b"\x00"])
def test_a_malformed_first_message_is_refused(site: Any, first: object) -> None:
    assert receive_close(site.ws, first)[0] == 4400


def test_a_malformed_resume_id_is_refused(site: Any) -> None:
    assert receive_close(f"{site.ws}?after=x", additional_headers=site.bearer())[0] == 4400


def test_a_resume_id_that_comes_too_late_is_not_ignored(site: Any) -> None:
    code, reason = receive_close(site.ws, {"after": 0}, additional_headers=site.bearer())
    assert code == 4400
    assert "?after=" in str(reason)


def test_a_silent_client_is_disconnected(site: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(authentication, "AUTH_TIMEOUT_SECONDS", 0.2)
    assert receive_close(site.ws)[0] == 4408


def test_a_resume_id_ahead_of_the_newest_alert_is_refused(site: Any) -> None:
    assert receive_close(site.ws, {"token": site.token(), "after": 7})[0] == 4409


def test_the_connection_ends_with_the_token(site: Any) -> None:
    assert receive_close(site.ws, {"token": site.token(seconds=2)}) == (4401, "the token has expired")
