"""The board's session in a local demo: a short-lived token for the page of this very server, nobody else."""

from __future__ import annotations

from datetime import timedelta
from ipaddress import ip_address
from urllib.parse import urlsplit

from fastapi import APIRouter, Depends, HTTPException, Request

from edge_assets.tokens import issue_token
from serving.api.models import Problem, Session
from serving.deps import Held

LIFETIME = timedelta(minutes=15)
LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})

router = APIRouter(tags=["board"])


def own_page(request: Request) -> None:
    """Admit only the page that this server served, to a browser on this machine.

    The Host check stops DNS rebinding, the Origin check stops other pages; browsers send both and let no
    script set them.
    """
    host = request.headers.get("host", "")
    here = request.client is not None and ip_address(request.client.host).is_loopback
    local_name = urlsplit(f"//{host}").hostname in LOOPBACK_NAMES
    if not (here and local_name and request.headers.get("origin") == f"{request.url.scheme}://{host}"):
        raise HTTPException(403, "only this server's own page, opened on this machine, gets a token")


@router.post("/api/session", responses={403: {"model": Problem}}, dependencies=[Depends(own_page)])
def session(held: Held) -> Session:
    """A token for the board, good for fifteen minutes (local demo only)."""
    token = issue_token(held.secret, "board", LIFETIME)
    return Session(token=token, expires_in=int(LIFETIME.total_seconds()))
