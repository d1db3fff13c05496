"""Column batches: the quotes that one poll changed, and when each book last confirmed each market.

Times are microseconds since the epoch, UTC (`Micros`); prices are decimal odds.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

Micros: TypeAlias = int
MICROS_PER_SECOND: Micros = 1_000_000
MICROS_PER_HOUR: Micros = 3_600 * MICROS_PER_SECOND
MICROS_PER_DAY: Micros = 24 * MICROS_PER_HOUR
MAX_CLOCK_SKEW_MICROS: Micros = 60 * MICROS_PER_SECOND
"""How far a clock may be ahead of another one before its times count as wrong."""

UNKNOWN_TIME: Micros = np.iinfo(np.int64).min
"""The `book_time` of a quote whose book did not state one."""


class ColumnBatch:
    """Parallel one-dimensional arrays with fixed types (`DTYPES`, in field order)."""

    __slots__: tuple[str, ...] = ()
    DTYPES: tuple[str, ...]

    def __post_init__(self) -> None:
        lengths = {column.shape for column in self.columns()}
        if len(lengths) != 1:
            msg = f"columns of {type(self).__name__} differ in length: {sorted(lengths)}"
            raise ValueError(msg)

    @classmethod
    def from_rows(cls, rows: Iterable[tuple[Any, ...]]) -> Self:
        """Build from row tuples in field order."""
        columns = list(zip(*rows, strict=True)) or [()] * len(cls.DTYPES)
        return cls(*(np.array(c, dtype=t) for c, t in zip(columns, cls.DTYPES, strict=True)))

    @classmethod
    def empty(cls) -> Self:
        """Build without rows."""
        return cls.from_rows(())

    @classmethod
    def concatenate(cls, batches: Sequence[Self]) -> Self:
        """All rows of `batches`."""
        if not batches:
            return cls.empty()
        return cls(*map(np.concatenate, zip(*(batch.columns() for batch in batches), strict=True)))

    def columns(self) -> tuple[NDArray[Any], ...]:
        """The arrays in field order."""
        return tuple([getattr(self, name) for name in self.__slots__])

    def take(self, index: NDArray[Any]) -> Self:
        """The rows selected by a mask or an index array."""
        return type(self)(*(c[index] for c in self.columns()))

    def __len__(self) -> int:
        return len(self.columns()[0])


@dataclass(frozen=True, slots=True, eq=False)
class QuoteBatch(ColumnBatch):
    """Prices, one row a quote: key (event, book, market, outcome, point), value (price, book_time).

    `point` is NaN where the market has none; `price` is NaN where the quote was withdrawn.
    """

    event: NDArray[np.int32]
    book: NDArray[np.int16]
    market: NDArray[np.int16]
    outcome: NDArray[np.int32]
    point: NDArray[np.float32]
    price: NDArray[np.float64]
    book_time: NDArray[np.int64]

    DTYPES = ("i4", "i2", "i2", "i4", "f4", "f8", "i8")


@dataclass(frozen=True, slots=True, eq=False)
class MarketConfirmations(ColumnBatch):
    """When each book last confirmed each market it offers, one row a (event, book, market) on offer.

    A quote that did not change is not stored again, so only this distinguishes a fresh price from a stale one.
    """

    event: NDArray[np.int32]
    book: NDArray[np.int16]
    market: NDArray[np.int16]
    confirmed_at: NDArray[np.int64]

    DTYPES = ("i4", "i2", "i2", "i8")


@dataclass(frozen=True, slots=True, eq=False)
class EventStarts(ColumnBatch):
    """The start times of the events listed in a poll, as the feed stated them at that moment."""

    event: NDArray[np.int32]
    commence_at: NDArray[np.int64]

    DTYPES = ("i4", "i8")


@dataclass(frozen=True, slots=True, eq=False)
class PollChanges:
    """Everything that one poll of one sport changed: the unit of the `odds:changes` stream.

    `observed_at` is the feed's clock (virtual in a replay); `received_at` is always the wall clock,
    for latency. `starts` and `confirmations` are complete for the poll; `quotes` holds changes only.
    """

    poll_id: int
    sport: str
    observed_at: Micros
    received_at: Micros
    run_id: str
    quotes: QuoteBatch
    confirmations: MarketConfirmations
    starts: EventStarts
