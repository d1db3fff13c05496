"""`edge status`."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from edge_assets.cli.application import out
from edge_assets.core.settings import HomeSettings
from edge_assets.core.terminal import to_single_line

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rich.table import Table

STATE_COLOURS = {"RUNNING": "green", "STARTING": "yellow", "BACKOFF": "red", "FATAL": "red"}
SEVERITY_STYLES = {"error": "bold red", "warning": "yellow", "note": "cyan"}
SHOWN_SEPARATELY = {
    "services", "urls", "database", "running", "home", "feed", "feed_identity", "sports", "failing", "health",
    "credits", "unknown",
}  # fmt: skip
EXIT_PROBLEMS, EXIT_NOT_RUNNING = 1, 3
"""Exit codes."""


def status(as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False) -> None:
    """Show health, services and counts of the running stack.

    Exit code 0: everything works; 1: there are problems, shown with what to do; 3: no stack is running.
    """
    from edge_assets.local.home import Home
    from edge_assets.local.status import load_status

    state = load_status(Home.open(HomeSettings().edge_home))
    if as_json:
        import json

        typer.echo(json.dumps(state, indent=1, default=str))
    else:
        _print_status(state)
    if not state["running"]:
        raise typer.Exit(EXIT_NOT_RUNNING)
    if state.get("health", {}).get("status") != "ok":
        raise typer.Exit(EXIT_PROBLEMS)


def _print_status(state: dict[str, Any]) -> None:
    if not state["running"]:
        out.print(f"no stack is running in {state['home']}", style="yellow", soft_wrap=True)
        return
    if "feed" not in state:
        out.print("unknown stack in this home: run `edge down`, then `edge up`", style="yellow")
        return
    out.print(f"feed {state['feed']} ({state['feed_identity']})", markup=False, soft_wrap=True)
    print_health(state["health"])
    if "credits" in state:
        out.print(f"credits: {_format_credits(state['credits'])}", markup=False, soft_wrap=True)
    out.print(_services_table(state["services"]))
    for name, url in state["urls"].items():
        out.print(f"  {name:8} {url}", markup=False, soft_wrap=True)
    if "unknown" in state:
        out.print(f"unknown: {state['unknown']}", style="red", markup=False, soft_wrap=True)
    if "database" in state:
        _print_counts(state)


def print_health(health: dict[str, Any]) -> None:
    """Print each problem with what to do; names are text, never markup."""
    if not health["problems"]:
        out.print("everything works", style="green")
    for problem, subjects in _group_problems(health["problems"]):
        subject = f"{', '.join(subjects)}: " if subjects else ""
        detail = f" ({problem['detail']})" if problem["detail"] else ""
        style = SEVERITY_STYLES[problem["severity"]]
        out.print(to_single_line(f"{subject}{problem['meaning']}{detail}"), style=style, soft_wrap=True)
        out.print(f"→ {problem['what_to_do']}", soft_wrap=True)


def _group_problems(problems: Sequence[dict[str, Any]]) -> Iterator[tuple[dict[str, Any], list[str]]]:
    """Group problems by kind and detail, with their subjects: a lost connection is one entry, not one per sport."""
    groups: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for problem in problems:
        groups.setdefault((problem["kind"], problem["detail"]), []).append(problem)
    for group in groups.values():
        yield group[0], [problem["subject"] for problem in group if problem["subject"]]


def _print_counts(state: dict[str, Any]) -> None:
    out.print(_counts_table(state))
    if state["contradicted_results"]:
        out.print("contradicted results settle nothing until decided: `edge results list --contradicted`")
    out.print(_sports_table(state["sports"]))


def _format_credits(outlook: dict[str, Any]) -> str:
    spent = ", ".join(f"{sport} {n:,}" for sport, n in outlook["by_sport_today"].items())
    return f"{outlook['summary']}; used today: {spent}" if spent else str(outlook["summary"])


def _services_table(services: dict[str, dict[str, Any]]) -> Table:
    from rich.table import Table
    from rich.text import Text

    from edge_assets.health.formatting import format_bytes

    table = Table("service", "state", "memory", "", box=None, pad_edge=False)
    table.columns[2].justify = "right"
    for name, service in services.items():
        state = Text(service["state"].lower(), STATE_COLOURS.get(service["state"], "dim"))
        memory = service["memory_bytes"]
        table.add_row(name, state, format_bytes(memory) if memory else "", Text(to_single_line(service["about"])))
    table.add_row("total", "", format_bytes(sum(s["memory_bytes"] or 0 for s in services.values())), "")
    return table


def _counts_table(state: dict[str, Any]) -> Table:
    from rich.table import Table

    from edge_assets.store.postgres.database import DatabaseInfo

    table = Table("counts", "", box=None, pad_edge=False)
    table.add_row("database", DatabaseInfo(**state["database"]).summary)
    for key, value in state.items():
        if key not in SHOWN_SEPARATELY:
            table.add_row(key.replace("_", " "), _format_value(value))
    return table


def _sports_table(sports: list[dict[str, Any]]) -> Table:
    from rich.table import Table

    table = Table("sport", "payloads", "quotes seen", "ticks", "last seen", box=None, pad_edge=False)
    for sport in sports:
        counts = [f"{sport[key]:,}" for key in ("payloads", "quotes_seen", "ticks")]
        table.add_row(sport["sport"], *counts, f"{sport['last_observed_at']:%Y-%m-%d %H:%M:%S}")
    return table


def _format_value(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key} {_format_value(part)}" for key, part in value.items()) or "-"
    if value is None:
        return "-"
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M:%S}"
    if isinstance(value, float):
        return f"{value:,.1f}"
    return f"{value:,}" if isinstance(value, int) else str(value)
