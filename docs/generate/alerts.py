"""The fields of an alert, from the model of the API; the stream sends the same."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from docs.generate.markdown import code, table
from ml.scoring.rules import Verdict
from ml.scoring.scorer import MAX_OPENED_PER_POLL, TOO_MANY
from serving.api.models import AlertMessage, BetLeg

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pydantic import BaseModel

INTRODUCTION = """
# Alert schema

An alert is one JSON object, the same in the stream `/ws/alerts`, in the answers of `/api/value-bets`,
`/api/likely-errors` and `/api/arbitrage`, and in `edge watch --json`. Times are ISO 8601 in UTC, prices are decimal
odds, probabilities and edges are fractions. `(alert_id, seq)` identifies one step of an alert; `id` orders all steps
and is the resume id of the stream.

"""
REASONS_INTRODUCTION = """
## Reasons

A price that would have been an alert is suppressed for one of these reasons, and counted under it. An open alert is
closed with the same reasons, or with one of the last three.

"""
SUPPRESSIONS = {
    "started": "the event has started",
    "stale": "the book has not confirmed the price for too long, or too much of the consensus is old",
    "outlier": "the price is so far off that it is probably a mistake: it becomes a `likely_error` instead",
    "thin": "too few books agree on the fair price",
    "one_sided": "the book does not price every outcome",
    "rules": "the books of the arbitrage are known to settle differently",
    "disputed": "a quarter or more of the other books, by weight, imply that the price has no value",
    "one_book": "all bets of the arbitrage are at one book or its clones: it becomes a `likely_error` instead",
}
WAITING = {TOO_MANY: f"{MAX_OPENED_PER_POLL} alerts of its sport have opened at this poll: it waits for the next one"}
CLOSINGS = {
    "price_moved": "the book changed its price",
    "market_moved": "the price is unchanged, and the fair price moved",
    "withdrawn": "the book no longer offers the selection",
}
LEGS = """
## Legs

The bets of an arbitrage, also of one that is a likely error because all of them are at one book.

"""
LEG = "leg"
FORMATS = {"date-time": "time", "uuid": "UUID"}


def page() -> str:
    """The page of the alert schema."""
    return INTRODUCTION.lstrip() + _fields(AlertMessage) + LEGS + _fields(BetLeg) + REASONS_INTRODUCTION + _reasons()


def _reasons() -> str:
    """Every reason; a `KeyError` where one is not explained yet."""
    both = [(code(verdict.reason), SUPPRESSIONS[verdict.reason]) for verdict in Verdict if verdict > Verdict.OPEN]
    others = [(code(reason), why) for reason, why in (WAITING | CLOSINGS).items()]
    return table(("reason", "meaning"), [*both, *others])


def _fields(model: type[BaseModel]) -> str:
    return table(("field", "type", "meaning"), _rows(model.model_json_schema()))


def _rows(schema: dict[str, Any]) -> Iterator[tuple[str, str, str]]:
    for name, about in schema["properties"].items():
        yield code(name), _type(about), about.get("description", "")


def _type(schema: dict[str, Any]) -> str:
    match schema:
        case {"anyOf": list(options)}:
            return " or ".join(map(_type, options))
        case {"enum": list(values)}:
            return ", ".join(map(code, values))
        case {"items": dict(items)}:
            return f"list of {_type(items)}"
        case {"$ref": str(reference)}:
            return LEG if reference.endswith(f"/{BetLeg.__name__}") else reference.rpartition("/")[2]
        case {"format": str(name)}:
            return FORMATS[name]
        case _:
            return str(schema["type"])
