"""The service outlives its servers: Redis emptied, killed or away, database connections cut."""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from edge_assets.store import streams
from serving.scorer import service as scorer_service
from serving.scorer.__main__ import open_session
from serving.scorer.service import run_forever
from tests.serving.scorer.desk import ScorerDesk, wait

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.servers.valkey import ValkeyServer


@contextmanager
def service(desk: ScorerDesk) -> Iterator[threading.Thread]:
    """The scorer's loop in a thread, told to stop at the end."""
    stop = threading.Event()
    settings = desk.settings()
    thread = threading.Thread(target=run_forever, args=(lambda stack: open_session(settings, stack), stop))
    thread.start()
    try:
        yield thread
    finally:
        stop.set()
        thread.join(10)
        assert not thread.is_alive()


def test_an_emptied_redis_is_filled_again(desk: ScorerDesk) -> None:
    polls = desk.history(8)
    with service(desk):
        desk.publish(*polls)
        wait(desk.settled)
        before = len(desk.story())
        desk.redis.flushall()
        polls += desk.history(8, seed=2)
        desk.publish(*polls[-4:])
        wait(desk.settled)
    desk.assert_table(polls)
    assert desk.streamed() == [step[:2] for step in desk.story()][before:]


def test_a_redis_that_is_killed_loses_nothing(database_url: str, own_redis: ValkeyServer) -> None:
    desk = ScorerDesk(database_url, own_redis.url)
    polls = desk.history(8)
    with service(desk):
        desk.publish(*polls)
        wait(desk.settled)
        own_redis.process.kill()
        polls += desk.history(8, seed=2)
        wait(desk.scored)
        assert not desk.settled()
        own_redis.process.start()
        wait(desk.settled)
    desk.assert_whole(polls)
    desk.close()


def test_cut_database_connections_are_made_anew(desk: ScorerDesk, caplog: pytest.LogCaptureFixture) -> None:
    polls = desk.history(8)
    with service(desk):
        wait(desk.settled)
        for seed in (2, 3):
            desk.cut_connections()
            more = desk.history(8, seed)
            desk.publish(*more)
            polls += more
            wait(desk.settled)
    desk.assert_whole(polls)
    assert "the scorer starts over" in caplog.text


def test_a_key_that_is_no_stream_is_told_and_in_nobodys_way(desk: ScorerDesk) -> None:
    desk.redis.set(streams.ODDS_CHANGES, "not a stream")
    polls = desk.history(4)
    with service(desk):
        wait(desk.scored)
        wait(lambda: "WRONGTYPE" in desk.problems().get("redis_unreachable", ""))
        desk.redis.delete(streams.ODDS_CHANGES)
        wait(desk.settled)
    desk.assert_whole(polls)
    assert desk.problems() == {}


def test_a_disk_that_is_full_for_a_while_ends_nothing(desk: ScorerDesk, monkeypatch: pytest.MonkeyPatch) -> None:
    """What fails cannot even be noted: nothing is written, neither an alert nor that there is none."""
    monkeypatch.setattr(scorer_service, "SECONDS_BEFORE_A_NEW_LIFE", 0.05)
    polls = desk.history(4)
    desk.conn.execute(
        "CREATE FUNCTION fill() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE disk_full USING MESSAGE = 'No space left on device'; END $$"
    )
    tables = ("scorer_progress", "scorer_failures", "problems")
    for table in tables:
        desk.conn.execute(f"CREATE TRIGGER fill BEFORE INSERT OR UPDATE ON {table} EXECUTE FUNCTION fill()")
    with service(desk) as thread:
        time.sleep(1)
        assert thread.is_alive()
        assert desk.progress() == 0
        for table in tables:
            desk.conn.execute(f"DROP TRIGGER fill ON {table}")
        wait(desk.settled)
    desk.assert_whole(polls)
    desk.conn.execute("DROP FUNCTION fill()")
