"""What goes wrong with one part of an import, told as a refusal, so that the others go on."""

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
"""What the server, and the way there, says to values that it cannot hold."""
SERVER_ERRORS = (psycopg.OperationalError, psycopg.InterfaceError)
"""What is said when the server is away, full or stopped: nothing that a file could have caused."""


def rejection_from_error(file: str, error: Exception) -> Rejection:
    """Why a file is not imported. An error that is none of a reader's own refusals is a fault of this program.

    Raises:
        SERVER_ERRORS: the error is one of those; then no other file can be imported either.
    """
    if isinstance(error, RejectedFileError):
        return error.rejection
    if isinstance(error, OSError):
        return Rejection(file, "file_unreadable", error.strerror or str(error), "see that it can be read")
    if isinstance(error, SERVER_ERRORS) and not isinstance(error, DATA_ERRORS):
        raise error
    last_frames = extract_tb(error.__traceback__)[-1:]
    where = "".join(f" at {Path(frame.filename).name}, line {frame.lineno}" for frame in last_frames)
    remedy = "this is a fault of Edge Finder: report it with the file; the other files are imported"
    return Rejection(file, "reader_failed", f"{type(error).__name__}: {error}{where}", remedy)


def reject_unstorable(file: str, event: str, error: Exception) -> Rejection:
    """An event, or its quotes, that the database does not take."""
    message = str(error).partition("\n")[0]
    return Rejection(file, "not_storable", f"{event}: {message}", "put it right in the file")


def reject_contradiction(file: str, prices: int, earlier: Sequence[ImportedFile]) -> Rejection:
    """Prices that an import had stated otherwise, for the same moments."""
    sources = ", ".join(f"import {number} ({path})" for number, path in earlier) or "what was polled"
    detail = f"{prices:,} prices differ from those of {sources}, which stay"
    commands = " and ".join(f"`edge quality withdraw --import {number} --why ...`" for number, _ in earlier)
    remedy = f"if this file is right, take out the earlier: {commands}, and import this one again"
    return Rejection(file, "contradicts_earlier_import", detail, remedy if earlier else "check the times of this file")


def reject_held_out(file: str, import_id: int, by: ImportHold) -> Rejection:
    """A file that is known, and out of the warehouse as a whole."""
    detail = f"its content is import {import_id}, which is out by finding {by.finding}: {by.state}"
    remedy = f"import the right file, or let this one in by `edge quality accept {by.finding} --why ...`"
    return Rejection(file, f"{by.state if by.state != 'open' else 'suspected'}_import", detail, remedy)
