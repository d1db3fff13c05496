"""Simulate one event with its own random generator: news, errors of the books, faults, the result.

An event depends only on (seed, league, slot), so the market is the same after every restart and can be queried for any
time in any order. Times are whole seconds since the epoch.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from edge_assets.sandbox.simulator.books import BOOKS
from edge_assets.sandbox.simulator.faults import MARKETS, SOFT_BOOKS, Fault, draw_faults
from edge_assets.sandbox.simulator.leagues import pair_teams
from edge_assets.sandbox.simulator.model import NewsState

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from edge_assets.sandbox.simulator.leagues import SimulatedLeague

SLOT_SECONDS = 720
LISTED_SECONDS = 5_400
PLAY_SECONDS = 900
MEAN_NEWS_INTERVAL_SECONDS = 720
BIG_NEWS_PROBABILITY = 0.06
ERROR_EPOCH_SECONDS = 300
COMMON_ERROR_RATIO = 1.0
"""The error that the soft books share, as a multiple of each one's own error. In football-data the mean of five soft
books differs by .039 to .054 from Pinnacle, one of them from the others by .034 to .060, and the results favour
Pinnacle (`ml.market.pooling.COMMON_VARIANCE_RATIO`)."""
STATE_STEP_SECONDS = 600
"""The remaining deviation shrinks as news arrive; it is updated every ten minutes."""
SMALL_MOVE_DEVIATION, BIG_MOVE_RANGE = 0.07, (0.22, 0.38)
"""Sizes of news, in standard deviations of the margin."""
MOVE_VARIANCE = (1 - BIG_NEWS_PROBABILITY) * SMALL_MOVE_DEVIATION**2 + BIG_NEWS_PROBABILITY * np.mean(
    np.square(np.linspace(*BIG_MOVE_RANGE, 50))
)
MIN_FAVOURITE_DEVIATIONS = 0.4
"""Standard deviations of the margin from which a favourite is clear: log-odds 1.3 apart."""


class SimulatedResult(NamedTuple):
    """Points (home, away) after regulation and at the end."""

    regulation: tuple[int, int]
    final: tuple[int, int]


@dataclass(frozen=True, slots=True, eq=False)
class SimulatedEvent:
    """An event with its future.

    `states[k]` holds from `state_times[k]` on; `log_odds_errors` (book, market, epoch) are the books' errors in
    log-odds; `point_offset` (book, market) is the distance of a book's line from the median, in half points.
    """

    league: SimulatedLeague
    slot: int
    id: str
    home: str
    away: str
    start: int
    state_times: NDArray[np.int64]
    states: tuple[NewsState, ...]
    log_odds_errors: NDArray[np.float64]
    point_offset: NDArray[np.int64]
    scrape_phase: NDArray[np.int64]
    faults: tuple[Fault, ...]
    result: SimulatedResult

    @property
    def listed_at(self) -> int:
        """When the first prices appear."""
        return self.start - LISTED_SECONDS

    @property
    def ends_at(self) -> int:
        """When the last prices disappear and the result is known."""
        return self.start + PLAY_SECONDS

    def state_at(self, at: float) -> NewsState:
        """The state of news at a time; before the first news, the initial one."""
        return _state_at(self.state_times, self.states, at)

    def start_datetime(self) -> datetime:
        """The start as an aware datetime."""
        return datetime.fromtimestamp(self.start, UTC)


def simulate_event(seed: int, league: SimulatedLeague, slot: int) -> SimulatedEvent:
    """Simulate the event of a slot."""
    name = f"{seed}|{league.key}|{slot}".encode()
    digest = hashlib.md5(name, usedforsecurity=False).hexdigest()
    rng = np.random.default_rng(int(digest, 16))
    start = slot * SLOT_SECONDS + league.offset_seconds
    home, away = map(league.team_name, pair_teams(slot))
    state_times, states = _draw_news(rng, league, start)
    epochs = (LISTED_SECONDS + PLAY_SECONDS) // ERROR_EPOCH_SECONDS + 2
    faults = draw_faults(rng, start - LISTED_SECONDS, start)
    own = rng.normal(size=(len(BOOKS), len(MARKETS), epochs))
    point_offset = rng.choice([-1, 0, 1], p=[0.1, 0.8, 0.1], size=(len(BOOKS), len(MARKETS)))
    scrape_phase = rng.integers(0, 60, size=len(BOOKS))
    result = draw_result(rng, league, _state_at(state_times, states, start))
    return SimulatedEvent(
        league,
        slot,
        digest,
        home,
        away,
        start,
        state_times,
        states,
        log_odds_errors=_add_common_error(own, rng.normal(size=len(MARKETS))),
        point_offset=point_offset,
        scrape_phase=scrape_phase,
        faults=tuple(f for f in faults if f.kind != "swapped" or _has_clear_favourite(state_times, states, f)),
        result=result,
    )


def _add_common_error(own: NDArray[np.float64], common: NDArray[np.float64]) -> NDArray[np.float64]:
    """Add a `common` error (market,) of the soft books to each book's own errors (book, market, epoch).

    It lasts until the start: redrawn at every epoch it would move all soft books at once, as only news do.
    """
    share = np.array([COMMON_ERROR_RATIO if number in SOFT_BOOKS else 0.0 for number in range(len(BOOKS))])[
        :, None, None
    ]
    errors: NDArray[np.float64] = own + share * common[:, None]
    return errors


def _state_at(state_times: NDArray[np.int64], states: tuple[NewsState, ...], at: float) -> NewsState:
    return states[max(0, int(state_times.searchsorted(at, side="right")) - 1)]


def _has_clear_favourite(state_times: NDArray[np.int64], news_states: tuple[NewsState, ...], fault: Fault) -> bool:
    """Whether there is a clear favourite, so that swapped prices are an error, not a difference of opinion."""
    states = (_state_at(state_times, news_states, at) for at in (fault.begins, fault.ends))
    return all(abs(k.home - k.away) >= MIN_FAVOURITE_DEVIATIONS * k.deviation * np.sqrt(2) for k in states)


def _draw_news(
    rng: np.random.Generator, league: SimulatedLeague, start: int
) -> tuple[NDArray[np.int64], tuple[NewsState, ...]]:
    """Draw the times and states of news, from listing until the end of play.

    News still to come widens the distribution, so that probabilities are a martingale: their expected future value is
    their current value.
    """
    listed, ends = start - LISTED_SECONDS, start + PLAY_SECONDS
    count = rng.poisson(LISTED_SECONDS / MEAN_NEWS_INTERVAL_SECONDS)
    news = np.sort(rng.integers(listed + 60, start, size=count))
    steps = np.arange(listed, start, STATE_STEP_SECONDS)
    moves = _draw_moves(rng, count) * league.deviation * np.sqrt(2)
    on_total = rng.random(count) < 1 / 4
    edge = rng.normal(league.home_advantage, 0.45 * league.deviation)
    level = league.mean_points * rng.normal(1, 0.06)
    times = np.unique(np.concatenate([news, steps, np.arange(start, ends, 60)]))
    states = []
    drifts = np.cumsum(rng.normal(0, 0.05 * league.deviation, size=len(times)) * (times >= start))
    for at, drift in zip(times, drifts, strict=True):
        published = news <= at
        margin = edge + moves[published & ~on_total].sum() + drift
        total = level + moves[published & on_total].sum() / 2
        remaining_variance = max(0.0, start - at) / MEAN_NEWS_INTERVAL_SECONDS * MOVE_VARIANCE
        deviation = league.deviation * np.sqrt(1 + remaining_variance * 3 / 4)
        floor = 0.25 * league.mean_points
        home, away = max(floor, total + margin / 2), max(floor, total - margin / 2)
        states.append(NewsState(round(float(home), 6), round(float(away), 6), round(float(deviation), 6)))
    return times.astype(np.int64), tuple(states)


def _draw_moves(rng: np.random.Generator, count: int) -> NDArray[np.float64]:
    big = rng.random(count) < BIG_NEWS_PROBABILITY
    size: NDArray[np.float64] = np.where(
        big, rng.uniform(*BIG_MOVE_RANGE, size=count), np.abs(rng.normal(0, SMALL_MOVE_DEVIATION, size=count))
    )
    size *= rng.choice([-1.0, 1.0], size=count)
    return size


def draw_result(rng: np.random.Generator, league: SimulatedLeague, state: NewsState) -> SimulatedResult:
    """Draw the result from the state at the start; overtime is drawn like another game until it is decided."""
    regulation = _draw_score(rng, league, state)
    final = regulation
    while not league.three_way and final[0] == final[1]:
        final = _draw_score(rng, league, state)
    return SimulatedResult(regulation, final)


def _draw_score(rng: np.random.Generator, league: SimulatedLeague, state: NewsState) -> tuple[int, int]:
    """Draw a score by rejection sampling, which favours key margins."""
    weights = dict(league.key_numbers)
    while True:
        home, away = (max(0, round(x)) for x in rng.normal([state.home, state.away], state.deviation))
        if rng.random() * max(weights.values(), default=1.0) <= weights.get(abs(home - away), 1.0):
            return home, away
