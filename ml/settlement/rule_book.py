"""Books' known settlement rules, from `rules.toml`."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib.resources import files
from itertools import product
from typing import TYPE_CHECKING, Any

from ml.quotes import Market
from ml.settlement.rules import Abandoned, Period, Pitchers, Rules, SettlementRules, Tie

if TYPE_CHECKING:
    from collections.abc import Mapping
    from enum import Enum

ANY_BOOK = "*"
UNKNOWN_VALUE = "unknown"
SHOOTOUT_SPORT_FAMILY = "icehockey"
"""The sport whose final scores include the shoot-out, so that bets that count overtime only cannot be settled."""
_ENUMS: dict[str, type[Enum]] = {"period": Period, "tie": Tie, "abandoned": Abandoned, "pitchers": Pitchers}

RuleTable = dict[tuple[str, str, Market], SettlementRules]


def find_rules(sport: str, market: Market, book: str) -> Rules:
    """How a book settles a market of a sport (The Odds API's key); None if unknown.

    The book's own rules come before those common to all books; in both, the league's before the sport family's.
    """
    family = sport.partition("_")[0]
    table = _load_table()
    found = (table.get((who, what, market)) for who, what in product((book, ANY_BOOK), (sport, family)))
    return next(filter(None, found), None)


def parse_rules(text: str) -> RuleTable:
    """Parse a TOML text in the format of `rules.toml`.

    Raises:
        ValueError: an entry is invalid, contradicts another or cannot be settled; the message has its number.
    """
    table: RuleTable = {}
    for number, entry in enumerate(tomllib.loads(text)["rules"], 1):
        try:
            for place, rules in _parse_entry(entry).items():
                if table.setdefault(place, rules) != rules:
                    raise ValueError(f"{place} contradicts an earlier entry")
        except (KeyError, ValueError, TypeError) as error:
            msg = f"rules entry {number} ({entry.get('books')}, {entry.get('sports')}): {error!r}"
            raise ValueError(msg) from error
    return table


def _parse_entry(entry: Mapping[str, Any]) -> RuleTable:
    books, sports, markets, source, *_ = (entry[name] for name in ("books", "sports", "markets", "source"))
    if not source:
        raise ValueError("source is missing")
    terms = {name: value for name, value in entry.items() if name not in {"books", "sports", "markets", "source"}}
    rules = SettlementRules(**{name: _parse_value(name, value) for name, value in terms.items()})
    if rules.period is Period.OVERTIME and any(sport.startswith(SHOOTOUT_SPORT_FAMILY) for sport in sports):
        raise ValueError("period 'overtime' cannot be settled for ice hockey: no source reports that score")
    return {(book, sport, Market[key.upper()]): rules for book, sport, key in product(books, sports, markets)}


def _parse_value(name: str, value: Any) -> Any:
    if value == UNKNOWN_VALUE and name != "period":
        return None
    return _ENUMS[name][value.upper()] if name in _ENUMS else value


@cache
def _load_table() -> RuleTable:
    return parse_rules(files(__package__).joinpath("rules.toml").read_text(encoding="utf-8"))
