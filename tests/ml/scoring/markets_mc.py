"""Markets with a known truth, drawn line by line: what alerts claim can be held against it by the thousand.

A line is seen at two polls, `STEP` apart; an alert opens where a price is open at the second and was not at the first.
Books learn news late, judge with an error of their own, err together, copy one another unbeknown to the scorer, and
now and then misprice a line by far. Shapes: L lines, B books, n outcomes; opinions are log-odds of the first outcome
against the second.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ml.market import DevigMethod
from ml.quotes import Market
from ml.scoring.appraisal import Appraisal, appraise
from ml.scoring.books import Books, Traits
from ml.scoring.rules import OPEN, ScoringRules
from ml.scoring.valuation import value_lines
from ml.scoring.view import LineView

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

STEP = 20.0
"""Seconds between polls."""
SPORTS_MARKET = {2: Market.H2H, 3: Market.H2H_3_WAY}
NEWS_BEFORE = 600.0
NOW = 10**15


@dataclass(frozen=True, slots=True)
class Crowd:
    """Books of one kind: how many, how late they learn news (seconds, a range), the deviation of their opinion, their
    margin on two outcomes, how often the feed sees them (s), and what a table of realistic weights says of them.
    """

    count: int
    lag: tuple[float, float]
    noise: tuple[float, float]
    margin: tuple[float, float]
    scrape: float
    weight: float


SHARP = Crowd(2, (0, 1), (0.008, 0.012), (0.022, 0.028), 5, 5.0)
EXCHANGE = Crowd(2, (1, 3), (0.008, 0.012), (0.010, 0.015), 5, 3.0)
MIDDLING = Crowd(1, (1, 3), (0.010, 0.02), (0.028, 0.035), 6, 2.0)
QUICK = Crowd(12, (3, 20), (0.025, 0.040), (0.044, 0.058), 8, 1.0)
SLOW = Crowd(5, (60, 120), (0.040, 0.050), (0.055, 0.070), 27, 1.0)


@dataclass(frozen=True, slots=True)
class Structure:
    """A market: its crowds and what else goes wrong.

    `common_error` (log-odds) is what all books get wrong together, `copying` the correlation of the soft books' own
    errors, `mistakes` the share of prices that are mispriced by .3 to .5 at any moment, `news` the seconds between
    two, with deviation `move` or, for `big` of them, `big_move`, in log-odds; `favourites` is the deviation of the
    lines' true log-odds.
    """

    crowds: tuple[Crowd, ...] = (SHARP, EXCHANGE, MIDDLING, QUICK, SLOW)
    outcomes: int = 2
    common_error: float = 0.0
    copying: float = 0.0
    mistakes: float = 0.009
    mistake: tuple[float, float] = (0.3, 0.5)
    mistake_lasts: float = 225.0
    news: float = 720.0
    move: float = 0.1
    big: float = 0.06
    big_move: tuple[float, float] = (0.35, 0.6)
    favourites: float = 0.6
    american: float = 0.6


class Opened(NamedTuple):
    """Alerts that opened (M,): what they claim, and the expected value that is true."""

    claim: Appraisal
    truth: Array
    since_news: Array
    fair: Array


def draw_books(rng: np.random.Generator, crowds: tuple[Crowd, ...]) -> dict[str, Array]:
    columns: dict[str, list[float]] = {k: [] for k in ("lag", "noise", "margin", "scrape", "weight", "soft")}
    for crowd in crowds:
        for _ in range(crowd.count):
            columns["lag"].append(rng.uniform(*crowd.lag))
            columns["noise"].append(rng.uniform(*crowd.noise))
            columns["margin"].append(rng.uniform(*crowd.margin))
            columns["scrape"].append(crowd.scrape)
            columns["weight"].append(crowd.weight)
            columns["soft"].append(float(crowd.weight <= 1))
    return {k: np.array(v) for k, v in columns.items()}


def simulate(structure: Structure, seed: int, lines: int):
    """Prices at the two polls (2, L, B, n), true probabilities at the second (L, n), the books, seconds since news."""
    rng = np.random.default_rng(seed)
    books = draw_books(rng, structure.crowds)
    B = len(books["lag"])
    news_count = rng.poisson(NEWS_BEFORE / structure.news, lines)
    k = max(1, news_count.max())
    ago = np.where(np.arange(k) < news_count[:, None], rng.uniform(0, NEWS_BEFORE, (lines, k)), np.inf)
    big = rng.random((lines, k)) < structure.big
    size = np.where(big, rng.uniform(*structure.big_move, (lines, k)) * rng.choice([-1, 1], (lines, k)), rng.normal(0, structure.move, (lines, k)))
    size = np.where(np.isfinite(ago), size, 0.0)
    level = rng.normal(0, structure.favourites, lines)
    draw = rng.normal(0.0, 0.15, lines) - 0.55
    shared = rng.normal(0, 1, lines)
    own = rng.normal(0, 1, (lines, B))
    soft = books["soft"]
    mix = structure.copying * soft
    error = books["noise"] * (np.sqrt(mix) * shared[:, None] + np.sqrt(1 - mix) * own)
    common = rng.normal(0, structure.common_error, lines)
    # a mistake begins at some moment and lasts
    rate = structure.mistakes / structure.mistake_lasts
    begun = rng.uniform(0, structure.mistake_lasts * 2, (lines, B))
    lasts = rng.uniform(0.4, 1.6, (lines, B)) * structure.mistake_lasts
    wrong = (rng.random((lines, B)) < rate * structure.mistake_lasts * 2) & (soft > 0)
    miss = rng.uniform(*structure.mistake, (lines, B)) * rng.choice([-1, 1], (lines, B)) * wrong
    phase = rng.uniform(0, books["scrape"], (lines, B))
    longshot = rng.random(B) < 0.3
    american = rng.random(B) < structure.american
    prices = []
    for before in (STEP, 0.0):
        # when the feed last looked: a grid of its own
        looked = (phase - before) % books["scrape"] + before
        seen = looked + books["lag"]
        told = ago[:, None, :] > seen[:, :, None]
        opinion = level[:, None] + (size[:, None, :] * told).sum(2) + error + common[:, None]
        opinion += miss * ((begun > looked) & (begun - lasts < looked))
        prices.append(quote(opinion, draw[:, None], structure.outcomes, books["margin"], longshot, american))
    true = fair_of(level + size.sum(1), draw, structure.outcomes)
    return np.stack(prices), true, books, ago.min(1)


def fair_of(level: Array, draw: Array, n: int) -> Array:
    logits = [level / 2, -level / 2] + ([np.broadcast_to(draw, level.shape)] if n == 3 else [])
    e = np.exp(np.stack(logits, -1))
    return e / e.sum(-1, keepdims=True)


def quote(opinion, draw, n, margin, longshot, american):
    fair = fair_of(opinion, draw, n)
    total = (margin * n / 2)[:, None]
    share = np.where(longshot[:, None], total / n, fair * total)
    price = np.clip(1 / (fair + share), 1.01, 101)
    step = np.where((price > 1.4) & (price < 3.5), 5, 10)
    am = np.where(price >= 2, 1 + np.maximum(100, step * np.round((price - 1) * 100 / step)) / 100, 1 + 100 / np.maximum(100, step * np.round(100 / np.maximum(price - 1, 1e-9) / step)))
    return np.where(american[:, None], am, np.round(price, 2))


def alerts(structure: Structure, weights: Array | None, seed: int, lines: int, rules: ScoringRules = ScoringRules()):
    prices, true, books, since = simulate(structure, seed, lines)
    w = books["weight"] if weights is None else weights
    cols = Books.of(range(len(w)), lambda i: Traits(float(w[i])))
    opened, claim = [], None
    for p in prices:
        view = LineView.of(p, np.full(p.shape[:2], NOW), start=np.full(lines, NOW * 2), market=SPORTS_MARKET[structure.outcomes], point=np.zeros(lines), ladder=np.arange(lines), method=rules.method)
        value = value_lines(view, cols, {}, NOW, rules)
        opened.append(value.verdict == OPEN)
    new = (opened[1] & ~opened[0])[value.told]
    claim = appraise(value, np.flatnonzero(new), {}, NOW, rules)
    fair = true[claim.line, claim.outcome]
    return claim, fair, since[claim.line], value, opened[1], true, prices[1]


def tables(books: dict[str, Array]) -> dict[str, Array]:
    return {"real": books["weight"], "equal": np.ones(len(books["weight"]))}
