"""The effects of passing time, of restarts and of book weights on the scorers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from edge_assets.store.analytics.book_weights import WeightEvidence, insert_weights
from edge_assets.store.polls.dimensions import IdRegistry
from ml.market import devig
from ml.scoring import ScoringRules
from serving.scorer.sports import SportScorers
from tests.support.scorer_harness import SECOND, SPORT, THRESHOLD

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.scorer_harness import ScorerHarness

RULES = ScoringRules(threshold_edge=THRESHOLD)


@pytest.fixture
def words(harness: ScorerHarness) -> Iterator[IdRegistry]:
    """The ids in the database."""
    vocabulary = IdRegistry.load(harness.conn)
    yield vocabulary
    vocabulary.close()


def sports_of(harness: ScorerHarness, words: IdRegistry, **weights: float) -> SportScorers:
    """The scorers as after a restart."""
    sports = SportScorers(harness.conn, words, RULES, weights)
    sports.restore_all()
    return sports


def count_suppressed(harness: ScorerHarness) -> dict[str, int]:
    """The number of suppressed candidates, by reason."""
    return dict(harness.conn.execute("SELECT reason, sum(n)::int FROM suppressions GROUP BY reason").fetchall())


def test_a_poll_without_alerts_updates_only_the_progress(harness: ScorerHarness, words: IdRegistry) -> None:
    sports = sports_of(harness, words)
    changes = harness.poll()
    assert [c.poll_id for c in sports.unscored_polls()] == [changes.poll_id]
    assert not sports.score(changes)
    assert harness.progress() == changes.poll_id
    assert sports.unscored_polls() == []
    assert not sports.tick(harness.now + SECOND)
    assert harness.alert_steps() == []


def test_a_scored_poll_is_skipped(harness: ScorerHarness, words: IdRegistry) -> None:
    sports = sports_of(harness, words)
    polls = [harness.poll(), harness.raise_price()]
    assert [sports.score(changes) for changes in polls] == [False, True]
    before = harness.alert_steps()
    assert not any(sports.score(changes) for changes in polls)
    assert harness.alert_steps() == before


@pytest.mark.parametrize("reborn", [False, True])
def test_prices_become_stale_without_a_poll(harness: ScorerHarness, words: IdRegistry, reborn: bool) -> None:
    sports = sports_of(harness, words)
    for changes in (harness.poll(), harness.raise_price()):
        sports.score(changes)
    if reborn:
        sports = sports_of(harness, words)

    assert sports.tick(harness.now + 3_600 * SECOND)

    states = [step[2:4] for step in harness.alert_steps()]
    assert states == [("opened", None)] * 2 + [("closed", "stale")] * 2  # of the value bet and of the arbitrage
    assert not sports.tick(harness.now + 3_601 * SECOND)


def test_a_candidate_that_becomes_stale_is_counted_once(harness: ScorerHarness, words: IdRegistry) -> None:
    sports = sports_of(harness, words)
    harness.offers[0, 1] = 9.0, 1.9
    sports.score(harness.poll())
    assert count_suppressed(harness) == {"outlier": 2}
    # the likely error is closed, once
    assert [sports.tick(harness.now + seconds * SECOND) for seconds in (700, 701, 3_600)] == [True, False, False]
    assert [(step[2], step[3]) for step in harness.alert_steps()] == [("opened", None), ("closed", "stale")]
    assert count_suppressed(harness) == {"outlier": 2, "stale": 2}


def test_books_without_weight_do_not_count(harness: ScorerHarness, words: IdRegistry) -> None:
    sports = sports_of(harness, words, draftkings=0, betmgm=0, bovada=0)
    for changes in (harness.poll(), harness.raise_price()):
        sports.score(changes)
    kinds = harness.conn.execute("SELECT DISTINCT kind FROM alerts").fetchall()
    assert kinds == [("arbitrage",)]
    assert count_suppressed(harness)["thin"] >= 1


def test_sports_are_kept_apart(harness: ScorerHarness, words: IdRegistry) -> None:
    words.sport("icehockey_nhl")
    sports = sports_of(harness, words)
    polls = [harness.poll(), harness.raise_price()]
    for poll in sports.unscored_polls():
        sports.score_from_database(poll)
    assert [c.sport for c in polls] == ["basketball_nba"] * 2
    assert harness.conn.execute("SELECT sport_id FROM scorer_progress").fetchall() == [(harness.sport,)]


@pytest.mark.parametrize("reborn", [False, True])
def test_measured_weights_apply_from_their_day_on(harness: ScorerHarness, words: IdRegistry, reborn: bool) -> None:
    harness.offers[0, 0] = 1.9, 2.0
    sports = sports_of(harness, words)
    for changes in (harness.poll(), harness.raise_price()):
        sports.score(changes)
    insert_weights(harness.conn, [(WeightEvidence(SPORT, "pinnacle", 9, 0.0, 0.1), 5.0, 1_000.0)])
    sports.score(harness.poll(3_600))
    if reborn:
        sports = sports_of(harness, words)
    [before] = fair_probabilities(harness)

    sports.score(harness.poll(26 * 3_600))

    [_, after] = fair_probabilities(harness)
    own = float(devig(np.array([[1.9, 2.0]])).probabilities[0, 0])
    assert before < own - 0.005
    assert after == pytest.approx(own, abs=0.001)


def fair_probabilities(harness: ScorerHarness) -> list[float]:
    """The fair probabilities of the value alerts on the first event, in order."""
    query = (
        "SELECT fair_probability FROM alerts WHERE kind = 'value' AND state <> 'closed' AND event_id = %s ORDER BY id"
    )
    return [fair for (fair,) in harness.conn.execute(query, [harness.events[0]])]
