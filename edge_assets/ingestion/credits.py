"""The credits left, as the feed states them: with every poll, or free of charge before planning."""

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
"""Polls do not wait longer than this for information that they can do without."""

log = logging.getLogger(__name__)


async def fetch_sports(client: OddsApiClient, clock: Clock) -> tuple[Sequence[WireSport], CreditStatement | None]:
    """The feed's list of sports, which is free, and the credits stated in its headers.

    A feed that does not answer in time lists no sports; the next request reports why.
    """
    try:
        async with asyncio.timeout(FREE_REQUEST_TIMEOUT_SECONDS):
            listed = await client.sports()
            if (
                client.quota.remaining is None
            ):  # ask again: one response without headers must not decide the month's plan
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
    """The newest statement of the credits left this month, from a poll (of `cost` credits) or a free request; if there
    is none, a statement that the feed was asked and did not state them.

    A later response without the headers (from a proxy, say) does not invalidate an earlier statement. Statements from
    the future were written by a clock that has been set back since, and are ignored.
    """
    until = now + MAX_CLOCK_DIFFERENCE
    stated = find_newest_credit_statement(connection, feed, until, cost)
    if CreditBudget.from_statement(now, stated).remaining is not None:
        return stated
    return load_newest_silent_poll(connection, feed, until)
