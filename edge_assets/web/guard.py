"""A guard for web servers: other sites' pages, and other names of this machine, get no access.

Browsers let any page send a GET or a form's POST to any address, `127.0.0.1` included, and a page whose name has been
rebound to this machine may even read the response. But they do send the requested name (`Host`) and the origin of the
page (`Origin`), and scripts cannot set either.
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

from edge_assets.core.settings import LOOPBACK_NAMES

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

SECURITY_HEADERS = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "content-security-policy": "frame-ancestors 'none'; base-uri 'self'; object-src 'none'",
}
"""Headers of every response, unless the server behind sets them itself."""
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
_HOST = re.compile(r"(?:\[(?P<v6>[0-9A-Fa-f:.]+)\]|(?P<name>[A-Za-z0-9._-]+))(?::\d{1,5})?")
_FORWARDED_PORT = re.compile(r"\[(.*)\](?::\d{1,5})?|([^:]*):\d{1,5}")


class RequestRefusal(NamedTuple):
    """Why a request is refused."""

    status: HTTPStatus
    detail: str


GuardRule: TypeAlias = Callable[["Scope", Headers], RequestRefusal | None]


class Guard:
    """An ASGI application that passes on only requests from this server's own pages, or from no page at all.

    Args:
            app: the guarded server.
            hosts: the names that it may be addressed by, without ports; IPv6 addresses without brackets.
            rules: further reasons to refuse a request.
            headers: headers of every response, unless the server behind sets them itself.
            own_headers: headers of every response that override the server's.
    """

    def __init__(
        self,
        app: ASGIApp,
        hosts: Collection[str] = LOOPBACK_NAMES,
        rules: Collection[GuardRule] = (),
        headers: Mapping[str, str] = SECURITY_HEADERS,
        own_headers: Mapping[str, str] | None = None,
    ) -> None:
        self._app = app
        self._rules: tuple[GuardRule, ...] = (
            refuse_other_hosts(hosts),
            refuse_foreign_origin,
            refuse_malformed_forwarding,
            *rules,
        )
        self._headers = headers
        self._own_headers = own_headers or {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse a request or pass it on."""
        if scope["type"] not in {"http", "websocket"}:
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        send_guarded = self._with_headers(send, headers.get("host", ""))
        refusal = find_refusal(self._rules, scope, headers)
        if refusal is None:
            await self._app(scope, receive, send_guarded)
        else:
            await _send_refusal(scope, refusal, send_guarded)

    def _with_headers(self, send: Send, host: str) -> Send:
        async def send_guarded(message: Message) -> None:
            if message["type"] in {"http.response.start", "websocket.http.response.start"}:
                headers = MutableHeaders(scope=message)
                for name, value in self._headers.items():
                    headers.setdefault(name, value)
                headers.update(self._own_headers)
                if location := headers.get("location"):
                    headers["location"] = _make_relative(location, host)
            await send(message)

        return send_guarded


def find_refusal(rules: Iterable[GuardRule], scope: Scope, headers: Headers) -> RequestRefusal | None:
    """The refusal of the first of `rules` that objects to a request; None if none does."""
    return next((found for rule in rules if (found := rule(scope, headers))), None)


def refuse_other_hosts(allowed: Collection[str]) -> GuardRule:
    """A rule that refuses requests to any name except the `allowed` ones, or to none."""
    names = frozenset(host.strip("[]").lower() for host in allowed)

    def refuse(_: Scope, headers: Headers) -> RequestRefusal | None:
        hosts = headers.getlist("host")
        name = parse_host(hosts[0]) if len(hosts) == 1 else None
        if name is None:
            problem = "the request needs one Host header: a name or an address, and a port"
            return RequestRefusal(HTTPStatus.BAD_REQUEST, problem)
        if name in names:
            return None
        return RequestRefusal(
            HTTPStatus.FORBIDDEN,
            f"this server does not answer to that name, only to {', '.join(sorted(names))} "
            "(add more with EDGE_ALLOWED_HOSTS)",
        )

    return refuse


def refuse_foreign_origin(scope: Scope, headers: Headers) -> RequestRefusal | None:
    """Refuse requests from another site's page, or from a sandboxed one."""
    origins = headers.getlist("origin")
    scheme = {"ws": "http", "wss": "https"}.get(scope["scheme"], scope["scheme"])
    own = f"{scheme}://{headers.get('host', '')}".lower()
    if all(origin.lower() == own for origin in origins):
        return None
    return RequestRefusal(
        HTTPStatus.FORBIDDEN, "only this server's own pages may send requests; this one comes from another site"
    )


def refuse_foreign_fetch(scope: Scope, headers: Headers) -> RequestRefusal | None:
    """Refuse subresource requests of another site's page, such as images, which have no Origin; links are allowed.

    Browsers mark them (`Sec-Fetch-Site`); programs and old browsers do not.
    """
    if headers.get("sec-fetch-site", "none") in {"none", "same-origin"}:
        return None
    is_link = headers.get("sec-fetch-mode") == "navigate" and headers.get("sec-fetch-dest") == "document"
    if is_link and scope.get("method") == "GET":
        return None
    return RequestRefusal(
        HTTPStatus.FORBIDDEN, "only this server's own pages may send requests; this one comes from another site"
    )


def refuse_malformed_forwarding(_: Scope, headers: Headers) -> RequestRefusal | None:
    """Refuse an `X-Forwarded-For` that is not a list of addresses, whether or not a proxy is trusted."""
    for value in headers.getlist("x-forwarded-for"):
        if not all(map(_is_address, value.split(","))):
            return RequestRefusal(
                HTTPStatus.BAD_REQUEST, "X-Forwarded-For must be a list of addresses, separated by commas"
            )
    return None


def refuse_non_json(scope: Scope, headers: Headers) -> RequestRefusal | None:
    """Refuse state changes that a form could send: bodies that are not declared as JSON.

    A page may send JSON to another server only with that server's permission (CORS).
    """
    if scope["type"] != "http" or scope["method"] in SAFE_METHODS:
        return None
    if headers.get("content-type", "").partition(";")[0].strip().lower() == "application/json":
        return None
    return RequestRefusal(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "send application/json")


def parse_host(host: str) -> str | None:
    """The name or address of a `Host` header, in lower case, without port and brackets; None if it is malformed."""
    found = _HOST.fullmatch(host)
    return (found["v6"] or found["name"]).lower() if found else None


def is_loopback(host: str) -> bool:
    """Whether a client's address, direct or forwarded, is a loopback address."""
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
        return text == "unknown"  # what proxies send if they do not know
    return True


def _make_relative(location: str, host: str) -> str:
    """Make a redirect to the request's own `Host` relative; redirects to other servers stay as they are."""
    target = urlsplit(location)
    if not host or target.netloc != host:
        return location
    return "/" + target._replace(scheme="", netloc="", path=target.path.lstrip("/")).geturl().lstrip("/")


async def _send_refusal(scope: Scope, refusal: RequestRefusal, send: Send) -> None:
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
