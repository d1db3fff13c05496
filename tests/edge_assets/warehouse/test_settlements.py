"""How the warehouse settles results: by rules, not where sources contradict, and as a person decides."""

from __future__ import annotations

import json
from contextlib import closing
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from typer.testing import CliRunner

from edge_assets.cli import app
from edge_assets.reference.sources import Source
from edge_assets.store.events.result_decisions import DecidedScore, decide_result
from edge_assets.store.events.results import StatedResult, write_results
from edge_assets.store.polls.dimensions import IdRegistry
from edge_assets.store.postgres.database import connect
from edge_assets.warehouse.ratings import rate_teams
from edge_assets.warehouse.settlements import settle_matches
from ml.quotes import Market, Outcome
from ml.settlement import BetStatus, GameReport, GameStatus, Score, ScorePeriod
from tests.support.poll_factories import NOON
from tests.support.random_histories import Season

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from psycopg import Connection

    from tests.support.dbt_build import Warehouse

HOUR = timedelta(hours=1)
SOCCER, HOCKEY, TENNIS = "soccer_epl", "icehockey_nhl", "tennis_atp"
H2H, THREE_WAY = Market.H2H, Market.H2H_3_WAY
ESPN, ODDS_API = Source.ESPN, Source.ODDS_API


@pytest.fixture
def conn(database_url: str) -> Iterator[Connection]:
    with closing(connect(database_url, "test")) as connection:
        yield connection


def store_game(conn: Connection, sport: str, *message: tuple[Source, int, GameReport], key: str = "e") -> int:
    """Store a game with results that sources state, so many hours after noon."""
    with closing(IdRegistry.load(conn)) as ids:
        event = ids.event(key, ids.sport(sport), f"Home {key}", f"Away {key}", NOON, NOON)
    write_results(conn, [StatedResult(event, source, NOON + h * HOUR, report) for source, h, report in message])
    return event


def store_decision(conn: Connection, event: int, hour: int, home: int, away: int, *periods: ScorePeriod) -> None:
    scores = [DecidedScore(period, GameStatus.FINAL, Score(home, away)) for period in periods]
    decide_result(conn, event, scores, at=NOON + hour * HOUR, by="ada", reason="the league's report")


def spells(conn: Connection, event: int, market: Market) -> list[tuple[BetStatus, Outcome | None, int, int | None]]:
    """Status, winner, and from which hour to which."""
    settle_matches(conn)
    query = """
    SELECT verdict_id, winner_id, known_at, superseded_at FROM pricing.settlements
    WHERE event_id = %s AND market_id = %s ORDER BY known_at
    """

    def hour(at: datetime | None) -> int | None:
        return None if at is None else (at - NOON) // HOUR

    return [
        (BetStatus(verdict), winner and Outcome(winner), hour(known) or 0, hour(until))
        for verdict, winner, known, until in conn.execute(query, [event, int(market)])
    ]


def final(home: int, away: int, regulation: Score | None = None) -> GameReport:
    return GameReport.final(Score(home, away), regulation)


def test_a_wrong_second_source_settles_nothing_until_a_person_decides(conn: Connection) -> None:
    event = store_game(conn, HOCKEY, (ESPN, 1, final(3, 1)), (Source.NFL_BMR, 2, final(3, 1)))
    assert spells(conn, event, H2H) == [(BetStatus.SETTLED, Outcome.HOME, 1, None)]

    write_results(conn, [StatedResult(event, ODDS_API, NOON + 3 * HOUR, final(1, 3))])
    contradicted = [(BetStatus.SETTLED, Outcome.HOME, 1, 3), (BetStatus.CONTRADICTED, None, 3, None)]
    assert spells(conn, event, H2H) == contradicted

    store_decision(conn, event, 4, 3, 1, ScorePeriod.FULL)
    store_decision(conn, event, 5, 1, 3, ScorePeriod.FULL)
    assert spells(conn, event, H2H) == [
        contradicted[0],
        (BetStatus.CONTRADICTED, None, 3, 4),
        (BetStatus.SETTLED, Outcome.HOME, 4, 5),
        (BetStatus.SETTLED, Outcome.AWAY, 5, None),
    ]


def test_only_the_contradicted_period_is_open(conn: Connection) -> None:
    message = [(ESPN, 1, final(3, 2, Score(2, 2))), (ODDS_API, 2, final(2, 3, Score(2, 2)))]
    event = store_game(conn, HOCKEY, *message)
    assert spells(conn, event, H2H)[-1][0] is BetStatus.CONTRADICTED
    assert spells(conn, event, THREE_WAY) == [(BetStatus.SETTLED, Outcome.DRAW, 1, None)]


def test_three_way_markets_need_regulation_and_an_unstated_period_settles_nothing(conn: Connection) -> None:
    overtime = store_game(conn, HOCKEY, (ESPN, 1, final(3, 2)))
    assert spells(conn, overtime, THREE_WAY) == [(BetStatus.NO_SCORE, None, 1, None)]
    assert spells(conn, overtime, H2H) == [(BetStatus.SETTLED, Outcome.HOME, 1, None)]
    unclear = store_game(conn, SOCCER, (ODDS_API, 1, GameReport(GameStatus.FINAL, unstated=Score(2, 1))), key="cup")
    assert spells(conn, unclear, THREE_WAY) == [(BetStatus.NO_SCORE, None, 1, None)]


def test_unknown_rules_settle_what_every_rule_would(conn: Connection) -> None:
    """For tennis the rules of no book are known."""
    certain = store_game(conn, TENNIS, (ESPN, 1, final(2, 1, Score(2, 1))))
    assert spells(conn, certain, H2H) == [(BetStatus.SETTLED, Outcome.HOME, 1, None)]
    uncertain = store_game(conn, TENNIS, (ESPN, 1, final(2, 1)), key="other")
    assert spells(conn, uncertain, H2H) == [(BetStatus.UNKNOWN_RULES, None, 1, None)]


def test_games_not_played_or_still_to_come_have_no_winner(conn: Connection) -> None:
    off, later = GameReport(GameStatus.NOT_PLAYED), GameReport(GameStatus.POSTPONED)
    event = store_game(conn, HOCKEY, (ESPN, 1, later), (ESPN, 2, off))
    assert spells(conn, event, H2H) == [(BetStatus.PENDING, None, 1, 2), (BetStatus.VOID, None, 2, None)]


def test_no_results_give_no_settlements(conn: Connection) -> None:
    assert settle_matches(conn) == 0
    assert rate_teams(conn) == 0


def test_ratings_drop_a_game_once_it_is_contradicted(conn: Connection) -> None:
    event = store_game(conn, HOCKEY, (ESPN, 1, final(3, 1)), (ODDS_API, 2, final(1, 3)))
    store_decision(conn, event, 3, 3, 1, ScorePeriod.FULL)
    rate_teams(conn)
    rows = conn.execute("SELECT known_at, games, form FROM pricing.team_ratings WHERE outcome_id = 1 ORDER BY step")
    assert [((at - NOON) // HOUR, games, form) for at, games, form in rows] == [(1, 1, 1.0), (2, 0, None), (3, 1, 1.0)]


@pytest.mark.untraced
def test_builds_leave_out_a_contradicted_game_and_report_it(
    warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", warehouse.url)
    with closing(connect(warehouse.url, "test")) as conn:
        season = Season(conn, 0, np.random.default_rng(7))
        season.watch(14)
        season.report(ESPN, [(2, 1)] * 5)
        warehouse.build("book_quality", "int_winners_settled")
        settled = winners(warehouse)
        assert {winner for event, winner in settled.items()} == {"home"}
        before = count_scored_closes(warehouse)
        # the first game may start before any book has a price on it
        season.report(ODDS_API, [(2, 1), (2, 1), (1, 2)], season.now)
        warehouse.build("book_quality", "int_winners_settled")
        [lost] = settled.keys() - winners(warehouse).keys()
        assert count_scored_closes(warehouse) < before
        report = run_edge("warehouse", "report")
        assert [entry["contradicted"] for entry in report["events"]] == [1]
        unsettled = {(row["market"], row["verdict"]): row["games"] for row in report["unsettled"]}
        assert unsettled["h2h", "contradicted"] == 1
        assert run_edge("warehouse", "accuracy")["excluded"] == {"contradicted": 1}
        run_edge("results", "decide", str(lost), "--score", "1-2", "--reason", "the league's report")
    warehouse.build("book_quality", "int_winners_settled")
    assert winners(warehouse) == settled | {lost: "away"}
    assert count_scored_closes(warehouse) == before
    assert run_edge("warehouse", "accuracy")["excluded"] == {}


def winners(warehouse: Warehouse) -> dict[int, str]:
    rows = warehouse.rows("SELECT event_id, winner FROM int_winners_settled WHERE market = 'h2h'")
    return {row["event_id"]: row["winner"] for row in rows}


def count_scored_closes(warehouse: Warehouse) -> int:
    [row] = warehouse.rows("SELECT sum(scored_closes)::integer AS closes FROM book_quality")
    return int(row["closes"])


def run_edge(*ids: str) -> Any:
    found = CliRunner().invoke(app, [*ids, "--json"])
    assert found.exit_code == 0, found.output
    return json.loads(found.stdout)
