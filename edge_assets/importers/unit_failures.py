"""Turn errors in one unit of an import into rejections, so that the others continue."""

from __future__ import annotations

from pathlib import Path
from traceback import extract_tb
from typing import TYPE_CHECKING

import psycopg

from edge_assets.importers.formats.batch import RejectedFileError, Rejection

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edge_assets.store.events.imports import ImportedFile, ImportHold

DATA_ERRORS = (
    psycopg.DataError,
    psycopg.IntegrityError,
    psycopg.errors.ProgramLimitExceeded,
    UnicodeError,
    OverflowError,
)
"""Errors for values that PostgreSQL or its client cannot store."""
SERVER_ERRORS = (psycopg.OperationalError, psycopg.InterfaceError)
"""Errors of a server that is unreachable, full or stopped, which no file can have caused."""


def rejection_from_error(file: str, error: Exception) -> Rejection:
    """The rejection for an error. Anything other than a reader's rejection or an I/O error is a bug of this program.

    Raises:
        SERVER_ERRORS: reraised, as no other file could be imported either.
    """
    if isinstance(error, RejectedFileError):
        return error.rejection
    if isinstance(error, OSError):
        return Rejection(
            file, "file_unreadable", error.strerror or str(error), "check that the file exists and is readable"
        )
    if isinstance(error, SERVER_ERRORS) and not isinstance(error, DATA_ERRORS):
        raise error
    last_frames = extract_tb(error.__traceback__)[-1:]
    where = "".join(f" at {Path(frame.filename).name}, line {frame.lineno}" for frame in last_frames)
    remedy = "this is a bug in Edge Finder: report it and attach the file; other files are imported"
    return Rejection(file, "reader_failed", f"{type(error).__name__}: {error}{where}", remedy)


def reject_unstorable(file: str, event: str, error: Exception) -> Rejection:
    """The rejection of an event, or its quotes, that the database cannot store."""
    message = str(error).partition("\n")[0]
    return Rejection(file, "not_storable", f"{event}: {message}", "correct it in the file")


def reject_contradiction(file: str, prices: int, earlier: Sequence[ImportedFile]) -> Rejection:
    """The rejection of prices that differ from an earlier import's at the same times."""
    sources = ", ".join(f"import {number} ({path})" for number, path in earlier) or "live polls"
    detail = f"{prices:,} prices differ from those of {sources}, which are kept"
    commands = " and ".join(f"`edge quality withdraw --import {number} --why ...`" for number, _ in earlier)
    remedy = f"if this file is right, withdraw the earlier import ({commands}) and import this file again"
    return Rejection(file, "contradicts_earlier_import", detail, remedy if earlier else "check the times of this file")


def reject_held_out(file: str, import_id: int, by: ImportHold) -> Rejection:
    """The rejection of a known file that is held out of the warehouse."""
    detail = f"the same content is import {import_id}, held out by finding {by.finding} ({by.state})"
    remedy = f"import the right file, or accept this one: `edge quality accept {by.finding} --why ...`"
    return Rejection(file, f"{by.state if by.state != 'open' else 'suspected'}_import", detail, remedy)
