"""Checks applied to every call: key, rate, faults, credits, headers."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING

from fastapi import Response
from fastapi.responses import StreamingResponse

from edge_assets.core.clock import SPEED_HEADER, TIME_HEADER
from edge_assets.sandbox.server.errors import ApiError
from edge_assets.sandbox.server.live_routes import Call, Reply

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping

    from fastapi import Request

    from edge_assets.sandbox.server.catalogue import Catalogue
    from edge_assets.sandbox.server.faults import Faults
    from edge_assets.sandbox.server.playback import Playback, PlaybackTime
    from edge_assets.sandbox.server.quota import AccountQuota, CreditAccounts

CONSUMED_HEADER = "x-edge-consumed"
CAPTURED_HEADER = "x-edge-captured-at"
_JSON = "application/json"


@dataclass(slots=True)
class Gateway:
    """Checks requests, calls the endpoint, and turns replies and errors into responses."""

    catalogue: Catalogue
    playback: Playback
    accounts: CreditAccounts

    @property
    def faults(self) -> Faults:
        """The current fault switches."""
        return self.catalogue.faults

    def handle(self, request: Request, endpoint: Callable[[Call], Reply]) -> Response:
        """Check key and rate, call the endpoint, charge its cost."""
        params = request.query_params
        key = params.get("apiKey") or params.get("api_key") or ""
        now = self.playback.now()
        if self.faults.consume("server_errors"):
            return Response("upstream failure", self.faults.server_error_status, media_type="text/plain")
        try:
            self._authorize(key, historical=request.url.path.startswith("/v4/historical"))
            consumed = _parse_consumed(request.headers)
            reply = endpoint(Call(params, consumed, partial(self.accounts.require_credit, key, now.at)))
        except ApiError as error:
            quota = self.accounts.charge(key, 0, now.at)
            return Response(error.body(), error.status, self._headers(quota, self.playback.now()), _JSON)
        quota = self.accounts.charge(key, reply.cost, reply.playback_time.at)
        headers = self._headers(quota, reply.playback_time)
        if reply.captured_at:
            headers[CAPTURED_HEADER] = reply.captured_at.isoformat()
        return self._deliver(reply.body, headers)

    def _authorize(self, key: str, *, historical: bool) -> None:
        faults = self.faults
        if not key:
            raise ApiError("MISSING_KEY")
        if key in faults.invalid_keys:
            raise ApiError("INVALID_KEY")
        if key in faults.deactivated_keys:
            raise ApiError("DEACTIVATED_KEY")
        if historical and key in faults.free_keys:
            raise ApiError("HISTORICAL_UNAVAILABLE_ON_FREE_USAGE_PLAN")
        if faults.consume("rate_limited"):
            raise ApiError("EXCEEDED_FREQ_LIMIT")
        self.accounts.check_rate_limit(key)

    def _headers(self, quota: AccountQuota, playback_time: PlaybackTime) -> dict[str, str]:
        stated = quota if self.faults.remaining is None else quota._replace(remaining=self.faults.remaining)
        headers = {} if self.faults.missing_headers else stated.to_headers()
        return headers | {TIME_HEADER: playback_time.at.isoformat(), SPEED_HEADER: f"{playback_time.speed:.12g}"}

    def _deliver(self, body: bytes, headers: dict[str, str]) -> Response:
        if self.faults.consume("truncated"):
            body = body[: len(body) // 2]
        if self.faults.slow_seconds:
            return StreamingResponse(_stream_slowly(body, self.faults.slow_seconds), headers=headers, media_type=_JSON)
        return Response(body, headers=headers, media_type=_JSON)


async def _stream_slowly(body: bytes, seconds: float) -> AsyncIterator[bytes]:
    middle = len(body) // 2
    yield body[:middle]
    await asyncio.sleep(seconds)
    yield body[middle:]


def _parse_consumed(headers: Mapping[str, str]) -> datetime | None:
    """The acknowledged time. An unreadable header is an error: ignoring it would repeat the same capture forever."""
    value = headers.get(CONSUMED_HEADER)
    if value is None:
        return None
    try:
        consumed = datetime.fromisoformat(value)
    except ValueError:
        consumed = None
    if consumed is None or consumed.tzinfo is None:
        raise ApiError("INVALID_CONSUMED", f"{CONSUMED_HEADER} must be an ISO time with an offset, not {value}")
    return consumed
