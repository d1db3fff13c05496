"""What the sports of a burst share: the order, the feed's client, the clock, the meter and the stream."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from edge_assets.core.clock import VirtualClock

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from redis.asyncio import Redis

    from edge_assets.core.clock import Clock
    from edge_assets.feeds.odds_api.client import OddsApiClient
    from edge_assets.ingestion.scheduler import PollScheduler


OUTRIGHTS_MARKET = "outrights"


class BurstCancelledError(RuntimeError):
    """Whoever ordered the burst has given it up."""

    def __init__(self) -> None:
        super().__init__("the run was ended from outside")


class BurstController(Protocol):
    """Whoever ordered a burst. Blocking."""

    def is_wanted(self) -> bool:
        """Whether the burst is still to go on: one that was given up is replaced."""
        ...

    def mark_started(self) -> None:
        """Take note that the burst has got to work: whatever fails from now on is a sport's."""
        ...

    def mark_polled(self) -> None:
        """Take note that the burst has polled."""
        ...


class NullController:
    """Nobody gives the burst up."""

    def is_wanted(self) -> bool:
        """Always."""
        return True

    def mark_started(self) -> None:
        """Nothing to do."""

    def mark_polled(self) -> None:
        """Nothing to do."""


@dataclass(frozen=True, slots=True)
class BurstRequest:
    """Who polls what for how long. After `duration_seconds` of real time the successor should be there;
    for `grace_seconds` more the burst stays at work without one."""

    run_id: str
    sports: tuple[str, ...]
    duration_seconds: float = 300.0
    grace_seconds: float = 60.0
    controller: BurstController = field(default_factory=NullController)
    began_at: float = field(default_factory=time.monotonic)

    @property
    def ends_at(self) -> float:
        """The end of the regular time, on the monotonic clock."""
        return self.began_at + self.duration_seconds


@dataclass(frozen=True, slots=True)
class BurstContext:
    """The shared means of one burst. `cancelled` is set when it is to end, `polled` when a poll has succeeded.

    `lost_polls` is the folder for what the database cannot be told; None: there is no place for it.
    """

    database_url: str
    feed: str
    regions: tuple[str, ...]
    markets: tuple[str, ...]
    sport_titles: Mapping[str, str]
    client: OddsApiClient
    clock: Clock
    scheduler: PollScheduler
    redis: Redis
    outright_sports: frozenset[str] = frozenset()
    lost_polls: Path | None = None
    cancelled: asyncio.Event = field(default_factory=asyncio.Event)
    polled: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def is_live(self) -> bool:
        """Whether the feed's time is this machine's."""
        return not isinstance(self.clock, VirtualClock)

    def markets_for(self, sport: str) -> tuple[str, ...]:
        """What a sport is asked for: one without games has outrights and refuses everything else."""
        return (OUTRIGHTS_MARKET,) if sport in self.outright_sports else self.markets

    def raise_if_cancelled(self) -> None:
        """Raise `BurstCancelledError` if the burst is to end."""
        if self.cancelled.is_set():
            raise BurstCancelledError

    @property
    def speed(self) -> float:
        """Seconds of the feed's time in one of real time."""
        return self.clock.speed if isinstance(self.clock, VirtualClock) else 1.0
