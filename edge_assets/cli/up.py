"""`edge up`."""

from __future__ import annotations

import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from edge_assets.cli.application import err, out
from edge_assets.cli.interrupts import raise_on_signals
from edge_assets.core.settings import Feed, Settings
from edge_assets.local.errors import LocalError

if TYPE_CHECKING:
    from rich.status import Status

    from edge_assets.local.home import Home
    from edge_assets.local.plan import Plan, StartOptions
    from edge_assets.local.startup import StepState


def up(
    feed: Annotated[Feed | None, typer.Option(help="Default: odds-api if ODDS_API_KEY is set, else simulate.")] = None,
    replay: Annotated[Path | None, typer.Option(metavar="PATH", help="Recording to replay: directory or tar.")] = None,
    speed: Annotated[str, typer.Option(metavar="N|max", help="Replay: speed, as a multiple of real time.")] = "max",
    seed: Annotated[int, typer.Option(metavar="N", help="Simulation: seed of the market.")] = 1,
    port: Annotated[
        int | None, typer.Option(metavar="PORT", min=1, max=65_535, help="Port of the board (default: 8000 if free).")
    ] = None,
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Reset the database of a replay or simulation; asks first.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask for confirmation.")] = False,
    detach: Annotated[bool, typer.Option("--detach", help="Return once everything is running.")] = False,
) -> None:
    """Start everything, then follow the alerts; Ctrl-C stops it all."""
    from edge_assets.local.home import Home
    from edge_assets.local.plan import StartOptions

    settings = Settings()
    chosen = feed or _default_feed(settings, replay)
    if replay is not None and chosen is not Feed.REPLAY:
        msg = f"--replay requires --feed replay, not {chosen}"
        raise LocalError(msg)
    if chosen is Feed.REPLAY:
        _validate_speed(speed)
    home = Home.open(settings.edge_home)
    options = StartOptions(chosen, replay.resolve() if replay else None, speed, seed, port, fresh)
    if fresh and not yes:
        _confirm_reset(home, chosen)
    raise_on_signals()
    try:
        plan = _start(home, settings, options)
        if not detach:
            _follow_alerts(home, settings, plan)
    except KeyboardInterrupt:
        _stop(home)


def _default_feed(settings: Settings, replay: Path | None) -> Feed:
    from edge_assets.local.plan import default_feed

    return default_feed(settings) if replay is None else Feed.REPLAY


def _validate_speed(speed: str) -> None:
    from edge_assets.sandbox.server.__main__ import parse_speed

    parse_speed(speed)


def _confirm_reset(home: Home, feed: Feed) -> None:
    """Ask before data is deleted; `LocalError` if the user declines or there is no terminal to ask at."""
    from edge_assets.local.feed_databases import load_feed_identities

    identities = load_feed_identities(home)
    if identities is None and (home.postgres / "PG_VERSION").exists():  # state.json was deleted
        identities = {feed.value: "unknown contents"}
    stored = (identities or {}).get(feed.value)
    if stored is None:
        return
    question = f"--fresh deletes the contents of this home's database for {feed} ({stored})"
    if not sys.stdin.isatty():
        raise LocalError(question, "add --yes to confirm, or use another EDGE_HOME")
    err.print(question, markup=False, soft_wrap=True)
    if not typer.confirm("Delete it?", err=True):
        msg = "nothing was deleted or started"
        raise LocalError(msg)


def _start(home: Home, settings: Settings, options: StartOptions) -> Plan:
    from edge_assets.local import stack

    with err.status(f"starting with feed {options.feed}") as spinner:
        plan = stack.up(home, settings, options, _StartProgress(spinner))
    _print_urls(plan)
    return plan


class _StartProgress:
    """Prints a line for every finished step, and shows the others in a spinner."""

    def __init__(self, spinner: Status) -> None:
        self._spinner = spinner
        self._waiting: list[str] = []

    def __call__(self, name: str, state: StepState, seconds: float) -> None:
        if state == "starting":
            self._waiting.append(name)
        else:
            self._waiting.remove(name)
            icon, suffix = (
                ("[green]✓[/]", "") if state == "ready" else ("[yellow]![/]", " failed to start; see `edge status`")
            )
            err.print(f"{icon} {name}{suffix} [dim]{seconds:.1f} s[/]", markup=True)
        self._spinner.update(f"starting {', '.join(self._waiting)}")


def _print_urls(plan: Plan) -> None:
    from edge_assets.local.ports import PREFERRED_PORTS, is_free

    labels = {"board": "serving", "dagster": "dagster-webserver", "mlflow": "mlflow"}
    for name, url in plan.urls.items():
        preferred = PREFERRED_PORTS[labels[name]]
        is_moved = plan.is_managed(name) and not url.endswith(f":{preferred}") and not is_free(preferred)
        out.print(
            f"  {name:8} {url}" + (f"  (port {preferred} is taken)" if is_moved else ""),
            soft_wrap=True,
        )
    if plan.feed is Feed.SIMULATE:
        out.print("  [bold yellow]SIMULATED[/] odds: no real sportsbook offers these prices", markup=True)


def _follow_alerts(home: Home, settings: Settings, plan: Plan) -> None:
    from datetime import timedelta

    from edge_assets.cli.stream_client import follow, make_line_printer
    from edge_assets.core.tokens import issue_token
    from edge_assets.local.environment import jwt_secret
    from edge_assets.local.supervisor import Supervisor

    err.print("following alerts; Ctrl-C stops everything", style="dim")

    def token() -> str:
        if Supervisor(home).pid is None:
            msg = "the stack was stopped by another command"
            raise LocalError(msg)
        return issue_token(jwt_secret(settings, home), "edge up", timedelta(hours=1))

    follow(plan.urls["board"], token, None, make_line_printer())


def _stop(home: Home) -> None:
    from edge_assets.local.shutdown import down

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with err.status("stopping everything"):
        down(home)
    err.print("stopped")
