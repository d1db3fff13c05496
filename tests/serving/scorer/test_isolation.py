"""A sport that fails loses its own alerts while it fails, and no other sport's."""

from __future__ import annotations

import asyncio
import threading
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import redis.asyncio

from edge_assets.store.alerts import streams
from edge_assets.store.health import totals
from edge_assets.store.health.scorer_failures import load_scorer_failures
from edge_assets.store.polls import as_of
from edge_assets.store.polls.dimensions import IdRegistry
from ml.quotes import MarketConfirmations, QuoteBatch
from ml.scoring import ScoringRules
from serving.scorer.__main__ import open_worker
from serving.scorer.failures import MAX_RETRY_SECONDS, FailingSports, describe_error
from serving.scorer.service import run_forever
from serving.scorer.sports import SportScorers
from tests.support.scorer_harness import GENEROUS, THRESHOLD, ScorerHarness, score_at_once, wait

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ml.quotes import PollChanges

BROKEN = "icehockey_nhl"
NO_EVENT = 2**31 - 1
GARBAGE = b"not what was packed"


@pytest.fixture
def other(database_url: str, redis_url: str) -> Iterator[ScorerHarness]:
    """Another sport in the same database."""
    harness = ScorerHarness(database_url, redis_url, BROKEN)
    yield harness
    harness.close()


@pytest.fixture
def words(harness: ScorerHarness) -> Iterator[IdRegistry]:
    """The ids in the database."""
    vocabulary = IdRegistry.load(harness.conn)
    yield vocabulary
    vocabulary.close()


@contextmanager
def scoring(harness: ScorerHarness, **changes: Any) -> Iterator[None]:
    """The scorer's loop in a thread, which must survive every error."""
    stop, settings = threading.Event(), harness.settings(**changes)
    ends: list[BaseException] = []

    def live() -> None:
        try:
            run_forever(lambda stack: open_worker(settings, stack), stop)
        except BaseException as error:
            ends.append(error)
            raise

    thread = threading.Thread(target=live)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(10)
    assert not thread.is_alive()
    assert not ends


def story(harness: ScorerHarness) -> list[Any]:
    """The steps of this harness's sport."""
    rows = harness.conn.execute(
        "SELECT alert_id::text, seq, state, reason, observed_at, expected_value FROM alerts "
        "WHERE sport_id = %s ORDER BY id", [harness.sport],
    )  # fmt: skip
    return rows.fetchall()


def progress(harness: ScorerHarness) -> int:
    """The last scored poll of this harness's sport."""
    row = harness.conn.execute("SELECT poll_id FROM scorer_progress WHERE sport_id = %s", [harness.sport]).fetchone()
    return row[0] if row else 0


def garble(harness: ScorerHarness, poll: PollChanges, column: str = "market_times") -> bytes:
    """Corrupt a stored column of a poll; return its former value."""
    [[was]] = harness.conn.execute(f"SELECT {column} FROM polls WHERE id = %s", [poll.poll_id]).fetchall()
    write(harness, poll, GARBAGE, column)
    return bytes(was)


def write(harness: ScorerHarness, poll: PollChanges, value: bytes, column: str = "market_times") -> None:
    harness.conn.execute(f"UPDATE polls SET {column} = %s WHERE id = %s", [value, poll.poll_id])


def test_a_failing_sport_does_not_delay_the_value_bet_of_another(harness: ScorerHarness, other: ScorerHarness) -> None:
    broken = other.poll()
    good = [harness.poll(), harness.raise_price()]
    was = garble(other, broken)
    with scoring(harness):
        wait(lambda: bool(story(harness)))
        later = [other.raise_price(), other.poll()]
        other.publish(*later)
        wait(lambda: load_scorer_failures(harness.conn)[0].failures >= 2)
        assert story(harness) == score_at_once(good)
        assert (story(other), progress(other)) == ([], 0)
        [failure] = load_scorer_failures(harness.conn)
        assert (failure.sport, failure.retry_at > failure.failed_at >= failure.failing_since) == (BROKEN, True)
        assert "ZstdError" in failure.error
        assert totals.load_status(harness.conn)["failing"][0]["sport"] == BROKEN

        write(other, broken, was)
        wait(lambda: not load_scorer_failures(harness.conn), 30)
        assert story(other) == score_at_once([broken, *later])
        good.append(harness.poll())
        harness.publish(good[-1])
        wait(lambda: progress(harness) == good[-1].poll_id)
        assert harness.streamed_steps() == [step[:2] for step in harness.alert_steps()]
    assert load_scorer_failures(harness.conn) == []


def with_unknown_event(poll: PollChanges, event: int) -> PollChanges:
    """The poll with an event's quotes repeated for an event that is not in the database."""
    columns = poll.quotes.take(poll.quotes.event == event).columns()
    again = (np.full_like(columns[0], NO_EVENT), *columns[1:])
    quotes = QuoteBatch(*(np.concatenate(pair) for pair in zip(poll.quotes.columns(), again, strict=True)))
    times = {tuple(row[:3]) + tuple(row[6:]) for row in zip(*(c.tolist() for c in quotes.columns()), strict=True)}
    markets = {(event, book, market, at) for event, book, market, at in times}
    return replace(poll, quotes=quotes, confirmations=MarketConfirmations.from_rows(markets))


def test_a_step_that_fails_halfway_is_repeated_and_published_once(harness: ScorerHarness, words: IdRegistry) -> None:
    """A step that the database refuses leaves nothing behind, even in memory; its poll is read from the database."""
    sports = SportScorers(harness.conn, words, ScoringRules(threshold_edge=THRESHOLD), {"pinnacle": 1})
    polls = [harness.poll()]
    sports.score(polls[0])
    harness.offers = dict.fromkeys(harness.offers, (1.9, 1.9)) | {(0, 1): (GENEROUS, 1.75)}
    polls.append(harness.poll())
    assert not sports.score(with_unknown_event(polls[1], harness.events[0]))
    assert "ForeignKeyViolation" in load_scorer_failures(harness.conn)[0].error
    assert (story(harness), progress(harness)) == ([], polls[0].poll_id)
    polls.append(harness.poll())
    assert not sports.score(polls[2])
    wait(lambda: sports.retry(None))
    assert story(harness) == score_at_once(polls)
    assert progress(harness) == polls[2].poll_id


def test_a_sport_that_cannot_be_restored_does_not_block_the_others(
    harness: ScorerHarness, other: ScorerHarness
) -> None:
    polls, others = [harness.poll(), harness.raise_price()], [other.poll(), other.raise_price()]
    harness.run_scorer(lambda: progress(harness) == polls[1].poll_id and progress(other) == others[1].poll_id)
    before = story(other)
    was = garble(other, others[1], "starts")
    harness.offers[0, 1] = 1.95, 1.95
    polls.append(harness.poll())
    with scoring(harness):
        wait(lambda: progress(harness) == polls[2].poll_id)
        wait(lambda: len(load_scorer_failures(harness.conn)) == 1)
        assert (story(other), progress(other)) == (before, others[1].poll_id)
        write(other, others[1], was, "starts")
        wait(lambda: not load_scorer_failures(harness.conn), 30)
    assert story(harness) == score_at_once(polls)
    assert story(other) == before


def test_a_failing_sport_is_retried_even_while_others_are_busy(harness: ScorerHarness, other: ScorerHarness) -> None:
    broken = other.raise_price()
    was = garble(other, broken)
    with scoring(harness):
        wait(lambda: bool(load_scorer_failures(harness.conn)))
        write(other, broken, was)

        def is_mended() -> bool:
            harness.publish(harness.poll_lively_market(1)[0])
            return not load_scorer_failures(harness.conn)

        wait(is_mended, 30)
    assert progress(other) == broken.poll_id


def test_polls_are_scored_despite_invalid_stream_entries(
    harness: ScorerHarness, caplog: pytest.LogCaptureFixture
) -> None:
    polls = harness.poll_lively_market(6)

    async def send() -> None:
        async with redis.asyncio.Redis.from_url(harness.redis_url) as client:
            await streams.publish_changes(client, polls[0])
            for body in ({b"changes": GARBAGE}, {b"other": b"field"}):
                await client.xadd(streams.CHANGES_STREAM, body)  # type: ignore[arg-type]
            for changes in polls[1:]:
                await streams.publish_changes(client, changes)

    asyncio.run(send())
    with scoring(harness):
        wait(harness.is_settled)
    harness.assert_whole(polls)


def test_an_empty_feed_is_not_a_failure(harness: ScorerHarness) -> None:
    """Books disappear, events disappear, the feed returns []; the scorer is restarted in between."""
    polls = [harness.poll(), harness.raise_price()]
    harness.offers.clear()
    polls.append(harness.poll())
    events, harness.events = harness.events, []
    polls.append(harness.poll())
    harness.run_scorer()
    assert as_of.load_poll_changes(harness.conn, polls[-1].poll_id).starts.event.tolist() == []
    polls.append(harness.poll())
    harness.run_scorer()
    harness.events = events
    harness.offers = {(e, b): (1.95, 1.95) for e in range(2) for b in range(6)}
    polls += [harness.poll(), harness.raise_price()]
    harness.run_scorer()
    harness.assert_whole(polls)
    assert load_scorer_failures(harness.conn) == []


def test_retry_delays_grow_to_a_limit_and_survive_a_restart(harness: ScorerHarness) -> None:
    now = [0.0]
    failing, waits = FailingSports(harness.conn, lambda: now[0]), []
    for _ in range(12):
        failing.record(harness.sport, "nba", ValueError("odd"))
        assert failing.due_sports() == []
        started = now[0]
        while not failing.due_sports():
            now[0] += 0.5
        waits.append(now[0] - started)
    assert waits[:4] == [1, 2, 4, 8]
    assert waits[-1] == MAX_RETRY_SECONDS
    reborn = FailingSports(harness.conn, lambda: 0.0)
    assert reborn.due_sports() == [harness.sport]
    reborn.record(harness.sport, "nba", ValueError("odd"))
    assert load_scorer_failures(harness.conn)[0].failures == 13
    reborn.clear(harness.sport, "nba")
    assert (harness.sport in reborn, load_scorer_failures(harness.conn)) == (False, [])


@pytest.mark.parametrize("message", ["", "a\0b", "x" * 9_000, "\ud83d half"], ids=["empty", "NUL", "long", "half"])
def test_any_error_message_can_be_stored(harness: ScorerHarness, message: str) -> None:
    FailingSports(harness.conn).record(harness.sport, "nba", ValueError(message))
    [failure] = load_scorer_failures(harness.conn)
    assert failure.error == describe_error(ValueError(message))
    assert len(failure.error) < 300


def test_failing_ticks_are_counted_in_a_row(harness: ScorerHarness, words: IdRegistry) -> None:
    """A failure is cleared only when the tick succeeds too; otherwise each one would count as the first."""
    sports = SportScorers(harness.conn, words, ScoringRules(threshold_edge=THRESHOLD), {"pinnacle": 1})
    polls = [harness.poll(), harness.raise_price()]
    for poll in sports.unscored_polls():
        sports.score_from_database(poll)
    beyond = 2**63 - 1  # a time that the database cannot store
    assert not sports.tick(beyond)
    wait(lambda: sports.retry(beyond))
    assert [failure.failures for failure in load_scorer_failures(harness.conn)] == [2]
    wait(lambda: sports.retry(harness.now))
    assert load_scorer_failures(harness.conn) == []
    assert story(harness) == score_at_once(polls)
