"""The databases of a stack: created, kept apart by feed, and reset on request."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import psycopg
import redis
from psycopg import sql

from edge_assets.core.settings import Feed
from edge_assets.local.errors import LocalError
from edge_assets.local.plan import with_database
from edge_assets.store import lookups
from edge_assets.store.postgres.database import connect, ensure_database

if TYPE_CHECKING:
    from edge_assets.local.home import Home
    from edge_assets.local.plan import Plan


def ensure_databases(plan: Plan) -> None:
    """Create missing databases; `LocalError` if the server is unreachable or refuses."""
    for url in plan.database_urls:
        parts = urlsplit(url)
        try:
            ensure_database(url, parts.path.removeprefix("/"))
        except psycopg.Error as error:
            msg = f"database {parts.path[1:]} at {parts.hostname}:{parts.port or 5432}: {str(error).strip()}"
            remedy = "check DATABASE_URL, that the server runs, and that the role may create databases"
            raise LocalError(msg, remedy) from None


UNKNOWN_FEED_IDENTITY = "an unknown recording or seed"
IDENTITIES_KEY = "feed_identities"
"""In `state.json`."""


def verify_database_feed(home: Home, plan: Plan) -> None:
    """Raise `LocalError` if the database holds polls of another feed or, if embedded, of another recording or seed.

    A database without polls has no owner: a recording that failed to load does not claim it.
    """
    with connect(plan.database_url, "edge up") as conn:
        stored_feed = lookups.find_live_feed(conn)
    if stored_feed not in {None, plan.feed.value}:
        msg = f"DATABASE_URL holds odds from feed {stored_feed}, not {plan.feed}"
        raise LocalError(msg, "use a separate database for each feed: live, replayed and simulated odds never mix")
    if plan.postgres_port is not None:
        _verify_feed_identity(home, plan, empty=stored_feed is None)


def _verify_feed_identity(home: Home, plan: Plan, *, empty: bool) -> None:
    identities = load_feed_identities(home)
    # without state.json the database may hold anything; the live feed is always the same
    default = plan.feed_identity if plan.feed is Feed.ODDS_API or identities is not None else UNKNOWN_FEED_IDENTITY
    identities = identities or {}
    stored = identities.get(plan.feed, default)
    if stored != plan.feed_identity and not empty:
        msg = f"this home's database for {plan.feed} holds {stored}, not {plan.feed_identity}"
        raise LocalError(msg, "add --fresh to reset it, or use another EDGE_HOME")
    home.set_state(IDENTITIES_KEY, identities | {plan.feed: plan.feed_identity})


def load_feed_identities(home: Home) -> dict[str, str] | None:
    """What each feed's database was filled from (recording or seed), by feed; None if this home does not know."""
    identities: dict[str, str] | None = home.get_state(IDENTITIES_KEY)
    return identities


def reset_databases(plan: Plan) -> None:
    """Drop this feed's database and empty its Redis database."""
    name = urlsplit(plan.database_url).path.removeprefix("/")
    with psycopg.connect(with_database(plan.database_url, "postgres"), autocommit=True) as conn:
        conn.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))
    with redis.Redis.from_url(plan.redis_url) as client:
        client.flushdb()
