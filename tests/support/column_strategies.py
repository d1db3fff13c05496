"""Column batches drawn by hypothesis: any value that a column can hold."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from ml.quotes import EventStarts, MarketConfirmations, PollChanges, QuoteBatch

KINDS = (QuoteBatch, MarketConfirmations, EventStarts)
Columns = QuoteBatch | MarketConfirmations | EventStarts


@st.composite
def columns(draw: st.DrawFn, kind: type[Columns]) -> Columns:
    """A batch of `kind` with 0-20 rows."""
    rows = draw(st.integers(0, 20))
    return kind(*(draw(hnp.arrays(np.dtype(t), rows)) for t in kind.DTYPES))


times = st.integers(-(2**63), 2**63 - 1)
polls = st.builds(
    PollChanges,
    poll_id=st.integers(0, 2**63 - 1),
    sport=st.text(),
    observed_at=times,
    received_at=times,
    run_id=st.text(),
    quotes=columns(QuoteBatch),
    confirmations=columns(MarketConfirmations),
    starts=columns(EventStarts),
)


def assert_same(one: Columns, other: Columns) -> None:
    """Equal to the bit, NaN and -0.0 included."""
    assert type(one) is type(other)
    for a, b in zip(one.columns(), other.columns(), strict=True):
        assert a.dtype == b.dtype
        assert a.tobytes() == b.tobytes()
