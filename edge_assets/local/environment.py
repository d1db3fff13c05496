"""The environment of the stack's processes: the variables of `Settings` and of Dagster."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from edge_assets.core.settings import Feed
from edge_assets.core.tokens import signing_secret
from edge_assets.local.ports import HOST

if TYPE_CHECKING:
    from edge_assets.core.settings import Settings
    from edge_assets.local.home import Home
    from edge_assets.local.plan import Plan

COMMON_VARIABLES = {
    "DAGSTER_DISABLE_TELEMETRY": "true",
    "DO_NOT_TRACK": "true",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "PYTHONUNBUFFERED": "1",
}


def build_environment(settings: Settings, home: Home, plan: Plan) -> dict[str, str]:
    """The caller's environment, overridden by the stack's variables."""
    variables = {
        "EDGE_HOME": str(home.root),
        "EDGE_FEED": plan.feed.value,
        "EDGE_LOCAL": "true",
        "EDGE_BOARD_URL": plan.urls["board"],
        "DATABASE_URL": plan.database_url,
        "REDIS_URL": plan.redis_url,
        "MLFLOW_TRACKING_URI": plan.mlflow_uri,
        "JWT_SECRET": jwt_secret(settings, home),
    }
    return {
        **os.environ,
        **COMMON_VARIABLES,
        **variables,
        **dagster_environment(home, plan),
        **_feed_environment(settings, home, plan),
    }


def dagster_environment(home: Home, plan: Plan) -> dict[str, str]:
    """Dagster's instance, and how long it waits for a code server to start a run.

    Its default of 60 seconds fails runs that are still importing on a busy machine.
    """
    return {
        "DAGSTER_HOME": str(home.dagster),
        "DAGSTER_POSTGRES_URL": sqlalchemy_url(plan.dagster_url),
        "DAGSTER_GRPC_TIMEOUT_SECONDS": "900",
    }


def jwt_secret(settings: Settings, home: Home) -> str:
    """The configured secret, else this home's own; `MissingSettingError` if it is too short."""
    return signing_secret(settings) if settings.jwt_secret else home.secret("jwt")


def sqlalchemy_url(url: str) -> str:
    """The URL with SQLAlchemy's driver name, as Dagster and MLflow require."""
    return "postgresql+psycopg2://" + url.split("://", 1)[1]


def _feed_environment(settings: Settings, home: Home, plan: Plan) -> dict[str, str]:
    if plan.feed is Feed.ODDS_API:
        key = settings.odds_api_key
        return {"ODDS_API_URL": settings.odds_api_url, "ODDS_API_KEY": key.get_secret_value() if key else ""}
    return {"ODDS_API_URL": f"http://{HOST}:{plan.feed_port}/v4", "ODDS_API_KEY": home.secret("odds-api-key")}
