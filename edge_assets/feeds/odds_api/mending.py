"""Sound JSON from odd JSON: what is odd is left out and counted, what stands beside it stays.

Sound answers never come here: they are decoded as they stand, and only a part that then fails is mended. What comes
out has the documented types at every level, whoever decodes it: the differ of the live path or the reader of captures.
A price that is no number becomes null, so that a suspended draw still says that the market has one. A text with a plus
is an American price whatever stands beside it: it stays a text until it is known how the answer writes prices.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from math import isfinite
from typing import Any, TypeAlias

import msgspec

from edge_assets.feeds.loose_json import loosely_read
from edge_assets.feeds.odds_api.naming import sport_key_of
from edge_assets.feeds.odds_api.numbers import PriceFormat, RefusedError
from edge_assets.texts import UnusableTextError, clean_text

Json: TypeAlias = dict[str, Any]
Mend: TypeAlias = Callable[[object, list[str]], Json]

_SIGNS = str.maketrans({"\N{MINUS SIGN}": "-", "\N{EN DASH}": "-", "\N{FULLWIDTH PLUS SIGN}": "+"})


def mended_events(body: bytes, rejected: list[str], price_format: PriceFormat | None = None) -> list[Json]:
    """The events of an answer, a list or a single one, of which some part cannot be decoded.

    Without a `price_format` prices with a plus stay texts, as everywhere here.

    Raises:
        ValueError: it is no JSON at all (it ends early, say).
        RefusedError: it is neither a list nor an object.
    """
    sent = loosely_read(body)
    if not isinstance(sent, list | dict):
        raise RefusedError("malformed_answer")
    mend = partial(mended_event, price_format=price_format)
    return _each(sent if isinstance(sent, list) else [sent], mend, rejected)


def mended_event(sent: object, rejected: list[str], price_format: PriceFormat | None = None) -> Json:
    """One event with its books.

    Raises:
        RefusedError: it has no id, sport or start, or its books are no list.
    """
    event = _fields(sent, "malformed_event")
    needed: Json = {name: _needed_text(event.get(name), "malformed_event") for name in ("id", "sport_key")}
    needed["sport_key"] = sport_key_of(needed["sport_key"])
    if not needed["sport_key"]:
        raise RefusedError("malformed_sport_key")
    start = _time(event.get("commence_time"))
    if start is None:
        raise RefusedError("malformed_event")
    texts = dict.fromkeys(("home_team", "away_team"), "malformed_team") | {"sport_title": "malformed_title"}
    flags = {name: event[name] for name in ("has_outrights",) if isinstance(event.get(name), bool)}
    books = _list(event.get("bookmakers"), "malformed_event") if "bookmakers" in event else []
    return {
        "sport_title": needed["sport_key"],
        **needed,
        "commence_time": start,
        **_texts(event, texts, rejected),
        **_whole_numbers(event, ("home_rotation", "away_rotation")),
        **flags,
        "bookmakers": _each(books, partial(mended_book, price_format=price_format), rejected),
    }


def mended_book(sent: object, rejected: list[str], price_format: PriceFormat | None = None) -> Json:
    """One book with its markets.

    Raises:
        RefusedError: it has no key, or its markets are no list.
    """
    book = _fields(sent, "malformed_book")
    key = _needed_text(book.get("key"), "malformed_book")
    markets = _list(book.get("markets"), "malformed_book")
    return {
        "key": key,
        "title": key,
        **_texts(book, {"title": "malformed_title"}, rejected),
        **_update(book, rejected),
        **_links(book),
        "markets": _each(markets, partial(mended_market, price_format=price_format), rejected),
    }


def mended_market(sent: object, rejected: list[str], price_format: PriceFormat | None = None) -> Json:
    """One market with its outcomes.

    Raises:
        RefusedError: it has no key or no list of outcomes.
    """
    market = _fields(sent, "malformed_market")
    if not isinstance(market.get("outcomes"), list):
        raise RefusedError("malformed_market")
    return {
        "key": _needed_text(market.get("key"), "malformed_market"),
        **_update(market, rejected),
        **_links(market),
        "outcomes": _each(market["outcomes"], partial(mended_outcome, price_format=price_format), rejected),
    }


def mended_outcome(sent: object, _: list[str], price_format: PriceFormat | None = None) -> Json:
    """One outcome.

    Raises:
        RefusedError: it has no name, or a point or a description that cannot be read: they say what it is.
    """
    outcome = _fields(sent, "malformed_outcome")
    point, description = outcome.get("point"), outcome.get("description")
    found: Json = {
        "name": _needed_text(outcome.get("name"), "malformed_outcome"),
        "price": _price(outcome.get("price"), price_format),
    }
    if not _is_absent(point):
        found["point"] = number_of(point)
        if found["point"] is None:
            raise RefusedError("malformed_point")
    if not _is_absent(description):
        found["description"] = _needed_text(description, "malformed_outcome")
    numbers = {name: number_of(outcome.get(name)) for name in ("bet_limit", "multiplier") if name in outcome}
    return found | _links(outcome) | numbers


def jsonable(sent: object) -> object:
    """What was read loosely, with null for numbers that JSON lacks and without halves of surrogate pairs."""
    if isinstance(sent, dict):
        return {str(jsonable(name)): jsonable(value) for name, value in sent.items()}
    if isinstance(sent, list):
        return list(map(jsonable, sent))
    if isinstance(sent, str):
        return sent.encode("utf-8", "replace").decode()
    return None if isinstance(sent, float) and not isfinite(sent) else sent


def encoded(sound: object) -> bytes:
    """Mended parts as JSON, the same bytes for the same parts."""
    return msgspec.json.encode(sound)


def number_of(value: object) -> float | int | None:
    """A finite number, sent as one or as text; None for everything else."""
    if isinstance(value, str):
        try:
            value = float(value.translate(_SIGNS).strip())
        except ValueError:
            return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not isfinite(value):
        return None
    return value


def has_plus(sent: object) -> bool:
    """Whether a price is a text with an explicit plus, as only American ones are written."""
    return isinstance(sent, str) and sent.translate(_SIGNS).strip()[:1] == "+" and number_of(sent) is not None


def _price(sent: object, price_format: PriceFormat | None) -> float | int | str | None:
    """The price; one with a plus is none in an answer of decimal prices."""
    if isinstance(sent, str) and has_plus(sent) and price_format is not PriceFormat.AMERICAN:
        return None if price_format else sent
    return number_of(sent)


def _each(parts: list[object], mend: Mend, rejected: list[str]) -> list[Json]:
    found: list[Json] = []
    for part in parts:
        try:
            found.append(mend(part, rejected))
        except RefusedError as refusal:
            rejected.append(str(refusal))
    return found


def _fields(sent: object, refused_as: str) -> Mapping[str, Any]:
    if isinstance(sent, bytes | msgspec.Raw):
        sent = _loosely_or_refused(sent, refused_as)
    if not isinstance(sent, dict):
        raise RefusedError(refused_as)
    return sent


def _loosely_or_refused(sent: bytes | msgspec.Raw, refused_as: str) -> object:
    try:
        return loosely_read(sent)
    except ValueError as error:
        raise RefusedError(refused_as) from error


def _list(sent: object, refused_as: str) -> list[object]:
    """The list; none where there is none."""
    if sent is None:
        return []
    if not isinstance(sent, list):
        raise RefusedError(refused_as)
    return sent


def _needed_text(sent: object, refused_as: str) -> str:
    """A text that says what something is; ids may be sent as numbers. What was no text in the first place is none."""
    if isinstance(sent, int) and not isinstance(sent, bool):
        sent = str(sent)
    if not isinstance(sent, str) or "\N{REPLACEMENT CHARACTER}" in sent:
        raise RefusedError(refused_as)
    try:
        return clean_text(sent)
    except UnusableTextError as error:
        raise RefusedError(str(error)) from error


def _texts(part: Mapping[str, Any], names: Mapping[str, str], rejected: list[str]) -> dict[str, str]:
    """Texts that may be missing, by name; one that cannot be used is counted under the name's reason."""
    found: dict[str, str] = {}
    for name, reason in names.items():
        if _is_absent(part.get(name)):
            continue
        try:
            found[name] = _needed_text(part[name], reason)
        except RefusedError as refusal:
            rejected.append(str(refusal))
    return found


def _update(part: Mapping[str, Any], rejected: list[str]) -> Json:
    sent = part.get("last_update")
    time = _time(sent)
    if time is None and not _is_absent(sent):
        rejected.append("malformed_time")
    return {} if time is None else {"last_update": time}


def _time(sent: object) -> str | int | None:
    """ISO text or whole unix seconds, unread; None for what can be neither."""
    if isinstance(sent, float) and sent.is_integer() and abs(sent) < 2**53:
        return int(sent)
    if isinstance(sent, str):
        return "".join(c for c in sent if c.isascii()).strip() or None
    return sent if isinstance(sent, int) and not isinstance(sent, bool) else None


def _links(part: Mapping[str, Any]) -> dict[str, str | None]:
    found: dict[str, str | None] = {}
    for name in ("link", "sid"):
        if isinstance(part.get(name), str):
            found.update(_texts(part, {name: name}, []))
    return found


def _whole_numbers(part: Mapping[str, Any], names: tuple[str, ...]) -> dict[str, int]:
    return {name: part[name] for name in names if type(part.get(name)) is int}


def _is_absent(sent: object) -> bool:
    """Null, missing, or what pandas writes for it."""
    return sent is None or sent != sent  # noqa: PLR0124 - NaN
