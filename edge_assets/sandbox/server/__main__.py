"""`python -m edge_assets.sandbox.server --recording PATH --speed max|N --port N`: replay a recording."""

from __future__ import annotations

from math import inf, isfinite
from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from edge_assets.core.terminal import Terminal, to_single_line
from edge_assets.feeds.recordings.files import RecordingError
from edge_assets.feeds.recordings.recording import Recording
from edge_assets.sandbox.server.app import DEFAULT_CREDITS_PER_MONTH, create_app
from edge_assets.sandbox.server.serve import serve

_MAX_SHOWN_SKIPS = 5

app = typer.Typer(add_completion=False)


def parse_speed(value: str) -> float:
    """Parse `max` (infinite) or a multiple of real time.

    Raises:
        typer.BadParameter: it is neither.
    """
    try:
        speed = inf if value == "max" else float(value)
    except ValueError:
        speed = 0.0
    if not speed > 0 or (value != "max" and not isfinite(speed)):
        msg = f"{value!r} is not a speed; use `max` or a number above 0, such as 60"
        raise typer.BadParameter(msg)
    return speed


@app.command()
def main(
    recording: Annotated[Path, typer.Option(help="Directory or tar of captured /odds payloads.")],
    port: Annotated[int, typer.Option(help="Port to listen on.")],
    speed: Annotated[str, typer.Option(metavar="max|N", help="Speed, as a multiple of real time.")] = "max",
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    credits_per_month: Annotated[
        int, typer.Option("--credits", help="Monthly credits per key.")
    ] = DEFAULT_CREDITS_PER_MONTH,
) -> None:
    """Serve a recording as The Odds API v4."""
    factor = parse_speed(speed)
    console = Terminal(stderr=True)
    try:
        name = to_single_line(str(recording))
        # a plain string would be parsed as markup
        with console.status(Text(f"reading {name}")) as status:
            source = Recording.load(recording, lambda n: status.update(Text(f"reading {name}: {n} files")))
    except RecordingError as error:
        console.print(to_single_line(str(error)), style="red")
        raise typer.Exit(2) from None
    _print_summary(console, source)
    serve(create_app(source, speed=factor, credits_per_month=credits_per_month), host, port)


def _print_summary(console: Terminal, recording: Recording) -> None:
    first, last = recording.captures[0], recording.captures[-1]
    console.print(f"{len(recording.captures)} captures from {first.at:%Y-%m-%d %H:%M} to {last.at:%Y-%m-%d %H:%M} UTC")
    for reason, count in recording.count_skipped_by_reason().most_common():
        console.print(f"skipped {count}: {reason}", style="yellow")
    for reason, count in recording.rejected.most_common():
        console.print(f"rejected {count}: {reason}", style="yellow")
    for skip in recording.skipped[:_MAX_SHOWN_SKIPS]:
        console.print(f"  {to_single_line(str(skip))}", style="yellow")


if __name__ == "__main__":
    app()
