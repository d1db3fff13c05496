"""What waits for a result, who was asked, and who contradicts whom."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from edge_assets.reference.sources import Source
from edge_assets.store.events.result_polls import (
    ResultPoll,
    load_contradictions,
    load_last_result_polls,
    load_started_events,
    write_result_poll,
)
from edge_assets.store.events.results import StatedResult, write_results
from edge_assets.store.polls.dimensions import IdRegistry
from ml.settlement import GameReport, GameStatus, Score
from tests.support.poll_factories import NOON, START, StoreHarness

if TYPE_CHECKING:
    from psycopg import Connection

NFL = "americanfootball_nfl"
HOUR = timedelta(hours=1)


def test_started_events_know_their_results(harness: StoreHarness) -> None:
    first, second = harness.events
    report = GameReport.final(Score(1, 0), Score(1, 0))
    postponed = GameReport(GameStatus.POSTPONED)
    write_results(
        harness.conn,
        [
            StatedResult(first, Source.ESPN, START, report),
            StatedResult(second, Source.ESPN, START, postponed),
        ],
    )

    found = load_started_events(harness.conn, [NFL], START - HOUR, START)

    assert [(e.id, e.keys, e.sport, e.commence_at) for e in found] == [
        (first, ["e1"], NFL, START),
        (second, ["e2"], NFL, START),
    ]
    # what is postponed is still waited for
    assert [sorted(e.periods) for e in found] == [["full", "regulation"], []]


def test_other_sports_other_times_and_outrights_are_not_among_them(harness: StoreHarness, conn: Connection) -> None:
    words = IdRegistry.load(conn)
    words.event("winner", harness.sport, None, None, START, NOON)
    words.close()

    assert len(load_started_events(conn, [NFL], START - HOUR, START)) == 2
    assert load_started_events(conn, ["icehockey_nhl"], START - HOUR, START) == []
    assert load_started_events(conn, [NFL], START, START + HOUR) == []
    assert load_started_events(conn, [NFL], START - HOUR, START - HOUR / 2) == []


def test_a_result_poll_is_stored_once(harness: StoreHarness) -> None:
    poll = ResultPoll(NFL, Source.ODDS_API, NOON, 3, 2, 1, {"unknown_team": 4}, None, 2)
    failed = ResultPoll(NFL, Source.ESPN, NOON + HOUR, failure="EspnStatusError: ESPN answered 503")
    for one in (poll, poll, failed):
        write_result_poll(harness.conn, one, "run-1")

    assert load_last_result_polls(harness.conn) == {(NFL, "odds-api"): NOON, (NFL, "espn"): NOON + HOUR}
    query = "SELECT games, new, contradicted_events, rejected, failure, credits_last, run_id FROM result_polls"
    assert harness.conn.execute(f"{query} ORDER BY observed_at").fetchall() == [
        (3, 2, 1, {"unknown_team": 4}, None, 2, "run-1"),
        (0, 0, 0, {}, "EspnStatusError: ESPN answered 503", None, "run-1"),
    ]


def test_contradictions_list_each_source_and_its_score(harness: StoreHarness) -> None:
    event, other = harness.events
    stated = [
        StatedResult(event, Source.ESPN, NOON, GameReport.final(Score(2, 1))),
        StatedResult(event, Source.ODDS_API, NOON + HOUR, GameReport.final(Score(2, 2))),
        StatedResult(other, Source.ESPN, NOON, GameReport.final(Score(0, 0))),
    ]
    write_results(harness.conn, stated)

    [found] = load_contradictions(harness.conn)

    assert (found.event_id, found.period, found.home_team) == (event, "full", "Seattle Seahawks")
    assert found.statements == ["espn final 2-1", "odds-api final 2-2"]
