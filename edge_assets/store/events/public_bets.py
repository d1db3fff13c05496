"""Shares of public bets, as sources state them."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from psycopg import Connection

INSERT_PUBLIC_BETS = """
INSERT INTO public_bets (event_id, market_id, outcome_id, source, bets_share, observed_at, import_id)
SELECT n.*, %s::integer
FROM unnest(%s::integer[], %s::smallint[], %s::integer[], %s::text[], %s::real[], %s::timestamptz[]) AS n
ON CONFLICT DO NOTHING
"""


class PublicBet(NamedTuple):
    """The share (0 to 1) of a market's bets that is on an outcome."""

    event_id: int
    market_id: int
    outcome_id: int
    source: str
    bets_share: float
    observed_at: datetime


def write_public_bets(conn: Connection, bets: Sequence[PublicBet], import_id: int | None = None) -> None:
    """Store public bets, skipping known ones."""
    if bets:
        conn.execute(INSERT_PUBLIC_BETS, [import_id, *(list(column) for column in zip(*bets, strict=True))])
