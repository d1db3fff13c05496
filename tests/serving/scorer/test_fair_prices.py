"""The scorer's fair prices in the database: equal to those of its alerts after every step, and written after them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from edge_assets.store.alerts.fair_prices import find_fair_prices_version, load_fair_prices
from edge_assets.store.polls.dimensions import IdRegistry
from ml.quotes import Market, Outcome
from ml.scoring import ScoringRules
from serving.scorer.sports import SportScorers
from tests.support.scorer_harness import SECOND, THRESHOLD

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.scorer_harness import ScorerHarness

SELECT_NEWEST_VALUE_BETS = """
SELECT DISTINCT ON (alert_id) event_id, fair_probability, poll_id FROM alerts
WHERE kind = 'value' AND state <> 'closed' ORDER BY alert_id, seq DESC
"""


@pytest.fixture
def sports(harness: ScorerHarness) -> Iterator[SportScorers]:
    """The scorers as after a restart."""
    vocabulary = IdRegistry.load(harness.conn)
    yield SportScorers(harness.conn, vocabulary, ScoringRules(threshold_edge=THRESHOLD), {})
    vocabulary.close()


def load_stored(harness: ScorerHarness, poll_id: int) -> dict[tuple[int, int], float]:
    """The stored fair probabilities, by event and outcome."""
    batch = load_fair_prices(harness.conn, harness.sport, poll_id).prices
    assert set(batch.market.tolist()) <= {Market.H2H}
    columns = (batch.event.tolist(), batch.outcome.tolist(), batch.probability.tolist())
    return {(event, outcome): p for event, outcome, p in zip(*columns, strict=True)}


def test_fair_prices_equal_those_of_the_alerts_exactly(harness: ScorerHarness, sports: SportScorers) -> None:
    compared = 0
    for changes in [harness.poll(), harness.raise_price(), *harness.poll_lively_market(20)]:
        sports.score(changes)
        sports.write_fair_prices()
        fair = load_stored(harness, changes.poll_id)
        for event, probability, poll_id in harness.conn.execute(SELECT_NEWEST_VALUE_BETS).fetchall():
            if poll_id == changes.poll_id:
                assert probability in {fair[event, Outcome.HOME], fair[event, Outcome.AWAY]}
                compared += 1
    assert compared > 5


def test_fair_prices_are_missing_until_written_for_the_latest_poll(
    harness: ScorerHarness, sports: SportScorers
) -> None:
    first = harness.poll()
    sports.score(first)
    assert (load_stored(harness, first.poll_id), sports.has_unwritten_prices) == ({}, True)
    sports.write_fair_prices()
    assert (len(load_stored(harness, first.poll_id)), sports.has_unwritten_prices) == (4, False)
    second = harness.poll()
    assert load_stored(harness, second.poll_id) == {}


def test_a_tick_that_moves_alerts_moves_fair_prices_too(harness: ScorerHarness, sports: SportScorers) -> None:
    sports.score(harness.poll())
    changes = harness.raise_price()
    sports.score(changes)
    sports.write_fair_prices()
    before = find_fair_prices_version(harness.conn, harness.sport, changes.poll_id)
    assert sports.tick(harness.now + 3_600 * SECOND)
    sports.write_fair_prices()
    after = find_fair_prices_version(harness.conn, harness.sport, changes.poll_id)
    assert before is not None
    assert after is not None
    assert (after - before).total_seconds() == 3_600


def test_a_restarted_scorer_writes_the_missing_fair_prices(harness: ScorerHarness, sports: SportScorers) -> None:
    changes = harness.poll()
    sports.score(changes)
    vocabulary = IdRegistry.load(harness.conn)
    reborn = SportScorers(harness.conn, vocabulary, ScoringRules(threshold_edge=THRESHOLD), {})
    reborn.restore_all()
    reborn.write_fair_prices()
    vocabulary.close()
    assert len(load_stored(harness, changes.poll_id)) == 4


def test_the_running_scorer_writes_fair_prices(harness: ScorerHarness) -> None:
    polls = harness.poll_lively_market(3)
    harness.run_scorer(lambda: bool(load_stored(harness, polls[-1].poll_id)))


def test_a_failure_to_write_fair_prices_stops_no_alert(
    harness: ScorerHarness, sports: SportScorers, caplog: pytest.LogCaptureFixture
) -> None:
    harness.conn.execute("ALTER TABLE fair_prices RENAME TO elsewhere")
    sports.score(harness.poll())
    sports.write_fair_prices()
    assert "were not written" in caplog.text
    assert sports.score(harness.raise_price())
    assert harness.alert_steps()
