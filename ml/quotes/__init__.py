"""Quotes as columns: what feeds produce, the store keeps and the scorer reads."""

from ml.quotes.batch import (
    MAX_CLOCK_SKEW_MICROS,
    MICROS_PER_DAY,
    MICROS_PER_HOUR,
    MICROS_PER_SECOND,
    UNKNOWN_TIME,
    EventStarts,
    MarketConfirmations,
    Micros,
    PollChanges,
    QuoteBatch,
)
from ml.quotes.codec import decode_changes, decode_columns, encode_changes, encode_columns
from ml.quotes.enums import FIRST_DYNAMIC_ID, MARKET_OUTCOMES, Market, Outcome

__all__ = [
    "FIRST_DYNAMIC_ID",
    "MARKET_OUTCOMES",
    "MAX_CLOCK_SKEW_MICROS",
    "MICROS_PER_DAY",
    "MICROS_PER_HOUR",
    "MICROS_PER_SECOND",
    "UNKNOWN_TIME",
    "EventStarts",
    "Market",
    "MarketConfirmations",
    "Micros",
    "Outcome",
    "PollChanges",
    "QuoteBatch",
    "decode_changes",
    "decode_columns",
    "encode_changes",
    "encode_columns",
]
