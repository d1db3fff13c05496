"""Parse ISO times to microseconds."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

MIN_YEAR, MAX_YEAR = 1970, 2099
"""No recorded price is older; years outside this range are placeholders."""
TIME_PATTERN = r"(?i)^(19[7-9]\d|20\d\d)-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d{1,9})?)? ?(Z|[+-]\d\d(:?\d\d)?)?$"


def parse_timestamps(texts: Sequence[str]) -> NDArray[np.int64]:
    """Microseconds since the epoch (n,); `UNKNOWN_TIME`, which is pandas's NaT, for invalid times.

    A time without a zone is UTC. Dates alone, unix seconds and years outside `MIN_YEAR` to `MAX_YEAR` are invalid.
    """
    stated = pa.array(texts, pa.string())
    plausible = pc.if_else(pc.match_substring_regex(stated, TIME_PATTERN), stated, None)
    times = pd.to_datetime(plausible.to_pandas(), utc=True, format="ISO8601", errors="coerce")
    found: NDArray[np.int64] = times.to_numpy("datetime64[us]").astype("int64")
    return found
