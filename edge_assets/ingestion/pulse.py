"""What the sensor leaves at every tick: that it ticks, how often it means each sport to be polled, runs that fail.

With it whoever looks can tell a poll that is late from one that is not due, also when sensor and bursts are dead.
"""

from __future__ import annotations

import logging
import math
from contextlib import closing
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import psycopg

from edge_assets.health.assessment import BURSTS, SENSOR
from edge_assets.ingestion.cadence import is_ahead, is_sparse, poll_interval, stretch
from edge_assets.ingestion.troubles import OWN_PROBLEMS
from edge_assets.ingestion.watch import MACHINE
from edge_assets.lost_polls import forget_others
from edge_assets.settings import Feed, MissingSettingError
from edge_assets.store.database import connect
from edge_assets.store.problems import (
    ProblemKind,
    beat,
    clear_other_subjects,
    clear_problem,
    read_problems,
    report_problem,
)

if TYPE_CHECKING:
    from datetime import datetime

    from edge_assets.ingestion.facts import Facts
    from edge_assets.settings import Settings

JUMP_SHOWN = timedelta(minutes=2)

log = logging.getLogger(__name__)


def show_pulse(
    settings: Settings, now: datetime, facts: Facts | None, wanting: str = "", failed_run: str | None = None
) -> None:
    """Leave a sign of life; without facts with what was `wanting`. A database that is away keeps none.

    `failed_run` is what the run that failed last has said, if nothing has gone well since.
    """
    detail = planned(settings, now, facts) if facts else {"wanting": wanting}
    try:
        with closing(connect(settings.require_database(), "edge-sensor")) as conn:
            beat(conn, SENSOR, **detail)
            if failed_run:
                report_problem(conn, ProblemKind.RUN_FAILED, BURSTS, failed_run)
            elif facts:
                clear_problem(conn, ProblemKind.RUN_FAILED, BURSTS)
            _forget_jumps(conn, now)
            # of a sport that nobody polls any more nothing would ever be right again
            clear_other_subjects(conn, OWN_PROBLEMS, [*settings.edge_sports, MACHINE])
            forget_others(settings.lost_polls, settings.edge_sports)
    except (psycopg.Error, MissingSettingError, OSError) as error:
        log.warning("the sensor's sign of life is not kept: %s", error)


def _forget_jumps(conn: psycopg.Connection, now: datetime) -> None:
    """A jump of the clock is over at once; it is shown for a while."""
    for problem in read_problems(conn):
        is_old = is_ahead(problem.seen_at, now) or now - problem.seen_at > JUMP_SHOWN
        if (problem.kind, problem.subject) == (ProblemKind.CLOCK_CHANGED, MACHINE) and is_old:
            clear_problem(conn, ProblemKind.CLOCK_CHANGED, MACHINE)


def planned(settings: Settings, now: datetime, facts: Facts) -> dict[str, Any]:
    """The interval of each sport in seconds of real time (None: no poll is planned), and the credits.

    `sparse_s` has those that are far too long, of feeds that are metered, and beside each what the sport wants.

    A recording is looked at in its own time, in which nothing may come for long: it has no plan.
    """
    terms, activities = facts.terms, [state.activity for state in facts.sports]
    lengthened = stretch(activities, now, facts.budget, terms.cost) if terms.metered else 1.0
    intervals = {state.sport: poll_interval(state.activity, now, terms, lengthened) for state in facts.sports}
    sparse = [s for s, i in intervals.items() if terms.metered and is_sparse(i, lengthened, facts.budget)]
    is_planned = settings.edge_feed is not Feed.REPLAY
    return {
        "intervals_s": {s: i if is_planned and math.isfinite(i) else None for s, i in intervals.items()},
        "sparse_s": {s: [intervals[s], intervals[s] / lengthened] for s in sparse},
        "credits_remaining": None if facts.budget.is_assumed else facts.budget.remaining,
        "no_credits_until": facts.budget.month_ends.isoformat() if math.isinf(lengthened) else None,
    }
