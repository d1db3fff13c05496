"""Columns of ISO times as microseconds."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


def micros_of(texts: pd.Series[str]) -> NDArray[np.int64]:
    """Microseconds since the epoch, UTC.

    Raises:
        ValueError: one is no ISO time.
    """
    times = pd.to_datetime(texts, utc=True, format="ISO8601").to_numpy("datetime64[us]")
    return times.astype("int64")
