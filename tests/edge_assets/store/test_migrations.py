"""The schema is the same wherever it comes up."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import psycopg
from alembic.script import ScriptDirectory

from edge_assets.store.alerts import alert_log
from edge_assets.store.health.totals import load_status
from edge_assets.store.polls import as_of
from edge_assets.store.polls.writer import get_partitions
from edge_assets.store.postgres.database import connect, ensure_database, load_database_info
from edge_assets.store.postgres.schema import MIGRATIONS_DIR, upgrade

if TYPE_CHECKING:
    from pathlib import Path

    import pytest
    from psycopg import Connection

    from tests.support.servers.postgres import PostgresServer

COLUMNS = """
SELECT table_name, column_name, data_type, is_nullable FROM information_schema.columns
WHERE table_schema = 'public' AND table_name !~ '_[0-9]{8}$' AND table_name <> 'alembic_version'
ORDER BY table_name, ordinal_position
"""


NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
BEFORE = (
    (
        "INSERT INTO events (key, sport_id, commence_at, original_commence_at, first_seen_at) "
        "VALUES ('x', %(sport)s, %(at)s, %(at)s, %(at)s)"
    ),
    (
        "INSERT INTO odds_ticks (observed_at, poll_id, price, event_id, outcome_id, point, book_id, market_id) VALUES "
        "(%(at)s, 1, NULL, 1, 4, 3.5, %(book)s, 4), (%(at)s, 1, 1.7, 1, 4, 2.5, %(book)s, 4), "
        "(%(at)s, 1, NULL, 1, 4, 4.5, %(book)s, 4)"
    ),
    (
        "INSERT INTO aggregate_ticks (observed_at, poll_id, price, event_id, outcome_id, market_id, kind) "
        "VALUES (%(at)s, 1, NULL, 1, 1, 1, 'max')"
    ),
    (
        "INSERT INTO quarantined_ticks "
        "(observed_at, poll_id, price, event_id, outcome_id, point, book_id, market_id, kind, check_name, reason) "
        "VALUES (%(at)s, 1, 5.5, 1, 4, 3.5, %(book)s, 4, NULL, 'palpable_price', 'x'), "
        "(%(at)s, 1, 9.5, 1, 1, NULL, NULL, 1, 'max', 'best_price', 'x')"
    ),
)


def test_both_engines_have_the_same_names_and_types(
    postgres_server: PostgresServer, timescale_server: PostgresServer
) -> None:
    found = []
    for server in (postgres_server, timescale_server):
        url = ensure_database(server.url, "same_names")
        upgrade(url)
        with connect(url, "test") as conn:
            found.append(conn.execute(COLUMNS).fetchall())

    assert found[0] == found[1]
    assert {"odds_ticks", "polls", "payloads", "alerts", "alert_messages"} <= {row[0] for row in found[0]}


def test_ticks_carry_one_index(conn: Connection) -> None:
    names = conn.execute("SELECT indexname FROM pg_indexes WHERE tablename = 'odds_ticks'").fetchall()

    assert names == [("odds_ticks_event",)]


def test_a_password_with_every_sign_reaches_the_server(server: PostgresServer) -> None:
    with psycopg.connect(server.url, autocommit=True) as conn:
        conn.execute("CREATE ROLE guest SUPERUSER LOGIN PASSWORD 'p%s/@:?#'")
        url = server.url.replace("postgres@", "guest:p%25s%2F%40%3A%3F%23@", 1)
        upgrade(ensure_database(url, "of_a_guest"))
        conn.execute("DROP DATABASE of_a_guest")
        conn.execute("DROP ROLE guest")


def test_the_schema_is_migrated_from_any_folder(
    server: PostgresServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    url = ensure_database(server.url, "elsewhere")

    upgrade(url)

    with connect(url, "test") as conn:
        newest = ScriptDirectory(str(MIGRATIONS_DIR)).get_current_head()
        assert conn.execute("SELECT version_num FROM alembic_version").fetchone() == (newest,)


def test_prices_that_were_quarantined_are_back_as_they_were_seen(server: PostgresServer) -> None:
    """Until 0012 a quarantined tick had lost its price."""
    url = ensure_database(server.url, "quarantined")
    upgrade(url, "0012")
    with connect(url, "test") as conn:
        sport = conn.execute("INSERT INTO sports (key, title) VALUES ('soccer_epl', 'EPL') RETURNING id").fetchone()
        book = conn.execute("INSERT INTO books (key, title) VALUES ('acme', 'Acme') RETURNING id").fetchone()
        assert sport is not None
        assert book is not None
        get_partitions(conn).ensure_day(conn, NOON)
        values = {"sport": sport[0], "book": book[0], "at": NOON}
        for statement in BEFORE:
            conn.execute(statement, values)
    upgrade(url)
    with connect(url, "test") as conn:
        assert conn.execute("SELECT point, price FROM odds_ticks ORDER BY point, price").fetchall() == [
            (2.5, 1.7),
            (3.5, 5.5),
            (4.5, None),
        ]
        assert conn.execute("SELECT point, price FROM clean_ticks ORDER BY point, price").fetchall() == [
            (2.5, 1.7),
            (3.5, None),
            (4.5, None),
        ]
        assert conn.execute("SELECT price FROM aggregate_ticks").fetchall() == [(9.5,)]
        assert conn.execute("SELECT price FROM clean_aggregates").fetchall() == [(None,)]


def test_a_warehouse_that_was_built_keeps_its_rows_under_the_new_names(server: PostgresServer) -> None:
    url = ensure_database(server.url, "terminology")
    upgrade(url, "0019")
    with connect(url, "test") as conn:
        for statement in (
            "INSERT INTO sports (key, title) VALUES ('soccer_epl', 'EPL')",
            """INSERT INTO result_looks (sport_id, source, observed_at, run_id, games, new, contradicted_events)
            SELECT id, 'espn', now(), 'run', 3, 2, 0 FROM sports""",
            "CREATE SCHEMA analytics",
            "CREATE TABLE analytics.features AS SELECT 7 AS event_id, 'close' AS moment",
            "CREATE VIEW analytics.int_moments_stamped AS SELECT moment FROM analytics.features",
            "CREATE TABLE analytics.closing_coverage AS SELECT '1.2' AS stamp, 'stale' AS outcome_of_close",
            # what a user may have made there
            """CREATE TABLE analytics."Mine" (moment int, decision_point int, stamp int) PARTITION BY LIST (moment)""",
            """CREATE TABLE analytics.mine_1 PARTITION OF analytics."Mine" FOR VALUES IN (1)""",
            "CREATE VIEW analytics.my_clock AS SELECT now() AS stamp",
        ):
            conn.execute(statement)
    upgrade(url)
    with connect(url, "test") as conn:
        assert conn.execute("SELECT games, new FROM result_polls").fetchall() == [(3, 2)]
        assert conn.execute("SELECT event_id, decision_point FROM analytics.event_features").fetchall() == [
            (7, "close")
        ]
        query = "SELECT decision_point FROM analytics.int_decisions_with_pricing_version"
        assert conn.execute(query).fetchall() == [("close",)]
        query = "SELECT fingerprint, close_result FROM analytics.closing_coverage"
        assert conn.execute(query).fetchall() == [("1.2", "stale")]
        conn.execute("""SELECT moment, decision_point, stamp FROM analytics."Mine" """)
        conn.execute("SELECT stamp FROM analytics.my_clock")


def test_timescaledb_that_is_installed_but_not_loaded_is_none(
    unloaded_timescale_server: PostgresServer,
) -> None:
    upgrade(unloaded_timescale_server.url)

    with connect(unloaded_timescale_server.url, "test") as conn:
        assert load_database_info(conn).engine == "PostgreSQL"


HISTORY = (
    (
        "INSERT INTO events (key, sport_id, commence_at, original_commence_at, first_seen_at) "
        "VALUES ('x', %(sport)s, %(at)s, %(at)s, %(at)s)"
    ),
    "INSERT INTO imports (format, path, sha256) VALUES ('odds-ticks', 'x', '\\x00')",
    (
        "INSERT INTO polls (sport_id, feed, run_id, observed_at, received_at, quotes_seen, ticks, withdrawals, events, "
        "rejected, request_ms, body_bytes, market_times, starts, published_at, import_id) "
        "SELECT %(sport)s, 'simulate', 'r', %(at)s + n * interval '1 minute', %(at)s, 10, 2, 1, 1, "
        "'{\"stale\": 2}', 1, 1, '', '', CASE WHEN n < 3 THEN %(at)s END, CASE WHEN n = 2 THEN 1 END "
        "FROM generate_series(1, 4) AS n"
    ),
    (
        "INSERT INTO alerts (sport_id, alert_id, seq, state, kind, event_id, market_id, expected_value, books, "
        "price_age_s, observed_at, poll_id, tick_poll_id, published_at, detection_latency_ms) "
        "SELECT %(sport)s, md5(alert::text)::uuid, seq, state, 'value', 1, 1, 0.1, 4, 1, %(at)s, 1, 1, published, "
        "CASE WHEN published IS NOT NULL THEN 12.5 END "
        "FROM (VALUES (1, 0, 'opened', %(at)s), (2, 0, 'opened', %(at)s), (1, 1, 'closed', %(at)s), "
        "(2, 1, 'updated', NULL)) AS n (alert, seq, state, published)"
    ),
    "INSERT INTO suppressions VALUES (1, 'thin', 3), (3, 'thin', 1)",
    (
        "INSERT INTO results (event_id, observed_at, source, period, status, home_score, away_score) VALUES "
        "(1, %(at)s, 'espn', 'full', 'final', 1, 0), (1, %(at)s, 'odds-api', 'full', 'final', 2, 0)"
    ),
)


def test_what_was_counted_open_and_owed_is_carried_over(server: PostgresServer) -> None:
    """Until 0018 all of it was asked of the history."""
    url = ensure_database(server.url, "carried_over")
    upgrade(url, "0016")
    with connect(url, "test") as conn:
        sport = conn.execute("INSERT INTO sports (key, title) VALUES ('soccer_epl', 'EPL') RETURNING id").fetchone()
        assert sport is not None
        for statement in HISTORY:
            conn.execute(statement, {"sport": sport[0], "at": NOON})
    upgrade(url)
    with connect(url, "test") as conn:
        counts = load_status(conn)
        assert [counts[key] for key in ("payloads", "quotes_seen", "ticks", "withdrawals")] == [4, 40, 8, 4]
        assert (counts["alerts_opened"], counts["alerts_open"], counts["contradicted_results"]) == (2, 1, 1)
        assert (counts["rejected"], counts["suppressed"]) == ({"stale": 8}, {"thin": 4})
        assert conn.execute("SELECT poll_id FROM poll_outbox ORDER BY 1").fetchall() == [(3,), (4,)]
        assert conn.execute("SELECT id FROM alert_outbox").fetchall() == [(4,)]
        assert [m["id"] for m in alert_log.load_open_alert_messages(conn, "value")] == [4]
        assert [
            (m["id"], m["detection_latency_ms"], m["late_s"]) for m in alert_log.load_messages_since(conn, 2, 10)
        ] == [
            (3, 12.5, None),
            (4, None, None),
        ]
        assert [poll.poll_id for poll in as_of.load_unscored_polls(conn)] == [1, 3, 4]
