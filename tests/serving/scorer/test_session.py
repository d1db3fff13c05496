"""Lives of the scorer: whatever ends one, the next goes on as if nothing had happened."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING

import psycopg
import pytest

from edge_assets.store import readers, streams
from serving.scorer.__main__ import open_session
from serving.scorer.link import StreamLink
from tests.serving.scorer.desk import wait

if TYPE_CHECKING:
    from ml.quotes import PollChanges
    from tests.serving.scorer.desk import ScorerDesk


def test_a_published_poll_becomes_an_alert_in_table_and_stream(desk: ScorerDesk) -> None:
    polls = [desk.poll(), desk.generous()]
    desk.publish(*polls)

    desk.life()

    desk.assert_whole(polls)
    (message,) = [m for m in desk.messages() if m["kind"] == "value"]
    assert (message["state"], message["book"], message["outcome"], message["price"]) == (
        "opened", "fanduel", "home", 2.2,
    )  # fmt: skip
    assert (message["poll_id"], message["tick_poll_id"]) == (polls[1].poll_id, polls[1].poll_id)
    assert message["detection_latency_ms"] > 0
    assert message["late_s"] is None


def test_polls_are_scored_as_they_come(desk: ScorerDesk) -> None:
    polls: list[PollChanges] = []

    def another() -> bool:
        polls.extend(desk.history(1, seed=len(polls)))
        desk.publish(polls[-1])
        return len(polls) == 12

    desk.life(another)

    desk.assert_whole(polls[:-1])


def test_lives_in_a_row_tell_one_story(desk: ScorerDesk) -> None:
    polls = []
    for seed in range(4):
        part = desk.history(8, seed)
        desk.publish(*part)
        desk.life()
        polls += part
        desk.assert_whole(polls)
    assert {step[2] for step in desk.story()} == {"opened", "updated", "closed"}


def test_what_the_stream_has_lost_comes_from_the_database(desk: ScorerDesk) -> None:
    polls = desk.history(10)
    desk.publish(*polls[:5])
    desk.life(lambda: desk.progress() >= polls[4].poll_id)
    desk.redis.delete(streams.ODDS_CHANGES)

    desk.life()

    desk.assert_whole(polls)


def test_entries_that_came_twice_or_late_are_skipped(desk: ScorerDesk) -> None:
    polls = desk.history(10)
    desk.publish(*polls, *polls[3:6])
    desk.life()
    again = iter([*polls, desk.poll()])

    def repeat() -> bool:
        """Publish what was scored long ago, then something new."""
        if changes := next(again, None):
            desk.publish(changes)
        return changes is None and desk.settled()

    desk.life(repeat)
    desk.assert_table([*polls, readers.changes(desk.conn, desk.progress())])


def test_what_the_stream_skips_is_scored_first(desk: ScorerDesk) -> None:
    """Trimmed, or lost with an emptied Redis, under the eyes of a scorer whose connection stays."""
    polls = desk.history(2)
    skipping = iter(range(3))

    def skip() -> bool:
        if next(skipping, None) is not None:
            polls.extend(desk.history(3, seed=len(polls)))
            desk.redis.flushall()
            desk.publish(polls[-1])
        return desk.settled()

    desk.life(skip)
    desk.assert_table(polls)


def test_alerts_that_were_committed_but_not_announced_are_announced(
    desk: ScorerDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    def die(*_: object) -> None:
        raise psycopg.OperationalError

    polls = desk.history(10)
    desk.publish(*polls)
    with ExitStack() as stack, monkeypatch.context() as patch:
        session = open_session(desk.settings(), stack)
        patch.setattr(StreamLink, "announce", lambda _: die() if desk.story() else None)
        with pytest.raises(psycopg.OperationalError):
            session.run(lambda: False)
    assert desk.story()
    assert desk.streamed() == []

    desk.life()

    desk.assert_whole(polls)


def test_time_closes_alerts_without_a_poll(desk: ScorerDesk) -> None:
    desk.start_in(1.5)
    polls = [desk.poll(), desk.generous()]
    desk.publish(*polls)

    desk.life(lambda: {step[3] for step in desk.story()} == {None, "started"}, edge_feed="simulate")

    closed = [step for step in desk.story() if step[2] == "closed"]
    assert len(closed) == len(desk.story()) / 2
    assert desk.settled()
    assert desk.streamed() == [step[:2] for step in desk.story()]


def test_in_a_replay_only_polls_move_the_time(desk: ScorerDesk) -> None:
    desk.start_in(0.5)
    desk.publish(desk.poll(), desk.generous())
    desk.life()
    before = desk.story()
    waits = iter([False, False, True])

    desk.life(lambda: next(waits))

    assert desk.story() == before


def test_a_second_scorer_waits_for_the_first(desk: ScorerDesk) -> None:
    polls = desk.history(5)
    with ExitStack() as first:
        open_session(desk.settings(), first)
        with desk.process() as second:
            wait(lambda: desk.waiting() == 1)
            assert second.poll() is None
            assert desk.progress() == 0
            first.close()
            wait(desk.settled)
    desk.assert_whole(polls)
