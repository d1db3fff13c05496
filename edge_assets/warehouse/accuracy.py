"""How well opening and closing prices predicted the winners."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ml.market import devig

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from edge_assets.store.analytics.opening_closing import OpeningClosingPrices
    from ml.market import DevigMethod

    Array = NDArray[np.float64]


class Accuracy(NamedTuple):
    """Log losses in nats over `games` with an opening and a closing price; None without games."""

    games: int
    first_log_loss: float | None
    closing_log_loss: float | None


def measure_accuracy(prices: OpeningClosingPrices, method: DevigMethod) -> Accuracy:
    """Log losses of the unweighted mean of the books' fair probabilities, so that no weights need to be reported."""
    first, last = (_log_losses(prices, each, method) for each in (prices.first, prices.last))
    both = np.isfinite(first + last)
    means = (float(losses[both].mean()) if both.any() else None for losses in (first, last))
    return Accuracy(int(both.sum()), *means)


def _log_losses(prices: OpeningClosingPrices, offered: Array, method: DevigMethod) -> Array:
    """Log loss by event, NaN if no book prices it completely."""
    fair = devig(offered, method).probabilities[np.arange(len(offered)), prices.winner]
    priced = ~np.isnan(fair)
    events, event = np.unique(prices.event, return_inverse=True)
    books, total = (np.bincount(event[priced], w, len(events)) for w in (None, fair[priced]))
    with np.errstate(invalid="ignore"):
        losses: Array = -np.log(total / books)
    return losses
