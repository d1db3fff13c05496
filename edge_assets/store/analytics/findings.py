"""Findings of the quality gate, and people's decisions on them.

A price has two times: when it was observed, which never changes, and from when its quality is known. Readers of the
past state both. The warehouse reads prices observed until a moment with the quality known today, because what is
imported today is years old and its quality was unknown then; `edge_assets.store.polls.as_of.load_quotes_as_of` can also
use the quality known at an earlier time. A build uses the decisions made before its gate passed.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, LiteralString, NamedTuple

from psycopg.rows import class_row, scalar_row
from psycopg.types.json import Jsonb

from edge_assets.reference.sports import SPORT_ALIASES
from edge_assets.store.analytics import held_out
from edge_assets.store.analytics.held_out import GATE_NAME

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from datetime import datetime

    from psycopg import Connection

MANUAL_CHECK = "by_hand"
"""The check of findings that a person makes."""
AGGREGATE_KINDS = ("max", "avg")
SELECT_SEASONS = """
SELECT DISTINCT season_of(s.key, e.original_commence_at) AS season
FROM events AS e INNER JOIN sports AS s ON e.sport_id = s.id
WHERE %(sport)s::text IS NULL OR s.key = %(sport)s
ORDER BY season
"""
INSERT_FINDING = """
INSERT INTO quality_findings (
    checks, sport_id, season, feed, import_id, book_id, kind, market_id, blocks, reason, evidence
) VALUES (
    %(checks)s, %(sport_id)s, %(season)s, %(feed)s, %(import_id)s, %(book_id)s, %(kind)s, %(market_id)s, %(blocks)s,
    %(reason)s, %(evidence)s
)
ON CONFLICT ON CONSTRAINT quality_findings_scope DO NOTHING RETURNING id
"""
SELECT_FINDING_OF_SCOPE = """
SELECT id, state, decided_by FROM quality_findings_at('infinity')
WHERE
    (sport_id, season, feed, import_id, book_id, kind, market_id)
    IS NOT DISTINCT FROM (
        %(sport_id)s::smallint, %(season)s::smallint, %(feed)s::text, %(import_id)s::integer, %(book_id)s::smallint,
        %(kind)s::text, %(market_id)s::smallint
    )
"""
SELECT_SUSPECTED_BOOKS = """
SELECT coalesce(import_id, 0), array_agg(DISTINCT book_id) FROM quality_findings_at('infinity')
WHERE
    sport_id = %s AND season IS NOT DISTINCT FROM %s AND book_id IS NOT NULL AND state <> 'accepted' AND id <> ALL(%s)
GROUP BY coalesce(import_id, 0)
"""
SELECT_SEASON_FINDINGS = """
SELECT n.id, n.checks, n.import_id, n.book_id, n.kind, n.market_id, n.state
FROM quality_findings_at('infinity') AS n
WHERE
    n.state IN ('open', 'excluded') AND NOT n.is_blocking AND NOT n.checks && %(not_of_prices)s
    AND (
        (n.sport_id, n.season) = (%(sport)s, %(season)s)
        OR n.sport_id IS NULL AND n.import_id IN (
            SELECT p.import_id FROM polls AS p INNER JOIN odds_ticks AS t
                ON p.id = t.poll_id AND p.observed_at = t.observed_at
            WHERE t.event_id = ANY(%(events)s)
        )
    )
ORDER BY n.id
"""
SELECT_IS_ACCEPTED = """
SELECT EXISTS (
    SELECT FROM quality_findings_at('infinity')
    WHERE
        state = 'accepted' AND checks && %(checks)s
        AND coalesce(sport_id = %(sport_id)s, sport_id IS NULL) AND coalesce(season = %(season)s, season IS NULL)
        AND coalesce(feed = %(feed)s, feed IS NULL) AND coalesce(import_id = %(import_id)s, import_id IS NULL)
        AND coalesce(market_id = %(market_id)s, market_id IS NULL)
        AND (
            num_nonnulls(book_id, kind) = 0
            OR (book_id, kind) IS NOT DISTINCT FROM (%(book_id)s::smallint, %(kind)s::text)
        )
)
"""
INSERT_FINDING_DECISION = """
INSERT INTO quality_decisions (finding_id, decision, decided_by, reason)
VALUES (%(finding)s, %(decision)s, %(by)s, %(reason)s)
"""
SELECT_OPEN_FINDINGS_WITHIN = """
SELECT n.id
FROM quality_findings_at('infinity') AS n INNER JOIN quality_findings_at('infinity') AS f ON f.id = %s AND n.id <> f.id
WHERE
    n.state = 'open'
    AND (f.import_id IS NULL OR f.import_id = n.import_id)
    AND (f.sport_id IS NULL OR coalesce(f.sport_id = n.sport_id, f.import_id IS NOT NULL))
    AND (f.season IS NULL OR f.season = n.season)
    AND (f.feed IS NULL OR coalesce(f.feed = n.feed, f.import_id IS NOT NULL))
    AND (f.market_id IS NULL OR f.market_id = n.market_id)
    AND (num_nonnulls(f.book_id, f.kind) = 0 OR (f.book_id, f.kind) IS NOT DISTINCT FROM (n.book_id, n.kind))
"""
SELECT_FINDINGS = """
SELECT
    n.id, n.checks, s.key AS sport, n.season, n.feed, n.import_id, i.path AS file, i.format, b.key AS book, n.kind,
    m.key AS market, f.blocks, f.reason, f.evidence, f.found_at, n.state, n.decided_by, n.decision_reason, n.decided_at
FROM quality_findings_at('infinity') AS n
INNER JOIN quality_findings AS f ON n.id = f.id
LEFT JOIN sports AS s ON n.sport_id = s.id
LEFT JOIN imports AS i ON n.import_id = i.id
LEFT JOIN books AS b ON n.book_id = b.id
LEFT JOIN markets AS m ON n.market_id = m.id
"""
SELECT_OPEN_OR_ALL_FINDINGS = f"{SELECT_FINDINGS} WHERE %s OR n.state = 'open' ORDER BY n.id"
SELECT_FINDING_IDS_OF_FAULT = """
SELECT n.id
FROM quality_findings_at('infinity') AS n
INNER JOIN quality_findings_at('infinity') AS f ON f.id = %s
LEFT JOIN imports AS i ON n.import_id = i.id
LEFT JOIN imports AS j ON f.import_id = j.id
WHERE
    n.id = f.id
    OR n.import_id IS NOT NULL AND f.import_id IS NOT NULL AND f.season IS NOT NULL
    AND (n.checks, n.state, n.sport_id, n.season, i.format, n.book_id, n.kind, n.market_id)
    IS NOT DISTINCT FROM (f.checks, f.state, f.sport_id, f.season, j.format, f.book_id, f.kind, f.market_id)
ORDER BY n.id
"""
"""The records of one fault: same checks, book or kind of aggregate, market, season, format and state, one per file."""
SELECT_FINDINGS_BY_ID = f"{SELECT_FINDINGS} WHERE n.id = ANY(%s) ORDER BY n.id"
SELECT_FINDING_DECISIONS = """
SELECT decision, decided_by, reason, decided_at FROM quality_decisions WHERE finding_id = %s ORDER BY id
"""


class FindingScope(NamedTuple):
    """What a finding applies to: data that matches every field that is not None. `kind` is an aggregate's, instead of a
    book.
    """

    sport_id: int | None = None
    season: int | None = None
    feed: str | None = None
    import_id: int | None = None
    book_id: int | None = None
    kind: str | None = None
    market_id: int | None = None


class FileEvidence(NamedTuple):
    """What was found in one file, under its own number."""

    id: int
    import_id: int
    file: str
    reason: str
    evidence: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Finding:
    """A finding with names instead of ids, and its state: open, accepted, excluded, withdrawn or resolved.

    If the fault runs through several files, its reach is theirs together: `files` has the evidence of each, and
    `import_id` and `file` are None.
    """

    id: int
    checks: list[str]
    sport: str | None
    season: int | None
    feed: str | None
    import_id: int | None
    file: str | None
    format: str | None
    book: str | None
    kind: str | None
    market: str | None
    blocks: bool
    reason: str
    evidence: dict[str, Any]
    found_at: datetime
    state: str
    decided_by: str | None
    decision_reason: str | None
    decided_at: datetime | None
    files: list[FileEvidence] = field(default_factory=list)

    @property
    def ids(self) -> list[int]:
        """Its number and those of its files' records."""
        return [each.id for each in self.files] or [self.id]

    @property
    def imports(self) -> list[int]:
        """The imports that it reaches."""
        return [each.import_id for each in self.files]

    @property
    def scope_summary(self) -> str:
        """Its scope in words."""
        file = self.file and f"import {self.import_id} ({self.file})"
        if len(self.files) > 1:
            file = f"{len(self.files)} imports ({self.files[0].import_id} to {self.files[-1].import_id})"
        parts = (self.book or self.kind, self.market, self.sport, self.season, file or self.feed)
        return " ".join(str(word) for word in parts if word is not None)

    @property
    def remedy(self) -> str:
        """The commands that decide it, in a sentence."""
        if self.state != "open":
            return f"none: already {self.state}"
        arguments = f'{self.id} --why "..."`'
        commands = (
            f"`edge quality accept {arguments} if the data is right, `edge quality exclude {arguments} if it is wrong"
        )
        if not self.files:
            return commands
        files, these = ("file", "this one") if len(self.files) == 1 else ("files", "these")
        return f"{commands}; or import the correct {files}, or withdraw {these} with `edge quality withdraw {arguments}"


class Suspected(NamedTuple):
    """A finding in a season, and its scope there: an import, a book or the kind of an aggregate, a market."""

    id: int
    checks: list[str]
    import_id: int | None
    book_id: int | None
    kind: str | None
    market_id: int | None
    state: str

    @property
    def is_whole(self) -> bool:
        """Whether it covers a whole import."""
        return self.book_id is None and self.kind is None and self.market_id is None


class UnknownScopeNameError(LookupError):
    """A book, sport, season or market that is not in the database."""

    def __init__(self, table: str, name: str, known: Sequence[str]) -> None:
        super().__init__(f"unknown {table.removesuffix('s')} {name!r}")
        self.remedy = f"known {table}: {', '.join(known) or 'none'}"


class FindingDecision(NamedTuple):
    """A person's or the gate's decision on a finding, with the reason."""

    decision: str
    decided_by: str
    reason: str
    decided_at: datetime


def record_finding(
    conn: Connection,
    scope: FindingScope,
    checks: Sequence[str],
    reason: str,
    evidence: dict[str, Any],
    *,
    blocks: bool = False,
    without: Collection[int] = (),
) -> tuple[int, bool]:
    """Store a finding and hold out its scope; return its id and whether it is new or reopened.

    A scope has one finding. An accepted one is reopened, because the caller has checked data that came since. An import
    gets no later data, so what a person has accepted of it stays accepted. `without` are findings being rechecked,
    which hold nothing out meanwhile, except this one.
    """
    values = scope._asdict() | {"checks": list(checks), "reason": reason, "evidence": Jsonb(evidence), "blocks": blocks}
    with conn.transaction():
        new = conn.execute(INSERT_FINDING, values).fetchone()
        found, state, by = conn.execute(SELECT_FINDING_OF_SCOPE, scope._asdict()).fetchone() or (0, "", None)
        is_reopened = new is None and state == "accepted" and (scope.import_id is None or by == GATE_NAME)
        if is_reopened:
            conn.execute(
                INSERT_FINDING_DECISION,
                {"finding": found, "decision": "open", "by": GATE_NAME, "reason": f"reopened: {reason}"},
            )
        held_out.update_held_out_polls(conn, [each for each in without if each != found])
    return int(found), new is not None or is_reopened


def find_or_record_finding(conn: Connection, scope: FindingScope, by: str, reason: str) -> int:
    """The id of the finding on a scope, created with the reason if there is none."""
    found = conn.execute(SELECT_FINDING_OF_SCOPE, scope._asdict()).fetchone()
    return int(found[0]) if found else record_finding(conn, scope, [MANUAL_CHECK], reason, {"by": by})[0]


def resolve_scope(
    conn: Connection, import_id: int | None, book: str | None, sport: str | None, season: int | None, market: str | None
) -> FindingScope:
    """Resolve names to a scope; `book` may be the kind of an aggregate.

    Raises:
        UnknownNameError: a name is not known.
    """
    kind = book if book in AGGREGATE_KINDS else None
    sport = SPORT_ALIASES.get(sport, sport) if sport else None
    sport_id = _find_id(conn, "sports", sport)
    seasons = [str(year) for (year,) in conn.execute(SELECT_SEASONS, {"sport": sport})] if season is not None else []
    if season is not None and str(season) not in seasons:
        raise UnknownScopeNameError("seasons", str(season), seasons)
    return FindingScope(
        sport_id,
        season,
        None,
        import_id,
        None if kind else _find_id(conn, "books", book),
        kind,
        _find_id(conn, "markets", market),
    )


def _find_id(conn: Connection, table: LiteralString, key: str | None) -> int | None:
    if key is None:
        return None
    known: dict[str, int] = dict(conn.execute(f"SELECT key, id FROM {table} ORDER BY key").fetchall())
    if key not in known:
        raise UnknownScopeNameError(table, key, list(known))
    return known[key]


def decide_finding(
    conn: Connection, finding: int, decision: str, by: str, reason: str, *, only_its_file: bool = False
) -> list[str]:
    """Decide a finding, in all files that its fault runs through or `only_its_file`, and the open ones in its scope.

    `accepted` data enters the warehouse with its next build, including its quarantined single prices; after any other
    decision it stays out. If an import is `withdrawn`, other imports of the same events must be repeated, because
    quotes they shared with it were not stored a second time: their paths are returned.
    """
    with conn.transaction(), conn.cursor(row_factory=scalar_row) as cursor:
        same_fault = [finding] if only_its_file else cursor.execute(SELECT_FINDING_IDS_OF_FAULT, [finding]).fetchall()
        within = {n for each in same_fault for n in cursor.execute(SELECT_OPEN_FINDINGS_WITHIN, [each]).fetchall()}
        for each in sorted({*same_fault, *within}):
            conn.execute(INSERT_FINDING_DECISION, {"finding": each, "decision": decision, "by": by, "reason": reason})
        if decision == "accepted":
            for each in same_fault:
                held_out.release_prices_of_finding(conn, each, by)
        held_out.update_held_out_polls(conn)
        if decision != "withdrawn":
            return []
        return sorted({path for each in same_fault for path in held_out.reopen_imports(conn, each)})


def load_season_findings(conn: Connection, sport_id: int, season: int, events: Sequence[int]) -> list[Suspected]:
    """The open or excluded findings of a season and of `events`."""
    values = {"sport": sport_id, "season": season, "events": list(events), "not_of_prices": [MANUAL_CHECK, "results"]}
    return [Suspected(*row) for row in conn.execute(SELECT_SEASON_FINDINGS, values)]


def release_sound(conn: Connection, finding: int, reason: str) -> None:
    """Accept a finding of the gate, because a later check found its data sound."""
    conn.execute(
        INSERT_FINDING_DECISION, {"finding": finding, "decision": "accepted", "by": GATE_NAME, "reason": reason}
    )


def resolve_replaced_findings(conn: Connection, sound: Collection[held_out.Sound]) -> list[int]:
    """Resolve the findings on imports that a later one has replaced; return their ids. Their scopes stay out.

    The replacement must be `sound`: checked on enough cases in this pass.
    """
    replaced = held_out.find_replaced_findings(conn, sound)
    for finding in replaced:
        reason = "replaced by a later import that was checked and is sound"
        conn.execute(
            INSERT_FINDING_DECISION, {"finding": finding, "decision": "resolved", "by": GATE_NAME, "reason": reason}
        )
    return replaced


def load_suspected_books(
    conn: Connection, sport_id: int, season: int | None, without: Collection[int] = ()
) -> dict[int, list[int]]:
    """The books with a finding in a season, by import (0: the feed)."""
    return dict(conn.execute(SELECT_SUSPECTED_BOOKS, [sport_id, season, list(without)]).fetchall())


def is_accepted(conn: Connection, scope: FindingScope, checks: Sequence[str]) -> bool:
    """Whether a whole scope was accepted although one of these checks had failed."""
    row = conn.execute(SELECT_IS_ACCEPTED, scope._asdict() | {"checks": list(checks)}).fetchone()
    return bool(row and row[0])


def load_findings(conn: Connection, *, include_decided: bool = False) -> list[Finding]:
    """The open findings, and decided ones if `include_decided`; one for each fault, whatever files it runs through."""
    with conn.cursor(row_factory=class_row(Finding)) as cursor:
        return _merge_files(cursor.execute(SELECT_OPEN_OR_ALL_FINDINGS, [include_decided]).fetchall())


def find_finding(conn: Connection, finding_id: int) -> Finding | None:
    """The finding with this number, or that contains it as the record of a file."""
    with conn.cursor(row_factory=scalar_row) as cursor:
        ids = cursor.execute(SELECT_FINDING_IDS_OF_FAULT, [finding_id]).fetchall()
    with conn.cursor(row_factory=class_row(Finding)) as cursor:
        found = _merge_files(cursor.execute(SELECT_FINDINGS_BY_ID, [ids]).fetchall())
    return found[0] if found else None


def _merge_files(findings: Sequence[Finding]) -> list[Finding]:
    """One finding for each fault (`SELECT_FINDING_IDS_OF_FAULT`), under its first number."""
    by_fault: dict[tuple[Any, ...], list[Finding]] = defaultdict(list)
    for one in findings:
        alone = one.id if one.import_id is None or one.season is None else None
        fault = (*one.checks, one.state, one.sport, one.season, one.format, one.book, one.kind, one.market, alone)
        by_fault[fault].append(one)
    return [_merge(some) for some in by_fault.values()]


def _merge(findings: Sequence[Finding]) -> Finding:
    files = [
        FileEvidence(one.id, one.import_id, one.file or "", one.reason, one.evidence)
        for one in findings
        if one.import_id is not None
    ]
    first = findings[0]
    return replace(first, files=files) if len(findings) == 1 else replace(first, import_id=None, file=None, files=files)


def load_finding_decisions(conn: Connection, finding: int) -> list[FindingDecision]:
    """The decisions on a finding in time order."""
    return [FindingDecision(*row) for row in conn.execute(SELECT_FINDING_DECISIONS, [finding])]
