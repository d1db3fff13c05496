"""`edge status`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from edge_assets.cli.application import out
from edge_assets.settings import HomeSettings
from edge_assets.terminal import as_cell

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rich.table import Table

COLOURS = {"RUNNING": "green", "STARTING": "yellow", "BACKOFF": "red", "FATAL": "red"}
SEVERITIES = {"error": "bold red", "warning": "yellow", "note": "cyan"}
ELSEWHERE = {
    "services", "urls", "database", "running", "home", "feed", "world", "sports", "failing", "health", "credits",
    "unknown",
}  # fmt: skip
PROBLEMS, NOTHING_RUNS = 1, 3
"""Exit codes."""


def status(as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False) -> None:
    """Show whether everything works, the services and what has come through.

    Exit code 0: everything works; 1: something does not, which is told with what to do; 3: nothing runs.
    """
    from edge_assets.local.home import Home
    from edge_assets.local.state import status as state_of

    state = state_of(Home.open(HomeSettings().edge_home))
    if as_json:
        import json

        typer.echo(json.dumps(state, indent=1, default=str))
    else:
        _show(state)
    if not state["running"]:
        raise typer.Exit(NOTHING_RUNS)
    if state.get("health", {}).get("status") != "ok":
        raise typer.Exit(PROBLEMS)


def _show(state: dict[str, Any]) -> None:
    if not state["running"]:
        out.print(f"nothing runs in {state['home']}", style="yellow", soft_wrap=True)
        return
    if "feed" not in state:
        out.print("this home does not say what runs in it: `edge down`, then `edge up`", style="yellow")
        return
    out.print(f"feed {state['feed']} ({state['world']})", markup=False, soft_wrap=True)
    show_health(state["health"])
    if "credits" in state:
        out.print(f"credits: {_credits(state['credits'])}", markup=False, soft_wrap=True)
    out.print(_services(state["services"]))
    for name, url in state["urls"].items():
        out.print(f"  {name:8} {url}", markup=False, soft_wrap=True)
    if "unknown" in state:
        out.print(f"unknown: {state['unknown']}", style="red", markup=False, soft_wrap=True)
    if "database" in state:
        _show_counts(state)


def show_health(health: dict[str, Any]) -> None:
    """Print what is wrong, each with what to do; names in it are text, never markup."""
    if not health["problems"]:
        out.print("everything works", style="green")
    for problem, subjects in _alike(health["problems"]):
        subject = f"{', '.join(subjects)}: " if subjects else ""
        detail = f" ({problem['detail']})" if problem["detail"] else ""
        style = SEVERITIES[problem["severity"]]
        out.print(as_cell(f"{subject}{problem['meaning']}{detail}"), style=style, soft_wrap=True)
        out.print(f"→ {problem['what_to_do']}", soft_wrap=True)


def _alike(problems: Sequence[dict[str, Any]]) -> Iterator[tuple[dict[str, Any], list[str]]]:
    """One of each kind and detail, with all of their subjects: a lost connection is told once, not for nine sports."""
    groups: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for problem in problems:
        groups.setdefault((problem["kind"], problem["detail"]), []).append(problem)
    for alike in groups.values():
        yield alike[0], [problem["subject"] for problem in alike if problem["subject"]]


def _show_counts(state: dict[str, Any]) -> None:
    out.print(_counts(state))
    if state["contradicted_results"]:
        out.print("contradicted results settle nothing until a person decides: `edge results list --contradicted`")
    out.print(_sports(state["sports"]))


def _credits(outlook: dict[str, Any]) -> str:
    spent = ", ".join(f"{sport} {n:,}" for sport, n in outlook["by_sport_today"].items())
    return f"{outlook['summary']}; today for {spent}" if spent else str(outlook["summary"])


def _services(services: dict[str, dict[str, Any]]) -> Table:
    from rich.table import Table
    from rich.text import Text

    from edge_assets.health.words import amount

    table = Table("service", "state", "memory", "", box=None, pad_edge=False)
    table.columns[2].justify = "right"
    for name, service in services.items():
        state = Text(service["state"].lower(), COLOURS.get(service["state"], "dim"))
        taken = service["memory_bytes"]
        table.add_row(name, state, amount(taken) if taken else "", Text(as_cell(service["about"])))
    table.add_row("all", "", amount(sum(s["memory_bytes"] or 0 for s in services.values())), "")
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
