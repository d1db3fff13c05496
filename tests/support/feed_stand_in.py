"""A stand-in for the live feed: it answers `/odds` from a script and charges credits."""

from __future__ import annotations

import json
from collections import deque
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from starlette.requests import Request

from edge_assets.core.settings import Feed, Settings
from tests.support.replayed_feed import NFL, settings_for
from tests.support.scripted_server import Scripted, send_answer

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send

COST = 6
CREDITS = 10**9


class StandIn:
    """Answers in the order of `answers`, repeating the last one; it also requests the bursts that poll each answer.

    `asked` holds the times of the requests for odds, `credits` is the plan's allowance.
    """

    def __init__(self) -> None:
        self.answers: deque[Scripted] = deque([Scripted()])
        self.asked: list[datetime] = []
        self.credits = CREDITS
        self._last_given = 0

    def is_wanted(self) -> bool:
        """Until the last answer was given twice, which is when it has been dealt with once."""
        return self._last_given < 2

    def mark_started(self) -> None:
        """Nothing to do."""

    def mark_polled(self) -> None:
        """Nothing to do."""

    @property
    def credits_used(self) -> int:
        return COST * len(self.asked)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = Request(scope, receive).url.path
        if path.endswith("/odds"):
            self.asked.append(datetime.now(UTC))
            self._last_given += len(self.answers) == 1
            answer = self.answers[0] if len(self.answers) == 1 else self.answers.popleft()
            await send_answer(answer, send, self._credits(COST))
        elif path.endswith("/sports"):
            listed = [{"key": NFL, "title": "NFL", "active": True}]
            await send_answer(Scripted(json.dumps(listed).encode()), send, self._credits(0))
        else:
            await send_answer(Scripted(), send, self._credits(0))

    def _credits(self, last: int) -> dict[str, str]:
        left = self.credits - self.credits_used
        return {
            "x-requests-last": str(last),
            "x-requests-used": str(self.credits_used),
            "x-requests-remaining": str(left),
        }


def live(database: str, redis_url: str, url: str) -> Settings:
    """Settings of the live feed, at the stand-in."""
    settings = settings_for(database, redis_url, url.removesuffix("/v4"), NFL)
    return settings.model_copy(update={"edge_feed": Feed.ODDS_API})


def game(number: int = 1, price: float = 1.9, **changes: Any) -> dict[str, Any]:
    """An event that starts soon, with one book."""
    starts = datetime.now(UTC) + timedelta(seconds=40)
    outcomes = [{"name": "Home", "price": price}, {"name": "Away", "price": 2.0}]
    markets = [{"key": "h2h", "last_update": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}", "outcomes": outcomes}]
    return {
        "id": f"{number:032x}",
        "sport_key": NFL,
        "sport_title": "NFL",
        "commence_time": f"{starts:%Y-%m-%dT%H:%M:%SZ}",
        "home_team": "Home",
        "away_team": "Away",
        "bookmakers": [{"key": "pinnacle", "title": "Pinnacle", "markets": markets}],
    } | changes


def answer(*events: dict[str, Any]) -> Scripted:
    return Scripted(json.dumps(events).encode())
