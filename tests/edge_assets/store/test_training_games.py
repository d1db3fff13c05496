"""What training reads of polled games: the prices a day before the start, the last ones, and the first known score."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np

from edge_assets.core.clock import to_micros
from edge_assets.reference.sources import Source
from edge_assets.store.events.results import StatedResult, write_results
from edge_assets.store.models.games import load_history, load_quotes
from ml.quotes import Market, Outcome, QuoteBatch
from ml.settlement import GameReport, Score
from tests.support.poll_factories import NAN, NOON, START

if TYPE_CHECKING:
    from tests.support.poll_factories import StoreHarness

NFL = "americanfootball_nfl"
HOUR = timedelta(hours=1)


def offer(harness: StoreHarness, at: datetime, home: float, point: float, away: float = 1.9) -> None:
    quotes = [
        harness.quote(home, market=Market.SPREADS, point=point),
        harness.quote(away, market=Market.SPREADS, outcome=Outcome.AWAY, point=-point),
    ]
    harness.write(at, QuoteBatch.from_rows(quotes))


def test_a_polled_price_counts_a_day_before_the_start_and_at_the_close(harness: StoreHarness) -> None:
    decided = START - timedelta(hours=24)
    offer(harness, NOON, 1.8, -3.5)
    offer(harness, decided, 1.85, -3.0)
    offer(harness, decided + timedelta(microseconds=1), 1.99, -2.5)
    offer(harness, START - HOUR, 2.02, -2.0)
    offer(harness, START, 9.0, -1.0)
    games = load_history(harness.conn, NFL).games
    quotes = load_quotes(harness.conn, games, NFL, Market.SPREADS)
    row = games.event.tolist().index(harness.events[0])
    assert quotes.books.tolist() == [harness.books[0]]
    assert quotes.decided_at[row] == to_micros(decided)
    assert quotes.price[row, 0].tolist() == [1.85, 1.9]
    assert quotes.point[row, 0].tolist() == [-3.0, 3.0]
    assert quotes.seen[row, 0] == decided.timestamp()
    assert quotes.close[row, 0].tolist() == [2.02, 1.9]
    assert quotes.close_point[row, 0].tolist() == [-2.0, 2.0]
    other = games.event.tolist().index(harness.events[1])
    assert np.isnan(quotes.price[other]).all()


def test_a_withdrawn_price_is_none(harness: StoreHarness) -> None:
    offer(harness, NOON, 1.8, -3.5)
    offer(harness, NOON + HOUR, NAN, -3.5, NAN)
    games = load_history(harness.conn, NFL).games
    quotes = load_quotes(harness.conn, games, NFL, Market.SPREADS)
    assert np.isnan(quotes.price).all()
    assert np.isnan(quotes.close).all()


def test_the_first_known_score_stays_and_teams_have_one_number(harness: StoreHarness) -> None:
    first, later = START + 3 * HOUR, START + 30 * HOUR
    for at, home in ((first, 20), (later, 23)):
        report = GameReport.final(Score(home, 17), Score(home, 17))
        write_results(harness.conn, [StatedResult(harness.events[0], Source.ESPN, at, report)])
    history = load_history(harness.conn, NFL)
    row = history.games.event.tolist().index(harness.events[0])
    assert history.games.known_at[row] == to_micros(first)
    assert history.games.score[row].tolist() == [20, 17]
    assert set(history.games.home.tolist()) == {history.teams[NFL, "Seattle Seahawks"]}
    assert history.games.start.tolist() == [to_micros(START)] * 2
