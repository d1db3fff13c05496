"""ISO times as microseconds."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray


def micros_of(texts: Sequence[str]) -> NDArray[np.int64]:
    """Microseconds since the epoch, UTC, many at once; `UNKNOWN_TIME`, which is pandas's NaT, for what is no time."""
    times = pd.to_datetime(pd.Series(texts, dtype=object), utc=True, format="ISO8601", errors="coerce")
    return times.to_numpy("datetime64[us]").astype("int64")
