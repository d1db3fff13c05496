"""A sport that breaks costs its own alerts, for as long as it is broken, and no other's."""

from __future__ import annotations

import asyncio
import threading
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import redis.asyncio

from edge_assets.store import readers, status, streams
from edge_assets.store.scorer_failures import failing_sports
from edge_assets.store.vocabulary import Vocabulary
from ml.quotes import MarketTimes, QuoteBatch
from ml.scoring import ScoringRules
from serving.scorer.__main__ import open_session
from serving.scorer.failures import LONGEST_RETRY_SECONDS, FailingSports, describe_error
from serving.scorer.service import run_forever
from serving.scorer.sports import Sports
from tests.serving.scorer.desk import GENEROUS, THRESHOLD, ScorerDesk, in_one_go, wait

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ml.quotes import PollChanges

BROKEN = "icehockey_nhl"
NO_EVENT = 2**31 - 1
GARBAGE = b"not what was packed"


@pytest.fixture
def other(database_url: str, redis_url: str) -> Iterator[ScorerDesk]:
    """Another sport of the same database."""
    desk = ScorerDesk(database_url, redis_url, BROKEN)
    yield desk
    desk.close()


@pytest.fixture
def words(desk: ScorerDesk) -> Iterator[Vocabulary]:
    """The database's dictionaries."""
    vocabulary = Vocabulary.load(desk.conn)
    yield vocabulary
    vocabulary.close()


@contextmanager
def scoring(desk: ScorerDesk, **changes: Any) -> Iterator[None]:
    """The scorer's loop in a thread, which goes on whatever happens."""
    stop, settings = threading.Event(), desk.settings(**changes)
    ends: list[BaseException] = []

    def live() -> None:
        try:
            run_forever(lambda stack: open_session(settings, stack), stop)
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


def story(desk: ScorerDesk) -> list[Any]:
    """The steps of this desk's sport."""
    rows = desk.conn.execute(
        "SELECT alert_id::text, seq, state, reason, observed_at, expected_value FROM alerts "
        "WHERE sport_id = %s ORDER BY id", [desk.sport],
    )  # fmt: skip
    return rows.fetchall()


def progress(desk: ScorerDesk) -> int:
    """How far this desk's sport has come."""
    row = desk.conn.execute("SELECT poll_id FROM scorer_progress WHERE sport_id = %s", [desk.sport]).fetchone()
    return row[0] if row else 0


def garble(desk: ScorerDesk, poll: PollChanges, column: str = "market_times") -> bytes:
    """Spoil what the database has of a poll; return what it was."""
    [[was]] = desk.conn.execute(f"SELECT {column} FROM polls WHERE id = %s", [poll.poll_id]).fetchall()
    write(desk, poll, GARBAGE, column)
    return bytes(was)


def write(desk: ScorerDesk, poll: PollChanges, value: bytes, column: str = "market_times") -> None:
    desk.conn.execute(f"UPDATE polls SET {column} = %s WHERE id = %s", [value, poll.poll_id])


def test_a_sport_that_breaks_beside_a_clear_value_bet(desk: ScorerDesk, other: ScorerDesk) -> None:
    broken = other.poll()
    good = [desk.poll(), desk.generous()]
    was = garble(other, broken)
    with scoring(desk):
        wait(lambda: bool(story(desk)))
        later = [other.generous(), other.poll()]
        other.publish(*later)
        wait(lambda: failing_sports(desk.conn)[0].failures >= 2)
        assert story(desk) == in_one_go(good)
        assert (story(other), progress(other)) == ([], 0)
        [failure] = failing_sports(desk.conn)
        assert (failure.sport, failure.retry_at > failure.failed_at >= failure.failing_since) == (BROKEN, True)
        assert "ZstdError" in failure.error
        assert status.status(desk.conn)["failing"][0]["sport"] == BROKEN

        write(other, broken, was)
        wait(lambda: not failing_sports(desk.conn), 30)
        assert story(other) == in_one_go([broken, *later])
        good.append(desk.poll())
        desk.publish(good[-1])
        wait(lambda: progress(desk) == good[-1].poll_id)
        assert desk.streamed() == [step[:2] for step in desk.story()]
    assert failing_sports(desk.conn) == []


def with_unknown_event(poll: PollChanges, event: int) -> PollChanges:
    """The poll with an event's quotes once more, for an event that the database does not have."""
    columns = poll.quotes.take(poll.quotes.event == event).columns()
    again = (np.full_like(columns[0], NO_EVENT), *columns[1:])
    quotes = QuoteBatch(*(np.concatenate(pair) for pair in zip(poll.quotes.columns(), again, strict=True)))
    times = {tuple(row[:3]) + tuple(row[6:]) for row in zip(*(c.tolist() for c in quotes.columns()), strict=True)}
    markets = {(event, book, market, at) for event, book, market, at in times}
    return replace(poll, quotes=quotes, times=MarketTimes.of(markets))


def test_what_fails_halfway_is_done_over_and_told_once(desk: ScorerDesk, words: Vocabulary) -> None:
    """Of a step that the database refuses nothing stays, in memory neither; its poll is taken from the database."""
    sports = Sports(desk.conn, words, ScoringRules(threshold_edge=THRESHOLD), {"pinnacle": 1})
    polls = [desk.poll()]
    sports.score(polls[0])
    desk.offers = dict.fromkeys(desk.offers, (1.9, 1.9)) | {(0, 1): (GENEROUS, 1.75)}
    polls.append(desk.poll())
    assert not sports.score(with_unknown_event(polls[1], desk.events[0]))
    assert "ForeignKeyViolation" in failing_sports(desk.conn)[0].error
    assert (story(desk), progress(desk)) == ([], polls[0].poll_id)
    polls.append(desk.poll())
    assert not sports.score(polls[2])
    wait(lambda: sports.retry(None))
    assert story(desk) == in_one_go(polls)
    assert progress(desk) == polls[2].poll_id


def test_a_sport_that_cannot_be_restored_does_not_keep_the_others_from_starting(
    desk: ScorerDesk, other: ScorerDesk
) -> None:
    polls, others = [desk.poll(), desk.generous()], [other.poll(), other.generous()]
    desk.life(lambda: progress(desk) == polls[1].poll_id and progress(other) == others[1].poll_id)
    before = story(other)
    was = garble(other, others[1], "starts")
    desk.offers[0, 1] = 1.95, 1.95
    polls.append(desk.poll())
    with scoring(desk):
        wait(lambda: progress(desk) == polls[2].poll_id)
        wait(lambda: len(failing_sports(desk.conn)) == 1)
        assert (story(other), progress(other)) == (before, others[1].poll_id)
        write(other, others[1], was, "starts")
        wait(lambda: not failing_sports(desk.conn), 30)
    assert story(desk) == in_one_go(polls)
    assert story(other) == before


def test_a_sport_is_tried_again_although_others_never_pause(desk: ScorerDesk, other: ScorerDesk) -> None:
    broken = other.generous()
    was = garble(other, broken)
    with scoring(desk):
        wait(lambda: bool(failing_sports(desk.conn)))
        write(other, broken, was)

        def mended() -> bool:
            desk.publish(desk.history(1)[0])
            return not failing_sports(desk.conn)

        wait(mended, 30)
    assert progress(other) == broken.poll_id


def test_an_entry_that_is_no_poll_is_taken_from_the_database(
    desk: ScorerDesk, caplog: pytest.LogCaptureFixture
) -> None:
    polls = desk.history(6)

    async def send() -> None:
        async with redis.asyncio.Redis.from_url(desk.redis_url) as client:
            await streams.publish_changes(client, polls[0])
            for body in ({b"changes": GARBAGE}, {b"other": b"field"}):
                await client.xadd(streams.ODDS_CHANGES, body)  # type: ignore[arg-type]
            for changes in polls[1:]:
                await streams.publish_changes(client, changes)

    asyncio.run(send())
    with scoring(desk):
        wait(desk.settled)
    desk.assert_whole(polls)


def test_a_feed_that_empties_is_no_failure(desk: ScorerDesk) -> None:
    """Books go, events go, the feed answers []; the scorer is restarted in between."""
    polls = [desk.poll(), desk.generous()]
    desk.offers.clear()
    polls.append(desk.poll())
    events, desk.events = desk.events, []
    polls.append(desk.poll())
    desk.life()
    assert readers.changes(desk.conn, polls[-1].poll_id).starts.event.tolist() == []
    polls.append(desk.poll())
    desk.life()
    desk.events = events
    desk.offers = {(e, b): (1.95, 1.95) for e in range(2) for b in range(6)}
    polls += [desk.poll(), desk.generous()]
    desk.life()
    desk.assert_whole(polls)
    assert failing_sports(desk.conn) == []


def test_waits_grow_to_a_limit_and_outlive_the_scorer(desk: ScorerDesk) -> None:
    now = [0.0]
    failing, waits = FailingSports(desk.conn, lambda: now[0]), []
    for _ in range(12):
        failing.record(desk.sport, "nba", ValueError("odd"))
        assert failing.due() == []
        begun = now[0]
        while not failing.due():
            now[0] += 0.5
        waits.append(now[0] - begun)
    assert waits[:4] == [1, 2, 4, 8]
    assert waits[-1] == LONGEST_RETRY_SECONDS
    reborn = FailingSports(desk.conn, lambda: 0.0)
    assert reborn.due() == [desk.sport]
    reborn.record(desk.sport, "nba", ValueError("odd"))
    assert failing_sports(desk.conn)[0].failures == 13
    reborn.clear(desk.sport, "nba")
    assert (desk.sport in reborn, failing_sports(desk.conn)) == (False, [])


@pytest.mark.parametrize("said", ["", "a\0b", "x" * 9_000, "\ud83d half"], ids=["empty", "NUL", "long", "half"])
def test_whatever_an_error_says_can_be_stored(desk: ScorerDesk, said: str) -> None:
    FailingSports(desk.conn).record(desk.sport, "nba", ValueError(said))
    [failure] = failing_sports(desk.conn)
    assert failure.error == describe_error(ValueError(said))
    assert len(failure.error) < 300


def test_what_fails_as_time_passes_is_counted_up(desk: ScorerDesk, words: Vocabulary) -> None:
    """A sport is scored again only when its ticks succeed too; else every one would be the first failure."""
    sports = Sports(desk.conn, words, ScoringRules(threshold_edge=THRESHOLD), {"pinnacle": 1})
    polls = [desk.poll(), desk.generous()]
    for poll in sports.missed():
        sports.score_missed(poll)
    beyond = 2**63 - 1  # no time that the database can hold
    assert not sports.tick(beyond)
    wait(lambda: sports.retry(beyond))
    assert [failure.failures for failure in failing_sports(desk.conn)] == [2]
    wait(lambda: sports.retry(desk.now))
    assert failing_sports(desk.conn) == []
    assert story(desk) == in_one_go(polls)
