"""How a stack fares: its services, and what its database counts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import psycopg

from edge_assets.local.plan import Plan
from edge_assets.local.supervisor import Supervisor
from edge_assets.store.database import connect
from edge_assets.store.status import status as counts

if TYPE_CHECKING:
    from edge_assets.local.home import Home


def status(home: Home) -> dict[str, Any]:
    """`running`, `feed`, `urls`, `services`, and the database's counts; what cannot be known is left out."""
    supervisor = Supervisor(home)
    plan = Plan.load(home)
    services = {p.name: {"state": p.state, "pid": p.pid or None, "about": p.description} for p in supervisor.programs()}
    state: dict[str, Any] = {
        "running": supervisor.pid is not None,
        "home": str(home.root),
        "services": services,
    }
    if plan is None:
        return state
    return {
        **state,
        "feed": plan.feed.value,
        "world": plan.story,
        "urls": plan.urls,
        **_counts(plan.database_url),
    }


def _counts(url: str) -> dict[str, Any]:
    try:
        with connect(url, "edge status") as conn:
            return counts(conn)
    except psycopg.Error:
        return {}
