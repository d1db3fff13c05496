"""Which burst to start now: the sensor's decision, without its I/O.

A sport belongs to at most one burst. A burst near its end is joined by its successor, which waits for the lease; a
burst whose lease is gone has lost its process or its connection and is replaced.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from edge_assets.ingestion.cadence import (
    CreditBudget,
    FeedTerms,
    SportActivity,
    compute_throttle_factor,
    is_in_future,
    next_poll_at,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

LAUNCH_LEAD = timedelta(seconds=5)
"""A run takes 4 s from the tick to its first poll, so what is due within that time is due now."""
STARTUP_GRACE = timedelta(seconds=60)
"""Time for a run to take its first lease when its process cannot be seen; doubled after each run that failed at
startup."""
MAX_HEARTBEAT_AGE = timedelta(seconds=20)
"""A burst updates its leases every second or two; after this long it is dead, not slow."""
MIN_RESTART_DELAY, MAX_RESTART_DELAY = timedelta(seconds=10), timedelta(minutes=5)
"""Between runs that fail at startup: each costs the import of the whole program."""
_MAX_DOUBLINGS = 5


NEVER_POLLED = SportActivity()


@dataclass(frozen=True, slots=True)
class LeaseStatus:
    """Who holds a sport. `is_live`: its session is connected; otherwise the row is left over from a dead burst."""

    run_id: str
    is_live: bool
    heartbeat_at: datetime
    handover_at: datetime
    claimed_by: str | None = None


@dataclass(frozen=True, slots=True)
class SportState:
    """The facts on one sport that the decision needs."""

    sport: str
    activity: SportActivity = NEVER_POLLED
    lease: LeaseStatus | None = None
    retry_at: datetime | None = None
    """Not to be polled before this time, because its polls have failed."""


@dataclass(frozen=True, slots=True)
class Burst:
    """A queued, starting or started run, as the orchestrator sees it. `since`: when it reached that state.

    `has_process`: whether its process is alive (None: unknown); `is_at_work`: whether it has started polling.
    """

    run_id: str
    sports: frozenset[str]
    since: datetime
    has_process: bool | None = None
    is_at_work: bool = False


@dataclass(frozen=True, slots=True)
class FailedRuns:
    """Runs that failed at startup: how many in a row, and when the last one did."""

    consecutive: int = 0
    last_failed_at: datetime | None = None

    @property
    def startup_timeout(self) -> timedelta:
        """How long the next run may take to take a lease."""
        return STARTUP_GRACE * 2.0 ** min(self.consecutive, _MAX_DOUBLINGS)

    def next_start_at(self, now: datetime) -> datetime:
        """When to start the next run: after a first failure, at once."""
        if self.consecutive <= 1 or self.last_failed_at is None or is_in_future(self.last_failed_at, now):
            return now
        return self.last_failed_at + min(
            MIN_RESTART_DELAY * 2.0 ** min(self.consecutive - 2, _MAX_DOUBLINGS), MAX_RESTART_DELAY
        )


NO_FAILED_RUNS = FailedRuns()


@dataclass(frozen=True, slots=True)
class BurstPlan:
    """Start one run for `sports`; mark `dead_runs` as failed."""

    sports: tuple[str, ...]
    reason: str
    dead_runs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SkipBurst:
    """Start nothing, because of `reason`; mark `dead_runs` as failed all the same."""

    reason: str
    dead_runs: tuple[str, ...] = ()


def plan_burst(
    now: datetime,
    sports: Sequence[SportState],
    bursts: Sequence[Burst],
    terms: FeedTerms,
    budget: CreditBudget,
    failed: FailedRuns = NO_FAILED_RUNS,
) -> BurstPlan | SkipBurst:
    """Decide what the sensor does at `now`. Deterministic; raises nothing."""
    dead_runs = _find_dead_runs(now, sports, bursts, failed.startup_timeout)
    alive = [b for b in bursts if b.run_id not in dead_runs]
    started_runs = _find_started_runs(sports, bursts)
    unavailable = {
        s.sport: why
        for s in sports
        if (why := _unavailable_reason(now, s, alive, started_runs, failed.startup_timeout))
    }
    throttle_factor = (
        compute_throttle_factor([s.activity for s in sports], now, budget, terms.credits_per_poll)
        if terms.is_metered
        else 1.0
    )
    due_at = _due_times(now, [s for s in sports if s.sport not in unavailable], terms, throttle_factor)
    due = tuple(sport for sport, at in due_at.items() if at <= now + LAUNCH_LEAD)
    if due and (next_at := failed.next_start_at(now)) > now:
        return SkipBurst(
            f"{failed.consecutive} runs failed at startup; next attempt at {next_at:%H:%M:%S} UTC", dead_runs
        )
    if due:
        return BurstPlan(due, f"due: {', '.join(due)}", dead_runs)
    return SkipBurst(_skip_reason(unavailable, due_at, budget if math.isinf(throttle_factor) else None), dead_runs)


def _due_times(
    now: datetime, sports: Sequence[SportState], terms: FeedTerms, throttle_factor: float
) -> dict[str, datetime]:
    """When each of the sports is due.

    Without credits a burst still starts: it asks the feed (free of charge) for credits, then postpones its sports.
    """
    is_planned = terms.is_metered and math.isfinite(throttle_factor)
    due_at = {s.sport: next_poll_at(s.activity, now, terms, throttle_factor) if is_planned else now for s in sports}
    return {s.sport: max(due_at[s.sport], s.retry_at or now) for s in sports}


def _unavailable_reason(
    now: datetime, state: SportState, alive: Sequence[Burst], started_runs: frozenset[str], startup_timeout: timedelta
) -> str | None:
    """Why a sport needs no new burst, or None if it does."""
    runs = {b.run_id: b for b in alive if state.sport in b.sports}
    lease = state.lease if state.lease and state.lease.is_live else None
    holder = state.lease.run_id if state.lease else None  # a run that once held the lease is dead, not starting
    if arriving := [
        b.run_id for b in runs.values() if b.run_id != holder and _is_starting(now, b, started_runs, startup_timeout)
    ]:
        return f"burst {arriving[0][:8]} is starting"
    if lease is None:
        return None
    if lease.claimed_by and lease.claimed_by in runs:
        return f"burst {lease.claimed_by[:8]} is taking over"
    return f"held by burst {lease.run_id[:8]}" if now < lease.handover_at else None


def _is_starting(now: datetime, burst: Burst, started_runs: frozenset[str], startup_timeout: timedelta) -> bool:
    """Whether a run may still take leases; one that has started polling had its time."""
    if burst.run_id in started_runs:
        return _time_since(now, burst.since) < STARTUP_GRACE
    return bool(burst.has_process) or _time_since(now, burst.since) < startup_timeout


def _find_dead_runs(
    now: datetime, sports: Sequence[SportState], bursts: Sequence[Burst], startup_timeout: timedelta
) -> tuple[str, ...]:
    """Runs that neither hold nor claim a lease, have no recent heartbeat, and no known live process.

    A live process is never replaced: it may be slow, and the watchdog kills one that makes no progress.
    """
    leases = [s.lease for s in sports if s.lease]
    started_runs = _find_started_runs(sports, bursts)
    present = {
        lease.run_id for lease in leases if lease.is_live or _time_since(now, lease.heartbeat_at) < MAX_HEARTBEAT_AGE
    }
    present |= {lease.claimed_by for lease in leases if lease.is_live and lease.claimed_by}
    silent = [b for b in bursts if b.run_id not in present and not b.has_process]
    return tuple(
        b.run_id
        for b in silent
        if b.run_id in started_runs or _time_since(now, b.since) >= _max_silence(b, startup_timeout)
    )


def _max_silence(burst: Burst, startup_timeout: timedelta) -> timedelta:
    """How long a run may go unseen: briefly if it is known to have no process, which starts a little later."""
    return MAX_HEARTBEAT_AGE if burst.has_process is False else startup_timeout


def _find_started_runs(sports: Sequence[SportState], bursts: Sequence[Burst]) -> frozenset[str]:
    """The runs that have started polling."""
    return frozenset(s.lease.run_id for s in sports if s.lease).union(b.run_id for b in bursts if b.is_at_work)


def _time_since(now: datetime, since: datetime) -> timedelta:
    """The time since a moment; infinite if a clock that has been set back wrote it."""
    return timedelta.max if is_in_future(since, now) else now - since


def _skip_reason(unavailable: Mapping[str, str], due_at: Mapping[str, datetime], exhausted: CreditBudget | None) -> str:
    reasons = [f"{sport}: {why}" for sport, why in unavailable.items()]
    if due_at and exhausted:
        check_time = f"next check at {min(due_at.values()):%H:%M} UTC"
        reasons.append(f"no credits left ({exhausted.remaining}) before {exhausted.month_end:%Y-%m-%d}; {check_time}")
    elif due_at:
        sport = min(due_at, key=lambda s: due_at[s])
        reasons.append(f"next due: {sport} at {due_at[sport]:%Y-%m-%d %H:%M:%S} UTC")
    return "; ".join(reasons) or "no sports are configured (EDGE_SPORTS)"
