"""A guard before a web server: other pages, and other names for this machine, get nothing.

Browsers let any page send a GET or a form's POST to any address, `127.0.0.1` included, and a page whose name has been
rebound to this machine may even read the answer. They do say which name was asked (`Host`) and whose page asks
(`Origin`), and let no script set either.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from http import HTTPStatus
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders

from edge_assets.settings import LOOPBACK_NAMES

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

SAFE_HEADERS = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "content-security-policy": "frame-ancestors 'none'; base-uri 'self'; object-src 'none'",
}
"""What every answer says, unless the server behind says otherwise."""
READING = frozenset({"GET", "HEAD", "OPTIONS"})
_HOST = re.compile(r"(?:\[(?P<v6>[0-9A-Fa-f:.]+)\]|(?P<name>[A-Za-z0-9._-]+))(?::\d{1,5})?")
_FORWARDED_PORT = re.compile(r"\[(.*)\](?::\d{1,5})?|([^:]*):\d{1,5}")


class Refusal(NamedTuple):
    """Why a request is not answered."""

    status: HTTPStatus
    detail: str


Rule: TypeAlias = Callable[["Scope", Headers], Refusal | None]


class Guard:
    """An ASGI application that hands on only what this server's own pages, or no page at all, have sent.

    Args:
        app: the server behind.
        hosts: the names under which it may be asked, without ports; an IPv6 address without brackets.
        rules: further reasons to refuse.
        headers: what every answer says, unless the server behind says otherwise.
        own_headers: what every answer says, whatever the server behind says.
    """

    def __init__(
        self,
        app: ASGIApp,
        hosts: Collection[str] = LOOPBACK_NAMES,
        rules: Collection[Rule] = (),
        headers: Mapping[str, str] = SAFE_HEADERS,
        own_headers: Mapping[str, str] | None = None,
    ) -> None:
        self._app = app
        self._rules: tuple[Rule, ...] = (other_host(hosts), foreign_origin, malformed_forwarding, *rules)
        self._headers = headers
        self._own_headers = own_headers or {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or have it answered."""
        if scope["type"] not in {"http", "websocket"}:
            await self._app(scope, receive, send)
            return
        sent = Headers(scope=scope)
        guarded = self._guarded(send, sent.get("host", ""))
        refusal = find_refusal(self._rules, scope, sent)
        if refusal is None:
            await self._app(scope, receive, guarded)
        else:
            await _refuse(scope, refusal, guarded)

    def _guarded(self, send: Send, host: str) -> Send:
        async def guarded(message: Message) -> None:
            if message["type"] in {"http.response.start", "websocket.http.response.start"}:
                headers = MutableHeaders(scope=message)
                for name, value in self._headers.items():
                    headers.setdefault(name, value)
                headers.update(self._own_headers)
                if location := headers.get("location"):
                    headers["location"] = _relative(location, host)
            await send(message)

        return guarded


def find_refusal(rules: Iterable[Rule], scope: Scope, sent: Headers) -> Refusal | None:
    """Why the first of `rules` that objects to a request does; None if none does."""
    return next((found for rule in rules if (found := rule(scope, sent))), None)


def other_host(allowed: Collection[str]) -> Rule:
    """The rule that refuses a request by another name than the `allowed` ones, or by none."""
    names = frozenset(host.strip("[]").lower() for host in allowed)

    def refuse(_: Scope, sent: Headers) -> Refusal | None:
        hosts = sent.getlist("host")
        name = host_name(hosts[0]) if len(hosts) == 1 else None
        if name is None:
            problem = "the request needs one Host header: a name or an address, and a port"
            return Refusal(HTTPStatus.BAD_REQUEST, problem)
        if name in names:
            return None
        return Refusal(
            HTTPStatus.FORBIDDEN,
            f"this server is not asked by that name; it answers to {', '.join(sorted(names))} "
            "(EDGE_ALLOWED_HOSTS names more)",
        )

    return refuse


def foreign_origin(scope: Scope, sent: Headers) -> Refusal | None:
    """Refuse what the page of another server, or a sandboxed one, has sent."""
    origins = sent.getlist("origin")
    scheme = {"ws": "http", "wss": "https"}.get(scope["scheme"], scope["scheme"])
    own = f"{scheme}://{sent.get('host', '')}".lower()
    if all(origin.lower() == own for origin in origins):
        return None
    return Refusal(HTTPStatus.FORBIDDEN, "only this server's own pages may ask it; this request comes from another")


def foreign_fetch(scope: Scope, sent: Headers) -> Refusal | None:
    """Refuse what a part of another server's page asks for, an image say, which has no Origin; a link may lead here.

    Browsers say so (`Sec-Fetch-Site`); programs do not, nor do old browsers.
    """
    if sent.get("sec-fetch-site", "none") in {"none", "same-origin"}:
        return None
    is_link = sent.get("sec-fetch-mode") == "navigate" and sent.get("sec-fetch-dest") == "document"
    if is_link and scope.get("method") == "GET":
        return None
    return Refusal(HTTPStatus.FORBIDDEN, "only this server's own pages may ask it; this request comes from another")


def malformed_forwarding(_: Scope, sent: Headers) -> Refusal | None:
    """Refuse an `X-Forwarded-For` that names no addresses, whether or not a proxy is trusted."""
    for value in sent.getlist("x-forwarded-for"):
        if not all(map(_is_address, value.split(","))):
            return Refusal(HTTPStatus.BAD_REQUEST, "X-Forwarded-For is a list of addresses, separated by commas")
    return None


def not_json(scope: Scope, sent: Headers) -> Refusal | None:
    """Refuse to change anything by what a form could send: a GET, or a body that is not declared as JSON.

    A page needs leave for a request with a JSON body to another server, and asks for it first (CORS).
    """
    if scope["type"] != "http" or scope["method"] in READING:
        return None
    if sent.get("content-type", "").partition(";")[0].strip().lower() == "application/json":
        return None
    return Refusal(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "send application/json")


def host_name(host: str) -> str | None:
    """The name or address of a `Host` header, in lower case, without port and brackets; None if it is malformed."""
    found = _HOST.fullmatch(host)
    return (found["v6"] or found["name"]).lower() if found else None


def is_loopback(host: str) -> bool:
    """Whether the address of a client, as it was found or forwarded, is this machine's own."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _is_address(text: str) -> bool:
    text = text.strip()
    with_port = _FORWARDED_PORT.fullmatch(text)
    try:
        ip_address((with_port[1] or with_port[2] or "") if with_port else text)
    except ValueError:
        return text == "unknown"  # so proxies say that they do not know
    return True


def _relative(location: str, host: str) -> str:
    """A redirect without the `Host` that was sent, of which servers make one; other servers' stay as they are."""
    to = urlsplit(location)
    if not host or to.netloc != host:
        return location
    return "/" + to._replace(scheme="", netloc="", path=to.path.lstrip("/")).geturl().lstrip("/")


async def _refuse(scope: Scope, refusal: Refusal, send: Send) -> None:
    kind = "http.response" if scope["type"] == "http" else "websocket.http.response"
    if kind not in {"http.response", *scope.get("extensions", {})}:
        await send({"type": "websocket.close", "code": 1008, "reason": refusal.detail})
        return
    body = json.dumps({"detail": refusal.detail}).encode()
    headers: list[Any] = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(body)).encode()),
        (b"cache-control", b"no-store"),
    ]
    await send({"type": f"{kind}.start", "status": int(refusal.status), "headers": headers})
    await send({"type": f"{kind}.body", "body": body})
