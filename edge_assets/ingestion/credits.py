"""The credits that are left, as the feed states them: with every poll, and for free where a plan has to come first."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from edge_assets.feeds.odds_api.errors import OddsApiError
from edge_assets.ingestion.cadence import CLOCKS_DIFFER_BY, is_ahead
from edge_assets.store.credits import CreditStatement, newest_statement

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    import psycopg

    from edge_assets.clock import Clock
    from edge_assets.feeds.odds_api.client import OddsApiClient
    from edge_assets.feeds.odds_api.wire import Sport
    from edge_assets.store.polling import LastLook

SECONDS_FOR_FREE = 6.0
"""No poll waits longer for what is only good to know."""

log = logging.getLogger(__name__)


async def ask_sports(client: OddsApiClient, clock: Clock) -> tuple[Sequence[Sport], CreditStatement | None]:
    """The feed's list of sports, which is free, and what its headers say of the credits.

    A feed that does not answer in time lists nothing; the next request will say why.
    """
    try:
        async with asyncio.timeout(SECONDS_FOR_FREE):
            listed = await client.sports()
    except OddsApiError as error:
        log.warning("the feed does not list its sports: %s", error)
        remaining = error.quota.remaining
        return (), None if remaining is None else CreditStatement(clock.now(), remaining)
    except TimeoutError:
        log.warning("the feed does not list its sports within %.0f s", SECONDS_FOR_FREE)
        return (), None
    return listed, CreditStatement(clock.now(), client.quota.remaining)


def newest_credits(
    connection: psycopg.Connection, feed: str, polls: Iterable[LastLook], now: datetime
) -> CreditStatement | None:
    """The newest statement, be it a poll's or one that was asked for by itself.

    What is ahead of now was stated by a clock that has been set back since, and is no news. Polls after that are put
    behind the last one before it, and only the time of their answer is true.
    """
    said = [poll for poll in polls if poll.credits_remaining is not None]
    polled = [CreditStatement(min(poll.observed_at, poll.received_at), poll.credits_remaining) for poll in said]
    stated = [statement for statement in polled if not is_ahead(statement.stated_at, now)]
    asked = newest_statement(connection, feed, now + CLOCKS_DIFFER_BY)
    return max([*stated, *([asked] if asked else [])], key=lambda statement: statement.stated_at, default=None)
