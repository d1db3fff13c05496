"""What the planner of bursts shows: a sign of life, runs that fail, sports that nobody polls."""

from __future__ import annotations

import logging
import math
from contextlib import closing
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import psycopg

from edge_assets.ingestion.cadence import is_ahead, poll_interval, stretch
from edge_assets.ingestion.watch import MACHINE
from edge_assets.settings import Feed
from edge_assets.store.database import connect
from edge_assets.store.problems import ProblemKind, beat, clear_problem, read_problems, report_problem

if TYPE_CHECKING:
    from collections.abc import Mapping

    from edge_assets.ingestion.facts import Facts
    from edge_assets.settings import Settings
    from edge_assets.store.problems import Problem

SERVICE = "burst-sensor"
BURSTS = "bursts"
"""The subject of runs that fail."""
FREE_FEED_SILENT = timedelta(minutes=1)
"""A simulation is polled every second."""
CLOCK_SHOWN = timedelta(minutes=2)
"""A jump of the clock is over at once; so long it is shown."""

log = logging.getLogger(__name__)


def overdue(facts: Facts, feed: Feed, now: datetime) -> dict[str, str]:
    """The sports without a poll for more than twice their interval, and since when.

    A sport that was never polled, one without credits, and a replay, whose tape ends, are not among them.
    """
    if feed is Feed.REPLAY:
        return {}
    activities = [state.activity for state in facts.sports]
    metered = facts.terms.metered
    lengthened = stretch(activities, now, facts.budget, facts.terms.cost) if metered else 1.0
    found = {}
    for state in facts.sports:
        last = state.activity.last_poll
        seconds = poll_interval(state.activity, now, facts.terms, lengthened) if metered else 0.0
        if last is None or is_ahead(last, now) or math.isinf(seconds):
            continue
        if now - last > max(timedelta(seconds=2 * seconds), FREE_FEED_SILENT):
            found[state.sport] = f"no poll since {last:%Y-%m-%d %H:%M:%S} UTC, its interval is {seconds:.0f} s"
    return found


def show(settings: Settings, now: datetime, decision: str, late: Mapping[str, str], failed_run: str | None) -> None:
    """Leave a sign of life, and show what is wrong or take it away; without a database there is nowhere to."""
    wanted = {(ProblemKind.POLL_OVERDUE.value, sport): why for sport, why in late.items()}
    if failed_run:
        wanted[ProblemKind.RUN_FAILED.value, BURSTS] = failed_run
    try:
        with closing(connect(settings.require_database(), "edge-sensor")) as connection:
            beat(connection, SERVICE, decision=decision[:1000])
            for problem in read_problems(connection):
                if _is_over(problem, now) and (problem.kind, problem.subject) not in wanted:
                    clear_problem(connection, ProblemKind(problem.kind), problem.subject)
            for (kind, subject), why in wanted.items():
                report_problem(connection, ProblemKind(kind), subject, why)
    except psycopg.Error as error:
        log.warning("no sign of life could be left: %s", error)


def _is_over(problem: Problem, now: datetime) -> bool:
    """Whether a problem is the planner's to take away."""
    if problem.kind == ProblemKind.CLOCK_CHANGED:
        is_old = is_ahead(problem.seen_at, now) or now - problem.seen_at > CLOCK_SHOWN
        return problem.subject == MACHINE and is_old
    return problem.kind == ProblemKind.POLL_OVERDUE or (problem.kind, problem.subject) == (
        ProblemKind.RUN_FAILED,
        BURSTS,
    )
