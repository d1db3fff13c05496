"""`edge watch`."""

from __future__ import annotations

import signal
from typing import Annotated

import typer

from edge_assets.core.settings import Settings


def watch(
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object per line.")] = False,
    url: Annotated[str | None, typer.Option(metavar="URL", help="URL of the server; default: this home's.")] = None,
    token: Annotated[
        str | None, typer.Option(metavar="TOKEN", help="Token; default: one signed with this home's secret.")
    ] = None,
    after: Annotated[
        int | None,
        typer.Option(metavar="ID", min=0, max=2**63 - 1, help="Resume after this alert id; 0: from the oldest."),
    ] = None,
) -> None:
    """Follow the alerts in the terminal; resumes after a lost connection."""
    from datetime import timedelta

    from edge_assets.cli.stream_client import follow, make_line_printer, print_json
    from edge_assets.core.tokens import issue_token
    from edge_assets.local.environment import jwt_secret
    from edge_assets.local.home import Home
    from edge_assets.local.plan import Plan

    settings = Settings()
    if url is not None:
        url = _validate_url(url)
    home = Home.open(settings.edge_home)
    plan = Plan.load(home)
    board = url or (plan.urls["board"] if plan else "http://127.0.0.1:8000")

    def make_token() -> str:
        return token or issue_token(jwt_secret(settings, home), "edge watch", timedelta(hours=1))

    # shells make background jobs ignore interrupts
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        follow(board.rstrip("/"), make_token, after, print_json if as_json else make_line_printer())
    except KeyboardInterrupt:
        raise typer.Exit from None


def _validate_url(url: str) -> str:
    from edge_assets.core.settings_input import strip_quotes, validate_url
    from edge_assets.local.errors import LocalError

    try:
        return validate_url(strip_quotes(url), ("http", "https"))
    except ValueError as error:
        msg = f"--url: {error}"
        raise LocalError(msg, "write it as `edge up` prints it, such as http://127.0.0.1:8000") from None
