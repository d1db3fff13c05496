"""What health is judged by, read from the database."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from edge_assets.store.health.problems import ProblemKind, record_heartbeat, report_problem
from edge_assets.store.health.vital_signs import connect_with_timeout, load_health_snapshot, reset_health
from edge_assets.store.polls.credit_use import load_credit_use
from edge_assets.store.polls.credits import CreditStatement, write_credit_statement

if TYPE_CHECKING:
    from psycopg import Connection

NOON = datetime(2026, 3, 30, 12, tzinfo=UTC)
MIDNIGHT = NOON.replace(hour=0)


def poll(conn: Connection, sport: str, at: datetime, cost: int | None = None, left: int | None = None) -> int:
    conn.execute("INSERT INTO sports (key, title) VALUES (%s, %s) ON CONFLICT DO NOTHING", [sport, sport])
    [(poll_id,)] = conn.execute(
        """
        INSERT INTO polls (
            sport_id, feed, run_id, observed_at, received_at, quotes_seen, ticks, withdrawals, events, rejected,
            credits_last, credits_remaining, request_ms, body_bytes, market_times, starts
        )
        SELECT id, 'odds-api', 'r', %s, %s, 1, 1, 0, 1, '{"price_low": 2}', %s, %s, 1, 1, '', '' FROM sports
        WHERE key = %s RETURNING id
        """,
        [at, at, cost, left, sport],
    ).fetchall()
    return int(poll_id)


def test_the_newest_poll_of_each_sport_and_the_unscored_polls(conn: Connection) -> None:
    empty = load_health_snapshot(conn)
    assert (empty.feed, empty.last_poll_at, empty.unscored_polls, empty.unscored_since) == (None, None, 0, None)
    first = poll(conn, "nfl", NOON)
    poll(conn, "nfl", NOON + timedelta(seconds=60))
    conn.execute("INSERT INTO scorer_progress SELECT id, %s, %s FROM sports", [first, NOON])
    signs = load_health_snapshot(conn)
    [newest] = signs.newest_polls
    assert (newest.received_at, newest.scored_at) == (NOON + timedelta(seconds=60), NOON)
    assert (signs.unscored_polls, signs.unscored_since) == (1, NOON + timedelta(seconds=60))
    assert signs.feed == "odds-api"
    conn.execute(
        "INSERT INTO scorer_failures (sport_id, failures, failing_since, failed_at, retry_at, error) "
        "SELECT id, 1, %(at)s, %(at)s, %(at)s, 'boom' FROM sports",
        {"at": NOON},
    )
    signs = load_health_snapshot(conn)
    assert (signs.unscored_polls, signs.unscored_since) == (0, None)
    assert [failure.sport for failure in signs.scorer_failures] == ["nfl"]


def test_a_new_life_forgets_the_old_one(conn: Connection) -> None:
    record_heartbeat(conn, "scorer")
    report_problem(conn, ProblemKind.SERVICE_HANGS, "scorer", "-")
    reset_health(conn, "stack")
    signs = load_health_snapshot(conn)
    assert (set(signs.heartbeats), signs.problems) == ({"stack"}, [])


def test_credits_by_sport_today_and_in_the_last_day(conn: Connection) -> None:
    poll(conn, "nfl", NOON - timedelta(days=2), 6, 900)
    poll(conn, "nfl", MIDNIGHT - timedelta(hours=3), 6, 800)
    poll(conn, "nba", NOON - timedelta(hours=1), 6, 794)
    poll(conn, "nfl", NOON, 6, 788)
    write_credit_statement(conn, "odds-api", CreditStatement(NOON - timedelta(minutes=5), 794))
    use = load_credit_use(conn, "odds-api", NOON)
    assert use.today == {"nfl": 6, "nba": 6}
    assert use.recent == {"nfl": 12, "nba": 6}
    assert (use.remaining, use.stated_at) == (788, NOON)
    assert use.recent_since == MIDNIGHT - timedelta(hours=3)
    write_credit_statement(conn, "odds-api", CreditStatement(NOON + timedelta(seconds=2), 100))
    assert load_credit_use(conn, "odds-api", NOON).remaining == 100


def test_times_stated_by_a_clock_ahead_are_not_news(conn: Connection) -> None:
    hour = timedelta(hours=1)
    poll(conn, "nba", NOON, 6, 700)
    poll(conn, "nfl", NOON + hour, 6, 800)
    write_credit_statement(conn, "odds-api", CreditStatement(NOON + hour, 900))
    assert load_credit_use(conn, "odds-api", NOON).remaining == 700
    back = poll(conn, "nfl", NOON + hour + timedelta(microseconds=1), 6, 600)
    conn.execute("UPDATE polls SET received_at = %s WHERE id = %s", [NOON + timedelta(seconds=1), back])
    assert load_credit_use(conn, "odds-api", NOON + timedelta(seconds=1)).remaining == 600


def test_the_cost_of_failed_polls_counts_as_used(conn: Connection) -> None:
    poll(conn, "nfl", NOON, 6, 788)
    [sport] = conn.execute("INSERT INTO sports (key, title) VALUES ('nba', 'NBA') RETURNING id").fetchone() or ()
    for at in (NOON - timedelta(hours=1), MIDNIGHT - timedelta(hours=1)):
        write_credit_statement(conn, "odds-api", CreditStatement(at, 776, 12, sport))
    use = load_credit_use(conn, "odds-api", NOON)
    assert (use.today, use.recent) == ({"nfl": 6, "nba": 12}, {"nfl": 6, "nba": 24})


def test_no_statement_takes_longer_than_two_seconds(database_url: str) -> None:
    with connect_with_timeout(database_url, "test") as conn:
        assert conn.execute("SHOW statement_timeout").fetchone() == ("2s",)
