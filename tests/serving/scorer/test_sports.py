"""What the passing of time and a missing history lead to."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from edge_assets.store.vocabulary import Vocabulary
from edge_assets.store.weights import Evidence, publish
from ml.market import devig
from ml.scoring import ScoringRules
from serving.scorer.sports import Sports
from tests.serving.scorer.desk import SECOND, SPORT, THRESHOLD

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.serving.scorer.desk import ScorerDesk

RULES = ScoringRules(threshold_edge=THRESHOLD)


@pytest.fixture
def words(desk: ScorerDesk) -> Iterator[Vocabulary]:
    """The database's dictionaries."""
    vocabulary = Vocabulary.load(desk.conn)
    yield vocabulary
    vocabulary.close()


def sports_of(desk: ScorerDesk, words: Vocabulary, **weights: float) -> Sports:
    """The scorers as a new life finds them."""
    sports = Sports(desk.conn, words, RULES, weights)
    sports.restore_all()
    return sports


def suppressed(desk: ScorerDesk) -> dict[str, int]:
    """What was withheld, by reason."""
    return dict(desk.conn.execute("SELECT reason, sum(n)::int FROM suppressions GROUP BY reason").fetchall())


def test_a_quiet_poll_moves_the_progress_and_nothing_else(desk: ScorerDesk, words: Vocabulary) -> None:
    sports = sports_of(desk, words)
    changes = desk.poll()
    assert [c.poll_id for c in sports.missed()] == [changes.poll_id]
    assert not sports.score(changes)
    assert desk.progress() == changes.poll_id
    assert sports.missed() == []
    assert not sports.tick(desk.now + SECOND)
    assert desk.story() == []


def test_a_poll_that_was_scored_is_skipped(desk: ScorerDesk, words: Vocabulary) -> None:
    sports = sports_of(desk, words)
    polls = [desk.poll(), desk.generous()]
    assert [sports.score(changes) for changes in polls] == [False, True]
    before = desk.story()
    assert not any(sports.score(changes) for changes in polls)
    assert desk.story() == before


@pytest.mark.parametrize("reborn", [False, True])
def test_prices_grow_stale_without_a_poll(desk: ScorerDesk, words: Vocabulary, reborn: bool) -> None:
    sports = sports_of(desk, words)
    for changes in (desk.poll(), desk.generous()):
        sports.score(changes)
    if reborn:
        sports = sports_of(desk, words)

    assert sports.tick(desk.now + 3_600 * SECOND)

    states = [step[2:4] for step in desk.story()]
    assert states == [("opened", None)] * 2 + [("closed", "stale")] * 2  # of the value bet and of the arbitrage
    assert not sports.tick(desk.now + 3_601 * SECOND)


def test_what_time_withholds_is_counted_once(desk: ScorerDesk, words: Vocabulary) -> None:
    sports = sports_of(desk, words)
    desk.offers[0, 1] = 9.0, 1.9
    sports.score(desk.poll())
    assert suppressed(desk) == {"outlier": 2}
    # what was told as a likely error is closed, once
    assert [sports.tick(desk.now + seconds * SECOND) for seconds in (700, 701, 3_600)] == [True, False, False]
    assert [(step[2], step[3]) for step in desk.story()] == [("opened", None), ("closed", "stale")]
    assert suppressed(desk) == {"outlier": 2, "stale": 2}


def test_books_without_weight_are_no_crowd(desk: ScorerDesk, words: Vocabulary) -> None:
    sports = sports_of(desk, words, draftkings=0, betmgm=0, bovada=0)
    for changes in (desk.poll(), desk.generous()):
        sports.score(changes)
    kinds = desk.conn.execute("SELECT DISTINCT kind FROM alerts").fetchall()
    assert kinds == [("arbitrage",)]
    assert suppressed(desk)["thin"] >= 1


def test_sports_are_kept_apart(desk: ScorerDesk, words: Vocabulary) -> None:
    words.sport("icehockey_nhl")
    sports = sports_of(desk, words)
    polls = [desk.poll(), desk.generous()]
    for poll in sports.missed():
        sports.score_missed(poll)
    assert [c.sport for c in polls] == ["basketball_nba"] * 2
    assert desk.conn.execute("SELECT sport_id FROM scorer_progress").fetchall() == [(desk.sport,)]


@pytest.mark.parametrize("reborn", [False, True])
def test_measured_weights_count_from_their_day_on(desk: ScorerDesk, words: Vocabulary, reborn: bool) -> None:
    desk.offers[0, 0] = 1.9, 2.0
    sports = sports_of(desk, words)
    for changes in (desk.poll(), desk.generous()):
        sports.score(changes)
    publish(desk.conn, [(Evidence(SPORT, "pinnacle", 9, 0.0, 0.1), 5.0, 1_000.0)])
    sports.score(desk.poll(3_600))
    if reborn:
        sports = sports_of(desk, words)
    [before] = fair_probabilities(desk)

    sports.score(desk.poll(26 * 3_600))

    [_, after] = fair_probabilities(desk)
    own = float(devig(np.array([[1.9, 2.0]])).probabilities[0, 0])
    assert before < own - 0.005
    assert after == pytest.approx(own, abs=0.001)


def fair_probabilities(desk: ScorerDesk) -> list[float]:
    """What the steps of the first book's and event's value say is fair, in order."""
    query = (
        "SELECT fair_probability FROM alerts WHERE kind = 'value' AND state <> 'closed' AND event_id = %s ORDER BY id"
    )
    return [fair for (fair,) in desk.conn.execute(query, [desk.events[0]])]
