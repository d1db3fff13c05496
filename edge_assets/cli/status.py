"""`edge status`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from edge_assets.cli.application import out
from edge_assets.settings import HomeSettings

if TYPE_CHECKING:
    from rich.table import Table

HEALTH = {"RUNNING": "green", "STARTING": "yellow", "BACKOFF": "red", "FATAL": "red"}
ELSEWHERE = {"services", "urls", "database", "running", "home", "feed", "world", "sports", "failing"}


def status(as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False) -> None:
    """Show the services and what has come through; exit code 3 if nothing runs."""
    from edge_assets.local.home import Home
    from edge_assets.local.state import status as state_of

    state = state_of(Home.open(HomeSettings().edge_home))
    if as_json:
        import json

        typer.echo(json.dumps(state, indent=1, default=str))
    else:
        _show(state)
    if not state["running"]:
        raise typer.Exit(3)


def _show(state: dict[str, Any]) -> None:
    if not state["running"]:
        out.print(f"nothing runs in {state['home']}", style="yellow", soft_wrap=True)
    else:
        out.print(f"feed {state['feed']} ({state['world']})", style="bold", soft_wrap=True)
        out.print(_services(state["services"]))
        for name, url in state["urls"].items():
            out.print(f"  {name:8} {url}", soft_wrap=True)
    if "database" in state:
        out.print(_counts(state))
        if state["contradicted_results"]:
            out.print("contradicted results settle nothing until a person decides: `edge results list --contradicted`")
        out.print(_sports(state["sports"]))
        for failure in state["failing"]:
            out.print(_failure(failure), style="red", soft_wrap=True)


def _failure(failure: dict[str, Any]) -> str:
    return (
        f"{failure['sport']} has no new alerts: scoring it fails since {failure['failing_since']:%Y-%m-%d %H:%M:%S} "
        f"({failure['failures']} times, next try {failure['retry_at']:%H:%M:%S}): {failure['error']}"
    )


def _services(services: dict[str, dict[str, Any]]) -> Table:
    from rich.table import Table
    from rich.text import Text

    table = Table("service", "state", "", box=None, pad_edge=False)
    for name, service in services.items():
        style = HEALTH.get(service["state"], "dim")
        table.add_row(name, Text(service["state"].lower(), style), service["about"])
    return table


def _counts(state: dict[str, Any]) -> Table:
    from rich.table import Table

    from edge_assets.store.database import DatabaseInfo

    table = Table("so far", "", box=None, pad_edge=False)
    table.add_row("database", DatabaseInfo(**state["database"]).summary)
    for key, value in state.items():
        if key not in ELSEWHERE:
            table.add_row(key.replace("_", " "), _flat(value))
    return table


def _sports(sports: list[dict[str, Any]]) -> Table:
    from rich.table import Table

    table = Table("sport", "payloads", "quotes seen", "ticks", "last seen", box=None, pad_edge=False)
    for sport in sports:
        counts = [f"{sport[key]:,}" for key in ("payloads", "quotes_seen", "ticks")]
        table.add_row(sport["sport"], *counts, f"{sport['last_observed_at']:%Y-%m-%d %H:%M:%S}")
    return table


def _flat(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key} {_flat(part)}" for key, part in value.items()) or "-"
    if isinstance(value, float):
        return f"{value:,.1f}"
    return f"{value:,}" if isinstance(value, int) else str(value)
