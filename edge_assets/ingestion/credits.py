"""The credits that are left, as the feed states them: with every poll, and for free where a plan has to come first."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from edge_assets.feeds.odds_api.errors import OddsApiError
from edge_assets.ingestion.cadence import MAX_CLOCK_DIFFERENCE, CreditBudget
from edge_assets.store.polls.credits import CreditStatement, find_newest_credit_statement, load_newest_silent_poll

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    import psycopg

    from edge_assets.core.clock import Clock
    from edge_assets.feeds.odds_api.client import OddsApiClient
    from edge_assets.feeds.odds_api.wire import WireSport

FREE_REQUEST_TIMEOUT_SECONDS = 6.0
"""No poll waits longer for what is only good to know."""

log = logging.getLogger(__name__)


async def fetch_sports(client: OddsApiClient, clock: Clock) -> tuple[Sequence[WireSport], CreditStatement | None]:
    """The feed's list of sports, which is free, and what its headers say of the credits.

    A feed that does not answer in time lists nothing; the next request will say why.
    """
    try:
        async with asyncio.timeout(FREE_REQUEST_TIMEOUT_SECONDS):
            listed = await client.sports()
            if client.quota.remaining is None:  # once more: a single answer without its headers must plan no month
                listed = await client.sports()
    except OddsApiError as error:
        log.warning("the feed does not list its sports: %s", error)
        remaining = error.quota.remaining
        return (), None if remaining is None else CreditStatement(clock.now(), remaining)
    except TimeoutError:
        log.warning("the feed does not list its sports within %.0f s", FREE_REQUEST_TIMEOUT_SECONDS)
        return (), None
    return listed, CreditStatement(clock.now(), client.quota.remaining)


def latest_credit_statement(
    connection: psycopg.Connection, feed: str, cost: int, now: datetime
) -> CreditStatement | None:
    """The newest statement of what is left this month, be it a poll's (of `cost` credits) or one that was asked for by
    itself; where there is none, that the feed was asked and did not say.

    A later answer that does not say takes nothing back: a proxy's has no such headers. What is ahead of now was stated
    by a clock that has been set back since, and is no news.
    """
    until = now + MAX_CLOCK_DIFFERENCE
    stated = find_newest_credit_statement(connection, feed, until, cost)
    if CreditBudget.from_statement(now, stated).remaining is not None:
        return stated
    return load_newest_silent_poll(connection, feed, until)
