"""Which burst to start now: the decision behind the sensor, without its I/O.

A sport belongs to at most one burst. A burst that nears its end is joined by its successor, which waits
for the lease; a burst whose lease is gone has lost its process or its connection and is replaced.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from edge_assets.ingestion.cadence import Budget, FeedTerms, SportActivity, is_ahead, next_poll, stretch

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

LEAD = timedelta(seconds=5)
"""A run takes 4 s from the tick to its first poll: what is due by then is due now."""
STARTUP = timedelta(seconds=60)
"""So long may a run take from its start to its first lease where nobody knows of its process; twice as long after each
run that failed before it got to work."""
SILENCE = timedelta(seconds=20)
"""A burst shows itself in its leases every second or two; after so long it is dead, not slow."""
FIRST_PAUSE, LONGEST_PAUSE = timedelta(seconds=10), timedelta(minutes=5)
"""Between runs that fail before they get to work: each costs what it takes to import everything."""
_MOST_DOUBLINGS = 5


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
    retry_at: datetime | None = None
    """Before when nobody asks again, as its polls have failed."""


@dataclass(frozen=True, slots=True)
class Burst:
    """A run that is queued, starting or at work, as the orchestrator believes. `since`: when it got there.

    `has_process` is whether its process lives, None where nobody knows; `is_at_work` whether it has got there.
    """

    run_id: str
    sports: frozenset[str]
    since: datetime
    has_process: bool | None = None
    is_at_work: bool = False


@dataclass(frozen=True, slots=True)
class FailedRuns:
    """Runs that failed before they got to work: how many, one after the other, and when the last one did."""

    in_a_row: int = 0
    last_at: datetime | None = None

    @property
    def patience(self) -> timedelta:
        """How long the next run may take to show itself."""
        return STARTUP * 2.0 ** min(self.in_a_row, _MOST_DOUBLINGS)

    def next_at(self, now: datetime) -> datetime:
        """When to start the next run: the first one that fails is replaced at once."""
        if self.in_a_row <= 1 or self.last_at is None or is_ahead(self.last_at, now):
            return now
        return self.last_at + min(FIRST_PAUSE * 2.0 ** min(self.in_a_row - 2, _MOST_DOUBLINGS), LONGEST_PAUSE)


NONE_FAILED = FailedRuns()


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
    now: datetime,
    sports: Sequence[SportState],
    bursts: Sequence[Burst],
    terms: FeedTerms,
    budget: Budget,
    failed: FailedRuns = NONE_FAILED,
) -> BurstPlan | Skip:
    """Decide what the sensor does at `now`. Raises nothing; the same facts give the same decision."""
    dead = _dead(now, sports, bursts, failed.patience)
    alive = [b for b in bursts if b.run_id not in dead]
    seen = _seen(sports, bursts)
    waiting = {s.sport: why for s in sports if (why := _taken(now, s, alive, seen, failed.patience))}
    lengthened = stretch([s.activity for s in sports], now, budget, terms.cost) if terms.metered else 1.0
    due_at = _due_times(now, [s for s in sports if s.sport not in waiting], terms, lengthened)
    due = tuple(sport for sport, at in due_at.items() if at <= now + LEAD)
    if due and (next_at := failed.next_at(now)) > now:
        return Skip(f"{failed.in_a_row} runs failed before they got to work; next one at {next_at:%H:%M:%S} UTC", dead)
    if due:
        return BurstPlan(due, f"due: {', '.join(due)}", dead)
    return Skip(_explain(waiting, due_at, budget if math.isinf(lengthened) else None), dead)


def _due_times(now: datetime, sports: Sequence[SportState], terms: FeedTerms, lengthened: float) -> dict[str, datetime]:
    """When each of the sports is due.

    Without credits a burst puts all its sports off, once it has asked the feed (for free) whether there are some.
    """
    is_planned = terms.metered and math.isfinite(lengthened)
    due_at = {s.sport: next_poll(s.activity, now, terms, lengthened) if is_planned else now for s in sports}
    return {s.sport: max(due_at[s.sport], s.retry_at or now) for s in sports}


def _taken(
    now: datetime, state: SportState, alive: Sequence[Burst], seen: frozenset[str], patience: timedelta
) -> str | None:
    """Why a sport needs no new burst, or None if it does."""
    runs = {b.run_id: b for b in alive if state.sport in b.sports}
    lease = state.lease if state.lease and state.lease.live else None
    holder = state.lease.run_id if state.lease else None  # whoever held it once is not starting, but dead
    if arriving := [b.run_id for b in runs.values() if b.run_id != holder and _is_starting(now, b, seen, patience)]:
        return f"burst {arriving[0][:8]} is starting"
    if lease is None:
        return None
    if lease.claimed_by and lease.claimed_by in runs:
        return f"burst {lease.claimed_by[:8]} is taking over"
    return f"held by burst {lease.run_id[:8]}" if now < lease.handover_at else None


def _is_starting(now: datetime, burst: Burst, seen: frozenset[str], patience: timedelta) -> bool:
    """Whether a run may still take what it was started for; one that was seen at work has had the time."""
    if burst.run_id in seen:
        return _elapsed(now, burst.since) < STARTUP
    return bool(burst.has_process) or _elapsed(now, burst.since) < patience


def _dead(now: datetime, sports: Sequence[SportState], bursts: Sequence[Burst], patience: timedelta) -> tuple[str, ...]:
    """Runs that hold and await no lease, are silent and have no process, or none that anybody knows of.

    A process that lives is not given up: it may be slow, and one that makes no progress is killed by the watchdog.
    """
    leases = [s.lease for s in sports if s.lease]
    seen = _seen(sports, bursts)
    present = {lease.run_id for lease in leases if lease.live or _elapsed(now, lease.heartbeat_at) < SILENCE}
    present |= {lease.claimed_by for lease in leases if lease.live and lease.claimed_by}
    silent = [b for b in bursts if b.run_id not in present and not b.has_process]
    return tuple(b.run_id for b in silent if b.run_id in seen or _elapsed(now, b.since) >= _allowed(b, patience))


def _allowed(burst: Burst, patience: timedelta) -> timedelta:
    """How long a run may go unseen: shortly where it is known to have no process, which a run gets a little later."""
    return SILENCE if burst.has_process is False else patience


def _seen(sports: Sequence[SportState], bursts: Sequence[Burst]) -> frozenset[str]:
    """The runs that have got to work."""
    return frozenset(s.lease.run_id for s in sports if s.lease).union(b.run_id for b in bursts if b.is_at_work)


def _elapsed(now: datetime, since: datetime) -> timedelta:
    """The time since a moment; for ever, if that was noted by a clock that has been set back."""
    return timedelta.max if is_ahead(since, now) else now - since


def _explain(waiting: Mapping[str, str], due_at: Mapping[str, datetime], exhausted: Budget | None) -> str:
    reasons = [f"{sport}: {why}" for sport, why in waiting.items()]
    if due_at and exhausted:
        again = f"asked again at {min(due_at.values()):%H:%M} UTC"
        reasons.append(f"no credits left ({exhausted.remaining}) before {exhausted.month_ends:%Y-%m-%d}; {again}")
    elif due_at:
        sport = min(due_at, key=lambda s: due_at[s])
        reasons.append(f"next due: {sport} at {due_at[sport]:%Y-%m-%d %H:%M:%S} UTC")
    return "; ".join(reasons) or "no sports are configured (EDGE_SPORTS)"
