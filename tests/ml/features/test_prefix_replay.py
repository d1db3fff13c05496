"""No feature may know what came later: recomputed on any prefix of the data, its past does not change by a bit."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import numpy as np
import pytest

from ml.features.assembly import build_features
from ml.features.market_view import MarketView
from ml.features.performance import UNKNOWN_SINCE, PlayedGames
from ml.features.prices import Base
from ml.features.teams import TeamHistory
from ml.quotes import Market
from tests.support.drawn_seasons import DAY, draw_games, draw_view


def as_known(games: PlayedGames, at: int) -> PlayedGames:
    """The games as they were known at a moment: closes of those that had started, results that were known."""
    seen = games.start <= at
    unknown = games.known_at[seen] > at
    values: dict[str, Any] = {}
    for name, value in games._asdict().items():
        if name == "statistics":
            values[name] = {key: np.where(unknown[:, None], np.nan, counts[seen]) for key, counts in value.items()}
        else:
            values[name] = value[seen].copy()
    values["score"][unknown] = np.nan
    values["known_at"][unknown] = UNKNOWN_SINCE
    return PlayedGames(**values)


def rows_of(view: MarketView, rows: Any) -> MarketView:
    columns = {f.name: getattr(view, f.name) for f in fields(view) if f.init}
    return MarketView(**{k: v[rows] if isinstance(v, np.ndarray) else v for k, v in columns.items()})


@pytest.mark.parametrize("market", [Market.H2H_3_WAY, Market.TOTALS])
@pytest.mark.parametrize("base", Base)
def test_the_past_of_every_feature_does_not_change(market: Market, base: Base) -> None:
    games = draw_games(3)
    view = draw_view(games, market)
    whole = build_features(view, base, TeamHistory.of(games))
    assert np.isfinite(whole.values[-100:, :, :14]).mean() > 0.9
    for at in (0, 40 * DAY, 300 * DAY + 1, 420 * DAY):
        then = np.flatnonzero(view.at <= at)
        before = build_features(rows_of(view, then), base, TeamHistory.of(as_known(games, at)))
        assert before.features == whole.features
        np.testing.assert_array_equal(before.values, whole.values[then])


def test_live_and_offline_features_are_the_same_to_the_bit() -> None:
    games = draw_games(7)
    view, history = draw_view(games), TeamHistory.of(games)
    whole = build_features(view, Base.REFERENCE, history)
    for row in (5, 600, 1_199):
        now = int(view.at[row])
        rows = np.flatnonzero(view.at == now)
        live = build_features(rows_of(view, rows), Base.REFERENCE, history.as_of(now))
        np.testing.assert_array_equal(live.values, whole.values[rows])
    with pytest.raises(ValueError, match="are asked for"):
        build_features(rows_of(view, np.array([0])), Base.REFERENCE, history.as_of(int(view.at[5])))


def test_a_result_known_a_microsecond_too_late_is_not_used() -> None:
    games = draw_games(4)
    view = draw_view(games)
    late = games._replace(known_at=games.known_at.copy())
    changed = int(np.flatnonzero(games.known_at < view.at[900])[-1])
    late.known_at[changed] = view.at[900] + 1
    other = late._replace(score=late.score.copy())
    other.score[changed] += 5
    one, two = (build_features(view, Base.REFERENCE, TeamHistory.of(each)).values for each in (late, other))
    asked = view.at <= view.at[900]
    np.testing.assert_array_equal(one[asked], two[asked])
    assert (one != two).any(axis=(1, 2))[~asked].any(), "and is used afterwards"


def test_games_that_start_together_do_not_see_each_other() -> None:
    games = draw_games(5)
    view = draw_view(games)
    chosen = 1_000
    together = np.flatnonzero(games.start == games.start[chosen])
    assert len(together) == 5
    other = games._replace(score=games.score.copy(), result_close=games.result_close.copy())
    other.score[together[0]] = [9, 0]
    other.result_close[together[0]] = [0.8, 0.05, 0.15]
    one, two = (build_features(view, Base.REFERENCE, TeamHistory.of(each)).values for each in (games, other))
    np.testing.assert_array_equal(one[together], two[together])


def test_a_book_that_is_gone_leaves_its_feature_missing_and_no_other_may() -> None:
    games = draw_games(6, 50)
    table = build_features(draw_view(games), Base.REFERENCE, TeamHistory.of(games))
    chosen = table.select(["book:closed_long_ago", "market"])
    assert np.isnan(chosen.values[:, :, 0]).all()
    assert np.isfinite(chosen.values[:, :, 1]).all()
    with pytest.raises(KeyError, match="no_such_feature"):
        table.select(["no_such_feature"])
