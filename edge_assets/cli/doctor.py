"""`edge doctor`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from edge_assets.cli.application import out
from edge_assets.core.settings import Settings

if TYPE_CHECKING:
    from edge_assets.local.diagnostics import Diagnosis

VERDICT_ICONS = {"ok": ("✓", "green"), "warn": ("!", "yellow"), "fail": ("✗", "red")}


def doctor(as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False) -> None:
    """Check this machine, the configuration and the running stack; exit code 1 if something does not work."""
    from edge_assets.local.diagnostics import run_checks
    from edge_assets.local.home import Home

    settings = Settings()
    checks = []
    for check in run_checks(Home.open(settings.edge_home), settings):
        checks.append(check)
        if not as_json:
            _print_check(check)
    if as_json:
        import json

        typer.echo(json.dumps([check._asdict() for check in checks], indent=1))
    if any(check.verdict == "fail" for check in checks):
        raise typer.Exit(1)


def _print_check(check: Diagnosis) -> None:
    icon, style = VERDICT_ICONS[check.verdict]
    out.print(icon, style=style, end=" ")
    out.print(f"{check.name:26} {check.found}", soft_wrap=True)
    if check.remedy:
        out.print(f"  → {check.remedy}", style="dim", soft_wrap=True)
