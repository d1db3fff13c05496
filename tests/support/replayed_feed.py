"""A small recording behind a real replay server, and queries of the database and the stream."""

from __future__ import annotations

import json
import random
import socket
import threading
import time
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx2
import pytest
import uvicorn
from pydantic import SecretStr
from redis import Redis

from edge_assets.core.settings import Feed, Settings
from edge_assets.feeds.recordings.recording import Recording
from edge_assets.sandbox.server.app import create_app
from edge_assets.store.postgres.database import connect
from ml.quotes import decode_changes

if TYPE_CHECKING:
    from collections.abc import Iterator

NFL, EPL = "americanfootball_nfl", "soccer_epl"
BEGINS = datetime(2025, 11, 3, 12, tzinfo=UTC)


def write_recording(folder: Path, captures: int = 20, sports: tuple[str, ...] = (NFL, EPL)) -> Path:
    """Captures of each sport in turn, a minute apart; prices wander, quotes vanish and come back."""
    folder.mkdir(parents=True, exist_ok=True)
    dice = random.Random(7)
    prices: dict[tuple[str, int, str], float] = {}
    for i in range(captures):
        for j, sport in enumerate(sports):
            at = BEGINS + timedelta(minutes=i, seconds=10 * j)
            events = [_event(sport, n, at, prices, dice) for n in range(4)]
            (folder / f"{sport}_{at:%Y%m%dT%H%M%SZ}.json").write_text(json.dumps(events))
    return folder


def _event(
    sport: str, n: int, at: datetime, prices: dict[tuple[str, int, str], float], dice: random.Random
) -> dict[str, Any]:
    home, away = f"{sport} home {n}", f"{sport} away {n}"
    return {
        "id": f"{sport[0]}{n}".ljust(32, "0").replace("s", "5"),
        "sport_key": sport,
        "sport_title": {NFL: "NFL", EPL: "EPL"}[sport],
        "commence_time": f"{BEGINS + timedelta(hours=6 + n):%Y-%m-%dT%H:%M:%SZ}",
        "home_team": home,
        "away_team": away,
        "bookmakers": [
            _book(key, at, {name: _price(prices, (sport, n, key + name), dice) for name in (home, away)})
            for key in ("pinnacle", "draftkings", "fanduel")
            if dice.random() > 0.1
        ],
    }


def outright(sport: str) -> dict[str, Any]:
    """An event without teams, at one book."""
    quotes = {"Scottie Scheffler": 5.5, "Rory McIlroy": 8.0}
    return {
        "id": "9" * 32,
        "sport_key": sport,
        "sport_title": "Masters",
        "commence_time": f"{BEGINS + timedelta(days=3):%Y-%m-%dT%H:%M:%SZ}",
        "home_team": None,
        "away_team": None,
        "bookmakers": [_book("pinnacle", BEGINS, quotes, "outrights")],
    }


def _price(prices: dict[tuple[str, int, str], float], key: tuple[str, int, str], dice: random.Random) -> float:
    moved = dice.choice((1.0, 1.0, 0.98, 1.03))
    prices[key] = round(max(1.01, prices.get(key, 1.5 + dice.random() * 2) * moved), 2)
    return prices[key]


def _book(key: str, at: datetime, outcomes: dict[str, float], market: str = "h2h") -> dict[str, Any]:
    updated = f"{at - timedelta(seconds=20):%Y-%m-%dT%H:%M:%SZ}"
    return {
        "key": key,
        "title": key.title(),
        "last_update": updated,
        "markets": [
            {
                "key": market,
                "last_update": updated,
                "outcomes": [{"name": name, "price": price} for name, price in outcomes.items()],
            }
        ],
    }


@dataclass
class Feeding:
    """A running replay server."""

    url: str
    _http: httpx2.Client = field(default_factory=httpx2.Client)

    def faults(self, **switches: Any) -> None:
        self._http.put(f"{self.url}/_edge/faults", json=switches).raise_for_status()

    def state(self) -> dict[str, Any]:
        return dict(self._http.get(f"{self.url}/_edge/ready").json())

    def close(self) -> None:
        self._http.close()


@contextmanager
def serving(folder: Path, **options: Any) -> Iterator[Feeding]:
    """Serve a recording over HTTP on a free port."""
    app = create_app(Recording.load(folder), **options)
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning", access_log=False))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.005)
    feeding = Feeding(f"http://127.0.0.1:{listener.getsockname()[1]}")
    try:
        yield feeding
    finally:
        feeding.close()
        server.should_exit = True
        thread.join(5)


@pytest.fixture
def feed(tmp_path: Path) -> Iterator[Feeding]:
    """The small recording at maximum speed."""
    with serving(write_recording(tmp_path / "recording")) as feeding:
        yield feeding


def settings_for(database: str, redis_url: str, feed_url: str, *sports: str) -> Settings:
    return Settings(
        edge_home=Path("/nowhere"),
        edge_feed=Feed.REPLAY,
        edge_sports=sports or (NFL, EPL),
        database_url=database,
        redis_url=redis_url,
        odds_api_key=SecretStr("test-key"),
        odds_api_url=f"{feed_url}/v4",
    )


def rows(database: str, query: str) -> list[tuple[Any, ...]]:
    with closing(connect(database, "test")) as connection:
        return connection.execute(query).fetchall()


def ticks(database: str) -> list[tuple[Any, ...]]:
    """Every stored change by names, in an order that ids do not decide."""
    return rows(
        database,
        """SELECT s.key, t.observed_at, e.key, b.key, m.key, o.name, t.point, t.price, t.book_time
        FROM odds_ticks t JOIN polls p ON p.id = t.poll_id JOIN sports s ON s.id = p.sport_id
        JOIN events e ON e.id = t.event_id JOIN books b ON b.id = t.book_id
        JOIN markets m ON m.id = t.market_id JOIN outcomes o ON o.id = t.outcome_id
        ORDER BY 1, 2, 3, 4, 5, 6, 7""",
    )


def read_stream(redis_url: str) -> list[tuple[str, int]]:
    """Sport and poll id of every entry of the stream, in its order."""
    with closing(Redis.from_url(redis_url)) as redis:
        entries: Any = redis.xrange("odds:changes")
    changes = [decode_changes(fields[b"changes"]) for _, fields in entries]
    return [(change.sport, change.poll_id) for change in changes]
