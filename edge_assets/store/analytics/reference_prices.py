"""A reference book's opening and closing prices, the price on offer at the opening, and the winner."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from edge_assets.store.postgres.columns import read_columns
from ml.quotes import MARKET_OUTCOMES, Outcome

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from psycopg import Connection

    from ml.quotes import Market

    Array = NDArray[np.float64]

CLOSING_INTERVAL = "interval '5 minutes'"
"""Prices within this time before the start are closing prices, earlier ones are opening prices."""
SELECT_TICKS = "SELECT event_id, market_id, book_id, outcome_id, price, observed_at FROM {} WHERE price IS NOT NULL"
SELECT_AGGREGATES = "SELECT event_id, market_id, outcome_id, kind, price, observed_at FROM {} WHERE price IS NOT NULL"
SELECT_OPENING_AGGREGATE = """
SELECT event_id, outcome_id, (array_agg(price ORDER BY observed_at))[1] AS price
FROM aggregates INNER JOIN starts USING (event_id)
WHERE market_id = %(market)s AND kind = %(price)s AND observed_at < closes_at - {closing}
GROUP BY event_id, outcome_id
"""
SELECT_BEST_OPENING_PRICE = """
SELECT event_id, outcome_id, max(price) AS price
FROM (
    SELECT event_id, outcome_id, book_id, (array_agg(price ORDER BY observed_at))[1] AS price
    FROM quotes INNER JOIN starts USING (event_id)
    WHERE market_id = %(market)s AND observed_at < closes_at - {closing}
    GROUP BY event_id, outcome_id, book_id
) AS openings
GROUP BY event_id, outcome_id
"""
SELECT_REFERENCE_PRICES = """
WITH starts AS (SELECT event_id, closes_at FROM analytics.int_events_with_season),
quotes AS ({quotes}),
aggregates AS ({aggregates}),
reference AS (
    SELECT
        event_id, outcome_id,
        (array_agg(price ORDER BY observed_at) FILTER (WHERE observed_at < closes_at - {closing}))[1] AS opening,
        (array_agg(price ORDER BY observed_at DESC) FILTER (WHERE observed_at >= closes_at - {closing}))[1] AS closing
    FROM quotes INNER JOIN starts USING (event_id)
    WHERE
        market_id = %(market)s AND book_id = (SELECT id FROM books WHERE key = %(reference)s)
        AND observed_at < closes_at
    GROUP BY event_id, outcome_id
),
offered AS ({offered})
SELECT
    w.event_id, o.id, coalesce(r.opening, 'NaN'), coalesce(r.closing, 'NaN'), coalesce(f.price, 'NaN'),
    (o.name = w.winner)::integer
FROM analytics.int_winners_settled AS w
INNER JOIN markets AS m ON w.market = m.key AND m.id = %(market)s
INNER JOIN events AS e ON w.event_id = e.id
INNER JOIN sports AS s ON e.sport_id = s.id AND starts_with(s.key, %(sport)s)
CROSS JOIN outcomes AS o
LEFT JOIN reference AS r ON w.event_id = r.event_id AND o.id = r.outcome_id
LEFT JOIN offered AS f ON w.event_id = f.event_id AND o.id = f.outcome_id
WHERE o.id = ANY(%(outcomes)s)
ORDER BY w.event_id, array_position(%(outcomes)s, o.id)
"""
PUBLISHED_OUTCOME_ORDER = (Outcome.HOME, Outcome.DRAW, Outcome.AWAY)
"""The usual order of odds pages. A float sum depends on its order, and some bets lie exactly on the threshold: in
matrix order one more of 62,149 matches' bets is above zero than published."""
REFERENCE_PRICE_TYPES = {"event": "i4", "outcome": "i4", "opening": "f8", "closing": "f8", "offered": "f8", "won": "i4"}


class ReferencePrices(NamedTuple):
    """By event with a result and outcome (e, n), NaN where there is no price; `won` is 1 for the winner."""

    opening: Array
    closing: Array
    offered: Array
    won: NDArray[np.int32]


def load_reference_prices(
    conn: Connection, market: Market, reference: str, price: str, with_quarantined: bool, sport: str = ""
) -> ReferencePrices:
    """The prices of `reference` and the offered `price`: an aggregate's kind (max, avg) or `best`, of all books.

    For sports whose keys start with `sport`. Quarantined ticks count only `with_quarantined`; what findings hold out
    never does.
    """
    outcomes = [int(outcome) for outcome in PUBLISHED_OUTCOME_ORDER if outcome in MARKET_OUTCOMES[market]]
    query = SELECT_REFERENCE_PRICES.format(
        quotes=SELECT_TICKS.format("admitted_ticks" if with_quarantined else "clean_ticks"),
        aggregates=SELECT_AGGREGATES.format("admitted_aggregates" if with_quarantined else "clean_aggregates"),
        offered=(SELECT_BEST_OPENING_PRICE if price == "best" else SELECT_OPENING_AGGREGATE).format(
            closing=CLOSING_INTERVAL
        ),
        closing=CLOSING_INTERVAL,
    )
    values = {"market": int(market), "reference": reference, "price": price, "sport": sport, "outcomes": outcomes}
    columns = read_columns(conn, query, REFERENCE_PRICE_TYPES, values)
    return ReferencePrices(*(columns[name].reshape(-1, len(outcomes)) for name in ReferencePrices._fields))
