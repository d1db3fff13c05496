"""If one part of a response is mutated, the differ and the capture reader still read the rest."""

from __future__ import annotations

import copy
import json
from collections import Counter
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from edge_assets.feeds.odds_api.conversions import PriceFormat
from edge_assets.feeds.odds_api.diff import PayloadDiffer
from edge_assets.feeds.odds_api.errors import OddsApiError
from edge_assets.feeds.recordings.capture_reader import ParsedCapture, read_captures
from edge_assets.feeds.recordings.decoding import NotOddsError, decode_events
from edge_assets.feeds.recordings.files import RecordedFile
from ml.quotes import FIRST_DYNAMIC_ID
from tests.support.in_memory_ids import InMemoryIdResolver
from tests.support.wire_factories import SPORT, book, event, h2h, market, outcome, spreads, totals

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ml.quotes import QuoteBatch

pytestmark = pytest.mark.untraced

NOW = datetime(2026, 3, 1, 12, 0, 5, tzinfo=UTC)
EXAMPLES = settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
JUNK: list[Any] = [
    None, True, 0, -1, 1.5, 10**20, 10**400, float("inf"), float("nan"), "", " ", "x" * 9_000, "\u0000", "\ud83d",
    "EVEN", "1.9", "0001-01-01T00:00:00+02:00", "9999-12-31T23:59:59-05:00", 1772366400000, [], {}, [None], {"a": []},
]  # fmt: skip
Path = tuple[str | int, ...]


def answer() -> list[Any]:
    """Three events; books with one, two and three markets, a prop, a lay price."""
    prop = market("player_points", *(outcome(side, 1.9, 21.5, "Nick Suzuki") for side in ("Over", "Under")))
    return [
        event(book("a", h2h(), spreads(), totals()), book("b", h2h(2.4, 2.6, 4.0))),
        event(book("a", h2h(), prop), book("c", h2h(), h2h(2.0, 2.1, key="h2h_lay")), number=2),
        event(book("b", totals()), number=3),
    ]


def nodes(part: Any, path: Path = ()) -> Iterator[Path]:
    """The paths of all nodes below the root."""
    items: list[tuple[str | int, Any]] = []
    if isinstance(part, dict | list):
        items = list(part.items()) if isinstance(part, dict) else list(enumerate(part))
    for name, value in items:
        yield (*path, name)
        yield from nodes(value, (*path, name))


def parent(root: Any, path: Path) -> Any:
    for name in path[:-1]:
        root = root[name]
    return root


def drop(root: Any, path: Path, _: Any) -> None:
    del parent(root, path)[path[-1]]


def retype(root: Any, path: Path, junk: Any) -> None:
    parent(root, path)[path[-1]] = junk


def duplicate(root: Any, path: Path, _: Any) -> None:
    within = parent(root, path)
    if isinstance(within, list):
        within.insert(int(path[-1]), copy.deepcopy(within[int(path[-1])]))


def reorder(root: Any, path: Path, _: Any) -> None:
    within = parent(root, path)
    if isinstance(within, list):
        within.reverse()


MUTATIONS: list[Callable[[Any, Path, Any], None]] = [drop, retype, duplicate, reorder]


@st.composite
def mutated_responses(draw: st.DrawFn) -> tuple[list[Any], Path, str]:
    """A response with one mutated node, its path, and the mutation."""
    root = answer()
    path = draw(st.sampled_from(list(nodes(root))))
    mutate = draw(st.sampled_from(MUTATIONS))
    mutate(root, path, draw(st.sampled_from(JUNK)))
    return root, path, mutate.__name__


Quotes = set[tuple[Any, ...]]


def rows(vocabulary: InMemoryIdResolver, quotes: QuoteBatch) -> Quotes:
    columns = (column.tolist() for column in quotes.columns())
    return {
        (vocabulary.events.name(e), vocabulary.books.name(b), *resolve_names(vocabulary, m, o), str(point), price, at)
        for e, b, m, o, point, price, at in zip(*columns, strict=True)
    }


def resolve_names(vocabulary: InMemoryIdResolver, market: int, outcome: int) -> tuple[Any, Any]:
    """Dynamic ids depend on the order of arrival, so compare names."""
    return (
        market if market < FIRST_DYNAMIC_ID else vocabulary.markets.name(market),
        outcome if outcome < FIRST_DYNAMIC_ID else vocabulary.outcomes.name(outcome),
    )


def live(body: bytes) -> tuple[Quotes, int, Counter[str]]:
    vocabulary = InMemoryIdResolver()
    diff = PayloadDiffer(vocabulary, SPORT, 1).diff(body, NOW)
    return rows(vocabulary, diff.quotes), diff.quotes_seen, diff.rejected


VALID, SEEN, _ = live(msgspec.json.encode(answer()))
IDS = [one["id"] for one in answer()]


def near(path: Path) -> Quotes:
    """The quotes of the valid response that a change at a path cannot affect: other events, or other books."""
    at_book = path[1:3] if len(path) > 2 and path[1] == "bookmakers" else None
    touched = answer()[int(path[0])]
    key = touched["bookmakers"][int(path[2])]["key"] if at_book else None
    return {row for row in VALID if row[0] != touched["id"] or (key is not None and row[1] != key)}


@EXAMPLES
@given(mutated_responses())
def test_the_differ_loses_only_the_mutated_part(case: tuple[list[Any], Path, str]) -> None:
    root, path, how = case
    body = json.dumps(root).encode()
    quotes, seen, rejected = live(body)
    assert len(quotes) == seen
    assert near(path) <= quotes
    if how == "reorder":
        assert quotes == VALID
    lost = SEEN - seen
    is_empty = how == "retype" and parent(root, path)[path[-1]] == []  # a market may have no outcomes
    assert lost <= 0 or rejected or how == "drop" or path[-1] in {"bookmakers", "markets"} or is_empty
    assert live(body) == (quotes, seen, rejected)


@EXAMPLES
@given(mutated_responses())
def test_the_capture_reader_gives_the_same_quotes(case: tuple[list[Any], Path, str]) -> None:
    body = json.dumps(case[0]).encode()
    try:
        decoded = msgspec.json.encode(decode_events(body, []))
    except NotOddsError:
        assert live(body)[1] == 0
        return
    assert live(decoded)[0] == live(body)[0]
    sports = [
        found
        for found in read_captures(RecordedFile("nhl_20260301T120005Z.json", body))
        if isinstance(found, ParsedCapture)
    ]
    assert SPORT in [found.sport for found in sports]


@EXAMPLES
@given(st.integers(0, len(json.dumps(answer()))), st.sampled_from(["", "null", '"', "NaN", "\\ud800", "[", "\x00"]))
def test_a_truncated_response_is_an_error(at: int, junk: str) -> None:
    text = json.dumps(answer())
    body = (text[:at] + junk + text[at + len(junk) :]).encode()
    try:
        quotes, seen, _ = live(body)
    except OddsApiError:
        assert not [
            one
            for one in read_captures(RecordedFile("nhl_20260301T120005Z.json", body))
            if isinstance(one, ParsedCapture)
        ]
    else:
        assert len(quotes) == seen
    with pytest.raises(OddsApiError):
        live(text[:at].encode() if at < len(text) else text[:-1].encode())


@pytest.mark.parametrize("price_format", PriceFormat)
def test_every_junk_value_in_every_place(price_format: PriceFormat) -> None:
    for junk in JUNK:
        for path in nodes(answer()):
            root = answer()
            retype(root, path, junk)
            body = json.dumps(root).encode()
            differ = PayloadDiffer(InMemoryIdResolver(), SPORT, 1, price_format=price_format)
            first = differ.diff(body, NOW)
            differ.commit()
            again = differ.diff(body, NOW)
            assert (len(again.quotes), again.quotes_seen, again.rejected) == (0, first.quotes_seen, first.rejected)
