"""An HTTP server that answers from a script and records its requests."""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.types import Receive, Scope, Send

from starlette.requests import Request


@dataclass
class Scripted:
    body: bytes = b"[]"
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    delay: float = 0.0
    declared_length: int | None = None
    """The Content-Length sent; if it exceeds the body, the connection breaks in the middle."""
    bytes_a_second: float | None = None
    """The rate at which the body is sent, byte by byte; None sends it at once."""


@dataclass
class Asked:
    path: str
    params: dict[str, str]
    headers: Mapping[str, str]


def error(status: int, code: str, message: str, **headers: str) -> Scripted:
    body = msgspec.json.encode({"message": message, "error_code": code, "details_url": "https://x"}) + b"\n"
    return Scripted(body, status, {name.replace("_", "-"): value for name, value in headers.items()})


class ScriptedApi:
    """Answers in the order of `answers`, the last one for ever."""

    def __init__(self) -> None:
        self.url = ""
        self.reset()

    def reset(self) -> None:
        self.asked: list[Asked] = []
        self.answers: deque[Scripted] = deque([Scripted()])

    def set_answers(self, *answers: Scripted) -> None:
        self.answers = deque(answers)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        self.asked.append(Asked(request.url.path, dict(request.query_params), request.headers))
        answer = self.answers[0] if len(self.answers) == 1 else self.answers.popleft()
        await send_answer(answer, send)


async def send_answer(answer: Scripted, send: Send, more: Mapping[str, str] = MappingProxyType({})) -> None:
    """Send it, with `more` headers."""
    await asyncio.sleep(answer.delay)
    length = str(answer.declared_length or len(answer.body))
    headers = {**more, **answer.headers, "content-length": length}
    encoded = [(name.encode(), value.encode()) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": answer.status, "headers": encoded})
    if not answer.bytes_a_second:
        await send({"type": "http.response.body", "body": answer.body})
        return
    for byte in answer.body[:-1]:
        await send({"type": "http.response.body", "body": bytes([byte]), "more_body": True})
        await asyncio.sleep(1 / answer.bytes_a_second)
    await send({"type": "http.response.body", "body": answer.body[-1:]})
