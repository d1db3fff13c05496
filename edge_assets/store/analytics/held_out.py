"""Holding findings' data out of the warehouse, and admitting it again.

`held_out_polls` lists what is held out by poll, so that readers of ticks need one lookup. It is derived from findings
and decisions; `update_held_out_polls` brings it up to date.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from psycopg.rows import scalar_row

from edge_assets.store.events.results import update_contradicted_events

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from psycopg import Connection

GATE_NAME = "quality gate"
"""The author of automatic decisions."""
DELETE_HELD_OUT_POLLS = """
DELETE FROM held_out_polls AS h USING quality_findings_at('infinity') AS f
WHERE h.finding_id = f.id AND (NOT f.is_held OR f.id = ANY(%(without)s))
"""
INSERT_HELD_OUT_POLLS = """
INSERT INTO held_out_polls (poll_id, finding_id, season, book_id, kind, market_id)
SELECT p.id, f.id, f.season, f.book_id, f.kind, f.market_id
FROM quality_findings_at('infinity') AS f
INNER JOIN polls AS p
    ON
        (f.import_id IS NULL OR f.import_id = p.import_id) AND (f.sport_id IS NULL OR f.sport_id = p.sport_id)
        AND (f.feed IS NULL OR f.feed = p.feed)
WHERE f.is_held AND f.id <> ALL(%(without)s)
ON CONFLICT DO NOTHING
"""
SELECT_CHANGED_FINDINGS = """
SELECT f.id FROM quality_findings_at('infinity') AS f INNER JOIN quality_findings AS m ON f.id = m.id
WHERE f.is_held <> m.was_held
"""
SELECT_TICKS_OF_FINDINGS = """
SELECT p.id AS poll_id, f.id AS finding_id, t.event_id, t.market_id, t.book_id, t.kind
FROM quality_findings AS f
INNER JOIN polls AS p
    ON
        (f.import_id IS NULL OR f.import_id = p.import_id) AND (f.sport_id IS NULL OR f.sport_id = p.sport_id)
        AND (f.feed IS NULL OR f.feed = p.feed)
INNER JOIN (
    SELECT observed_at, poll_id, event_id, market_id, book_id, NULL AS kind FROM odds_ticks
    UNION ALL
    SELECT observed_at, poll_id, event_id, market_id, NULL, kind FROM aggregate_ticks
) AS t ON p.id = t.poll_id AND p.observed_at = t.observed_at
INNER JOIN events AS e ON t.event_id = e.id
INNER JOIN sports AS s ON e.sport_id = s.id
WHERE
    f.id = ANY(%(findings)s)
    AND (f.season IS NULL OR f.season = season_of(s.key, e.original_commence_at))
    AND (f.market_id IS NULL OR f.market_id = t.market_id)
    AND (num_nonnulls(f.book_id, f.kind) = 0 OR f.book_id = t.book_id OR f.kind = t.kind)
"""
COUNT_TICKS_OF_FINDINGS = f"SELECT count(*), count(DISTINCT event_id) FROM ({SELECT_TICKS_OF_FINDINGS}) AS t"
DELETE_PRICED_POLLS = f"""
WITH touched AS ({SELECT_TICKS_OF_FINDINGS})
DELETE FROM pricing.priced_polls AS d
WHERE
    d.poll_id IN (SELECT poll_id FROM touched)
    OR d.poll_id IN (
        SELECT p.id FROM polls AS p INNER JOIN quality_findings AS f ON p.import_id = f.import_id
        WHERE f.id = ANY(%(findings)s)
    )
"""
"""An import's polls without ticks count too: without them, other polls were the last before a moment."""
DELETE_KEYFRAMES = """
DELETE FROM keyframes AS k
USING (
    SELECT p.sport_id, p.feed, min(p.observed_at) AS since
    FROM quality_findings AS f INNER JOIN polls AS p ON f.import_id = p.import_id
    WHERE f.id = ANY(%(findings)s) GROUP BY p.sport_id, p.feed
) AS n
WHERE k.sport_id = n.sport_id AND k.feed = n.feed AND k.observed_at >= n.since
"""
UPDATE_WAS_HELD = """
UPDATE quality_findings AS m SET was_held = f.is_held
FROM quality_findings_at('infinity') AS f WHERE m.id = f.id AND m.id = ANY(%(findings)s)
"""
RELEASE_QUARANTINED_TICKS = """
UPDATE quarantined_ticks AS q SET released_at = clock_timestamp(), released_by = %(by)s
FROM quality_findings AS f, polls AS p, events AS e, sports AS s
WHERE
    f.id = %(finding)s AND q.released_at IS NULL AND q.poll_id = p.id AND q.event_id = e.id AND e.sport_id = s.id
    AND (f.import_id IS NULL OR f.import_id = p.import_id) AND (f.sport_id IS NULL OR f.sport_id = p.sport_id)
    AND (f.feed IS NULL OR f.feed = p.feed)
    AND (f.season IS NULL OR f.season = season_of(s.key, e.original_commence_at))
    AND (f.market_id IS NULL OR f.market_id = q.market_id)
    AND (num_nonnulls(f.book_id, f.kind) = 0 OR f.book_id = q.book_id OR f.kind = q.kind)
    AND NOT f.checks <@ %(not_of_prices)s
"""
REOPEN_IMPORTS = """
UPDATE imports AS i SET finished_at = NULL
FROM quality_findings AS f INNER JOIN imports AS w ON f.import_id = w.id
WHERE
    f.id = %s AND i.id <> w.id AND i.format = w.format AND i.finished_at > w.begun_at
    AND i.id NOT IN (SELECT h.import_id FROM held_out_imports AS h)
    AND EXISTS (
        SELECT FROM results AS ours INNER JOIN results AS theirs ON ours.event_id = theirs.event_id
        WHERE ours.import_id = w.id AND theirs.import_id = i.id
        UNION ALL
        SELECT FROM polls AS ours INNER JOIN polls AS theirs
            ON ours.sport_id = theirs.sport_id AND ours.observed_at = theirs.observed_at
        WHERE ours.import_id = w.id AND theirs.import_id = i.id
        UNION ALL
        SELECT WHERE i.rejected ? 'contradicts_earlier_import' OR i.ticks + i.aggregates = 0
    )
RETURNING i.path
"""
"""The last branch covers imports that only repeated or contradicted known quotes: they left no poll."""
SELECT_REPLACED_FINDINGS_IN_TABLE = """
SELECT f.id
FROM quality_findings_at('infinity') AS f INNER JOIN imports AS i ON f.import_id = i.id
WHERE
    f.state = 'open'
    AND EXISTS (SELECT FROM imports AS n WHERE n.format = i.format AND n.id > i.id AND n.finished_at IS NOT NULL)
    AND EXISTS (SELECT FROM polls AS p WHERE p.import_id = i.id)
    AND NOT EXISTS (
        SELECT FROM polls AS p
        INNER JOIN {table} AS t ON p.id = t.poll_id AND p.observed_at = t.observed_at
        WHERE
            p.import_id = f.import_id AND {is_other_kind}
            AND (f.{book_column} IS NULL OR f.{book_column} = t.{book_column})
            AND (f.market_id IS NULL OR f.market_id = t.market_id)
            AND NOT EXISTS (
                SELECT FROM {admitted} AS o
                INNER JOIN polls AS q ON o.poll_id = q.id
                INNER JOIN events AS e ON o.event_id = e.id
                INNER JOIN sports AS s ON e.sport_id = s.id
                WHERE
                    o.event_id = t.event_id AND o.market_id = t.market_id AND o.{book_column} = t.{book_column}
                    AND o.outcome_id = t.outcome_id AND q.import_id > f.import_id
                    AND (e.sport_id, season_of(s.key, e.original_commence_at), {book_id}, o.market_id) IN (
                        SELECT * FROM unnest(
                            %(sports)s::smallint[], %(seasons)s::smallint[], %(books)s::smallint[],
                            %(markets)s::smallint[]
                        )
                    )
            )
    )
"""
"""Findings on an import whose whole scope a later import contains that was checked and is admitted."""
SELECT_REPLACED_FINDINGS = " INTERSECT ".join(
    (
        SELECT_REPLACED_FINDINGS_IN_TABLE.format(
            table="odds_ticks",
            admitted="admitted_ticks",
            book_column="book_id",
            book_id="o.book_id",
            is_other_kind="f.kind IS NULL",
        ),
        SELECT_REPLACED_FINDINGS_IN_TABLE.format(
            table="aggregate_ticks",
            admitted="admitted_aggregates",
            book_column="kind",
            book_id="CASE o.kind WHEN 'max' THEN -1 ELSE -2 END",
            is_other_kind="f.book_id IS NULL",
        ),
    )
)
NON_PRICE_CHECKS = ["row_width", "results"]
"""Checks that do not concern prices: accepting their findings does not accept prices."""

SELECT_ACCEPTED_FINDINGS = f"""
SELECT a.* FROM quality_findings_at('infinity') AS a
WHERE a.state = 'accepted' AND a.decided_by <> '{GATE_NAME}' AND NOT a.checks <@ %(not_of_prices)s
"""
IS_PRICE_ACCEPTED = """
EXISTS (
    SELECT FROM accepted AS a
    WHERE
        (a.import_id IS NULL OR a.import_id = p.import_id) AND (a.sport_id IS NULL OR a.sport_id = t.sport_id)
        AND (a.feed IS NULL OR a.feed = p.feed) AND (a.season IS NULL OR a.season = t.season)
        AND (a.market_id IS NULL OR a.market_id = t.market_id)
        AND coalesce(a.book_id, CASE a.kind WHEN 'max' THEN -1 WHEN 'avg' THEN -2 END, t.book_id) = t.book_id
        AND p.received_at <= a.decided_at
)
"""
"""Whether a person has accepted a price `t` of poll `p`; later prices are checked again."""


class Sound(NamedTuple):
    """A book's prices (-1: the best, -2: the average) that passed on enough cases."""

    sport_id: int
    season: int
    book: int
    market: int


def update_held_out_polls(conn: Connection, without: Collection[int] = ()) -> None:
    """Update `held_out_polls` and contradicted events from the findings and decisions.

    `without` are findings being rechecked; they hold nothing out.
    """
    values = {"without": list(without)}
    conn.execute(DELETE_HELD_OUT_POLLS, values)
    conn.execute(INSERT_HELD_OUT_POLLS, values)
    update_contradicted_events(conn)


def apply_decisions(conn: Connection) -> int:
    """Mark what was held out or admitted since the last pricing as unpriced; return the number of findings."""
    with conn.transaction(), conn.cursor(row_factory=scalar_row) as cursor:
        update_held_out_polls(conn)
        changed = cursor.execute(SELECT_CHANGED_FINDINGS).fetchall()
        if changed:
            # autovacuum does not analyse a table this small, and the planner would expect one poll
            conn.execute("ANALYZE quality_findings, polls, sports")
            for statement in (DELETE_PRICED_POLLS, DELETE_KEYFRAMES, UPDATE_WAS_HELD):
                conn.execute(statement, {"findings": changed})
    return len(changed)


def count_prices_of_findings(conn: Connection, findings: Sequence[int]) -> tuple[int, int]:
    """The numbers of prices and events in the scopes of findings."""
    row = conn.execute(COUNT_TICKS_OF_FINDINGS, {"findings": list(findings)}).fetchone()
    return (int(row[0]), int(row[1])) if row else (0, 0)


def release_prices_of_finding(conn: Connection, finding: int, by: str) -> None:
    """Release quarantined prices in a finding's scope, unless the finding does not concern prices."""
    conn.execute(RELEASE_QUARANTINED_TICKS, {"finding": finding, "by": by, "not_of_prices": NON_PRICE_CHECKS})


def reopen_imports(conn: Connection, finding: int) -> list[str]:
    """Reopen imports that share quotes with the withdrawn import; return their paths."""
    with conn.cursor(row_factory=scalar_row) as cursor:
        return sorted(cursor.execute(REOPEN_IMPORTS, [finding]).fetchall())


def find_replaced_findings(conn: Connection, sound: Collection[Sound]) -> list[int]:
    """The open findings on imports whose whole scope later imports contain with `sound` prices."""
    if not sound:
        return []
    sports, seasons, books, markets = (list(column) for column in zip(*sound, strict=True))
    values = {"sports": sports, "seasons": seasons, "books": books, "markets": markets}
    with conn.cursor(row_factory=scalar_row) as cursor:
        return cursor.execute(SELECT_REPLACED_FINDINGS, values).fetchall()
