"""`edge unreadable`: responses of the feed that could not be parsed, as received."""

from __future__ import annotations

from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Annotated, Any

import typer

from edge_assets.cli import filtering
from edge_assets.cli.application import JsonOption, echo_json, print_rows
from edge_assets.cli.database import find_database_url

if TYPE_CHECKING:
    from collections.abc import Iterator

    from psycopg import Connection

    from edge_assets.store.polls.unreadable_responses import UnreadableResponse

HELP = "Inspect feed responses that could not be parsed."
app = typer.Typer(name="unreadable", help=HELP, no_args_is_help=True)


@app.command("list")
def list_(
    sport: filtering.SportOption = None,
    limit: filtering.LimitOption = 100,
    as_json: JsonOption = False,
) -> None:
    """List responses that could not be parsed; repeated ones appear once."""
    from edge_assets.store.polls.unreadable_responses import load_unreadable_responses

    with _open_database() as conn:
        found = filtering.filter_rows(load_unreadable_responses(conn), sport=filtering.validate_sport(conn, sport))[
            :limit
        ]
    if as_json:
        echo_json(list(map(_response_json, found)))
        return
    header = ("id", "sport", "last received", "times", "bytes", "reason")
    print_rows(header, list(map(_row_cells, found)))


@app.command()
def show(number: Annotated[int, typer.Argument(metavar="ID", help="Its number in `edge unreadable list`.")]) -> None:
    """Write a response to standard output as received; of a large one, the stored part."""
    from edge_assets.local.errors import LocalError
    from edge_assets.store.polls.unreadable_responses import load_unreadable_responses

    with _open_database() as conn:
        found = next((response for response in load_unreadable_responses(conn) if response.id == number), None)
    if found is None:
        msg = f"there is no unreadable response {number}"
        raise LocalError(msg, "run `edge unreadable list` to list them")
    stream = typer.get_binary_stream("stdout")
    stream.write(_printable(found.body) if stream.isatty() else found.body)


def _printable(body: bytes) -> bytes:
    """The text with control characters escaped, safe for a terminal."""
    text = body.decode("utf-8", errors="backslashreplace")
    return "".join(c if c.isprintable() or c == "\n" else repr(c)[1:-1] for c in text).encode()


@contextmanager
def _open_database() -> Iterator[Connection]:
    from edge_assets.store.postgres.database import connect

    with closing(connect(find_database_url(), "edge unreadable")) as conn:
        yield conn


def _response_json(response: UnreadableResponse) -> dict[str, Any]:
    times = {name: getattr(response, name).isoformat() for name in ("first_received_at", "last_received_at")}
    names = ("id", "sport", "feed", "run_id", "times", "reason", "body_bytes")
    return {name: getattr(response, name) for name in names} | times


def _row_cells(response: UnreadableResponse) -> tuple[str, ...]:
    when = f"{response.last_received_at:%Y-%m-%d %H:%M:%S}"
    return str(response.id), response.sport, when, f"{response.times:,}", f"{response.body_bytes:,}", response.reason
