"""A market that moves, written through the real store, and lives of the scorer that watches it."""

from __future__ import annotations

import asyncio
import os
import random
import subprocess
import sys
import time
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import msgspec
import redis
import redis.asyncio

from edge_assets.core.clock import to_datetime, to_micros
from edge_assets.core.settings import Settings
from edge_assets.store.alerts import streams
from edge_assets.store.health.problems import load_problems
from edge_assets.store.polls import as_of
from edge_assets.store.polls.dimensions import IdRegistry
from edge_assets.store.polls.writer import PollRecord, write_poll
from edge_assets.store.postgres import database
from ml.quotes import MICROS_PER_SECOND, EventStarts, Market, MarketConfirmations, Outcome, QuoteBatch
from ml.scoring import ScoringRules, SportScorer
from serving.scorer.__main__ import open_worker

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from typing import LiteralString

    from ml.quotes import PollChanges

SPORT = "basketball_nba"
BOOKS = ("pinnacle", "fanduel", "draftkings", "betmgm", "bovada", "betrivers")
THRESHOLD = 0.02
GENEROUS = 2.2  # the fair price of evens is 2.0
NAN = float("nan")
SECOND = MICROS_PER_SECOND
Offers = dict[tuple[int, int], tuple[float, float]]
Step = tuple[str, int, str, str | None, datetime, float]


class ScorerHarness:
    """Two events at six books that agree on evens by default; `poll` commits, `publish` streams."""

    def __init__(self, database_url: str, redis_url: str, sport: str = SPORT) -> None:
        self.database_url = database_url
        self.redis_url = redis_url
        self.conn = database.connect(database_url, "test")
        self.redis = redis.Redis.from_url(redis_url)
        self.now = to_micros(datetime.now(UTC)) - 3_600 * SECOND
        self.start = self.now + 30 * 3_600 * SECOND
        ids = IdRegistry.load(database_url)
        self.sport = ids.sport(sport, sport.title())
        self.books = [ids.book(key, key.title()) for key in BOOKS]
        self.events = [
            ids.event(key, self.sport, "Owls", "Herons", to_datetime(self.start), to_datetime(self.now))
            for key in (f"{sport}:1", f"{sport}:2")
        ]
        ids.close()
        self.offers: Offers = {(e, b): (1.95, 1.95) for e in range(2) for b in range(len(BOOKS))}
        self._sent: Offers = {}

    def close(self) -> None:
        """Hang up."""
        self.redis.close()
        self.conn.close()

    def poll(self, seconds: float = 20) -> PollChanges:
        """Let time pass, poll the market and commit what changed."""
        self.now += int(seconds * SECOND)
        gone = {key: (NAN, NAN) for key in self._sent if key not in self.offers}
        moved = {key: pair for key, pair in self.offers.items() if self._sent.get(key) != pair}
        self._sent = dict(self.offers)
        quotes = QuoteBatch.from_rows(
            (self.events[e], self.books[b], Market.H2H, outcome, NAN, price, self.now)
            for (e, b), pair in (moved | gone).items()
            for outcome, price in zip((Outcome.HOME, Outcome.AWAY), pair, strict=True)
        )
        times = MarketConfirmations.from_rows(
            (self.events[e], self.books[b], Market.H2H, self.now) for e, b in self.offers
        )
        starts = EventStarts.from_rows((event, self.start) for event in self.events)
        received = to_micros(datetime.now(UTC))
        record = PollRecord(self.sport, "simulate", "run-1", self.now, received, len(quotes), 2, 5.0, b"[]")
        poll_id = write_poll(self.conn, record, quotes, times, starts)
        assert poll_id is not None
        return as_of.load_poll_changes(self.conn, poll_id)

    def poll_lively_market(self, polls: int, seed: int = 1) -> list[PollChanges]:
        """Commit so many polls of a lively market: alerts open, move and close all the time."""
        chance = random.Random(seed)
        return [self._lively(chance) for _ in range(polls)]

    def _lively(self, chance: random.Random) -> PollChanges:
        for key in chance.sample(sorted(self.offers), 2):
            home = chance.choice((1.95, 1.95, 1.9, GENEROUS, GENEROUS + 0.05))
            self.offers[key] = home, 1 / (1.04 - 1 / home)
        self.offers.pop((1, chance.randrange(len(BOOKS))), None)
        self.offers[1, chance.randrange(len(BOOKS))] = 1.95, 1.95
        return self.poll()

    def raise_price(self, event: int = 0) -> PollChanges:
        """Let the second book become generous, and commit it."""
        self.offers[event, 1] = GENEROUS, 1.75
        return self.poll()

    def publish(self, *polls: PollChanges) -> None:
        """Append polls to the stream as the burst does."""

        async def send() -> None:
            async with redis.asyncio.Redis.from_url(self.redis_url) as client:
                for changes in polls:
                    await streams.publish_changes(client, changes)

        asyncio.run(send())

    def settings(self, **changes: Any) -> Settings:
        """A scorer's settings."""
        usual = {"database_url": self.database_url, "redis_url": self.redis_url, "edge_feed": "replay"}
        return Settings.model_validate(
            {**usual, "alert_threshold_edge": THRESHOLD, "edge_book_weights": {"pinnacle": 1}, **changes}
        )

    def run_scorer(self, until: Callable[[], bool] | None = None, **changes: Any) -> None:
        """One life of the scorer in this process, until (default) all that is committed is scored and public."""
        done = within(20, until or self.is_settled)
        with ExitStack() as stack:
            open_worker(self.settings(**changes), stack).run(done)

    @contextmanager
    def process(self, shard: str = "0/1", **changes: str) -> Iterator[subprocess.Popen[str]]:
        """The scorer as a process of its own; it is killed at the end if it still runs."""
        ours = {k: v for k, v in os.environ.items() if not k.startswith(("EDGE_", "DATABASE_", "REDIS_"))}
        environment = {
            **ours,
            "DATABASE_URL": self.database_url,
            "REDIS_URL": self.redis_url,
            "EDGE_FEED": "replay",
            "EDGE_BOOK_WEIGHTS": "pinnacle=1",
            "ALERT_THRESHOLD_EDGE": str(THRESHOLD),
            **changes,
        }
        command = [sys.executable, "-m", "serving.scorer", "--shard", shard]
        with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True) as process:
            try:
                yield process
            finally:
                process.kill()

    def start_in(self, seconds: float) -> None:
        """Let the events start so soon after this moment, and the next polls be of a minute ago."""
        wall = to_micros(datetime.now(UTC))
        self.now, self.start = wall - 60 * SECOND, wall + int(seconds * SECOND)

    def is_scored(self) -> bool:
        """Whether every poll is scored."""
        return bool(
            self._one(
                "SELECT (SELECT max(id) FROM polls) IS NOT DISTINCT FROM (SELECT max(poll_id) FROM scorer_progress)"
            )
        )

    def count_unscored(self, sport_id: int) -> int:
        """How many polls of a sport wait to be scored."""
        return len(as_of.load_unscored_polls(self.conn, sport_id))

    def all_scored(self) -> bool:
        """Whether every poll of every sport is scored."""
        return not as_of.load_unscored_polls(self.conn)

    def is_settled(self) -> bool:
        """Whether every poll is scored and every alert public."""
        return self.is_scored() and bool(self._one("SELECT NOT EXISTS (SELECT FROM alert_outbox)"))

    def progress(self) -> int:
        """The last poll that was scored."""
        return int(self._one("SELECT coalesce(max(poll_id), 0) FROM scorer_progress"))

    def count_working(self) -> int:
        """How many scorers hold the database."""
        return self._locks(granted=True)

    def count_waiting(self) -> int:
        """How many scorers wait for another one to end."""
        return self._locks(granted=False)

    def _locks(self, *, granted: bool) -> int:
        query = (
            "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objid = 0 AND granted = %s "
            "AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
        )
        row = self.conn.execute(query, [granted]).fetchone()
        return int(row[0]) if row else 0

    def _one(self, query: LiteralString) -> Any:
        row = self.conn.execute(query).fetchone()
        return row[0] if row else None

    def problems(self) -> dict[str, str]:
        """The details of the open problems, by kind."""
        return {problem.kind: problem.detail for problem in load_problems(self.conn)}

    def alert_steps(self) -> list[Step]:
        """Every step of every alert in the table, in order."""
        return self.conn.execute(
            "SELECT alert_id::text, seq, state, reason, observed_at, expected_value FROM alerts ORDER BY id"
        ).fetchall()

    def messages(self) -> list[dict[str, Any]]:
        """The entries of the alerts' stream, in order."""
        entries: Any = self.redis.xrange(streams.ALERTS_STREAM)
        return [msgspec.json.decode(fields[streams.ALERT_FIELD]) for _, fields in entries]

    def streamed_steps(self) -> list[tuple[str, int]]:
        """Alert and step of every entry of the alerts' stream, in order."""
        return [(message["alert_id"], message["seq"]) for message in self.messages()]

    def cut_connections(self) -> None:
        """End every scorer's session with the database, as a restarting server would."""
        self.conn.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND application_name = 'scorer'"
        )

    def assert_table(self, polls: Iterable[PollChanges]) -> None:
        """The table holds exactly what scoring these polls at once leads to."""
        expected = score_at_once(polls)
        assert expected
        assert self.alert_steps() == expected

    def assert_whole(self, polls: Iterable[PollChanges]) -> None:
        """The table and the stream both hold exactly that."""
        self.assert_table(polls)
        assert self.streamed_steps() == [step[:2] for step in self.alert_steps()]


def score_at_once(polls: Iterable[PollChanges]) -> list[Step]:
    """The alerts of a scorer that is never disturbed."""
    scorer = SportScorer(ScoringRules(threshold_edge=THRESHOLD))
    steps = [alert for changes in polls for alert in scorer.apply_poll(changes).alerts]
    return [
        (str(a.alert_id), a.seq, a.state, a.reason, to_datetime(a.observed_at), a.metrics.expected_value) for a in steps
    ]


def within(seconds: float, condition: Callable[[], bool]) -> Callable[[], bool]:
    """The condition, which has so long to come true."""
    deadline = time.monotonic() + seconds

    def check() -> bool:
        assert time.monotonic() < deadline, "it never came to hold"
        return condition()

    return check


def wait(condition: Callable[[], bool], seconds: float = 20) -> None:
    """Wait until something holds."""
    check = within(seconds, condition)
    while not check():
        time.sleep(0.02)
