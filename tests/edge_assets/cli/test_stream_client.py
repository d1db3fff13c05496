"""`edge watch` against a server that speaks the stream's protocol and disconnects."""

from __future__ import annotations

import json
import threading
from typing import TYPE_CHECKING, Any

import pytest
from websockets.sync.server import Server, serve

from edge_assets.cli import stream_client
from edge_assets.cli.stream_client import follow, make_line_printer, print_json
from edge_assets.local.errors import LocalError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from websockets.sync.server import ServerConnection

ALERT: dict[str, Any] = {
    "id": 1,
    "kind": "value",
    "state": "opened",
    "reason": None,
    "event": "e1",
    "home_team": "Giants",
    "away_team": "Bears",
    "market": "spreads",
    "selection": "Giants",
    "point": -3.5,
    "book": "softbook",
    "book_title": "Soft Book",
    "price": 2.1,
    "fair_probability": 0.5,
    "edge": 0.0238,
    "expected_value": 0.05,
    "expected_value_low": 0.012,
    "stake_fraction": 0.015,
    "confidence": 71.0,
    "observed_at": "2026-01-01T12:30:45.000001+00:00",
    "legs": None,
}
LEG = {
    "outcome": "home",
    "selection": "Giants",
    "book": "a",
    "book_title": "A",
    "price": 2.2,
    "stake_fraction": 0.5,
}
NONE = dict.fromkeys(
    (
        "book",
        "book_title",
        "price",
        "fair_probability",
        "edge",
        "expected_value_low",
        "stake_fraction",
        "confidence",
    )
)


class EndOfTestError(Exception):
    """Ends the endless loop of the client."""


@pytest.fixture
def stream(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[Callable[[ServerConnection], None]], str]]:
    monkeypatch.setattr(stream_client, "RETRY_SECONDS", 0.01)
    servers: list[Server] = []

    def start(handler: Callable[[ServerConnection], None]) -> str:
        server = serve(handler, "127.0.0.1", 0)
        servers.append(server)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        return f"http://127.0.0.1:{server.socket.getsockname()[1]}"

    yield start
    for server in servers:
        server.shutdown()


def test_it_resumes_after_the_last_alert_with_a_new_token(stream: Any, capsys: pytest.CaptureFixture[str]) -> None:
    asked: list[dict[str, Any]] = []

    def handler(socket: ServerConnection) -> None:
        asked.append(json.loads(socket.recv()))
        position = asked[-1].get("after", 40)
        socket.send(json.dumps({"type": "hello", "last_id": position}))
        socket.send(json.dumps({"type": "heartbeat"}))
        socket.send(json.dumps(ALERT | {"id": position + 1}))
        socket.close(1012, "restarting")

    tokens = iter(["first", "second", "third"])
    seen: list[int] = []

    def show(message: dict[str, Any]) -> None:
        seen.append(message["id"])
        if len(seen) == 3:
            raise EndOfTestError

    with pytest.raises(EndOfTestError):
        follow(stream(handler), lambda: next(tokens), None, show)
    assert seen == [41, 42, 43]
    assert asked == [{"token": "first"}, {"token": "second", "after": 41}, {"token": "third", "after": 42}]
    reported = capsys.readouterr().err.splitlines()
    assert reported[0].startswith("lost connection to http://127.0.0.1:")
    assert "received 1012" in reported[0]
    assert reported[1] == "reconnected"


@pytest.mark.parametrize(
    ("code", "reason", "remedy"),
    [(4401, "the token is not valid", "edge token"), (4409, "alert 9 is ahead", "--after")],
)
def test_a_refusal_is_final(stream: Any, code: int, reason: str, remedy: str) -> None:
    url = stream(lambda socket: socket.close(code, reason))
    with pytest.raises(LocalError, match=reason) as caught:
        follow(url, lambda: "token", 9, print_json)
    assert remedy in caught.value.remedy


def test_an_alert_is_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    show = make_line_printer()
    show(ALERT)
    show(
        ALERT | NONE | {"kind": "arbitrage", "state": "closed", "reason": "withdrawn", "legs": [LEG], "home_team": None}
    )
    heading, value, arbitrage = capsys.readouterr().out.splitlines()
    assert heading.split() == ["EV", "at", "least", "edge", "stake", "conf", "price", "fair", "book", "selection"]
    assert value.split()[:9] == ["12:30:45", "opened", "5.0%", "1.2%", "2.4%", "1.5%", "71", "2.100", "2.000"]
    assert value.endswith("Giants -3.5  [spreads] Bears @ Giants")
    assert arbitrage.endswith("arbitrage      Giants 2.2 A  [spreads] e1  rules: unknown  (withdrawn)")


def test_a_likely_error_is_marked(capsys: pytest.CaptureFixture[str]) -> None:
    make_line_printer()(ALERT | {"kind": "likely_error"})
    assert capsys.readouterr().out.rstrip().endswith("likely error: may be voided")


def test_an_alert_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    print_json(ALERT)
    assert json.loads(capsys.readouterr().out) == ALERT
