"""The serving process over real sockets, on a real database and a real Redis-compatible server."""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import httpx2
import pytest
import redis
import uvicorn
from msgspec.structs import replace

from edge_assets.core.clock import to_micros
from edge_assets.core.settings import Settings
from edge_assets.core.tokens import issue_token
from edge_assets.store.alerts import alert_log, streams
from edge_assets.store.polls import writer
from edge_assets.store.polls.dimensions import IdRegistry
from edge_assets.store.postgres import database
from ml.quotes import EventStarts, Market, MarketConfirmations, Outcome, QuoteBatch
from ml.scoring import ScoringRules
from ml.scoring.alerts import Alert, AlertKey, AlertMetrics, Leg, close_alert, open_alert, update_alert
from serving.app import create_app
from serving.scorer.sports import SportScorers
from serving.server import build_config, open_listener

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

SECRET = "a secret for tests only, thirty-two bytes or more"
SPORT = "americanfootball_nfl"
NAN = float("nan")


class MarketHarness:
    """One NFL event at five books; writes polls and alerts through the real store."""

    def __init__(self, database_url: str, redis_url: str) -> None:
        self.conn = database.connect(database_url, "test")
        self.redis_url = redis_url
        ids = IdRegistry.load(database_url)
        self.now = datetime.now(UTC).replace(microsecond=0)
        self.sport = ids.sport(SPORT, "NFL")
        self.books = [
            ids.book(key, title)
            for key, title in [
                ("pinnacle", "Pinnacle"),
                ("fanduel", "FanDuel"),
                ("draftkings", "DraftKings"),
                ("betmgm", "BetMGM"),
                ("bovada", "Bovada"),
            ]
        ]
        self.start = self.now + timedelta(hours=30)
        self.event = ids.event("e1", self.sport, "Seattle Seahawks", "<b>Rams</b>", self.start, self.now)
        ids.close()
        self.poll_id = self.poll()

    def poll(self, home: float = 2.0, observed_at: datetime | None = None) -> int:
        """Store a poll in which every book offers `home` and 1.9; the last book is long stale."""
        at = observed_at or self.now
        books = len(self.books)
        fresh, stale = to_micros(at - timedelta(seconds=20)), to_micros(at - timedelta(hours=1))
        times = [fresh] * (books - 1) + [stale]
        quotes = QuoteBatch.from_rows(
            (self.event, book, Market.H2H, outcome, NAN, price, confirmed)
            for book, confirmed in zip(self.books, times, strict=True)
            for outcome, price in ((Outcome.HOME, home), (Outcome.AWAY, 1.9))
        )
        return self._store(at, Market.H2H, quotes, times)

    def totals(self, points: list[float]) -> int:
        """Store a poll in which each book offers one total, at 1.95 both ways."""
        at = self.now + timedelta(seconds=20)
        quotes = QuoteBatch.from_rows(
            (self.event, book, Market.TOTALS, outcome, point, 1.95, to_micros(at))
            for book, point in zip(self.books, points, strict=True)
            for outcome in (Outcome.OVER, Outcome.UNDER)
        )
        return self._store(at, Market.TOTALS, quotes, [to_micros(at)] * len(self.books))

    def _store(self, at: datetime, market: Market, quotes: QuoteBatch, times: list[int]) -> int:
        record = writer.PollRecord(
            sport_id=self.sport,
            feed="simulate",
            run_id="run-1",
            observed_at=to_micros(at),
            received_at=to_micros(datetime.now(UTC)),
            quotes_seen=len(quotes),
            events=1,
            request_ms=5.0,
            body=b"[]",
        )
        confirmed = MarketConfirmations.from_rows(
            (self.event, b, market, t) for b, t in zip(self.books, times, strict=True)
        )
        starts = EventStarts.from_rows([(self.event, to_micros(self.start))])
        poll_id = writer.write_poll(self.conn, record, quotes, confirmed, starts)
        assert poll_id is not None
        return poll_id

    def score(self) -> None:
        """Let the scorer come to the latest poll and write its fair prices."""
        words = IdRegistry.load(self.conn)
        scorers = SportScorers(self.conn, words, ScoringRules(), {})
        for poll in scorers.unscored_polls():
            scorers.score_from_database(poll)
        scorers.write_fair_prices()
        words.close()

    def commit(self, *steps: Alert) -> None:
        """Commit alerts without publishing them."""
        alert_log.commit_scoring_step(self.conn, self.sport, self.poll_id, to_micros(self.now), list(steps), {})

    def redis(self) -> redis.Redis:
        """A client of the Redis-compatible server."""
        return redis.Redis.from_url(self.redis_url)

    def publish_committed(self) -> None:
        """Publish the alerts that are committed and not yet published."""
        with self.redis() as client:
            streams.publish_alerts(self.conn, client)

    def publish(self, *steps: Alert) -> None:
        """Commit and publish alerts."""
        self.commit(*steps)
        self.publish_committed()

    def value(self, edge: float = 0.06, book: int = 1, seconds: int = 0) -> Alert:
        """A newly opened value bet; `seconds` sets alerts on the same price apart."""
        fair = 0.5 + edge
        key = AlertKey("value", self.event, Market.H2H, None, Outcome.HOME, self.books[book])
        metric_values = AlertMetrics(
            expected_value=2 * fair - 1,
            books=4,
            price_age_s=20.0,
            price=2.0,
            fair_probability=fair,
            implied_probability=0.5,
            edge=edge,
            standard_error=0.01,
            expected_value_low=2 * fair - 1.03,
            expected_value_high=2 * fair - 0.97,
            probability_positive=0.99,
            push_probability=0.0,
            kelly_fraction=0.08,
            stake_fraction=0.04,
            confidence=70.0,
            method_spread=0.003,
            market_width=0.04,
            hold=0.01,
            error_probability=0.1,
        )
        at = to_micros(self.now + timedelta(seconds=seconds))
        return open_alert(key, metric_values, at, self.poll_id, self.poll_id)

    def error(self) -> Alert:
        """A newly opened likely error."""
        alert = self.value(0.2)
        return open_alert(
            alert.key._replace(kind="likely_error"), alert.metrics, alert.observed_at, self.poll_id, self.poll_id
        )

    def make_update(self, alert: Alert) -> Alert:
        """The next step of an alert."""
        metric_values = replace(alert.metrics, fair_probability=0.57, edge=0.07)
        return update_alert(alert, metric_values, alert.observed_at, self.poll_id, self.poll_id)

    def make_closing(self, alert: Alert) -> Alert:
        """The last step of an alert."""
        return close_alert(alert, "price_moved", alert.observed_at, self.poll_id)

    def arbitrage(self) -> Alert:
        """A newly opened arbitrage between the second and the third book."""
        legs = (Leg(Outcome.HOME, self.books[1], 2.2, 0.48), Leg(Outcome.AWAY, self.books[2], 2.0, 0.52))
        key = AlertKey("arbitrage", self.event, Market.H2H, None)
        metric_values = AlertMetrics(0.047, 2, 20.0, rules="unknown", legs=legs)
        return open_alert(key, metric_values, to_micros(self.now), self.poll_id, self.poll_id)


@pytest.fixture
def market(database_url: str, redis_url: str) -> Iterator[MarketHarness]:
    market = MarketHarness(database_url, redis_url)
    yield market
    market.conn.close()


@dataclass(frozen=True)
class Served:
    """A running server."""

    port: int
    app: Any

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def ws(self) -> str:
        return f"ws://127.0.0.1:{self.port}/ws/alerts"

    @property
    def http(self) -> httpx2.Client:
        return httpx2.Client(base_url=self.url)

    def token(self, seconds: float = 60, secret: str = SECRET) -> str:
        return issue_token(secret, "tester", timedelta(seconds=seconds))

    def bearer(self, **kwargs: Any) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token(**kwargs)}"}


@contextmanager
def running(settings: Settings, wait: bool, port: int) -> Iterator[Served]:
    """Run the application under its own server configuration in a thread."""
    app = create_app(settings)
    config = build_config(app, "127.0.0.1", port)
    listener = open_listener(config)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    try:
        until(lambda: server.started and (app.state.resources.hub.position is not None or not wait))
        yield Served(listener.getsockname()[1], app)
    finally:
        server.should_exit = True
        thread.join()


def until(condition: Callable[[], object], seconds: float = 10) -> None:
    """Wait until a condition is true."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not true within {seconds} s"
        time.sleep(0.02)


@pytest.fixture
def serve(database_url: str, redis_url: str) -> Callable[..., AbstractContextManager[Served]]:
    """Start a server with given settings."""

    def start(wait: bool = True, port: int = 0, **changes: Any) -> AbstractContextManager[Served]:
        chosen = {"database_url": database_url, "redis_url": redis_url, "jwt_secret": SECRET} | changes
        return running(Settings.model_validate(chosen), wait, port)

    return start


@pytest.fixture
def site(market: MarketHarness, serve: Callable[..., AbstractContextManager[Served]]) -> Iterator[Served]:
    """A server on a database that holds one poll."""
    with serve() as running_server:
        yield running_server
