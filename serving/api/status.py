"""Counts for people: what came in, what was alerted, what was withheld and why."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter

from edge_assets.sports import ALIASES
from edge_assets.store import board
from edge_assets.store.status import status as counts
from serving.api.models import Problem, Sport, Status
from serving.deps import Held, Store
from serving.version import VERSION

router = APIRouter(prefix="/api", responses={503: {"model": Problem}})


@router.get("/status", tags=["operations"])
def status(held: Held, store: Store) -> Status:
    """Counts since this database began, and the latency of alerts."""
    head: dict[str, Any] = {"version": VERSION, "feed": board.feed(store), "local": held.settings.edge_local}
    return Status.model_validate(head | counts(store))


@router.get("/sports", tags=["odds"])
def sports(store: Store) -> list[Sport]:
    """The sports that have been looked at, with the short names that other calls accept."""
    aliases: dict[str, list[str]] = {}
    for alias, key in ALIASES.items():
        aliases.setdefault(key, []).append(alias)
    found = sorted(board.sports(store).values(), key=lambda s: s.title)
    return [Sport(key=s.key, title=s.title, aliases=aliases.get(s.key, [])) for s in found]
