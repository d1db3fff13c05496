"""Repair JSON with invalid parts: they are dropped and counted, the rest is kept.

Valid responses never come here: only a part that failed to decode is repaired. The result has the documented types at
every level, for the differ and for the capture reader. A price that is not a number becomes null, so that a suspended
draw still shows that the market has one. A text with a plus sign is an American price; it stays text until the price
format of the response is known.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from math import isfinite
from typing import Any, TypeAlias

import msgspec

from edge_assets.core.texts import UnusableTextError, clean_text
from edge_assets.feeds.lenient_json import parse_lenient_json
from edge_assets.feeds.odds_api.conversions import PriceFormat, RejectedValueError
from edge_assets.feeds.odds_api.market_mapping import clean_sport_key

Json: TypeAlias = dict[str, Any]
Repair: TypeAlias = Callable[[object, list[str]], Json]

_SIGN_REPLACEMENTS = str.maketrans({"\N{MINUS SIGN}": "-", "\N{EN DASH}": "-", "\N{FULLWIDTH PLUS SIGN}": "+"})


def repair_events(body: bytes, rejected: list[str], price_format: PriceFormat | None = None) -> list[Json]:
    """Repair the events of a response, a list or a single one, that failed to decode.

    Without a `price_format`, prices with a plus sign stay text, here and below.

    Raises:
        ValueError: it is not JSON, for example truncated.
        RejectedValueError: it is neither a list nor an object.
    """
    sent = parse_lenient_json(body)
    if not isinstance(sent, list | dict):
        raise RejectedValueError("malformed_response")
    repair = partial(repair_event, price_format=price_format)
    return _repair_each(sent if isinstance(sent, list) else [sent], repair, rejected)


def repair_event(sent: object, rejected: list[str], price_format: PriceFormat | None = None) -> Json:
    """Repair one event with its books.

    Raises:
        RejectedValueError: it has no id, sport or start, or its books are not a list.
    """
    event = _require_object(sent, "malformed_event")
    required: Json = {name: _require_text(event.get(name), "malformed_event") for name in ("id", "sport_key")}
    required["sport_key"] = clean_sport_key(required["sport_key"])
    if not required["sport_key"]:
        raise RejectedValueError("malformed_sport_key")
    start = _raw_time(event.get("commence_time"))
    if start is None:
        raise RejectedValueError("malformed_event")
    texts = dict.fromkeys(("home_team", "away_team"), "malformed_team") | {"sport_title": "malformed_title"}
    flags = {name: event[name] for name in ("has_outrights",) if isinstance(event.get(name), bool)}
    books = _require_list(event.get("bookmakers"), "malformed_event") if "bookmakers" in event else []
    return {
        "sport_title": required["sport_key"],
        **required,
        "commence_time": start,
        **_optional_texts(event, texts, rejected),
        **_optional_integers(event, ("home_rotation", "away_rotation")),
        **flags,
        "bookmakers": _repair_each(books, partial(repair_book, price_format=price_format), rejected),
    }


def repair_book(sent: object, rejected: list[str], price_format: PriceFormat | None = None) -> Json:
    """Repair one book with its markets.

    Raises:
        RejectedValueError: it has no key, or its markets are not a list.
    """
    book = _require_object(sent, "malformed_book")
    key = _require_text(book.get("key"), "malformed_book")
    markets = _require_list(book.get("markets"), "malformed_book")
    return {
        "key": key,
        "title": key,
        **_optional_texts(book, {"title": "malformed_title"}, rejected),
        **_last_update(book, rejected),
        **_optional_links(book),
        "markets": _repair_each(markets, partial(repair_market, price_format=price_format), rejected),
    }


def repair_market(sent: object, rejected: list[str], price_format: PriceFormat | None = None) -> Json:
    """Repair one market with its outcomes.

    Raises:
        RejectedValueError: it has no key or no list of outcomes.
    """
    market = _require_object(sent, "malformed_market")
    if not isinstance(market.get("outcomes"), list):
        raise RejectedValueError("malformed_market")
    return {
        "key": _require_text(market.get("key"), "malformed_market"),
        **_last_update(market, rejected),
        **_optional_links(market),
        "outcomes": _repair_each(market["outcomes"], partial(repair_outcome, price_format=price_format), rejected),
    }


def repair_outcome(sent: object, _: list[str], price_format: PriceFormat | None = None) -> Json:
    """Repair one outcome.

    Raises:
        RejectedValueError: its name is missing, or its point or description unreadable: they identify the outcome.
    """
    outcome = _require_object(sent, "malformed_outcome")
    point, description = outcome.get("point"), outcome.get("description")
    found: Json = {
        "name": _require_text(outcome.get("name"), "malformed_outcome"),
        "price": _read_price(outcome.get("price"), price_format),
    }
    if not _is_absent(point):
        found["point"] = parse_number(point)
        if found["point"] is None:
            raise RejectedValueError("malformed_point")
    if not _is_absent(description):
        found["description"] = _require_text(description, "malformed_outcome")
    numbers = {name: parse_number(outcome.get(name)) for name in ("bet_limit", "multiplier") if name in outcome}
    return found | _optional_links(outcome) | numbers


def to_json_safe(sent: object) -> object:
    """Replace values that JSON cannot hold: non-finite numbers by null, lone surrogates by `?`."""
    if isinstance(sent, dict):
        return {str(to_json_safe(name)): to_json_safe(value) for name, value in sent.items()}
    if isinstance(sent, list):
        return list(map(to_json_safe, sent))
    if isinstance(sent, str):
        return sent.encode("utf-8", "replace").decode()
    return None if isinstance(sent, float) and not isfinite(sent) else sent


def encode_json(repaired: object) -> bytes:
    """Repaired parts as JSON, the same bytes for the same parts."""
    return msgspec.json.encode(repaired)


def parse_number(value: object) -> float | int | None:
    """A finite number, sent as a number or text; None for anything else."""
    if isinstance(value, str):
        try:
            value = float(value.translate(_SIGN_REPLACEMENTS).strip())
        except ValueError:
            return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not isfinite(value):
        return None
    return value


def has_plus_sign(sent: object) -> bool:
    """Whether a price is text with an explicit plus sign, as only American prices have."""
    return (
        isinstance(sent, str)
        and sent.translate(_SIGN_REPLACEMENTS).strip()[:1] == "+"
        and parse_number(sent) is not None
    )


def _read_price(sent: object, price_format: PriceFormat | None) -> float | int | str | None:
    """The price; one with a plus sign is invalid in a response with decimal prices."""
    if isinstance(sent, str) and has_plus_sign(sent) and price_format is not PriceFormat.AMERICAN:
        return None if price_format else sent
    return parse_number(sent)


def _repair_each(parts: list[object], repair: Repair, rejected: list[str]) -> list[Json]:
    found: list[Json] = []
    for part in parts:
        try:
            found.append(repair(part, rejected))
        except RejectedValueError as error:
            rejected.append(str(error))
    return found


def _require_object(sent: object, reason: str) -> Mapping[str, Any]:
    if isinstance(sent, bytes | msgspec.Raw):
        sent = _parse_or_reject(sent, reason)
    if not isinstance(sent, dict):
        raise RejectedValueError(reason)
    return sent


def _parse_or_reject(sent: bytes | msgspec.Raw, reason: str) -> object:
    try:
        return parse_lenient_json(sent)
    except ValueError as error:
        raise RejectedValueError(reason) from error


def _require_list(sent: object, reason: str) -> list[object]:
    """The list; empty if it is missing."""
    if sent is None:
        return []
    if not isinstance(sent, list):
        raise RejectedValueError(reason)
    return sent


def _require_text(sent: object, reason: str) -> str:
    """An identifying text; ids may be sent as numbers. Text that was not valid UTF-8 is rejected."""
    if isinstance(sent, int) and not isinstance(sent, bool):
        sent = str(sent)
    if not isinstance(sent, str) or "\N{REPLACEMENT CHARACTER}" in sent:
        raise RejectedValueError(reason)
    try:
        return clean_text(sent)
    except UnusableTextError as error:
        raise RejectedValueError(str(error)) from error


def _optional_texts(part: Mapping[str, Any], names: Mapping[str, str], rejected: list[str]) -> dict[str, str]:
    """Optional texts by name; an unusable one is dropped and counted with the reason for its name."""
    found: dict[str, str] = {}
    for name, reason in names.items():
        if _is_absent(part.get(name)):
            continue
        try:
            found[name] = _require_text(part[name], reason)
        except RejectedValueError as error:
            rejected.append(str(error))
    return found


def _last_update(part: Mapping[str, Any], rejected: list[str]) -> Json:
    sent = part.get("last_update")
    time = _raw_time(sent)
    if time is None and not _is_absent(sent):
        rejected.append("malformed_time")
    return {} if time is None else {"last_update": time}


def _raw_time(sent: object) -> str | int | None:
    """ISO text or whole unix seconds, unparsed; None for anything else."""
    if isinstance(sent, float) and sent.is_integer() and abs(sent) < 2**53:
        return int(sent)
    if isinstance(sent, str):
        return "".join(c for c in sent if c.isascii()).strip() or None
    return sent if isinstance(sent, int) and not isinstance(sent, bool) else None


def _optional_links(part: Mapping[str, Any]) -> dict[str, str | None]:
    found: dict[str, str | None] = {}
    for name in ("link", "sid"):
        if isinstance(part.get(name), str):
            found.update(_optional_texts(part, {name: name}, []))
    return found


def _optional_integers(part: Mapping[str, Any], names: tuple[str, ...]) -> dict[str, int]:
    return {name: part[name] for name in names if type(part.get(name)) is int}


def _is_absent(sent: object) -> bool:
    """Whether a value is null, missing or NaN (which pandas writes for it)."""
    return sent is None or sent != sent  # noqa: PLR0124 - NaN
