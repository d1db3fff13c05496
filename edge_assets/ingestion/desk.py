"""What the sports of a burst share: the order, the feed's client, the clock, the meter and the stream."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from edge_assets.clock import VirtualClock

if TYPE_CHECKING:
    from collections.abc import Mapping

    from redis.asyncio import Redis

    from edge_assets.clock import Clock
    from edge_assets.feeds.odds_api.client import OddsApiClient
    from edge_assets.ingestion.meter import Meter


@dataclass(frozen=True, slots=True)
class BurstOrder:
    """Who polls what for how long. After `duration_seconds` of real time the successor should be there;
    for `grace_seconds` more the burst stays at work without one."""

    run_id: str
    sports: tuple[str, ...]
    duration_seconds: float = 300.0
    grace_seconds: float = 60.0
    began: float = field(default_factory=time.monotonic)

    @property
    def ends(self) -> float:
        """The end of the regular time, on the monotonic clock."""
        return self.began + self.duration_seconds


@dataclass(frozen=True, slots=True)
class Desk:
    """The shared means of one burst."""

    database_url: str
    feed: str
    regions: tuple[str, ...]
    markets: tuple[str, ...]
    titles: Mapping[str, str]
    client: OddsApiClient
    clock: Clock
    meter: Meter
    redis: Redis
    stopping: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when the burst is told to end before its time."""

    @property
    def speed(self) -> float:
        """Seconds of the feed's time in one of real time."""
        return self.clock.speed if isinstance(self.clock, VirtualClock) else 1.0
