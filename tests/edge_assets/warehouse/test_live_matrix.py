"""What the scorer held in its matrix at a moment is what the warehouse says of that moment, on the recorded week."""

from __future__ import annotations

import re
import tarfile
from contextlib import closing
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from edge_assets.clock import micros, to_datetime
from edge_assets.feeds.odds_api.diff import PayloadDiffer
from edge_assets.feeds.odds_api.numbers import PriceFormat
from edge_assets.store import readers
from edge_assets.store.database import connect
from edge_assets.store.vocabulary import Vocabulary
from edge_assets.store.weights import weights_at
from edge_assets.store.writer import PollRecord, write_poll
from edge_assets.traits import traits
from ml.points import point_models
from ml.quotes import OUTCOMES_OF, UNKNOWN_TIME, Market
from ml.scoring import Books
from ml.scoring.lines import LineKey
from ml.scoring.matrix import LineMatrix
from ml.scoring.rules import ScoringRules
from ml.scoring.valuation import value_lines
from ml.scoring.view import view_of
from tests.edge_assets.warehouse.building import Warehouse

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from psycopg import Connection

pytestmark = pytest.mark.untraced
NFL = "americanfootball_nfl"
NEWS = datetime(2025, 11, 6, 12, tzinfo=UTC)
PUBLISHED = "INSERT INTO pricing.book_weights VALUES (%s, %s, %s, 50, 1, 9, 0, 1)"
"""From then on, one book is found to count a lot."""
SNAPSHOTS = """
SELECT
    s.event_id, s.moment, s.decided_at, m.id AS market_id, o.id AS outcome_id, s.line_point, s.book, s.price_decimal,
    s.poll_id, s.confirmed_at, s.fair_probability
FROM market_snapshots AS s
INNER JOIN markets AS m ON s.market = m.key
INNER JOIN outcomes AS o ON s.outcome = o.name
"""


def test_the_matrix_of_the_scorer_is_the_snapshot(warehouse: Warehouse, data_dir: Path) -> None:
    with closing(connect(warehouse.url, "test")) as conn, closing(Vocabulary.load(warehouse.url)) as words:
        store_week(conn, data_dir / "odds_api" / "nfl_week_2025-11.tar.xz")
        conn.execute(PUBLISHED, [words.sport(NFL), NEWS, words.book("draftkings", "DraftKings")])
        warehouse.build("market_snapshots")
        snapshots = warehouse.rows(SNAPSHOTS)
        assert {row["moment"] for row in snapshots} == {"first_seen", "h24", "h6", "h1", "m10", "close"}
        decisions = sorted({(row["decided_at"], row["event_id"], row["moment"]) for row in snapshots})
        live = {
            (event, moment, *quote)
            for at, event, moment, matrix, polled_at in matrices(conn, decisions)
            for quote in held(matrix, event, at, words, weights_at(conn, words.sport(NFL), polled_at).weights)
        }
    assert len(live) == len(snapshots) > 5_000
    assert decisions[0][0] < NEWS < decisions[-1][0]
    assert live == {tuple(row[name] for name in row if name != "decided_at") for row in snapshots}


def store_week(conn: Connection, tape: Path) -> None:
    """Every payload of the week, as a burst stores it."""
    with closing(Vocabulary.load(conn)) as words:
        sport = words.sport(NFL, "NFL")
        differ = PayloadDiffer(words, NFL, sport, price_format=PriceFormat.AMERICAN)
        for at, body in payloads(tape):
            diff = differ.diff(body, at)
            stamp = micros(at)
            record = PollRecord(sport, "replay", "r", stamp, stamp, diff.quotes_seen, diff.events, 1.0, b"[]")
            write_poll(conn, record, diff.quotes, diff.times, diff.starts)
            differ.commit()


def payloads(tape: Path) -> Iterator[tuple[datetime, bytes]]:
    with tarfile.open(tape) as archive:
        for member in sorted((m for m in archive if m.isfile()), key=lambda m: m.name):
            stamp, body = re.search(r"\d{8}T\d{6}Z", member.name), archive.extractfile(member)
            assert stamp is not None
            assert body is not None
            yield datetime.strptime(stamp[0], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC), body.read()


def matrices(
    conn: Connection, decisions: list[tuple[datetime, int, str]]
) -> Iterator[tuple[datetime, int, str, LineMatrix, datetime]]:
    """The live matrix at each decision, as `SportScorer` keeps it, poll by poll from the stream; and the last poll."""
    matrix, polls = LineMatrix(), conn.execute("SELECT id, observed_at FROM polls ORDER BY observed_at").fetchall()
    upcoming, polled_at = iter(polls), polls[0][1]
    poll = next(upcoming, None)
    for at, event, moment in decisions:
        while poll is not None and poll[1] <= at:
            changes, polled_at = readers.changes(conn, poll[0]), poll[1]
            matrix.apply_starts(changes.starts)
            touched = matrix.apply_quotes(changes.quotes, changes.poll_id)
            matrix.apply_times(changes.times, changes.observed_at)
            matrix.release_empty(touched)
            poll = next(upcoming, None)
        yield at, event, moment, matrix, polled_at


def held(
    matrix: LineMatrix, event: int, at: datetime, words: Vocabulary, weights: Mapping[str, float]
) -> Iterator[tuple[Any, ...]]:
    """The event's quotes in the matrix, each with the fair probability that the scorer gives it at that moment."""
    books = Books.of(matrix.book_ids.tolist(), lambda book: traits(words.book_key(book), weights))
    for width in (2, 3):
        rows = np.array([row for key, row in matrix.rows.items() if key.event == event and matrix.width[row] == width])
        if rows.size:
            view = view_of(matrix, rows, width)
            fair = value_lines(view, books, point_models(NFL), micros(at), ScoringRules()).market.probability
            for i, row in enumerate(rows.tolist()):
                key = matrix.keys[row]
                assert key is not None
                yield from _quotes(matrix, key, row, view.book_time[i], fair[:, i], words)


def _quotes(
    matrix: LineMatrix, key: LineKey, row: int, times: Any, fair: Any, words: Vocabulary
) -> Iterator[tuple[Any, ...]]:
    for column, outcome in enumerate(OUTCOMES_OF[Market(key.market)]):
        for book, book_id in enumerate(matrix.book_ids.tolist()):
            price = float(matrix.price[column, row, book])
            if not np.isnan(price):
                confirmed = None if times[book] == UNKNOWN_TIME else to_datetime(int(times[book]))
                yield (
                    key.market, int(outcome), key.point, words.book_key(book_id), price,
                    int(matrix.poll[column, row, book]), confirmed, float(fair[column]),
                )  # fmt: skip
