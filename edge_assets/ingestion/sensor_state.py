"""The state that decisions on bursts are based on, read from the store at once."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING

import psycopg

from edge_assets.core.settings import Feed, MissingSettingError
from edge_assets.ingestion.cadence import CreditBudget, FeedTerms, SportActivity, is_in_future
from edge_assets.ingestion.credits import latest_credit_statement
from edge_assets.ingestion.planning import NEVER_POLLED, LeaseStatus, SportState
from edge_assets.store.health.feed_failures import load_feed_failures
from edge_assets.store.polls import activity, leases
from edge_assets.store.postgres.database import connect

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from edge_assets.core.settings import Settings
    from edge_assets.store.health.feed_failures import FeedFailure
    from edge_assets.store.polls.activity import PollSummary
    from edge_assets.store.polls.leases import LeaseInfo


class StateUnavailableError(RuntimeError):
    """There is no state to decide on; a failed read is not an empty market. The message states the remedy."""


@dataclass(frozen=True, slots=True)
class SensorState:
    """The state of every configured sport, and what polling costs."""

    sports: Sequence[SportState]
    terms: FeedTerms
    budget: CreditBudget


def load_sensor_state(settings: Settings, now: datetime) -> SensorState:
    """Load the state of `settings.edge_sports`.

    Raises `StateUnavailableError` if a setting is missing or the database does not answer.
    """
    try:
        if settings.edge_feed is Feed.ODDS_API and settings.odds_api_key is None:
            msg = "ODDS_API_KEY is not set: set it, or use `edge up --feed simulate`"
            raise StateUnavailableError(msg)
        with closing(connect(settings.require_database_url(), "edge-sensor")) as connection:
            return _load_state(connection, settings, now)
    except MissingSettingError as error:
        raise StateUnavailableError(str(error)) from error
    except psycopg.Error as error:
        msg = f"the database does not answer: {type(error).__name__}: {error}"
        raise StateUnavailableError(msg) from error


def feed_terms(settings: Settings) -> FeedTerms:
    """What a poll costs with these settings; only the real feed is metered."""
    cost = len(settings.edge_regions) * len(settings.edge_markets)
    return FeedTerms(is_metered=settings.edge_feed is Feed.ODDS_API, credits_per_poll=cost)


def activity_from_poll(poll: PollSummary) -> SportActivity:
    """The activity of a sport, from its last poll."""
    return SportActivity(poll.starts, poll.movement, poll.received_at)


def _load_state(connection: psycopg.Connection, settings: Settings, now: datetime) -> SensorState:
    last_polls, lease_infos, failing = (
        activity.load_last_polls(connection),
        leases.load_leases(connection),
        load_feed_failures(connection),
    )
    terms = feed_terms(settings)
    budget = CreditBudget.from_statement(
        now, latest_credit_statement(connection, settings.edge_feed.value, terms.credits_per_poll, now)
    )
    states = [
        _build_sport_state(now, s, last_polls.get(s), lease_infos.get(s), failing.get(s)) for s in settings.edge_sports
    ]
    return SensorState(states, terms, budget)


def _build_sport_state(
    now: datetime, sport: str, poll: PollSummary | None, info: LeaseInfo | None, failure: FeedFailure | None
) -> SportState:
    lease = LeaseStatus(info.run_id, info.live, info.heartbeat_at, info.handover_at, info.claimed_by) if info else None
    retry_at = failure.retry_at if failure and not is_in_future(failure.failed_at, now) else None
    return SportState(sport, activity_from_poll(poll) if poll else NEVER_POLLED, lease, retry_at)
