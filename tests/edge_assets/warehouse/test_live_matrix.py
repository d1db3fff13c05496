"""The scorer's matrix at a decision time equals the warehouse's snapshot, on the recorded week."""

from __future__ import annotations

import re
import tarfile
from contextlib import closing
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from edge_assets.core.clock import to_datetime, to_micros
from edge_assets.feeds.odds_api.conversions import PriceFormat
from edge_assets.feeds.odds_api.diff import PayloadDiffer
from edge_assets.reference.book_profiles import book_profile
from edge_assets.store.analytics.book_weights import load_weights_at
from edge_assets.store.polls import as_of
from edge_assets.store.polls.dimensions import IdRegistry
from edge_assets.store.polls.writer import PollRecord, write_poll
from edge_assets.store.postgres.database import connect
from ml.points import point_models_for
from ml.quotes import MARKET_OUTCOMES, UNKNOWN_TIME, Market
from ml.scoring import BookProfiles
from ml.scoring.fair_prices import ConsensusProvider
from ml.scoring.lines import LineKey
from ml.scoring.matrix import LineMatrix, view_lines
from ml.scoring.rules import ScoringRules
from tests.support.dbt_build import Warehouse

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from psycopg import Connection

pytestmark = pytest.mark.untraced
NFL = "americanfootball_nfl"
NEWS = datetime(2025, 11, 6, 12, tzinfo=UTC)
PUBLISHED = "INSERT INTO pricing.book_weights VALUES (%s, %s, %s, 50, 1, 9, 0, 1)"
"""From then on, one book has a high weight."""
SNAPSHOTS = """
SELECT
    s.event_id, s.decision_point, s.decided_at, m.id AS market_id, o.id AS outcome_id, s.line_point, s.book,
    s.price_decimal,
    s.poll_id, s.confirmed_at, s.fair_probability
FROM market_snapshots AS s
INNER JOIN markets AS m ON s.market = m.key
INNER JOIN outcomes AS o ON s.outcome = o.name
"""


def test_the_matrix_of_the_scorer_is_the_snapshot(warehouse: Warehouse, data_dir: Path) -> None:
    with closing(connect(warehouse.url, "test")) as conn, closing(IdRegistry.load(warehouse.url)) as words:
        store_week(conn, data_dir / "odds_api" / "nfl_week_2025-11.tar.xz")
        conn.execute(PUBLISHED, [words.sport(NFL), NEWS, words.book("draftkings", "DraftKings")])
        warehouse.build("market_snapshots")
        snapshots = warehouse.rows(SNAPSHOTS)
        assert {row["decision_point"] for row in snapshots} == {"first_seen", "h24", "h6", "h1", "m10", "close"}
        decisions = sorted({(row["decided_at"], row["event_id"], row["decision_point"]) for row in snapshots})
        live = {
            (event, moment, *quote)
            for at, event, moment, matrix, polled_at in matrices(conn, decisions)
            for quote in quotes_in_matrix(
                matrix, event, at, words, load_weights_at(conn, words.sport(NFL), polled_at).weights
            )
        }
    assert len(live) == len(snapshots) > 5_000
    assert decisions[0][0] < NEWS < decisions[-1][0]
    assert live == {tuple(row[name] for name in row if name != "decided_at") for row in snapshots}


def store_week(conn: Connection, recording: Path) -> None:
    """Store every payload of the week as a burst does."""
    with closing(IdRegistry.load(conn)) as words:
        sport = words.sport(NFL, "NFL")
        differ = PayloadDiffer(words, NFL, sport, price_format=PriceFormat.AMERICAN)
        for at, body in payloads(recording):
            diff = differ.diff(body, at)
            stamp = to_micros(at)
            record = PollRecord(sport, "replay", "r", stamp, stamp, diff.quotes_seen, diff.events, 1.0, b"[]")
            write_poll(conn, record, diff.quotes, diff.times, diff.starts)
            differ.commit()


def payloads(recording: Path) -> Iterator[tuple[datetime, bytes]]:
    with tarfile.open(recording) as archive:
        for member in sorted((m for m in archive if m.isfile()), key=lambda m: m.name):
            stamp, body = re.search(r"\d{8}T\d{6}Z", member.name), archive.extractfile(member)
            assert stamp is not None
            assert body is not None
            yield datetime.strptime(stamp[0], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC), body.read()


def matrices(
    conn: Connection, decisions: list[tuple[datetime, int, str]]
) -> Iterator[tuple[datetime, int, str, LineMatrix, datetime]]:
    """The live matrix at each decision, as `SportScorer` keeps it from the stream, poll by poll; and the last poll."""
    matrix, polls = LineMatrix(), conn.execute("SELECT id, observed_at FROM polls ORDER BY observed_at").fetchall()
    upcoming, polled_at = iter(polls), polls[0][1]
    poll = next(upcoming, None)
    for at, event, moment in decisions:
        while poll is not None and poll[1] <= at:
            changes, polled_at = as_of.load_poll_changes(conn, poll[0]), poll[1]
            matrix.apply_starts(changes.starts)
            touched = matrix.apply_quotes(changes.quotes, changes.poll_id)
            matrix.apply_confirmations(changes.confirmations, changes.observed_at)
            matrix.release_empty(touched)
            poll = next(upcoming, None)
        yield at, event, moment, matrix, polled_at


def quotes_in_matrix(
    matrix: LineMatrix, event: int, at: datetime, words: IdRegistry, weights: Mapping[str, float]
) -> Iterator[tuple[Any, ...]]:
    """The event's quotes in the matrix, each with the scorer's fair probability at that time."""
    books = BookProfiles.from_profiles(
        matrix.book_ids.tolist(), lambda book: book_profile(words.book_key(book), weights)
    )
    for width in (2, 3):
        rows = np.array(
            [
                row
                for key, row in matrix.row_by_line.items()
                if key.event == event and matrix.outcome_count[row] == width
            ]
        )
        if rows.size:
            view = view_lines(matrix, rows, width)
            provider = ConsensusProvider(point_models_for(NFL))
            fair = provider.price_lines(view, books, to_micros(at), ScoringRules()).probability
            for i, row in enumerate(rows.tolist()):
                key = matrix.line_by_row[row]
                assert key is not None
                yield from _quotes(matrix, key, row, view.confirmed_at[i], fair[:, i], words)


def _quotes(
    matrix: LineMatrix, key: LineKey, row: int, times: Any, fair: Any, words: IdRegistry
) -> Iterator[tuple[Any, ...]]:
    for column, outcome in enumerate(MARKET_OUTCOMES[Market(key.market)]):
        for book, book_id in enumerate(matrix.book_ids.tolist()):
            price = float(matrix.price[column, row, book])
            if not np.isnan(price):
                confirmed = None if times[book] == UNKNOWN_TIME else to_datetime(int(times[book]))
                yield (
                    key.market, int(outcome), key.point, words.book_key(book_id), price,
                    int(matrix.poll_id[column, row, book]), confirmed, float(fair[column]),
                )  # fmt: skip
