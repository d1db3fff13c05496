"""Hand-written scoreboards, and a server that answers with them."""

from __future__ import annotations

import socket
import threading
import time
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple
from zoneinfo import ZoneInfo

import msgspec
import uvicorn
from starlette.requests import Request
from starlette.responses import Response

from edge_assets.feeds.espn.results import parse_board

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from starlette.types import Receive, Scope, Send

    from ml.settlement import GameReport

EASTERN = ZoneInfo("America/New_York")
Goal = tuple[str, float]
"""The side, and seconds of play."""


def event(
    home: str = "Seattle Seahawks",
    away: str = "Los Angeles Rams",
    score: tuple[str, str] = ("24", "17"),
    *,
    date: str = "2025-11-10T18:00Z",
    status: str = "STATUS_FINAL",
    state: str = "post",
    completed: bool = True,
    period: int = 4,
    regulation: int | None = 4,
    periods: tuple[Sequence[float | None], Sequence[float | None]] = ((), ()),
    goals: Sequence[Goal] = (),
    shootout: Sequence[str] = (),
) -> dict[str, Any]:
    """An entry of a board; defaults make a finished NFL game. The away side comes first: order means nothing."""
    sides = [
        {
            "homeAway": side,
            "score": points,
            "team": {"id": side, "displayName": name, "abbreviation": name[:3]},
            "linescores": [{} if value is None else {"value": value} for value in line],
        }
        for side, name, points, line in (("away", away, score[1], periods[1]), ("home", home, score[0], periods[0]))
    ]
    plays = [(side, at, False) for side, at in goals] + [(side, 7200.0, True) for side in shootout]
    card = {"clock": {"value": 99.0}, "scoringPlay": False}
    details = [card] + [
        {"clock": {"value": at}, "team": {"id": side}, "scoreValue": 1, "scoringPlay": True, "shootout": extra}
        for side, at, extra in plays
    ]
    kind = {"id": "3", "name": status, "state": state, "completed": completed}
    return {
        "id": f"{home}-{date}",
        "date": date,
        "competitions": [
            {
                "competitors": sides,
                "status": {"clock": 0.0, "period": period, "type": kind},
                "format": {"regulation": {"periods": regulation}} if regulation else {},
                "details": details if goals or shootout else [],
                "odds": [None],
            }
        ],
    }


def soccer(home: str, away: str, score: tuple[str, str], **values: Any) -> dict[str, Any]:
    """A soccer match, after ninety minutes by default."""
    return event(home, away, score, **{"status": "STATUS_FULL_TIME", "period": 2, "regulation": 2, **values})


def board(*events: dict[str, Any]) -> bytes:
    """A scoreboard's body."""
    return msgspec.json.encode({"leagues": [{"id": "28"}], "events": events})


def filter_by_day(body: bytes, params: Mapping[str, str]) -> bytes:
    """The events of a board that ESPN shows for a day; 25 of them, if more than 500 are asked for."""
    try:
        content = msgspec.json.decode(body)
        found = [entry for entry in content["events"] if american_day(entry["date"]) == params["dates"]]
    except (msgspec.DecodeError, KeyError, TypeError, ValueError):
        return body
    limit = int(params["limit"])
    return msgspec.json.encode(content | {"events": found[: limit if limit <= 500 else 25]})


def american_day(date: str) -> str:
    return f"{datetime.fromisoformat(date).astimezone(EASTERN):%Y%m%d}"


class ScoreboardResult(NamedTuple):
    """A game that has a result."""

    id: str
    home: str
    away: str
    start: datetime
    report: GameReport


def parse_finished(body: bytes) -> tuple[list[ScoreboardResult], Counter[str]]:
    """The games of a board that have a result, and what was rejected."""
    games, rejected = parse_board(body)
    return [ScoreboardResult(*game[:4], report) for game in games if (report := game.report) is not None], rejected


@dataclass
class EspnApi:
    """Answers with the day's part of the boards that it holds by path, with `failures` before; a range it refuses.

    So its users report ESPN's server since autumn 2026.
    """

    boards: dict[str, bytes] = field(default_factory=dict)
    failures: list[int] = field(default_factory=list)
    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        path = request.url.path.removesuffix("/scoreboard").removeprefix("/")
        self.asked.append((path, dict(request.query_params)))
        status = self.failures.pop(0) if self.failures else 200
        if status == 200 and "-" in request.query_params.get("dates", ""):
            status = 400
        body = self.boards.get(path)
        if status == 200 and body is None:
            status = 404
        await Response(filter_by_day(body or b"", request.query_params) if status == 200 else b"<html>", status)(
            scope, receive, send
        )


@contextmanager
def serve(app: Any) -> Iterator[str]:
    """The address of an application that runs on a free port."""
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, log_level="critical", access_log=False, ws="none", lifespan="off"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.005)
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(5)
        listener.close()
