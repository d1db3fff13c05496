from __future__ import annotations

import numpy as np

from ml.features.performance import UNKNOWN_SINCE
from ml.features.prices import Base
from ml.features.teams import TeamHistory
from ml.training.dataset import Outcomes, TrainingSet, build_training_set
from ml.training.splits import EMBARGO_MICROS, split_at, walk_forward
from tests.support.drawn_seasons import DAY, draw_games, draw_view


def drawn_lines() -> TrainingSet:
    games = draw_games(0)
    size = len(games.start)
    won = np.full((size, 3), np.nan)
    outcomes = Outcomes(
        np.arange(size, dtype=np.int32), np.zeros(size, np.int32), np.zeros(size, np.int32), games.known_at,
        games.result_close, games.result_close, won, np.ones(size),
    )  # fmt: skip
    return build_training_set(draw_view(games), outcomes, Base.REFERENCE, TeamHistory.of(games))


def test_what_is_learned_from_was_known_before_the_first_decision_tested_on() -> None:
    lines = drawn_lines()
    start = int(lines.start[700])
    split = split_at(lines, start, start + 100 * DAY)
    first = lines.decided_at[split.test].min()
    known = lines.known_at[split.train]
    assert (known[known < UNKNOWN_SINCE] < first - EMBARGO_MICROS).all()
    assert (lines.start[split.train] < first - EMBARGO_MICROS).all()
    assert split.train.sum() > 600
    assert not (split.train & split.test).any()
    late = lines.take(np.arange(len(lines)))
    late.known_at[100] = start + 1
    assert not split_at(late, start).train[100], "its result was not known yet"


def test_walking_forward_tests_every_line_of_the_later_half_once() -> None:
    lines = drawn_lines()
    splits = list(walk_forward(lines, 3))
    tested = np.sum([split.test for split in splits], axis=0)
    half = lines.start >= np.quantile(lines.start, 0.5)
    np.testing.assert_array_equal(tested, half)
    assert [split.train.sum() for split in splits] == sorted(split.train.sum() for split in splits)
