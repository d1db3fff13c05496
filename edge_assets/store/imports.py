"""The files that were imported: begun, finished, and known again by their content."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from psycopg.types.json import Jsonb

if TYPE_CHECKING:
    from collections.abc import Mapping

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
