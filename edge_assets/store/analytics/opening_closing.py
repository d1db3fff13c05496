"""Each book's opening and closing prices, with the winner."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from edge_assets.store.analytics.reference_prices import CLOSING_INTERVAL
from edge_assets.store.postgres.columns import read_columns
from ml.quotes import MARKET_OUTCOMES

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from psycopg import Connection

    from ml.quotes import Market


class StartRule(StrEnum):
    """The start before which prices count."""

    ORIGINAL = "original"
    """The closing lines' rule: the first announced start, or an earlier one from when it was known."""
    LAST_KNOWN = "last_known"
    """The start as known now, after all delays: books quote until then."""


START_COLUMNS = {StartRule.ORIGINAL: "timed.closes_at", StartRule.LAST_KNOWN: "timed.commence_at"}
SELECT_OPENING_CLOSING_PRICES = """
WITH games AS MATERIALIZED (
    SELECT timed.event_id, {start} AS starts_at, won.id AS winner
    FROM analytics.int_events_with_season AS timed
    INNER JOIN analytics.int_winners_settled AS w ON timed.event_id = w.event_id
    INNER JOIN markets AS m ON w.market = m.key AND m.id = %(market)s
    INNER JOIN outcomes AS won ON w.winner = won.name
    WHERE starts_with(timed.sport, %(sport)s)
),
ticks AS (
    SELECT event_id, book_id, market_id, outcome_id, price, observed_at, poll_id FROM {ticks}
),
quotes AS (
    SELECT
        t.event_id, t.book_id, t.outcome_id, g.winner,
        ARRAY[date_part('epoch', t.observed_at), num_nonnulls(t.price), t.price] AS quote,
        NOT p.time_assumed OR t.observed_at < g.starts_at - {closing} AS may_be_first,
        NOT p.time_assumed OR t.observed_at >= g.starts_at - {closing} AS may_be_last
    FROM ticks AS t
    INNER JOIN games AS g ON t.event_id = g.event_id AND t.observed_at < g.starts_at
    INNER JOIN polls AS p ON t.poll_id = p.id
    WHERE
        t.market_id = %(market)s
        AND (%(book)s::text IS NULL OR t.book_id = (SELECT id FROM books WHERE key = %(book)s))
)
SELECT
    event_id, book_id, outcome_id, winner,
    coalesce((min(quote) FILTER (WHERE may_be_first AND quote[3] IS NOT NULL))[3], 'NaN'),
    coalesce((max(quote) FILTER (WHERE may_be_last))[3], 'NaN')
FROM quotes GROUP BY event_id, book_id, outcome_id, winner ORDER BY event_id, book_id
"""
"""The smallest and largest arrays are the first and last ticks; a quarantined price counts as a withdrawal. A source
without times has opening prices and, in the last minutes, closing prices; any other book's last price holds until it is
withdrawn."""
DISABLE_NESTED_LOOPS = "SET LOCAL enable_nestloop = off"
"""The planner estimates one game with a winner and would search all partitions for each."""
PRICE_TYPES = {"event": "i4", "book": "i4", "outcome": "i4", "winner": "i4", "first": "f8", "last": "f8"}


class OpeningClosingPrices(NamedTuple):
    """Rows by event and book (q,): the first and last prices (q, n) by outcome, NaN where there is none.

    `winner` is the column of the outcome that won.
    """

    event: NDArray[np.int32]
    winner: NDArray[np.intp]
    first: NDArray[np.float64]
    last: NDArray[np.float64]


def load_opening_closing_prices(
    conn: Connection, market: Market, start_rule: StartRule, sport: str, book: str | None, *, with_quarantined: bool
) -> OpeningClosingPrices:
    """The prices of one book, or of all, on games with a winner, of the sports whose keys start with `sport`.

    Quarantined ticks count only `with_quarantined`; what findings hold out never does.
    """
    query = SELECT_OPENING_CLOSING_PRICES.format(
        start=START_COLUMNS[start_rule],
        closing=CLOSING_INTERVAL,
        ticks="admitted_ticks" if with_quarantined else "clean_ticks",
    )
    with conn.transaction():
        conn.execute(DISABLE_NESTED_LOOPS)
        columns = read_columns(conn, query, PRICE_TYPES, {"market": int(market), "sport": sport, "book": book})
    outcomes = np.array(sorted(MARKET_OUTCOMES[market]))
    key = columns["event"].astype(np.int64) << 16 | columns["book"]
    _, first, row = np.unique(key, return_index=True, return_inverse=True)
    column, winner = (np.searchsorted(outcomes, columns[name]) for name in ("outcome", "winner"))
    prices = np.full((2, len(first), len(outcomes)), np.nan)
    prices[:, row, column] = columns["first"], columns["last"]
    return OpeningClosingPrices(columns["event"][first], winner[first], *prices)
