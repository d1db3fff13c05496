"""Quotes as columns: the shapes that feeds produce, the store keeps and the scorer reads."""

from ml.quotes.batch import UNKNOWN_TIME, EventStarts, MarketTimes, Micros, PollChanges, QuoteBatch
from ml.quotes.codec import decode_changes, decode_columns, encode_changes, encode_columns
from ml.quotes.vocabulary import FIRST_DYNAMIC_ID, OUTCOMES_OF, Market, Outcome

__all__ = [
    "FIRST_DYNAMIC_ID",
    "OUTCOMES_OF",
    "UNKNOWN_TIME",
    "EventStarts",
    "Market",
    "MarketTimes",
    "Micros",
    "Outcome",
    "PollChanges",
    "QuoteBatch",
    "decode_changes",
    "decode_columns",
    "encode_changes",
    "encode_columns",
]
