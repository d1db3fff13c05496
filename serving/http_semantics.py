"""HTTP semantics for every resource: HEAD, OPTIONS and conditional requests."""

from __future__ import annotations

from hashlib import blake2b
from typing import TYPE_CHECKING

from starlette.datastructures import Headers, MutableHeaders
from starlette.routing import Match

if TYPE_CHECKING:
    from collections.abc import Sequence

    from starlette.routing import BaseRoute
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

ROUTE_METHODS = ("GET", "POST")
OK, NO_CONTENT, NOT_MODIFIED = 200, 204, 304
BODY_HEADERS = ("content-length", "content-type", "content-encoding")


class HttpSemanticsMiddleware:
    """Answers HEAD like GET without a body, OPTIONS with the allowed methods, and a matching ETag with 304."""

    def __init__(self, app: ASGIApp, routes: Sequence[BaseRoute]) -> None:
        self._app = app
        self._routes = routes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or pass it on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
        elif scope["method"] == "OPTIONS" and (allowed := self._allowed_methods(scope)):
            headers = [(b"allow", ", ".join(allowed).encode()), (b"content-length", b"0")]
            await send({"type": "http.response.start", "status": NO_CONTENT, "headers": headers})
            await send({"type": "http.response.body"})
        elif scope["method"] in {"GET", "HEAD"}:
            sender = _ResponseSender(send, Headers(scope=scope), is_head=scope["method"] == "HEAD")
            await self._app({**scope, "method": "GET"}, receive, sender)
        else:
            await self._app(scope, receive, send)

    def _allowed_methods(self, scope: Scope) -> list[str]:
        found = [
            method
            for method in ROUTE_METHODS
            if any(route.matches({**scope, "method": method})[0] is Match.FULL for route in self._routes)
        ]
        return ["OPTIONS", *(["HEAD"] if "GET" in found else []), *found] if found else []


class _ResponseSender:
    """Sends the response to a GET or HEAD: in full, only its head, or 304."""

    def __init__(self, send: Send, request_headers: Headers, *, is_head: bool) -> None:
        self._send = send
        self._request_headers = request_headers
        self._is_head = is_head
        self._pending_start: Message | None = None
        self._omits_body = False

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._pending_start = message
        elif self._pending_start is not None:
            start, self._pending_start = self._pending_start, None
            await self._send_start(start, message)
            await self._send_body(message)
        else:
            await self._send_body(message)

    async def _send_start(self, start: Message, first: Message) -> None:
        headers = MutableHeaders(scope=start)
        body, is_whole = first.get("body", b""), not first.get("more_body", False)
        if start["status"] == OK and "no-store" not in headers.get("cache-control", ""):
            if "etag" not in headers and is_whole:
                headers["etag"] = f'W/"{blake2b(body, digest_size=12).hexdigest()}"'
                headers.setdefault("cache-control", "no-cache")
            if _matches_etag(headers.get("etag"), self._request_headers.get("if-none-match")):
                start["status"] = NOT_MODIFIED
                self._omits_body = True
                for name in BODY_HEADERS:
                    del headers[name]
        self._omits_body = self._omits_body or self._is_head
        await self._send(start)

    async def _send_body(self, message: Message) -> None:
        await self._send({**message, "body": b""} if self._omits_body else message)


def _matches_etag(tag: str | None, known: str | None) -> bool:
    """Whether a client already has this response; weak comparison, as for any GET."""
    if not tag or not known:
        return False
    tags = {each.strip().removeprefix("W/") for each in known.split(",")}
    return "*" in tags or tag.removeprefix("W/") in tags
