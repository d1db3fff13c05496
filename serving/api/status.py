"""Counts of polls, prices, alerts, and suppressed candidates by reason."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter

from edge_assets.reference.sports import SPORT_ALIASES
from edge_assets.store import lookups
from edge_assets.store.health.totals import load_status as load_totals
from serving.api.models import ErrorResponse, SportInfo, Status
from serving.deps import ConnectionDep, ResourcesDep
from serving.version import VERSION

router = APIRouter(prefix="/api", responses={503: {"model": ErrorResponse}})


@router.get("/status", tags=["operations"])
def status(resources: ResourcesDep, conn: ConnectionDep) -> Status:
    """Counts since this database was created, and the latency of alerts."""
    head: dict[str, Any] = {
        "version": VERSION,
        "feed": lookups.find_live_feed(conn),
        "local": resources.settings.edge_local,
    }
    return Status.model_validate(head | load_totals(conn))


@router.get("/sports", tags=["odds"])
def sports(conn: ConnectionDep) -> list[SportInfo]:
    """Polled sports with their aliases."""
    aliases: dict[str, list[str]] = {}
    for alias, key in SPORT_ALIASES.items():
        aliases.setdefault(key, []).append(alias)
    found = sorted(lookups.load_sports(conn).values(), key=lambda s: s.title)
    return [SportInfo(key=s.key, title=s.title, aliases=aliases.get(s.key, [])) for s in found]
