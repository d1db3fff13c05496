"""Which burst to start now: the decision behind the sensor, without its I/O.

A sport belongs to at most one burst. A burst that nears its end is joined by its successor, which waits
for the lease; a burst whose lease is gone has lost its process or its connection and is replaced.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from edge_assets.ingestion.cadence import Budget, FeedTerms, SportActivity, next_poll, stretch

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

LEAD = timedelta(seconds=5)
"""A run takes 4 s from the tick to its first poll: what is due by then is due now."""
STARTUP = timedelta(seconds=60)
"""So long may a run take from its request to its first lease, on a busy machine."""
SILENCE = timedelta(seconds=20)
"""A burst shows itself in its leases every second or two; after so long it is dead, not slow."""


NEVER_LOOKED_AT = SportActivity()


@dataclass(frozen=True, slots=True)
class Lease:
    """Who holds a sport. `live`: its session is connected; a row without one is what a dead burst left."""

    run_id: str
    live: bool
    heartbeat_at: datetime
    handover_at: datetime
    claimed_by: str | None = None


@dataclass(frozen=True, slots=True)
class SportState:
    """What the decision needs to know of one sport."""

    sport: str
    activity: SportActivity = NEVER_LOOKED_AT
    lease: Lease | None = None


@dataclass(frozen=True, slots=True)
class Burst:
    """A run that is queued, starting or at work, as the orchestrator believes. `since`: when it got there."""

    run_id: str
    sports: frozenset[str]
    since: datetime


@dataclass(frozen=True, slots=True)
class BurstPlan:
    """Start one run for `sports`; `dead` runs are to be marked failed."""

    sports: tuple[str, ...]
    reason: str
    dead: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Skip:
    """Start nothing, for `reason`; `dead` runs are to be marked failed all the same."""

    reason: str
    dead: tuple[str, ...] = ()


def plan_burst(
    now: datetime, sports: Sequence[SportState], bursts: Sequence[Burst], terms: FeedTerms, budget: Budget
) -> BurstPlan | Skip:
    """Decide what the sensor does at `now`. Raises nothing; the same facts give the same decision."""
    dead = _dead(now, sports, bursts)
    alive = [b for b in bursts if b.run_id not in dead]
    waiting = {s.sport: why for s in sports if (why := _taken(now, s, alive))}
    free = [s for s in sports if s.sport not in waiting]
    lengthened = stretch([s.activity for s in sports], now, budget, terms.cost) if terms.metered else 1.0
    due_at = {s.sport: next_poll(s.activity, now, terms, lengthened) if terms.metered else now for s in free}
    due = tuple(sport for sport, at in due_at.items() if at <= now + LEAD)
    if due:
        return BurstPlan(due, f"due: {', '.join(due)}", dead)
    return Skip(_explain(waiting, due_at, budget), dead)


def _taken(now: datetime, state: SportState, alive: Sequence[Burst]) -> str | None:
    """Why a sport needs no new burst, or None if it does."""
    runs = {b.run_id: b for b in alive if state.sport in b.sports}
    lease = state.lease if state.lease and state.lease.live else None
    holder = state.lease.run_id if state.lease else None  # whoever held it once is not starting, but dead
    if arriving := [b.run_id for b in runs.values() if _fresh(now, b) and b.run_id != holder]:
        return f"burst {arriving[0][:8]} is starting"
    if lease is None:
        return None
    if lease.claimed_by and lease.claimed_by in runs:
        return f"burst {lease.claimed_by[:8]} is taking over"
    return f"held by burst {lease.run_id[:8]}" if now < lease.handover_at else None


def _dead(now: datetime, sports: Sequence[SportState], bursts: Sequence[Burst]) -> tuple[str, ...]:
    """Runs that hold and await no lease and are silent, though they had one or the time to get it."""
    leases = [s.lease for s in sports if s.lease]
    seen = {lease.run_id for lease in leases}
    present = {lease.run_id for lease in leases if lease.live or now - lease.heartbeat_at < SILENCE}
    present |= {lease.claimed_by for lease in leases if lease.live and lease.claimed_by}
    return tuple(b.run_id for b in bursts if b.run_id not in present and (b.run_id in seen or not _fresh(now, b)))


def _fresh(now: datetime, burst: Burst) -> bool:
    return now - burst.since < STARTUP


def _explain(waiting: Mapping[str, str], due_at: Mapping[str, datetime], budget: Budget) -> str:
    reasons = [f"{sport}: {why}" for sport, why in waiting.items()]
    if due_at and min(due_at.values()).year == datetime.max.year:
        reasons.append(f"no credits left ({budget.remaining}) before {budget.month_ends:%Y-%m-%d}")
    elif due_at:
        sport = min(due_at, key=lambda s: due_at[s])
        reasons.append(f"next due: {sport} at {due_at[sport]:%Y-%m-%d %H:%M:%S} UTC")
    return "; ".join(reasons) or "no sports are configured (EDGE_SPORTS)"
