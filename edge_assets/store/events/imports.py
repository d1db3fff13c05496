"""Imported files: started, finished, and identified by their content."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from edge_assets.store.postgres import array_params

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from numpy.typing import NDArray
    from psycopg import Connection

UPSERT_IMPORT = """
INSERT INTO imports (format, path, sha256) VALUES (%s, %s, %s)
ON CONFLICT (format, sha256) DO UPDATE SET path = excluded.path RETURNING id, finished_at IS NOT NULL
"""
UPDATE_FINISHED_IMPORT = """
UPDATE imports SET
    finished_at = CASE WHEN %(is_done)s THEN clock_timestamp() END,
    rows = %(rows)s, events = %(events)s, ticks = %(ticks)s,
    aggregates = %(aggregates)s, results = %(results)s, statistics = %(statistics)s, rejected = %(rejected)s
WHERE id = %(id)s
"""
SELECT_IMPORT_HOLD = """
SELECT id, state FROM quality_findings_at('infinity') WHERE is_held AND is_whole_import AND import_id = %s
ORDER BY state = 'withdrawn' DESC, id LIMIT 1
"""
SELECT_OVERLAPPING_IMPORTS = """
SELECT DISTINCT i.id, i.path FROM admitted_polls AS p INNER JOIN imports AS i ON p.import_id = i.id
WHERE p.sport_id = %s AND p.observed_at = ANY(%s) AND i.id <> %s ORDER BY i.id
"""
SELECT_IMPORTS = """
SELECT
    i.id, i.format, i.path, i.begun_at, i.finished_at, i.rows, i.events, i.ticks, i.aggregates, i.results, i.statistics,
    i.rejected,
    i.id IN (SELECT h.import_id FROM held_out_imports AS h) AS is_held_out
FROM imports AS i ORDER BY i.id
"""


@dataclass(slots=True)
class ImportCounts:
    """What an import read and stored.

    `events` counts those that the files name, `ticks` the quotes that are new, `aggregates`, `results` and
    `statistics` likewise.
    """

    rows: int = 0
    events: int = 0
    ticks: int = 0
    aggregates: int = 0
    results: int = 0
    statistics: int = 0
    rejected: Mapping[str, int] = field(default_factory=dict)


def begin_import(conn: Connection, format_name: str, path: str, sha256: bytes) -> tuple[int, bool]:
    """The id of a file's import, and whether it is finished already."""
    row = conn.execute(UPSERT_IMPORT, [format_name, path, sha256]).fetchone()
    if row is None:
        msg = f"could not find or create the import of {path}"
        raise LookupError(msg)
    return int(row[0]), bool(row[1])


class ImportHold(NamedTuple):
    """The finding by which an import is held out as a whole, and its state."""

    finding: int
    state: str


class ImportedFile(NamedTuple):
    """An import, and the file that it was."""

    import_id: int
    path: str


def find_import_hold(conn: Connection, import_id: int) -> ImportHold | None:
    """Why an import is held out as a whole, if it is."""
    row = conn.execute(SELECT_IMPORT_HOLD, [import_id]).fetchone()
    return ImportHold(*row) if row else None


def load_overlapping_imports(
    conn: Connection, sport_id: int, at: NDArray[np.int64], excluded_import_id: int
) -> list[ImportedFile]:
    """The other admitted imports with polls of a sport at any of these moments."""
    rows = conn.execute(
        SELECT_OVERLAPPING_IMPORTS, [sport_id, array_params.encode_timestamps(np.unique(at)), excluded_import_id]
    )
    return [ImportedFile(*row) for row in rows]


def finish_import(conn: Connection, import_id: int, counts: ImportCounts, *, is_done: bool = True) -> None:
    """Record an import's counts; a file that is not done is read again at the next import."""
    values = {
        name: getattr(counts, name) for name in ("rows", "events", "ticks", "aggregates", "results", "statistics")
    }
    conn.execute(
        UPDATE_FINISHED_IMPORT,
        {**values, "id": import_id, "is_done": is_done, "rejected": Jsonb(dict(counts.rejected))},
    )


@dataclass(frozen=True, slots=True)
class StoredImport:
    """A recorded import; `is_held_out` is whether all of it is held out."""

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
    statistics: int
    rejected: Mapping[str, int]
    is_held_out: bool


def load_imports(conn: Connection) -> list[StoredImport]:
    """All imports, in the order in which they began."""
    with conn.cursor(row_factory=class_row(StoredImport)) as cursor:
        return cursor.execute(SELECT_IMPORTS).fetchall()
