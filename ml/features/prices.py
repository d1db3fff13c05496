"""Features of the prices on offer: the books against the base, their spread, the gaps that the best price leaves."""

from __future__ import annotations

import warnings
from enum import StrEnum
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import logit

from ml.features.orientation import Axis, orient
from ml.features.registry import BOOK_PREFIX, Feature, FeatureTable, KnownAt, book_feature
from ml.quotes import MARKET_OUTCOMES, MICROS_PER_HOUR, Outcome

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ml.features.market_view import MarketView

    Array = NDArray[np.float64]


class Base(StrEnum):
    """Whose fair price a model corrects."""

    REFERENCE = "reference"
    """The sharp reference book's."""
    AVERAGE = "average"
    """That of the average price, for lines that the reference does not price."""


SECONDS_PER_HOUR = 3600
_NONE = "never missing"
PRICE_FEATURES = (
    Feature("market", "log-odds", KnownAt.QUOTED, _NONE),
    Feature("average_to_base", "log-odds", KnownAt.QUOTED, "no average price is known"),
    Feature("best_to_average", "log of the ratio of prices", KnownAt.QUOTED, "no best or no average price is known"),
    Feature("best_value", "log of fair probability x best price", KnownAt.QUOTED, "no best price is known"),
    Feature("dispersion", "standard deviation of log-odds", KnownAt.QUOTED, "fewer than two books"),
    Feature("books", "count", KnownAt.QUOTED, _NONE),
    Feature("freshness", "hours since the newest change", KnownAt.QUOTED, "no book"),
    Feature("overround", "booksum - 1", KnownAt.QUOTED, _NONE),
    Feature("lead", "hours to the start", KnownAt.QUOTED, _NONE),
    Feature("supremacy", "log(p_home / p_away)", KnownAt.QUOTED, "the match result is not priced"),
    Feature("total", "log-odds of over", KnownAt.QUOTED, "no total is priced"),
    Feature("point", "points", KnownAt.SCHEDULED, "the market has no point"),
    Feature("is_first", "1 for the first outcome of the market", KnownAt.SCHEDULED, _NONE),
    Feature("is_draw", "1 for the draw", KnownAt.SCHEDULED, _NONE),
)


def base_of(view: MarketView, base: Base) -> Array:
    """The fair probabilities (E, n) that models of this base correct, NaN where they do not apply."""
    return view.fair_reference if base is Base.REFERENCE else view.fair_average


def price_features(view: MarketView, base: Base) -> FeatureTable:
    """The features of the prices, among them one for each book: its fair log-odds minus the base's."""
    fair = base_of(view, base)
    market, books = logit(fair), logit(view.fair)
    price = view.reference_price if base is Base.REFERENCE else view.average
    with np.errstate(invalid="ignore", divide="ignore"):
        by_outcome = {
            "market": market,
            "average_to_base": logit(view.fair_average) - market,
            "best_to_average": np.log(view.best / view.average),
            "best_value": np.log(view.best * fair),
            "dispersion": _deviation(books),
        }
    by_event = {
        "books": (Axis.NEITHER, (~np.isnan(books[:, :, 0])).sum(axis=1)),
        "freshness": (Axis.NEITHER, np.fmin.reduce(view.age, axis=1, initial=np.nan) / SECONDS_PER_HOUR),
        "overround": (Axis.NEITHER, (1 / price).sum(axis=1) - 1),
        "lead": (Axis.NEITHER, (view.start - view.at) / MICROS_PER_HOUR),
        "supremacy": (Axis.SUPREMACY, view.supremacy),
        "total": (Axis.TOTAL, view.total),
        "point": (Axis.SUPREMACY, view.point),
    }
    columns = by_outcome | {name: orient(value, axis, view.market) for name, (axis, value) in by_event.items()}
    columns |= _flags(view, len(fair))
    declared = np.stack([columns[feature.name] for feature in PRICE_FEATURES], axis=2)
    single = (books - market[:, None]).transpose(0, 2, 1)
    features = (*PRICE_FEATURES, *(book_feature(f"{BOOK_PREFIX}{book}") for book in view.books))
    return FeatureTable(features, np.concatenate([declared, single], axis=2).astype(np.float32))


def _flags(view: MarketView, events: int) -> dict[str, Array]:
    outcomes = MARKET_OUTCOMES[view.market]
    first, draw = np.zeros((2, events, len(outcomes)))
    first[:, 0] = 1
    draw[:, [outcome is Outcome.DRAW for outcome in outcomes]] = 1
    return {"is_first": first, "is_draw": draw}


def _deviation(books: Array) -> Array:
    """Standard deviation over the books (E, n) of (E, B, n), NaN for fewer than two."""
    known = (~np.isnan(books)).sum(axis=1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        deviation = np.nanstd(books, axis=1)
    return np.where(known > 1, deviation, np.nan)
