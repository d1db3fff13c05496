"""What the database tells of the product's health: what was reported, and what follows from what is missing."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

from edge_assets.health.findings import Finding, Health
from edge_assets.health.words import duration
from edge_assets.lost_polls import summary
from edge_assets.store.problems import ProblemKind

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from edge_assets.lost_polls import LostPoll
    from edge_assets.store.problems import Heartbeat
    from edge_assets.store.vital_signs import NewestLook, VitalSigns

SENSOR, SCORER, WATCHDOG, STACK = "odds_burst_sensor", "scorer", "watchdog", "stack"
"""Who shows signs of life; `STACK` does once, when it starts."""
BURSTS = "odds_burst"
"""The subject of bursts that fail: their job."""
SILENCE_LIMITS = {SENSOR: timedelta(seconds=20), SCORER: timedelta(seconds=20), WATCHDOG: timedelta(seconds=20)}
"""After how long without a sign of life a service hangs; they show one every 5, 1 and 5 seconds."""
AHEAD_LIMIT = timedelta(seconds=5)
"""What two clocks of one machine differ by at most, with time for the answer to come."""
SHORTEST_PATIENCE = timedelta(seconds=25)
"""How long no poll comes where one burst hands over to the next on a busy machine."""
STARTING_LASTS = timedelta(minutes=3)
"""From `edge up` to the first poll on a busy machine."""
UNSCORED_LIMIT = timedelta(seconds=15)
CONFIRMATION_SLACK = timedelta(seconds=10)
"""For the answer to come, to be stored and scored."""
UNPLANNED_INTERVAL = timedelta(seconds=60)


class Confirmation(NamedTuple):
    """How long ago (seconds) a sport's open bets were last found to hold, and how old that may be."""

    age_s: float
    allowed_s: float


def assess(signs: VitalSigns, also: Iterable[Finding] = ()) -> Health:
    """The health of a product whose database answers; `also` is what was seen beside the database."""
    return Health.of(
        [
            *_reported(signs),
            *also,
            *_silent(signs),
            *_ahead(signs),
            *_overdue(signs),
            *_without_credits(signs),
            *_unscored(signs),
            *_blocked(signs),
        ]
    )


def without_database(reason: str, also: Iterable[Finding] = ()) -> Health:
    """The health of a product whose database does not answer, for a `reason`."""
    return Health.of([Finding(ProblemKind.DATABASE_UNREACHABLE, "", reason), *also])


def assess_lost(polls: Mapping[str, Sequence[LostPoll]]) -> Iterator[Finding]:
    """What the database could not be told yet, by sport."""
    for sport, lost in polls.items():
        yield Finding(ProblemKind.POLL_NOT_STORED, sport, summary(lost))


def _reported(signs: VitalSigns) -> Iterator[Finding]:
    for problem in signs.problems:
        yield Finding(problem.kind, problem.subject, problem.detail, problem.since)
    for failure in signs.scorer_failures:
        detail = f"{failure.failures} times in a row: {failure.error}"
        yield Finding(ProblemKind.SCORING_FAILS, failure.sport, detail, failure.failing_since)


def _silent(signs: VitalSigns) -> Iterator[Finding]:
    expected = _expected(signs)
    for service, limit in SILENCE_LIMITS.items():
        beat = signs.heartbeats.get(service)
        if beat is None and service in expected:
            yield Finding(ProblemKind.SERVICE_HANGS, service, "no sign of life yet")
        elif beat is not None and signs.now - beat.beat_at > limit:
            detail = f"no sign of life for {duration(signs.now - beat.beat_at)}"
            yield Finding(ProblemKind.SERVICE_HANGS, service, detail, beat.beat_at)


def _expected(signs: VitalSigns) -> Collection[str]:
    """Who must have shown a sign of life by now, as everything has had the time that starting takes.

    Without a stack (in containers) nobody says when it started, polls do; it has no watchdog.
    """
    started = _started_at(signs)
    since = started or min((look.received_at for look in signs.looks), default=signs.now)
    if signs.now - since <= STARTING_LASTS:
        return ()
    return SILENCE_LIMITS if started else (SENSOR, SCORER)


def _started_at(signs: VitalSigns) -> datetime | None:
    """When the stack was started, if there is one and its clock was right."""
    beat = signs.heartbeats.get(STACK)
    return None if beat is None or _is_ahead(beat.beat_at, signs) else beat.beat_at


def _ahead(signs: VitalSigns) -> Iterator[Finding]:
    """Times that have not come yet: the clock was set back, or had jumped ahead."""
    for look in signs.looks:
        if _is_ahead(look.received_at, signs) and _is_wanted(look.sport, signs):
            detail = f"its last poll is dated {duration(look.received_at - signs.now)} from now"
            yield Finding(ProblemKind.CLOCK_CHANGED, look.sport, detail)
    for service, beat in signs.heartbeats.items():
        if _is_ahead(beat.beat_at, signs):
            detail = f"its last sign of life is dated {duration(beat.beat_at - signs.now)} from now"
            yield Finding(ProblemKind.CLOCK_CHANGED, service, detail)


def _is_ahead(at: datetime, signs: VitalSigns) -> bool:
    """Whether a clock that was wrong has noted it: it says nothing about now."""
    return at > signs.now + AHEAD_LIMIT


def _is_wanted(sport: str, signs: VitalSigns) -> bool:
    """Whether a sport is polled at present, as far as the sensor has said which are."""
    beat = signs.heartbeats.get(SENSOR)
    wanted = beat.detail.get("intervals_s") if beat else None
    return wanted is None or sport in wanted


def _overdue(signs: VitalSigns) -> Iterator[Finding]:
    """Sports that were not polled for twice the interval that is planned for them; in one where that is all."""
    looks = {look.sport: look for look in signs.looks if not _is_ahead(look.received_at, signs)}
    planned = planned_intervals(signs.heartbeats)
    late = [*_late(signs, looks, planned)]
    if not 1 < len(planned) == len(late):
        yield from late
        return
    last = max((look.received_at for look in looks.values()), default=None)
    detail = f"no sport, for {duration(signs.now - last)}" if last else "no sport yet"
    yield Finding(ProblemKind.POLL_OVERDUE, "", detail, last)


def _late(signs: VitalSigns, looks: dict[str, NewestLook], planned: dict[str, timedelta]) -> Iterator[Finding]:
    for sport, interval in planned.items():
        allowed = 2 * interval + SHORTEST_PATIENCE  # two where an answer had to be paid for twice
        since = _waiting_since(signs, looks.get(sport), allowed)
        if since is not None and signs.now - since > allowed:
            yield Finding(ProblemKind.POLL_OVERDUE, sport, _missed(signs, looks.get(sport), interval), since)


def _waiting_since(signs: VitalSigns, look: NewestLook | None, allowed: timedelta) -> datetime | None:
    """From when on a poll is waited for; a stack that has just started gets the time that starting takes."""
    started = _started_at(signs)
    grace = started + max(STARTING_LASTS - allowed, timedelta()) if started else None
    return max((at for at in (look and look.received_at, grace) if at is not None), default=None)


def _missed(signs: VitalSigns, look: NewestLook | None, interval: timedelta) -> str:
    planned = f"planned every {duration(interval)}"
    return f"last polled {duration(signs.now - look.received_at)} ago, {planned}" if look else f"no poll yet, {planned}"


def planned_intervals(heartbeats: dict[str, Heartbeat]) -> dict[str, timedelta]:
    """How long after each other the sensor means each sport to be polled; sports without a plan are absent."""
    beat = heartbeats.get(SENSOR)
    planned = beat.detail.get("intervals_s", {}) if beat else {}
    return {sport: timedelta(seconds=seconds) for sport, seconds in planned.items() if seconds is not None}


def confirmations(signs: VitalSigns) -> dict[str, Confirmation]:
    """For each sport until when its open bets are known to hold. A recording's time is not ours: it has none."""
    planned = planned_intervals(signs.heartbeats)
    return {
        look.sport: Confirmation(
            (signs.now - (look.scored_at or look.received_at)).total_seconds(),
            _allowed_age(planned.get(look.sport, UNPLANNED_INTERVAL)).total_seconds(),
        )
        for look in signs.looks
        if look.feed != "replay"
    }


def _allowed_age(interval: timedelta) -> timedelta:
    return interval * 1.25 + CONFIRMATION_SLACK


def _without_credits(signs: VitalSigns) -> Iterator[Finding]:
    beat = signs.heartbeats.get(SENSOR)
    if beat is None:
        return
    if renewed := beat.detail.get("no_credits_until"):
        at = datetime.fromisoformat(renewed).astimezone(UTC)
        detail = f"{beat.detail.get('credits_remaining')} left, renewed on {at:%Y-%m-%d}"
        yield Finding(ProblemKind.OUT_OF_CREDITS, "", detail)
    if sparse := beat.detail.get("sparse_s"):
        yield Finding(ProblemKind.CREDITS_SHORT, "", _sparse(beat.detail.get("credits_remaining"), sparse))
    if wanting := beat.detail.get("wanting"):
        yield Finding(ProblemKind.POLL_OVERDUE, "", str(wanting))


def _sparse(remaining: float | None, sparse: dict[str, list[float]]) -> str:
    """The credits, and what they do to the sport that suffers most."""
    left = "the feed does not say how many are left" if remaining is None else f"{remaining:,.0f} left"
    sport, (planned, wanted) = max(sparse.items(), key=lambda item: item[1][0])
    often = f"{sport} is polled every {duration(timedelta(seconds=planned))}, not every "
    others = f"; and {len(sparse) - 1} more too seldom" if len(sparse) > 1 else ""
    return f"{left}: {often}{duration(timedelta(seconds=wanted))}{others}"


def _unscored(signs: VitalSigns) -> Iterator[Finding]:
    if signs.unscored_since is not None and signs.now - signs.unscored_since > UNSCORED_LIMIT:
        detail = f"{signs.unscored_polls} polls, the oldest {duration(signs.now - signs.unscored_since)} old"
        yield Finding(ProblemKind.SCORER_BEHIND, "", detail, signs.unscored_since)


def _blocked(signs: VitalSigns) -> Iterator[Finding]:
    for finding in signs.blocking_findings:
        yield Finding(ProblemKind.WAREHOUSE_BLOCKED, f"finding {finding.id}", finding.reason)
