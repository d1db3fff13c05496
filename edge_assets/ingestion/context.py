"""What the sports of a burst share: the request, the feed's client, the clock, the scheduler and the stream."""

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
    """The requester of the burst has cancelled it."""

    def __init__(self) -> None:
        super().__init__("the run was cancelled")


class BurstController(Protocol):
    """The requester of a burst. Its calls block."""

    def is_wanted(self) -> bool:
        """Whether the burst should go on; a cancelled burst is replaced by another."""
        ...

    def mark_started(self) -> None:
        """Note that the burst has started polling: from now on failures belong to a sport, not to the run."""
        ...

    def mark_polled(self) -> None:
        """Note that a poll has succeeded."""
        ...


class NullController:
    """A controller that never cancels the burst."""

    def is_wanted(self) -> bool:
        """Always true."""
        return True

    def mark_started(self) -> None:
        """Do nothing."""

    def mark_polled(self) -> None:
        """Do nothing."""


@dataclass(frozen=True, slots=True)
class BurstRequest:
    """Which run polls which sports for how long. The successor should take over after `duration_seconds` of real time;
    without one the burst goes on for `grace_seconds` more."""

    run_id: str
    sports: tuple[str, ...]
    duration_seconds: float = 300.0
    grace_seconds: float = 60.0
    controller: BurstController = field(default_factory=NullController)
    started_at: float = field(default_factory=time.monotonic)

    @property
    def ends_at(self) -> float:
        """The end of the regular duration, on the monotonic clock."""
        return self.started_at + self.duration_seconds


@dataclass(frozen=True, slots=True)
class BurstContext:
    """The shared resources of one burst. `cancelled` is set to end it, `polled` once a poll has succeeded.

    `lost_polls` is the folder for failures that the database could not record; None if there is no such folder.
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
        """Whether the feed's time is the wall clock's."""
        return not isinstance(self.clock, VirtualClock)

    def markets_for(self, sport: str) -> tuple[str, ...]:
        """The markets to request: a sport without games has outrights only and refuses all others."""
        return (OUTRIGHTS_MARKET,) if sport in self.outright_sports else self.markets

    def raise_if_cancelled(self) -> None:
        """Raise `BurstCancelledError` if the burst was cancelled."""
        if self.cancelled.is_set():
            raise BurstCancelledError

    @property
    def speed(self) -> float:
        """Seconds of the feed's time per second of real time."""
        return self.clock.speed if isinstance(self.clock, VirtualClock) else 1.0
