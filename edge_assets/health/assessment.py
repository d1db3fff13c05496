"""Health from the database: the reported problems, and what follows from missing heartbeats and polls."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

from edge_assets.core.lost_polls import summarize
from edge_assets.health.formatting import format_duration
from edge_assets.health.issues import Health, HealthIssue
from edge_assets.store.health.problems import ProblemKind

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from edge_assets.core.lost_polls import LostPoll
    from edge_assets.store.health.problems import Heartbeat
    from edge_assets.store.health.vital_signs import HealthSnapshot, NewestPoll

SENSOR, SCORER, WATCHDOG, STACK = "odds_burst_sensor", "scorer", "watchdog", "stack"
"""The services with a heartbeat; `STACK` writes one when it starts, and one when everything has been started."""
BURSTS = "odds_burst"
"""The subject of failed bursts: the name of their job."""
MAX_HEARTBEAT_AGES = {SENSOR: timedelta(seconds=20), SCORER: timedelta(seconds=20), WATCHDOG: timedelta(seconds=20)}
"""Heartbeat age above which a service counts as hung; they beat every 5, 1 and 5 seconds."""
MAX_CLOCK_LEAD = timedelta(seconds=5)
"""The most that two clocks of one machine differ by, with time for the response."""
HANDOVER_SLACK = timedelta(seconds=25)
"""The longest gap between polls while one burst hands over to the next on a busy machine."""
STARTUP_GRACE = timedelta(minutes=3)
"""From `edge up` to the first poll on a busy machine."""
MAX_UNSCORED_AGE = timedelta(seconds=15)
CONFIRMATION_SLACK = timedelta(seconds=10)
"""Time to receive, store and score a response."""
DEFAULT_POLL_INTERVAL = timedelta(seconds=60)


class ConfirmationAge(NamedTuple):
    """How long ago (seconds) a sport's open bets were last confirmed, and the maximum age."""

    age_s: float
    allowed_s: float


def assess_health(signs: HealthSnapshot, other_issues: Iterable[HealthIssue] = ()) -> Health:
    """The health of a product whose database answers; `other_issues` are found outside the database."""
    return Health.from_issues(
        [
            *_reported_issues(signs),
            *other_issues,
            *_silent_services(signs),
            *_future_timestamps(signs),
            *_overdue_polls(signs),
            *_sensor_issues(signs),
            *_scorer_backlog(signs),
            *_blocking_findings(signs),
        ]
    )


def assess_without_database(reason: str, other_issues: Iterable[HealthIssue] = ()) -> Health:
    """The health of a product whose database does not answer, because of `reason`."""
    return Health.from_issues([HealthIssue(ProblemKind.DATABASE_UNREACHABLE, "", reason), *other_issues])


def assess_lost_polls(polls: Mapping[str, Sequence[LostPoll]]) -> Iterator[HealthIssue]:
    """The failed polls that the database could not record yet, by sport."""
    for sport, lost in polls.items():
        yield HealthIssue(ProblemKind.POLL_NOT_STORED, sport, summarize(lost))


def _reported_issues(signs: HealthSnapshot) -> Iterator[HealthIssue]:
    for problem in signs.problems:
        yield HealthIssue(problem.kind, problem.subject, problem.detail, problem.since)
    for failure in signs.scorer_failures:
        detail = f"{failure.failures} times in a row: {failure.error}"
        yield HealthIssue(ProblemKind.SCORING_FAILS, failure.sport, detail, failure.failing_since)


def _silent_services(signs: HealthSnapshot) -> Iterator[HealthIssue]:
    expected = _expected_services(signs)
    for service in dict.fromkeys((*MAX_HEARTBEAT_AGES, *signs.heartbeats)):
        limit = MAX_HEARTBEAT_AGES.get(service.partition(":")[0])  # "scorer:1" is a shard of the scorer
        beat = signs.heartbeats.get(service)
        if limit is None:
            continue
        if beat is None and service in expected:
            yield HealthIssue(ProblemKind.SERVICE_HANGS, service, "no heartbeat yet")
        elif beat is not None and signs.now - beat.beat_at > limit:
            detail = f"no heartbeat for {format_duration(signs.now - beat.beat_at)}"
            yield HealthIssue(ProblemKind.SERVICE_HANGS, service, detail, beat.beat_at)


def _expected_services(signs: HealthSnapshot) -> Collection[str]:
    """The services that must have a heartbeat by now; none while the stack is still starting.

    Without a stack (in containers) the first poll marks the start, and there is no watchdog.
    """
    started = _started_at(signs)
    since = started or min((poll.received_at for poll in signs.newest_polls), default=signs.now)
    if signs.now - since <= STARTUP_GRACE:
        return ()
    return MAX_HEARTBEAT_AGES if started else (SENSOR, SCORER)


def _started_at(signs: HealthSnapshot) -> datetime | None:
    """When the stack was started, if there is one and its clock was right."""
    beat = signs.heartbeats.get(STACK)
    return None if beat is None or _is_in_future(beat.beat_at, signs) else beat.beat_at


def _future_timestamps(signs: HealthSnapshot) -> Iterator[HealthIssue]:
    """Timestamps in the future: the clock was set back, or had jumped ahead."""
    for poll in signs.newest_polls:
        if _is_in_future(poll.received_at, signs) and _is_polled(poll.sport, signs):
            detail = f"its last poll is dated {format_duration(poll.received_at - signs.now)} from now"
            yield HealthIssue(ProblemKind.CLOCK_CHANGED, poll.sport, detail)
    for service, beat in signs.heartbeats.items():
        if _is_in_future(beat.beat_at, signs):
            detail = f"its last heartbeat is dated {format_duration(beat.beat_at - signs.now)} from now"
            yield HealthIssue(ProblemKind.CLOCK_CHANGED, service, detail)


def _is_in_future(at: datetime, signs: HealthSnapshot) -> bool:
    """Whether a wrong clock wrote this timestamp; it cannot be compared with now."""
    return at > signs.now + MAX_CLOCK_LEAD


def _is_polled(sport: str, signs: HealthSnapshot) -> bool:
    """Whether a sport is polled at present, as far as the sensor has reported."""
    beat = signs.heartbeats.get(SENSOR)
    intervals = beat.detail.get("intervals_s") if beat else None
    return intervals is None or sport in intervals


def _overdue_polls(signs: HealthSnapshot) -> Iterator[HealthIssue]:
    """Sports not polled for twice their planned interval; a single issue if that is every sport."""
    polls = {poll.sport: poll for poll in signs.newest_polls if not _is_in_future(poll.received_at, signs)}
    planned = planned_intervals(signs.heartbeats)
    late = [*_late_sports(signs, polls, planned)]
    if not 1 < len(planned) == len(late):
        yield from late
        return
    last = max((poll.received_at for poll in polls.values()), default=None)
    detail = f"no sport, for {format_duration(signs.now - last)}" if last else "no sport yet"
    yield HealthIssue(ProblemKind.POLL_OVERDUE, "", detail, last)


def _late_sports(
    signs: HealthSnapshot, polls: dict[str, NewestPoll], planned: dict[str, timedelta]
) -> Iterator[HealthIssue]:
    for sport, interval in planned.items():
        allowed = 2 * interval + HANDOVER_SLACK  # two: a response may have to be paid for twice
        since = _waiting_since(signs, polls.get(sport), allowed)
        if since is not None and signs.now - since > allowed:
            yield HealthIssue(
                ProblemKind.POLL_OVERDUE, sport, _format_missed_poll(signs, polls.get(sport), interval), since
            )


def _waiting_since(signs: HealthSnapshot, poll: NewestPoll | None, allowed: timedelta) -> datetime | None:
    """Since when a poll is awaited; a stack that has just started gets its startup grace."""
    started = _started_at(signs)
    grace = started + max(STARTUP_GRACE - allowed, timedelta()) if started else None
    return max((at for at in (poll and poll.received_at, grace) if at is not None), default=None)


def _format_missed_poll(signs: HealthSnapshot, poll: NewestPoll | None, interval: timedelta) -> str:
    planned = f"planned every {format_duration(interval)}"
    return (
        f"last polled {format_duration(signs.now - poll.received_at)} ago, {planned}"
        if poll
        else f"no poll yet, {planned}"
    )


def planned_intervals(heartbeats: dict[str, Heartbeat]) -> dict[str, timedelta]:
    """The interval at which the sensor plans to poll each sport; sports without a plan are absent."""
    beat = heartbeats.get(SENSOR)
    planned = beat.detail.get("intervals_s", {}) if beat else {}
    return {sport: timedelta(seconds=seconds) for sport, seconds in planned.items() if seconds is not None}


def confirmation_ages(signs: HealthSnapshot) -> dict[str, ConfirmationAge]:
    """Age of each sport's last confirmation. Replays are absent: their time is not the wall clock's."""
    planned = planned_intervals(signs.heartbeats)
    return {
        poll.sport: ConfirmationAge(
            (signs.now - (poll.scored_at or poll.received_at)).total_seconds(),
            _allowed_age(planned.get(poll.sport, DEFAULT_POLL_INTERVAL)).total_seconds(),
        )
        for poll in signs.newest_polls
        if poll.feed != "replay"
    }


def _allowed_age(interval: timedelta) -> timedelta:
    return interval * 1.25 + CONFIRMATION_SLACK


def _sensor_issues(signs: HealthSnapshot) -> Iterator[HealthIssue]:
    beat = signs.heartbeats.get(SENSOR)
    if beat is None:
        return
    if renewed_at := beat.detail.get("no_credits_until"):
        at = datetime.fromisoformat(renewed_at).astimezone(UTC)
        detail = f"{beat.detail.get('credits_remaining')} left, renewed on {at:%Y-%m-%d}"
        yield HealthIssue(ProblemKind.OUT_OF_CREDITS, "", detail)
    if sparse := beat.detail.get("sparse_s"):
        yield HealthIssue(
            ProblemKind.CREDITS_SHORT, "", _describe_sparse_polling(beat.detail.get("credits_remaining"), sparse)
        )
    if unavailable_reason := beat.detail.get("unavailable_reason"):
        yield HealthIssue(ProblemKind.POLL_OVERDUE, "", str(unavailable_reason))


def _describe_sparse_polling(remaining: float | None, sparse: dict[str, list[float]]) -> str:
    """The credits left, and the sport that is polled least often because of them."""
    left = "the feed does not say how many are left" if remaining is None else f"{remaining:,.0f} left"
    sport, (planned, wanted) = max(sparse.items(), key=lambda item: item[1][0])
    often = f"{sport} is polled every {format_duration(timedelta(seconds=planned))}, not every "
    others = f"; and {len(sparse) - 1} more too seldom" if len(sparse) > 1 else ""
    return f"{left}: {often}{format_duration(timedelta(seconds=wanted))}{others}"


def _scorer_backlog(signs: HealthSnapshot) -> Iterator[HealthIssue]:
    if signs.unscored_since is not None and signs.now - signs.unscored_since > MAX_UNSCORED_AGE:
        detail = f"{signs.unscored_polls} polls, the oldest {format_duration(signs.now - signs.unscored_since)} old"
        yield HealthIssue(ProblemKind.SCORER_BEHIND, "", detail, signs.unscored_since)


def _blocking_findings(signs: HealthSnapshot) -> Iterator[HealthIssue]:
    for finding in signs.blocking_findings:
        yield HealthIssue(ProblemKind.WAREHOUSE_BLOCKED, f"finding {finding.id}", finding.reason)
