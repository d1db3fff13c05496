"""The board's session in a local demo: a short-lived token, issued only to this server's own page."""

from __future__ import annotations

from datetime import timedelta

from fastapi import APIRouter, Depends, HTTPException, Request, Response

from edge_assets.core.settings import LOOPBACK_NAMES
from edge_assets.core.tokens import issue_token
from edge_assets.web.guard import is_loopback, parse_host
from serving.api.models import ErrorResponse, Session
from serving.deps import ResourcesDep

SESSION_LIFETIME = timedelta(minutes=15)

router = APIRouter(tags=["board"])


def require_own_page(request: Request) -> None:
    """Allow only this server's own page, opened in a browser on this machine.

    The guard has already checked that Host names this server and that Origin, if present, is its own. Here both are
    required, Host must be a loopback name, and no proxy may be in between: behind one, every client seems local.
    """
    headers = request.headers
    is_direct = request.client is not None and is_loopback(request.client.host) and "x-forwarded-for" not in headers
    is_local_name = parse_host(headers.get("host", "")) in LOOPBACK_NAMES
    if not (is_direct and is_local_name and "origin" in headers):
        raise HTTPException(403, "tokens are issued only to this server's own page on this machine")


@router.post("/api/session", responses={403: {"model": ErrorResponse}}, dependencies=[Depends(require_own_page)])
def session(resources: ResourcesDep, response: Response) -> Session:
    """A token for the board, valid for fifteen minutes (local demo only)."""
    response.headers["Cache-Control"] = "no-store"
    token = issue_token(resources.secret, "board", SESSION_LIFETIME)
    return Session(token=token, expires_in=int(SESSION_LIFETIME.total_seconds()))
