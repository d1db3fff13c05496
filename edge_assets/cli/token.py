"""`edge token`."""

from __future__ import annotations

from typing import Annotated

import typer

from edge_assets.settings import Settings


def token(
    subject: Annotated[str, typer.Option(help="Whom the token is for.")] = "cli",
    hours: Annotated[float, typer.Option(min=0.0, help="How long it is good.")] = 24.0,
) -> None:
    """Print a token for the alert stream, signed with JWT_SECRET or this home's own secret."""
    from datetime import timedelta

    from edge_assets.local.environment import jwt_secret
    from edge_assets.local.home import Home
    from edge_assets.tokens import issue_token

    settings = Settings()
    secret = jwt_secret(settings, Home.open(settings.edge_home))
    typer.echo(issue_token(secret, subject, timedelta(hours=hours)))
