"""One event's whole life, from a generator of its own: news, opinions, faults, the result.

A fixture follows from (seed, league, slot) alone, so the world is the same after every restart and can be asked
for any moment in any order. Times are whole seconds since the epoch.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from edge_assets.feeds.simulate.books import BOOKS
from edge_assets.feeds.simulate.faults import MARKETS, SOFT, Fault, draw_faults
from edge_assets.feeds.simulate.leagues import pairing
from edge_assets.feeds.simulate.model import Knowledge

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from edge_assets.feeds.simulate.leagues import League

SLOT = 720
LISTED_FOR = 5_400
PLAYED_FOR = 900
NEWS_EVERY = 720
BIG_NEWS = 0.06
OPINION_LASTS = 300
COMMON_ERROR = 1.0
"""What the soft books get wrong together, as a multiple of what each gets wrong by itself. In football-data the mean of
five soft books errs by .039 to .054 against Pinnacle, one of them differs from the others by .034 to .060, and the
results side with Pinnacle (`ml.market.pooling.COMMON_RATIO`)."""
KNOWLEDGE_STEP = 600
"""The deviation that is left shrinks as news come in; it is restated every ten minutes."""
SMALL_MOVE, BIG_MOVE = 0.07, (0.22, 0.38)
"""Sizes of news, in standard deviations of the margin."""
MOVE_VARIANCE = (1 - BIG_NEWS) * SMALL_MOVE**2 + BIG_NEWS * np.mean(np.square(np.linspace(*BIG_MOVE, 50)))
PALPABLE = 0.4
"""From how many standard deviations of the margin on a favourite is one beyond doubt: log-odds 1.3 apart."""


class Result(NamedTuple):
    """Points at the end of regulation and at the very end."""

    regulation: tuple[int, int]
    final: tuple[int, int]


@dataclass(frozen=True, slots=True, eq=False)
class Fixture:
    """An event and everything that will happen to it.

    `news_at` (k,) are the moments from which `known[k]` holds; `opinion` (book, market, epoch) are the books' errors in
    log-odds; `hang` (book, market) how far a book hangs its line from the middle, in half points.
    """

    league: League
    slot: int
    id: str
    home: str
    away: str
    start: int
    news_at: NDArray[np.int64]
    known: tuple[Knowledge, ...]
    opinion: NDArray[np.float64]
    hang: NDArray[np.int64]
    phase: NDArray[np.int64]
    faults: tuple[Fault, ...]
    result: Result

    @property
    def listed_at(self) -> int:
        """When the first prices appear."""
        return self.start - LISTED_FOR

    @property
    def ends(self) -> int:
        """When the last prices disappear and the result is known."""
        return self.start + PLAYED_FOR

    def knowledge(self, at: float) -> Knowledge:
        """What is known at a moment; before the first news, what is known from the start."""
        return _known(self.news_at, self.known, at)

    def starts(self) -> datetime:
        """The start as an aware datetime."""
        return datetime.fromtimestamp(self.start, UTC)


def fixture(seed: int, league: League, slot: int) -> Fixture:
    """The event of a slot."""
    name = f"{seed}|{league.key}|{slot}".encode()
    digest = hashlib.md5(name, usedforsecurity=False).hexdigest()
    rng = np.random.default_rng(int(digest, 16))
    start = slot * SLOT + league.offset
    home, away = map(league.team, pairing(slot))
    news_at, known = _news(rng, league, start)
    epochs = (LISTED_FOR + PLAYED_FOR) // OPINION_LASTS + 2
    faults = draw_faults(rng, start - LISTED_FOR, start)
    own = rng.normal(size=(len(BOOKS), len(MARKETS), epochs))
    hang = rng.choice([-1, 0, 1], p=[0.1, 0.8, 0.1], size=(len(BOOKS), len(MARKETS)))
    phase = rng.integers(0, 60, size=len(BOOKS))
    result = play(rng, league, _known(news_at, known, start))
    return Fixture(
        league,
        slot,
        digest,
        home,
        away,
        start,
        news_at,
        known,
        opinion=_with_common(own, rng.normal(size=len(MARKETS))),
        hang=hang,
        phase=phase,
        faults=tuple(f for f in faults if f.kind != "swapped" or _lopsided(news_at, known, f)),
        result=result,
    )


def _with_common(own: NDArray[np.float64], common: NDArray[np.float64]) -> NDArray[np.float64]:
    """The books' errors (book, market, epoch) where the soft ones share a `common` part (market,).

    It lasts until the start: redrawn at every epoch it would move all soft books at one moment, as only news do.
    """
    share = np.array([COMMON_ERROR if number in SOFT else 0.0 for number in range(len(BOOKS))])[:, None, None]
    errors: NDArray[np.float64] = own + share * common[:, None]
    return errors


def _known(news_at: NDArray[np.int64], known: tuple[Knowledge, ...], at: float) -> Knowledge:
    return known[max(0, int(news_at.searchsorted(at, side="right")) - 1)]


def _lopsided(news_at: NDArray[np.int64], known: tuple[Knowledge, ...], fault: Fault) -> bool:
    """Whether there is a clear favourite, so that swapped prices are an error and no difference of opinion."""
    states = (_known(news_at, known, at) for at in (fault.begins, fault.ends))
    return all(abs(k.home - k.away) >= PALPABLE * k.deviation * np.sqrt(2) for k in states)


def _news(rng: np.random.Generator, league: League, start: int) -> tuple[NDArray[np.int64], tuple[Knowledge, ...]]:
    """Moments and states of knowledge, from the listing until the end of play.

    What is still to be learned widens the outlook, so that probabilities are a fair game: their expectation
    tomorrow is their value today.
    """
    listed, ends = start - LISTED_FOR, start + PLAYED_FOR
    count = rng.poisson(LISTED_FOR / NEWS_EVERY)
    news = np.sort(rng.integers(listed + 60, start, size=count))
    steps = np.arange(listed, start, KNOWLEDGE_STEP)
    moves = _moves(rng, count) * league.deviation * np.sqrt(2)
    on_total = rng.random(count) < 1 / 4
    edge = rng.normal(league.home_advantage, 0.45 * league.deviation)
    level = league.points * rng.normal(1, 0.06)
    moments = np.unique(np.concatenate([news, steps, np.arange(start, ends, 60)]))
    states = []
    wander = np.cumsum(rng.normal(0, 0.05 * league.deviation, size=len(moments)) * (moments >= start))
    for at, drift in zip(moments, wander, strict=True):
        told = news <= at
        margin = edge + moves[told & ~on_total].sum() + drift
        total = level + moves[told & on_total].sum() / 2
        left = max(0.0, start - at) / NEWS_EVERY * MOVE_VARIANCE
        deviation = league.deviation * np.sqrt(1 + left * 3 / 4)
        floor = 0.25 * league.points
        home, away = max(floor, total + margin / 2), max(floor, total - margin / 2)
        states.append(Knowledge(round(float(home), 6), round(float(away), 6), round(float(deviation), 6)))
    return moments.astype(np.int64), tuple(states)


def _moves(rng: np.random.Generator, count: int) -> NDArray[np.float64]:
    big = rng.random(count) < BIG_NEWS
    size: NDArray[np.float64] = np.where(
        big, rng.uniform(*BIG_MOVE, size=count), np.abs(rng.normal(0, SMALL_MOVE, size=count))
    )
    size *= rng.choice([-1.0, 1.0], size=count)
    return size


def play(rng: np.random.Generator, league: League, known: Knowledge) -> Result:
    """Draw the result from what is true at the start; a tie that is played on is decided like any other game."""
    regulation = _draw(rng, league, known)
    final = regulation
    while not league.three_way and final[0] == final[1]:
        final = _draw(rng, league, known)
    return Result(regulation, final)


def _draw(rng: np.random.Generator, league: League, known: Knowledge) -> tuple[int, int]:
    """Draw scores until they are accepted: those of a key margin more readily than others."""
    often = dict(league.key_numbers)
    while True:
        home, away = (max(0, round(x)) for x in rng.normal([known.home, known.away], known.deviation))
        if rng.random() * max(often.values(), default=1.0) <= often.get(abs(home - away), 1.0):
            return home, away
