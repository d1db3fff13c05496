"""Markets with a known truth, drawn line by line: thousands of alerts are checked against it.

Each line is polled twice; an alert opens where a price is open at the second poll and was not at the first. Books
receive news late, estimate with an error of which soft books share a part, and now and then misprice a line. The scorer
sees only prices and weights. Shapes: L lines, B books, n outcomes; opinions and news are log-odds of the first outcome
against the second.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ml.market import expected_value
from ml.quotes import Market
from ml.scoring.alert_metrics import compute_metrics
from ml.scoring.books import BookProfile, BookProfiles
from ml.scoring.fair_prices import ConsensusProvider
from ml.scoring.matrix import LineView
from ml.scoring.rules import OPEN, ScoringRules
from ml.scoring.strategy import EdgeThreshold
from ml.scoring.valuation import value_lines

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]
    Range = tuple[float, float]

POLLS = (20.0, 0.0)
"""Seconds before the moment of the alerts."""
REMEMBERED = 600.0
"""Seconds of news: every book has received older news."""
NOW = 10**15
MARKET_OF = {2: Market.H2H, 3: Market.H2H_3_WAY}
RULES = ScoringRules()
CLEAR_EDGE = 0.06
"""True minus implied probability that an alert should not miss; the threshold is .05 of the estimate."""


class BookGroup(NamedTuple):
    """Books of a kind: their delay on news and the feed's poll interval (s), the deviation of their error, their
    margin on two outcomes, and their weight in a table like that of real books. Soft books weigh 1.
    """

    books: int
    lag: Range
    scrape: float
    noise: Range
    margin: Range
    weight: float = 1.0


SHARP = BookGroup(2, (0, 1), 5, (0.008, 0.012), (0.022, 0.028), 5.0)
EXCHANGE = BookGroup(2, (1, 3), 5, (0.008, 0.012), (0.010, 0.015), 4.0)
MIDDLING = BookGroup(1, (1, 3), 6, (0.010, 0.020), (0.028, 0.035), 2.0)
QUICK = BookGroup(12, (3, 20), 8, (0.025, 0.040), (0.044, 0.058))
SLOW = BookGroup(5, (60, 120), 27, (0.040, 0.050), (0.055, 0.070))


@dataclass(frozen=True)
class Structure:
    """What a market is like.

    `copying` is the correlation of the soft books' errors, `common` the deviation of what all books get wrong. At any
    moment a share `mistakes` of the soft books' lines is mispriced by `mistake`, for some minutes. News come every
    `news` seconds, with deviation `move`, or for a share of `big` of `big_move`. `favourites` is the deviation of the
    lines' true log-odds.
    """

    groups: tuple[BookGroup, ...] = (SHARP, EXCHANGE, MIDDLING, QUICK, SLOW)
    outcomes: int = 2
    copying: float = 0.5
    common: float = 0.0
    mistakes: float = 0.009
    mistake: Range = (0.3, 0.5)
    news: float = 720.0
    move: float = 0.1
    big: float = 0.06
    big_move: Range = (0.35, 0.6)
    favourites: float = 0.6

    @property
    def books(self) -> int:
        """How many books there are."""
        return sum(group.books for group in self.groups)


FITTED = {
    "as simulated": Structure(),
    "soft books only": Structure((QUICK._replace(books=9), SLOW._replace(books=3))),
    "half are slow": Structure((SHARP, EXCHANGE, QUICK._replace(books=8), SLOW._replace(books=10))),
    "seven books": Structure((SHARP._replace(books=1), QUICK._replace(books=5), SLOW._replace(books=1))),
    "copying .8": Structure(copying=0.8),
    "all err by .02": Structure(common=0.02),
}
"""Structures on which the constants of `ml.market.dissent` were chosen (seeds 1 and 2)."""
HELD_OUT = {
    "three outcomes": Structure(outcomes=3),
    "sharp books lead": Structure((SHARP._replace(books=4), EXCHANGE, QUICK._replace(books=4))),
    "eleven books": Structure((MIDDLING, QUICK._replace(books=8), SLOW._replace(books=2))),
    "noisy books": Structure((SHARP, EXCHANGE, QUICK._replace(noise=(0.05, 0.08)), SLOW._replace(noise=(0.06, 0.1)))),
    "quiet": Structure(news=7200.0),
    "busy": Structure(news=240.0, big=0.12),
    "favourites": Structure(favourites=1.4),
    "many mistakes": Structure(mistakes=0.03, mistake=(0.2, 0.7)),
    "no copying": Structure(copying=0.0),
}


@dataclass(frozen=True, eq=False)
class Drawn:
    """`prices` (L, B, n) at each of the `POLLS`, the true probabilities (L, n) and the realistic weights (B,)."""

    prices: list[Array]
    truth: Array
    weight: Array


@cache
def draw(structure: Structure, seed: int, lines: int) -> Drawn:
    """Draw a market's lines."""
    rng = np.random.default_rng(seed)
    group = [c for c in structure.groups for _ in range(c.books)]
    lag, noise, margin = (
        np.array([rng.uniform(*getattr(c, name)) for c in group]) for name in ("lag", "noise", "margin")
    )
    scrape, weight = np.array([c.scrape for c in group]), np.array([c.weight for c in group])
    soft = weight == 1
    ago, size = _news(rng, structure, lines)
    level = rng.normal(0, structure.favourites, lines)
    share = structure.copying * soft
    error = noise * (
        np.sqrt(share) * rng.normal(size=(lines, 1)) + np.sqrt(1 - share) * rng.normal(size=(lines, len(group)))
    )
    error += rng.normal(0, structure.common, (lines, 1))
    started, ended, by = _mistakes(rng, structure, lines, soft)
    phase = rng.uniform(0, scrape, (lines, len(group)))
    third = rng.normal(-0.55, 0.15, (lines, 1))
    style = rng.random(len(group)) < 0.3, rng.random(len(group)) < 0.6
    prices = []
    for poll in POLLS:
        looked = (phase - poll) % scrape + poll
        heard = (size[:, None] * (ago[:, None] > (looked + lag)[..., None])).sum(axis=2)
        wrong = by * ((ended < looked) & (looked < started))
        fair = _fair(level[:, None] + heard + error + wrong, third, structure.outcomes)
        prices.append(_quote_prices(fair, margin, *style))
    return Drawn(prices, _fair(level + size.sum(axis=1), third[:, 0], structure.outcomes), weight)


def _news(rng: np.random.Generator, structure: Structure, lines: int) -> tuple[Array, Array]:
    """How long ago each piece of news was, and what it moved: 0 for those that did not come."""
    count = rng.poisson(REMEMBERED / structure.news, lines)
    shape = (lines, max(1, int(count.max())))
    big = rng.uniform(*structure.big_move, shape) * rng.choice([-1, 1], shape)
    size = np.where(rng.random(shape) < structure.big, big, rng.normal(0, structure.move, shape))
    return rng.uniform(0, REMEMBERED, shape), size * (np.arange(shape[1]) < count[:, None])


def _mistakes(
    rng: np.random.Generator, structure: Structure, lines: int, soft: NDArray[np.bool_]
) -> tuple[Array, Array, Array]:
    """How long ago each book's mistake begun and ended, and its size, 0 for none."""
    shape = (lines, len(soft))
    lasts = rng.uniform(90, 360, shape)
    started = rng.uniform(0, 720, shape)
    share = structure.mistakes * 720 / 225
    by = rng.uniform(*structure.mistake, shape) * rng.choice([-1, 1], shape)
    return started, started - lasts, by * (rng.random(shape) < share) * soft


def _fair(level: Array, third: Array, outcomes: int) -> Array:
    """Probabilities (..., n) whose first two are `level` apart."""
    odds = [level / 2, -level / 2, np.broadcast_to(third, level.shape)][:outcomes]
    share = np.exp(np.stack(odds, axis=-1))
    fair: Array = share / share.sum(axis=-1, keepdims=True)
    return fair


def _quote_prices(fair: Array, margin: Array, longshot: NDArray[np.bool_], american: NDArray[np.bool_]) -> Array:
    """Prices with the books' margin, spread evenly at some, in steps as they are quoted."""
    outcomes = fair.shape[-1]
    total = (margin * outcomes / 2)[:, None]
    price = np.clip(1 / (fair + np.where(longshot[:, None], total / outcomes, fair * total)), 1.01, 101)
    step = np.where((price > 1.4) & (price < 3.5), 5, 10)
    over = 1 + np.maximum(100, step * np.round((price - 1) * 100 / step)) / 100
    under = 1 + 100 / np.maximum(100, step * np.round(100 / (price - 1) / step))
    quoted: Array = np.where(american[:, None], np.where(price >= 2, over, under), np.round(price, 2))
    return quoted


@dataclass(frozen=True, eq=False)
class Opened:
    """Alerts that opened (M,): `low`, `value` and `high` as claimed, `truth` the true expected value, `positive` the
    probability claimed that there is value. Of the `clear` true edges above `CLEAR_EDGE`, `found` have an open alert.
    """

    low: Array
    value: Array
    high: Array
    truth: Array
    positive: Array
    found: int
    clear: int
    held: NDArray[np.bool_] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "held", (self.low <= self.truth) & (self.truth <= self.high))

    @property
    def coverage(self) -> float:
        """The share of alerts whose interval holds the true value."""
        return float(self.held.mean())

    @property
    def precision(self) -> float:
        """The share of alerts whose true expected value is positive."""
        return float((self.truth > 0).mean())

    @property
    def recall(self) -> float:
        """The share of clear edges that have an alert."""
        return self.found / self.clear


def open_alerts(drawn: Drawn, weight: Array, rules: ScoringRules = RULES) -> Opened:
    """The alerts that open at the second poll, for a scorer that weighs the books by `weight` (B,)."""
    books = BookProfiles.from_profiles(range(len(weight)), lambda i: BookProfile(float(weight[i])))
    strategy = EdgeThreshold(rules.threshold_edge)
    before, after = (
        value_lines(_view(prices, rules), books, ConsensusProvider({}), NOW, rules, strategy) for prices in drawn.prices
    )
    new = (after.verdict == OPEN) & (before.verdict != OPEN)
    reported = compute_metrics(after, np.flatnonzero(new[after.alertable]), {}, NOW, rules, strategy)
    true = drawn.truth.T[..., None]
    clear = (true - 1 / after.price > CLEAR_EDGE) & (true * after.price - 1 < 0.25)
    return Opened(
        reported.expected_value_low,
        reported.expected_value,
        reported.expected_value_high,
        expected_value(drawn.truth[reported.line, reported.outcome], reported.price),
        reported.probability_positive,
        int((clear & (after.verdict == OPEN)).sum()),
        int(clear.sum()),
    )


def _view(prices: Array, rules: ScoringRules) -> LineView:
    lines, books, outcomes = prices.shape
    return LineView.from_prices(
        prices,
        np.full((lines, books), NOW),
        commence_at=np.full(lines, 2 * NOW),
        market=MARKET_OF[outcomes],
        point=np.zeros(lines),
        ladder=np.arange(lines),
        method=rules.method,
    )


def tables(drawn: Drawn) -> dict[str, Array]:
    """Weights of books: like those of real ones, all equal, and heavy on soft books that deserve it least."""
    equal = np.ones(len(drawn.weight))
    wrong = equal.copy()
    wrong[drawn.weight.argsort(kind="stable")[:3]] = 5.0, 4.0, 2.0
    return {"realistic": drawn.weight, "equal": equal, "misleading": wrong}


def variant(name: str, **changes: object) -> Structure:
    """A structure of the tables above with something changed."""
    return replace((FITTED | HELD_OUT)[name], **changes)  # type: ignore[arg-type]
