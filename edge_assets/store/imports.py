"""The files that were imported: begun, finished, and known again by their content."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from psycopg.rows import class_row
from psycopg.types.json import Jsonb

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from psycopg import Connection

BEGIN = """
INSERT INTO imports (format, path, sha256) VALUES (%s, %s, %s)
ON CONFLICT (format, sha256) DO UPDATE SET path = excluded.path RETURNING id, finished_at IS NOT NULL
"""
FINISH = """
UPDATE imports SET
    finished_at = clock_timestamp(), rows = %(rows)s, events = %(events)s, ticks = %(ticks)s,
    aggregates = %(aggregates)s, results = %(results)s, rejected = %(rejected)s
WHERE id = %(id)s
"""

LIST = """
SELECT
    i.id, i.format, i.path, i.begun_at, i.finished_at, i.rows, i.events, i.ticks, i.aggregates, i.results, i.rejected,
    i.id IN (SELECT h.import_id FROM held_out_imports AS h) AS is_held_out
FROM imports AS i ORDER BY i.id
"""


@dataclass(slots=True)
class ImportCounts:
    """What an import read and stored.

    `events` counts those that the files name, `ticks` the quotes that are new, `aggregates` and `results` likewise.
    """

    rows: int = 0
    events: int = 0
    ticks: int = 0
    aggregates: int = 0
    results: int = 0
    rejected: Mapping[str, int] = field(default_factory=dict)


def begin(conn: Connection, format_name: str, path: str, sha256: bytes) -> tuple[int, bool]:
    """The id of a file's import, and whether it is finished already."""
    row = conn.execute(BEGIN, [format_name, path, sha256]).fetchone()
    if row is None:
        msg = f"the import of {path} was neither found nor made"
        raise LookupError(msg)
    return int(row[0]), bool(row[1])


def finish(conn: Connection, import_id: int, counts: ImportCounts) -> None:
    """Remember a file as done."""
    values = {name: getattr(counts, name) for name in ("rows", "events", "ticks", "aggregates", "results")}
    conn.execute(FINISH, {**values, "id": import_id, "rejected": Jsonb(dict(counts.rejected))})


@dataclass(frozen=True, slots=True)
class StoredImport:
    """An import on record; `is_held_out` as a whole: parts of the others may be."""

    id: int
    format: str
    path: str
    begun_at: datetime
    finished_at: datetime | None
    rows: int
    events: int
    ticks: int
    aggregates: int
    results: int
    rejected: Mapping[str, int]
    is_held_out: bool


def stored_imports(conn: Connection) -> list[StoredImport]:
    """All imports, in the order in which they began."""
    with conn.cursor(row_factory=class_row(StoredImport)) as cursor:
        return cursor.execute(LIST).fetchall()
