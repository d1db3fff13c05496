"""The board's session in a local demo: a short-lived token for the page of this very server, nobody else."""

from __future__ import annotations

from datetime import timedelta

from fastapi import APIRouter, Depends, HTTPException, Request, Response

from edge_assets.settings import LOOPBACK_NAMES
from edge_assets.tokens import issue_token
from edge_assets.web.guard import host_name, is_loopback
from serving.api.models import Problem, Session
from serving.deps import Held

LIFETIME = timedelta(minutes=15)

router = APIRouter(tags=["board"])


def own_page(request: Request) -> None:
    """Admit only the page that this server served, to a browser on this machine.

    The guard has seen to it that the Host is a name of this server and the Origin, if there is one, its own. Here both
    have to be there, the name one of this machine, and no proxy in between: behind one everybody seems to be here.
    """
    headers = request.headers
    here = request.client is not None and is_loopback(request.client.host) and "x-forwarded-for" not in headers
    local_name = host_name(headers.get("host", "")) in LOOPBACK_NAMES
    if not (here and local_name and "origin" in headers):
        raise HTTPException(403, "only this server's own page, opened on this machine, gets a token")


@router.post("/api/session", responses={403: {"model": Problem}}, dependencies=[Depends(own_page)])
def session(held: Held, response: Response) -> Session:
    """A token for the board, good for fifteen minutes (local demo only)."""
    response.headers["Cache-Control"] = "no-store"
    token = issue_token(held.secret, "board", LIFETIME)
    return Session(token=token, expires_in=int(LIFETIME.total_seconds()))
