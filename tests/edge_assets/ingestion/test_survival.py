"""Unusable responses, clock changes, cancelled runs: polling goes on, and the problem is reported."""

from __future__ import annotations

import asyncio
import gzip
import json
import shutil
import threading
from collections import deque
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest

from edge_assets.core.clock import WallClock
from edge_assets.core.lost_polls import RESERVED_FILE_BYTES, read_all
from edge_assets.core.settings import Settings
from edge_assets.feeds.http_bodies import MAX_BODY_BYTES
from edge_assets.feeds.odds_api import transport
from edge_assets.feeds.odds_api.limits import MAX_BOOKS_PER_EVENT, MAX_PARTS
from edge_assets.feeds.odds_api.quota import Quota, Spending
from edge_assets.health.assessment import assess_lost_polls
from edge_assets.ingestion import burst, cadence, run_watch, session
from edge_assets.ingestion.burst import BurstRequest, run_burst
from edge_assets.ingestion.cadence import SMALLEST_PLAN_CREDITS
from edge_assets.ingestion.context import NullController
from edge_assets.ingestion.planning import BurstPlan, SkipBurst, plan_burst
from edge_assets.ingestion.sensor_heartbeat import write_sensor_heartbeat
from edge_assets.ingestion.sensor_state import load_sensor_state
from edge_assets.store.health.problems import ProblemKind, load_heartbeats, load_problems, report_problem
from edge_assets.store.polls.dimensions import IdRegistry
from edge_assets.store.postgres.database import connect
from ml.scoring import ScoringRules
from serving.scorer.sports import SportScorers
from tests.edge_assets.feeds.odds_api.conftest import running
from tests.support.feed_stand_in import COST, StandIn, answer, game, live
from tests.support.replayed_feed import NFL, rows
from tests.support.scripted_server import Scripted, error

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from edge_assets.ingestion.report import SportReport

PRICES = """SELECT e.key, t.price FROM odds_ticks t JOIN events e ON e.id = t.event_id
JOIN outcomes o ON o.id = t.outcome_id WHERE o.name = 'home' ORDER BY t.observed_at"""
SPENT = "SELECT coalesce((SELECT sum(credits_last) FROM polls), 0) + (SELECT sum(spent) FROM credit_statements)"


@pytest.fixture
def feed() -> StandIn:
    """The stand-in server."""
    return StandIn()


@pytest.fixture
def settings(feed: StandIn, database_url: str, redis_url: str) -> Iterator[Settings]:
    """Settings of the live feed, pointed at the stand-in."""
    with running(feed) as url:
        yield live(database_url, redis_url, url)


@pytest.fixture
def short_intervals(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shorten the minimum interval and the check of the controller to half a second."""
    monkeypatch.setattr(cadence, "MIN_INTERVAL_SECONDS", 0.5)
    monkeypatch.setattr(run_watch, "CHECK_INTERVAL_SECONDS", 0.2)


async def play(settings: Settings, seconds: float = 1.0, run: str = "r1") -> SportReport:
    [report] = await run_burst(BurstRequest(run, (NFL,), seconds, 0.0), settings)
    return report


async def play_all(feed: StandIn, settings: Settings, run: str = "r1") -> SportReport:
    """A burst until the last scripted response has been consumed."""
    [report] = await run_burst(BurstRequest(run, (NFL,), 120.0, 0.0, feed), settings)
    assert report.end_reason == "the run was cancelled"
    return report


def problems(settings: Settings) -> dict[str, str]:
    with closing(connect(settings.require_database_url(), "test")) as connection:
        return {problem.kind: problem.detail for problem in load_problems(connection) if problem.subject == NFL}


async def test_an_unreadable_response_is_backed_off_across_bursts(feed: StandIn, settings: Settings) -> None:
    feed.answers.append(Scripted(b'[{"id": "cut o'))
    feed.answers.popleft()
    report = await play(settings)
    assert (len(feed.asked), report.credits_used) == (2, 2 * COST)
    assert rows(settings.require_database_url(), SPENT) == [(feed.credits_used,)]
    assert "InvalidJsonError" in problems(settings)["feed_answer_unusable"]
    now = datetime.now(UTC)
    facts = load_sensor_state(settings, now)
    assert isinstance(plan_burst(now, facts.sports, [], facts.terms, facts.budget), SkipBurst)
    again = await play(settings, run="r2")
    assert (len(feed.asked), again.end_reason.startswith("next poll in ")) == (2, True), "not polled again at once"


async def test_a_small_plan_lasts_when_the_feed_breaks_on_its_first_day(feed: StandIn, settings: Settings) -> None:
    """No sport is known yet and every response is charged: they are retried at an even pace."""
    feed.answers = deque([Scripted(b'[{"id": "cut o')])
    feed.credits = SMALLEST_PLAN_CREDITS
    sports = Settings().edge_sports
    everything = settings.model_copy(update={"edge_sports": sports})
    reports = await run_burst(BurstRequest("r1", sports, 3.0, 0.0), everything)
    assert [report.end_reason.startswith("next poll in ") for report in reports] == [True] * len(sports)
    assert feed.credits_used == 2 * COST * len(sports), "a response and its repeat"
    [(wait,)] = rows(settings.require_database_url(), "SELECT min(retry_at - failed_at) FROM feed_failures")
    now = datetime.now(UTC)
    left = cadence.CreditBudget.from_statement(now, None).month_end - now
    assert feed.credits_used * (left / wait) <= SMALLEST_PLAN_CREDITS - feed.credits_used


async def test_without_credits_the_feed_is_asked_once_an_hour_for_free(feed: StandIn, settings: Settings) -> None:
    feed.credits = COST
    report = await play(settings)
    assert (report.end_reason, feed.asked) == ("no credits left this month", [])
    assert problems(settings) == {"out_of_credits": "no credits left this month"}
    now = datetime.now(UTC)
    facts = load_sensor_state(settings, now)
    assert isinstance(plan_burst(now, facts.sports, [], facts.terms, facts.budget), SkipBurst)
    later = now + timedelta(hours=1)
    assert isinstance(plan_burst(later, facts.sports, [], facts.terms, facts.budget), BurstPlan)
    feed.credits, feed.answers = 20_000, deque([answer(game())])
    rows(settings.require_database_url(), "UPDATE feed_failures SET retry_at = now() RETURNING 1")
    assert (await play(settings, run="r2")).polls == 1, "a larger plan was bought"
    assert problems(settings) == {}
    assert load_sensor_state(settings, now).sports[0].retry_at is None


async def test_a_paid_response_is_stored_when_the_database_is_back(
    feed: StandIn, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session, "RECONNECT_TIMEOUT_SECONDS", 0.2)
    feed.answers = deque([Scripted(answer(game()).body, delay=1.0)])
    burst_run = asyncio.create_task(play(settings, 30.0))
    while not feed.asked:
        assert not burst_run.done()
        await asyncio.sleep(0.05)
    with unreachable(settings.require_database_url()):
        await asyncio.sleep(2.0)
        assert not burst_run.done()
    report = await burst_run
    assert (report.polls, report.failure, len(feed.asked)) == (1, None, 1)
    assert len(rows(settings.require_database_url(), PRICES)) == 1


@contextmanager
def unreachable(url: str) -> Iterator[None]:
    """Refuse connections to the database, and drop the existing ones."""
    parts = urlsplit(url)
    name = parts.path.removeprefix("/")
    with psycopg.connect(urlunsplit(parts._replace(path="/postgres")), autocommit=True) as admin:
        admin.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS false')
        admin.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [name])
        try:
            yield
        finally:
            admin.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS true')


async def test_failures_that_a_full_disk_hid_are_reported_later(
    feed: StandIn, settings: Settings, short_intervals: None, database_url: str
) -> None:
    feed.answers = deque([answer(game(price=price)) for price in (1.7, 1.8, 1.9)])
    with closing(connect(database_url, "test")) as conn:
        conn.execute(FULL)
        burst_run = asyncio.create_task(play_all(feed, settings))
        while len(feed.asked) < 2:
            assert not burst_run.done()
            await asyncio.sleep(0.05)
        conn.execute("DROP FUNCTION disk_is_full CASCADE")
    report = await burst_run
    assert "failed polls that could not be recorded, " in problems(settings)["poll_not_stored"]
    assert report.errors["DiskFull"] >= 1
    assert rows(database_url, SPENT) == [(report.credits_used,)]


async def test_a_burst_that_dies_on_a_full_disk_leaves_a_record_for_the_next(
    feed: StandIn, settings: Settings, short_intervals: None, database_url: str, tmp_path: Path
) -> None:
    homely = settings.model_copy(update={"edge_home": tmp_path})
    feed.answers = deque([answer(game(price=price)) for price in (1.7, 1.8)])
    with closing(connect(database_url, "test")) as conn:
        conn.execute(FULL)
        burst_run = asyncio.create_task(play_all(feed, homely))
        while not (lost := read_all(homely.lost_polls)):
            assert not burst_run.done()
            await asyncio.sleep(0.02)
        [finding] = assess_lost_polls(lost)
        assert (finding.kind, finding.subject) == ("poll_not_stored", NFL)
        assert "no space left on device" in finding.detail
        shutil.copytree(homely.lost_polls, tmp_path / "as_left")
        conn.execute("DROP FUNCTION disk_is_full CASCADE")
        await burst_run
        for reported in ("problems", "credit_statements", "feed_failures"):
            conn.execute(f"DELETE FROM {reported}")
    shutil.copytree(tmp_path / "as_left", homely.lost_polls, dirs_exist_ok=True)  # the state after kill -9
    async with burst._open_context(homely) as context:
        next_session = session.SportSession(NFL, BurstRequest("r2", (NFL,), 60.0, 0.0), context)
        assert next_session.try_acquire()
        next_session.close()
    assert "no space left on device" in problems(homely)["poll_not_stored"]
    assert read_all(homely.lost_polls) == {}
    assert rows(database_url, "SELECT sum(spent) FROM credit_statements") == [(COST * len(lost[NFL]),)]


async def test_a_response_waiting_for_the_database_is_reported_if_its_burst_dies(
    settings: Settings, tmp_path: Path
) -> None:
    homely = settings.model_copy(update={"edge_home": tmp_path})
    async with burst._open_context(homely) as context:
        waiting = session.SportSession(NFL, BurstRequest("r1", (NFL,), 60.0, 0.0), context)
        waiting.note_waiting(datetime.now(UTC), Spending(COST, 1), Quota(COST, COST, 900))
    [lost] = read_all(homely.lost_polls)[NFL]
    assert (lost.credits, lost.remaining) == (COST, 900)
    file = next(homely.lost_polls.iterdir())
    assert file.stat().st_size == RESERVED_FILE_BYTES, "overwritten in place, in reserved blocks"
    write_sensor_heartbeat(homely, datetime.now(UTC), None)
    assert NFL in read_all(homely.lost_polls)
    write_sensor_heartbeat(homely.model_copy(update={"edge_sports": ("cricket",)}), datetime.now(UTC), None)
    assert read_all(homely.lost_polls) == {}, "records of a sport no longer polled would never be cleared"


FULL = """
CREATE FUNCTION disk_is_full() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION 'no space left on device' USING ERRCODE = 'disk_full'; END $$;
CREATE TRIGGER full_polls BEFORE INSERT ON polls FOR EACH ROW EXECUTE FUNCTION disk_is_full();
CREATE TRIGGER full_failures BEFORE INSERT ON feed_failures FOR EACH ROW EXECUTE FUNCTION disk_is_full();
"""


async def test_a_hung_orchestrator_is_called_once_and_heartbeats_go_on(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Hanging(NullController):
        asked, back = 0, threading.Event()

        def is_wanted(self) -> bool:
            self.asked += 1
            return not self.back.wait(30)

    monkeypatch.setattr(run_watch, "ANSWER_TIMEOUT_SECONDS", 2.0)
    orderer = Hanging()
    async with burst._open_context(settings) as context:
        looking = run_watch.BurstMonitor(BurstRequest("r1", (NFL,), 60.0, 0.0, orderer), context)
        await looking.check()
        await looking.check()
        assert (orderer.asked, context.cancelled.is_set()) == (1, False)
        with closing(connect(settings.require_database_url(), "test")) as connection:
            assert load_heartbeats(connection)["burst"].detail["run_id"] == "r1"
        orderer.back.set()
        await asyncio.sleep(0.1)
        await looking.check()
        assert (orderer.asked, context.cancelled.is_set()) == (2, True)


async def test_a_response_may_add_only_a_few_books(
    feed: StandIn, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Book ids are scarce, and a response with an invented book for each event would use them up."""
    monkeypatch.setattr(session, "NEW_BOOK_LIMITS", (0, 2))
    [pinnacle] = game()["bookmakers"]
    feed.answers = deque([answer(game(bookmakers=[pinnacle, *({**pinnacle, "key": f"b{i}"} for i in range(3))]))])
    await play(settings)
    shown = rows(settings.require_database_url(), "SELECT DISTINCT book_id FROM odds_ticks")
    assert (len(shown), problems(settings)) == (2, {"answer_parts_rejected": "2 too_many_new_books"})


async def test_a_good_poll_clears_the_problems(feed: StandIn, settings: Settings, short_intervals: None) -> None:
    feed.answers.extend([error(401, "INVALID_KEY", "not valid"), answer(game())])
    feed.answers.popleft()
    refused = await play(settings)
    assert refused.failure is not None
    assert set(problems(settings)) == {"key_refused"}
    url = settings.require_database_url()
    rows(url, "UPDATE feed_failures SET retry_at = now() RETURNING 1")
    report = await play(settings, run="r2")
    assert (report.polls >= 1, report.failure) == (True, None)
    assert problems(settings) == {}
    assert rows(url, "SELECT count(*) FROM feed_failures") == [(0,)]


async def test_rejected_parts_are_shown_until_a_sound_response(
    feed: StandIn, settings: Settings, short_intervals: None
) -> None:
    feed.answers.extend([answer(game(), game(2, id="x" * 3_000)), answer(game(price=1.8))])
    feed.answers.popleft()
    await play(settings, 0.5)
    assert problems(settings) == {"answer_parts_rejected": "1 text_too_long"}
    await play_all(feed, settings, "r2")
    assert problems(settings) == {}


class Ahead(WallClock):
    """A clock that is fast, by an hour."""

    def __init__(self, lead: timedelta = timedelta(hours=1)) -> None:
        self.lead = lead

    def now(self) -> datetime:
        return super().now() + self.lead


async def test_a_clock_set_back_is_reported_and_polling_goes_on(
    feed: StandIn, settings: Settings, short_intervals: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Alerts come too: prices are as old as they were when received."""
    fair, starts = game(2), f"{datetime.now(UTC) + timedelta(minutes=9):%Y-%m-%dT%H:%M:%SZ}"
    [one] = fair["bookmakers"]
    dear = json.loads(json.dumps(one).replace("1.9", "2.9"))
    books = [{**one, "key": key} for key in ("pinnacle", "betonlineag", "fanduel", "draftkings", "betmgm")]
    offered = {**fair, "commence_time": starts, "bookmakers": [*books, {**dear, "key": "bovada"}]}
    feed.answers.extend([answer(game(price=1.7)), answer(game(price=1.8)), answer(game(price=1.9), offered)])
    feed.answers.popleft()
    with monkeypatch.context() as fast:
        fast.setattr(burst, "create_feed_clock", lambda _: Ahead())
        await play(settings, 0.5)
    assert "60 minutes ahead of the feed's" in problems(settings)["clock_changed"]
    report = await play_all(feed, settings, "r2")
    assert report.polls >= 2
    url = settings.require_database_url()
    assert [price for _, price in rows(url, PRICES)][:3] == [1.7, 1.8, 1.9]
    observed = [at for (at,) in rows(url, "SELECT observed_at FROM polls ORDER BY id")]
    assert observed == sorted(set(observed))
    assert "the clock was set back" in problems(settings)["clock_changed"]
    assert alerts_of(url) == {"bovada"}


async def test_under_a_clock_a_year_ahead_nothing_is_stored_and_polling_recovers(
    feed: StandIn, settings: Settings, short_intervals: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Such polls would come after all of the year, and retention would count days from them."""
    feed.answers.append(answer(game()))
    feed.answers.popleft()
    with monkeypatch.context() as fast:
        fast.setattr(burst, "create_feed_clock", lambda _: Ahead(timedelta(days=365)))
        await play(settings, 0.5)
    url = settings.require_database_url()
    assert rows(url, "SELECT FROM polls") == []
    assert "ahead of the feed's: prices are not stored until it is right" in problems(settings)["clock_changed"]
    assert (await play(settings, 4.0, "r2")).polls >= 1
    assert problems(settings) == {}
    assert feed.credits_used == rows(url, SPENT)[0][0]


def alerts_of(url: str) -> set[str]:
    """The books with value alerts or likely errors, scored from all polls."""
    with closing(connect(url, "test")) as connection, closing(IdRegistry.load(connection)) as words:
        sports = SportScorers(connection, words, ScoringRules(), {}, is_live=True)
        for poll in sports.unscored_polls():
            sports.score_from_database(poll)
        assert not sports.failing
        opened = "SELECT b.key FROM alerts a JOIN books b ON b.id = a.book_id WHERE a.state = 'opened'"
        return {key for (key,) in connection.execute(opened)}


async def test_a_cancelled_run_stops_polling(feed: StandIn, settings: Settings) -> None:
    class Cancelled:
        def is_wanted(self) -> bool:
            return False

        def mark_started(self) -> None:
            raise AssertionError

        mark_polled = mark_started

    [report] = await run_burst(BurstRequest("r1", (NFL,), 60.0, 0.0, Cancelled()), settings)
    assert (report.end_reason, report.failure, feed.asked) == ("the run was cancelled", None, [])


async def test_a_burst_sends_heartbeats_and_goes_on_without_an_orchestrator(feed: StandIn, settings: Settings) -> None:
    class Unreachable:
        def is_wanted(self) -> bool:
            raise ConnectionError

        def mark_started(self) -> None:
            raise ConnectionError

        mark_polled = mark_started

    feed.answers.append(answer(game()))
    feed.answers.popleft()
    [report] = await run_burst(BurstRequest("r1", (NFL,), 1.0, 0.0, Unreachable()), settings)
    assert report.polls == 1
    with closing(connect(settings.require_database_url(), "test")) as connection:
        detail = load_heartbeats(connection)["burst"].detail
    assert (detail["run_id"], detail["sports"]) == ("r1", [NFL])


async def test_the_sensor_reports_failed_runs_and_clears_old_clock_jumps(feed: StandIn, settings: Settings) -> None:
    feed.answers.append(answer(game()))
    feed.answers.popleft()
    await play(settings)
    now, url = datetime.now(UTC), settings.require_database_url()
    shown = "SELECT kind, subject FROM problems ORDER BY 1"
    write_sensor_heartbeat(settings, now, load_sensor_state(settings, now), failed_run="run 1234 failed: why")
    assert rows(url, shown) == [("run_failed", "odds_burst")]
    with closing(connect(url, "test")) as connection:
        report_problem(connection, ProblemKind.CLOCK_CHANGED, "machine", "it jumped")
    write_sensor_heartbeat(settings, now, load_sensor_state(settings, now))
    assert rows(url, shown) == [("clock_changed", "machine")], "a jump is shown for minutes"
    write_sensor_heartbeat(settings, now + timedelta(minutes=3), load_sensor_state(settings, now))
    assert rows(url, shown) == []


def deep(levels: int) -> bytes:
    """An event with deep nesting, next to a good one."""
    good = json.dumps(game(price=1.8)).encode()
    return b"[" + good + b', {"id": "y", "odd": ' + b"[" * levels + b"]" * levels + b"}]"


GZIPPED = {"content-encoding": "gzip"}
WHOLE: dict[str, Callable[[], Scripted]] = {
    "cut off": lambda: Scripted(b'[{"id": "cut o'),
    "a page": lambda: Scripted(b"<html>maintenance</html>"),
    "another shape": lambda: Scripted(b'{"hello": 1}'),
    "a bomb of 734 MB": lambda: Scripted(gzip.compress(b" " * 2**20) * 734 + gzip.compress(b"[]"), headers=GZIPPED),
    "too long": lambda: Scripted(b" " * (MAX_BODY_BYTES + 1)),
    "parts without end": lambda: Scripted(b"[" + b"{}," * MAX_PARTS + b"{}]"),
    "drips": lambda: Scripted(b"[]" * 100, bytes_a_second=5.0),
    "another encoding": lambda: Scripted(b"[]", headers={"content-encoding": "br"}),
    "no encoding": lambda: Scripted(b"[]", headers=GZIPPED),
    "breaks off": lambda: Scripted(b"[", declared_length=100),
    "down": lambda: error(503, "", "down"),
    "too many": lambda: error(429, "EXCEEDED_FREQ_LIMIT", "slow", retry_after="3600"),
    "a refusal without end": lambda: Scripted(b"x" * 2**20, 500),
}
NEARBY: dict[str, Callable[[], Scripted]] = {
    "a key of 3 KB": lambda: answer(game(price=1.8), game(2, bookmakers=[{"key": "k" * 3_000, "markets": []}])),
    "an id of 3 KB": lambda: answer(game(price=1.8), game(2, id="k" * 3_000)),
    "a team of 3 KB": lambda: answer(game(price=1.8), game(2, home_team="k" * 3_000)),
    "nesting": lambda: Scripted(deep(50_000)),
    "keys without number": lambda: answer(game(price=1.8) | {f"k{i}": 0 for i in range(300_000)}),
    "a key of 1 MB": lambda: answer(game(price=1.8) | {"k" * 1_000_000: 0}),
    "half a character": lambda: answer(game(price=1.8), game(2, home_team="\ud83d")),
    "a number without end": lambda: Scripted(answer(game(price=1.8)).body[:-1] + b', {"id": ' + b"9" * 9_000 + b"}]"),
    "too many books": lambda: answer(
        game(price=1.8), game(2, bookmakers=[{"key": f"b{i}", "markets": []} for i in range(MAX_BOOKS_PER_EVENT + 350)])
    ),
}


@pytest.mark.chaos
@pytest.mark.parametrize("make", WHOLE.values(), ids=WHOLE.keys())
async def test_a_hostile_response_costs_one_interval(
    feed: StandIn,
    settings: Settings,
    short_intervals: None,
    monkeypatch: pytest.MonkeyPatch,
    make: Callable[[], Scripted],
) -> None:
    """None of it is stored or withdrawn, its cost is counted, and the next good response is stored in time."""
    monkeypatch.setattr(transport, "REQUEST_TIMEOUT_SECONDS", 2.0)
    monkeypatch.setattr("edge_assets.ingestion.backoff.MAX_RETRY_SECONDS", 1.0)
    feed.answers.extend([answer(game(price=1.7)), make(), answer(game(price=1.8))])
    feed.answers.popleft()
    report = await play_all(feed, settings)
    url = settings.require_database_url()
    assert rows(url, PRICES)[:2] == [(f"{1:032x}", 1.7), (f"{1:032x}", 1.8)]
    assert report.credits_used <= feed.credits_used
    assert rows(url, SPENT)[0][0] == report.credits_used
    assert problems(settings) == {}


@pytest.mark.chaos
@pytest.mark.parametrize("make", NEARBY.values(), ids=NEARBY.keys())
async def test_the_good_event_next_to_a_hostile_part_is_stored(
    feed: StandIn, settings: Settings, make: Callable[[], Scripted]
) -> None:
    feed.answers.append(make())
    feed.answers.popleft()
    report = await play(settings)
    url = settings.require_database_url()
    assert (report.polls, len(feed.asked), report.credits_used) == (1, 1, COST)
    assert (f"{1:032x}", 1.8) in rows(url, PRICES)
    assert rows(url, SPENT) == [(COST,)]
