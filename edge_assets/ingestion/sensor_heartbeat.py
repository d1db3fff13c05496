"""The sensor's heartbeat at every tick: planned poll intervals, credits, failed runs.

It distinguishes a late poll from one that is not due, even when sensor and bursts are dead.
"""

from __future__ import annotations

import logging
import math
from contextlib import closing
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import psycopg

from edge_assets.core.lost_polls import delete_other_sports
from edge_assets.core.settings import Feed, MissingSettingError
from edge_assets.health.assessment import BURSTS, SENSOR
from edge_assets.ingestion.cadence import compute_throttle_factor, is_in_future, is_sparse, poll_interval
from edge_assets.ingestion.problem_log import SPORT_PROBLEMS
from edge_assets.ingestion.run_watch import MACHINE_SUBJECT
from edge_assets.store.health.problems import (
    ProblemKind,
    clear_other_subjects,
    clear_problem,
    load_problems,
    record_heartbeat,
    report_problem,
)
from edge_assets.store.postgres.database import connect

if TYPE_CHECKING:
    from datetime import datetime

    from edge_assets.core.settings import Settings
    from edge_assets.ingestion.sensor_state import SensorState

CLOCK_JUMP_SHOWN_FOR = timedelta(minutes=2)

log = logging.getLogger(__name__)


def write_sensor_heartbeat(
    settings: Settings,
    now: datetime,
    sensor_state: SensorState | None,
    unavailable_reason: str = "",
    failed_run: str | None = None,
) -> None:
    """Write the heartbeat; without a state, with the `unavailable_reason`. Skipped while the database is unreachable.

    `failed_run` is the error of the last failed run, if none has succeeded since.
    """
    detail = (
        build_heartbeat_detail(settings, now, sensor_state)
        if sensor_state
        else {"unavailable_reason": unavailable_reason}
    )
    try:
        with closing(connect(settings.require_database_url(), "edge-sensor")) as conn:
            record_heartbeat(conn, SENSOR, **detail)
            if failed_run:
                report_problem(conn, ProblemKind.RUN_FAILED, BURSTS, failed_run)
            elif sensor_state:
                clear_problem(conn, ProblemKind.RUN_FAILED, BURSTS)
            _clear_old_clock_jumps(conn, now)
            # problems of a sport that is no longer polled would never be cleared
            clear_other_subjects(conn, SPORT_PROBLEMS, [*settings.edge_sports, MACHINE_SUBJECT])
            delete_other_sports(settings.lost_polls, settings.edge_sports)
    except (psycopg.Error, MissingSettingError, OSError) as error:
        log.warning("could not write the sensor heartbeat: %s", error)


def _clear_old_clock_jumps(conn: psycopg.Connection, now: datetime) -> None:
    """A clock jump is over at once; it is shown for a while."""
    for problem in load_problems(conn):
        is_old = is_in_future(problem.seen_at, now) or now - problem.seen_at > CLOCK_JUMP_SHOWN_FOR
        if (problem.kind, problem.subject) == (ProblemKind.CLOCK_CHANGED, MACHINE_SUBJECT) and is_old:
            clear_problem(conn, ProblemKind.CLOCK_CHANGED, MACHINE_SUBJECT)


def build_heartbeat_detail(settings: Settings, now: datetime, sensor_state: SensorState) -> dict[str, Any]:
    """The interval of each sport in seconds of real time (None: no poll is planned), and the credits.

    `sparse_s` has the sports of a metered feed whose interval is far too long, each with the unthrottled one.

    A recording is polled in its own time, where nothing may happen for long: it has no planned intervals.
    """
    terms, activities = sensor_state.terms, [state.activity for state in sensor_state.sports]
    throttle_factor = (
        compute_throttle_factor(activities, now, sensor_state.budget, terms.credits_per_poll)
        if terms.is_metered
        else 1.0
    )
    intervals = {
        state.sport: poll_interval(state.activity, now, terms, throttle_factor) for state in sensor_state.sports
    }
    sparse = [
        s for s, i in intervals.items() if terms.is_metered and is_sparse(i, throttle_factor, sensor_state.budget)
    ]
    is_planned = settings.edge_feed is not Feed.REPLAY
    return {
        "intervals_s": {s: i if is_planned and math.isfinite(i) else None for s, i in intervals.items()},
        "sparse_s": {s: [intervals[s], intervals[s] / throttle_factor] for s in sparse},
        "credits_remaining": None if sensor_state.budget.is_assumed else sensor_state.budget.remaining,
        "no_credits_until": sensor_state.budget.month_end.isoformat() if math.isinf(throttle_factor) else None,
    }
