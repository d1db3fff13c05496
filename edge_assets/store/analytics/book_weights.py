"""Measured weights of books in a sport's consensus, from when they are valid, and their evidence."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from psycopg import Connection

SELECT_WEIGHTS = """
SELECT s.key, w.valid_from, b.key, w.weight, w.prior, w.games, w.log_loss_gain, w.log_loss_gain_error
FROM pricing.book_weights AS w
INNER JOIN sports AS s ON w.sport_id = s.id
INNER JOIN books AS b ON w.book_id = b.id
"""
SELECT_ALL_WEIGHTS = f"{SELECT_WEIGHTS} ORDER BY w.valid_from, s.key, b.key"
SELECT_LAST_WEIGHTS = f"""
{SELECT_WEIGHTS} WHERE w.valid_from = (SELECT max(v.valid_from) FROM pricing.book_weights AS v WHERE v.sport_id =
w.sport_id) ORDER BY s.key, w.weight DESC, b.key
"""
SELECT_VALID_WEIGHTS = f"""
{SELECT_WEIGHTS} WHERE w.sport_id = %(sport)s AND w.valid_from = (
    SELECT max(v.valid_from) FROM pricing.book_weights AS v WHERE v.sport_id = %(sport)s AND v.valid_from <= %(at)s
)
"""
SELECT_WEIGHT_EVIDENCE = """
SELECT
    q.sport, q.book, sum(q.scored_closes)::integer,
    sum(q.scored_closes * q.log_loss_gain) / sum(q.scored_closes),
    sqrt(sum(power(q.scored_closes * q.log_loss_gain_error, 2))) / sum(q.scored_closes)
FROM analytics.book_quality AS q
WHERE q.log_loss_gain_error > 0
GROUP BY q.sport, q.book
ORDER BY q.sport, q.book
"""
INSERT_WEIGHT = """
INSERT INTO pricing.book_weights (
    sport_id, valid_from, book_id, weight, prior, games, log_loss_gain, log_loss_gain_error
)
SELECT
    s.id, (
        SELECT date_trunc('day', max(p.observed_at) + interval '1 hour', 'UTC') + interval '1 day'
        FROM polls AS p WHERE p.sport_id = s.id
    ), b.id, %(weight)s, %(prior)s, %(games)s, %(gain)s, %(error)s
FROM sports AS s, books AS b WHERE s.key = %(sport)s AND b.key = %(book)s
ON CONFLICT DO NOTHING
"""
"""Valid from the midnight after the sport's last poll, so that nothing already scored or priced changes. The hour
allows for polls that arrive meanwhile."""


class WeightEvidence(NamedTuple):
    """How much better than the consensus a book's closing prices predicted results, over all seasons of a sport.

    `gain` is in nats per game, `error` its standard error.
    """

    sport: str
    book: str
    games: int
    gain: float
    error: float


class BookWeight(NamedTuple):
    """A book's weight, with its prior and evidence."""

    sport: str
    valid_from: datetime
    book: str
    weight: float
    prior: float
    games: int
    gain: float
    error: float


class PublishedWeights(NamedTuple):
    """The measured weights of a sport by book; none before the first (`valid_from` None)."""

    sport: str
    valid_from: datetime | None
    weights: Mapping[str, float]


def load_weights_at(conn: Connection, sport_id: int, at: datetime) -> PublishedWeights:
    """The weights valid for a poll at `at`."""
    rows = [BookWeight(*row) for row in conn.execute(SELECT_VALID_WEIGHTS, {"sport": sport_id, "at": at})]
    return _published_weights(rows) if rows else PublishedWeights("", None, {})


def load_published_weights(conn: Connection) -> list[PublishedWeights]:
    """All published weights, by the time from which they are valid."""
    rows = [BookWeight(*row) for row in conn.execute(SELECT_ALL_WEIGHTS)]
    return [_published_weights(list(some)) for _, some in groupby(rows, key=lambda w: (w.valid_from, w.sport))]


def load_last_weights(conn: Connection) -> list[BookWeight]:
    """The last published weights of each sport, the heaviest book first."""
    return [BookWeight(*row) for row in conn.execute(SELECT_LAST_WEIGHTS)]


def load_weight_evidence(conn: Connection) -> list[WeightEvidence]:
    """The evidence of the mart `book_quality`, by sport."""
    return [WeightEvidence(*row) for row in conn.execute(SELECT_WEIGHT_EVIDENCE)]


def insert_weights(conn: Connection, measured: Sequence[tuple[WeightEvidence, float, float]]) -> None:
    """Publish a sport's weights, each with its evidence and prior; at most once a day."""
    values = [evidence._asdict() | {"prior": prior, "weight": weight} for evidence, prior, weight in measured]
    with conn.transaction(), conn.cursor() as cursor:
        cursor.executemany(INSERT_WEIGHT, values)


def _published_weights(rows: Sequence[BookWeight]) -> PublishedWeights:
    return PublishedWeights(rows[0].sport, rows[0].valid_from, {row.book: row.weight for row in rows})
