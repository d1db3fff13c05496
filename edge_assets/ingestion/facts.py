"""What a decision about bursts rests on, read from the store in one go."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING

import psycopg

from edge_assets.ingestion.cadence import Budget, FeedTerms, SportActivity, is_ahead
from edge_assets.ingestion.credits import newest_credits
from edge_assets.ingestion.planning import NEVER_LOOKED_AT, Lease, SportState
from edge_assets.settings import Feed, MissingSettingError
from edge_assets.store import leases, polling
from edge_assets.store.database import connect
from edge_assets.store.feed_failures import failing_sports

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from edge_assets.settings import Settings
    from edge_assets.store.feed_failures import FeedFailure
    from edge_assets.store.leases import LeaseInfo
    from edge_assets.store.polling import LastLook


class FactsUnavailableError(RuntimeError):
    """There is nothing to decide on; a failed read is no empty market. Says what to do."""


@dataclass(frozen=True, slots=True)
class Facts:
    """The state of every configured sport, and what looking at it costs."""

    sports: Sequence[SportState]
    terms: FeedTerms
    budget: Budget


def read_facts(settings: Settings, now: datetime) -> Facts:
    """Read the facts for `settings.edge_sports`.

    Raises `FactsUnavailableError` if a setting is missing or the database does not answer.
    """
    try:
        if settings.edge_feed is Feed.ODDS_API and settings.odds_api_key is None:
            msg = "ODDS_API_KEY is not set: set it, or use `edge up --feed simulate`"
            raise FactsUnavailableError(msg)
        with closing(connect(settings.require_database(), "edge-sensor")) as connection:
            return _facts(connection, settings, now)
    except MissingSettingError as error:
        raise FactsUnavailableError(str(error)) from error
    except psycopg.Error as error:
        msg = f"the database does not answer: {type(error).__name__}: {error}"
        raise FactsUnavailableError(msg) from error


def terms_of(settings: Settings) -> FeedTerms:
    """What a poll costs with these settings; only the real feed counts credits."""
    cost = len(settings.edge_regions) * len(settings.edge_markets)
    return FeedTerms(metered=settings.edge_feed is Feed.ODDS_API, cost=cost)


def activity_of(look: LastLook) -> SportActivity:
    """A sport's last poll as the cadence sees it."""
    return SportActivity(look.starts, look.movement, look.received_at)


def _facts(connection: psycopg.Connection, settings: Settings, now: datetime) -> Facts:
    looks, held, failing = polling.last_looks(connection), leases.held(connection), failing_sports(connection)
    terms = terms_of(settings)
    budget = Budget.at(now, newest_credits(connection, settings.edge_feed.value, terms.cost, now))
    states = [_state(now, s, looks.get(s), held.get(s), failing.get(s)) for s in settings.edge_sports]
    return Facts(states, terms, budget)


def _state(
    now: datetime, sport: str, look: LastLook | None, info: LeaseInfo | None, failure: FeedFailure | None
) -> SportState:
    lease = Lease(info.run_id, info.live, info.heartbeat_at, info.handover_at, info.claimed_by) if info else None
    retry_at = failure.retry_at if failure and not is_ahead(failure.failed_at, now) else None
    return SportState(sport, activity_of(look) if look else NEVER_LOOKED_AT, lease, retry_at)
