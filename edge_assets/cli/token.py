"""`edge token`."""

from __future__ import annotations

from typing import Annotated

import typer

from edge_assets.core.settings import Settings

MAX_HOURS = 24 * 366 * 10


def token(
    subject: Annotated[str, typer.Option(metavar="NAME", help="Name of the token's owner.")] = "cli",
    hours: Annotated[float, typer.Option(metavar="HOURS", help="Lifetime in hours.")] = 24.0,
) -> None:
    """Print a token for the alert stream, signed with JWT_SECRET or this home's own secret."""
    from datetime import timedelta

    from edge_assets.core.tokens import issue_token
    from edge_assets.local.environment import jwt_secret
    from edge_assets.local.errors import LocalError
    from edge_assets.local.home import Home

    if not 0 <= hours <= MAX_HOURS:  # also rejects NaN
        msg = "--hours is out of range"
        raise LocalError(msg, f"give a number from 0 to {MAX_HOURS}")
    settings = Settings()
    secret = jwt_secret(settings, Home.open(settings.edge_home))
    typer.echo(issue_token(secret, subject, timedelta(hours=hours)))
