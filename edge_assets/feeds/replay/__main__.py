"""`python -m edge_assets.feeds.replay --tape PATH --speed max|N --port N`: plays a recording."""

from __future__ import annotations

from math import inf, isfinite
from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from edge_assets.feeds.replay.app import DEFAULT_CREDITS, create_app
from edge_assets.feeds.replay.recorded import RecordedTape
from edge_assets.feeds.replay.server import serve
from edge_assets.feeds.replay.sources import TapeError
from edge_assets.terminal import Terminal, as_cell

_SHOWN_SKIPS = 5

app = typer.Typer(add_completion=False)


def speed_of(value: str) -> float:
    """`max`, or how many times as fast as real time.

    Raises:
        typer.BadParameter: neither.
    """
    try:
        speed = inf if value == "max" else float(value)
    except ValueError:
        speed = 0.0
    if not speed > 0 or (value != "max" and not isfinite(speed)):
        msg = f"{value!r} is no speed: give `max`, or a number above 0 such as 60"
        raise typer.BadParameter(msg)
    return speed


@app.command()
def main(
    tape: Annotated[Path, typer.Option(help="Directory or tar of captured /odds payloads.")],
    port: Annotated[int, typer.Option(help="Port to listen on.")],
    speed: Annotated[str, typer.Option(metavar="max|N", help="Times real time.")] = "max",
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    credits_per_month: Annotated[int, typer.Option("--credits", help="Per key.")] = DEFAULT_CREDITS,
) -> None:
    """Serve a recording with The Odds API's wire contract."""
    factor = speed_of(speed)
    console = Terminal(stderr=True)
    try:
        name = as_cell(str(tape))
        # a text would be read as markup
        with console.status(Text(f"reading {name}")) as status:
            recorded = RecordedTape.load(tape, lambda n: status.update(Text(f"reading {name}: {n} files")))
    except TapeError as error:
        console.print(as_cell(str(error)), style="red")
        raise typer.Exit(2) from None
    _report(console, recorded)
    serve(create_app(recorded, speed=factor, credits_per_month=credits_per_month), host, port)


def _report(console: Terminal, tape: RecordedTape) -> None:
    first, last = tape.captures[0], tape.captures[-1]
    console.print(f"{len(tape.captures)} captures from {first.at:%Y-%m-%d %H:%M} to {last.at:%Y-%m-%d %H:%M} UTC")
    for reason, count in tape.skipped_by_reason().most_common():
        console.print(f"skipped {count}: {reason}", style="yellow")
    for reason, count in tape.left_out.most_common():
        console.print(f"left out {count}: {reason}", style="yellow")
    for skip in tape.skipped[:_SHOWN_SKIPS]:
        console.print(f"  {as_cell(str(skip))}", style="yellow")


if __name__ == "__main__":
    app()
