from __future__ import annotations

import random
import tarfile
import unicodedata
from collections import Counter
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np
import pytest

from edge_assets.core.clock import to_micros
from edge_assets.core.texts import UnusableTextError
from edge_assets.feeds.odds_api import reading
from edge_assets.feeds.odds_api.conversions import PriceFormat
from edge_assets.feeds.odds_api.diff import Diff, PayloadDiffer
from edge_assets.feeds.odds_api.errors import (
    InvalidJsonError,
    MalformedBodyError,
    OddsApiError,
    UnsupportedVersionError,
)
from edge_assets.feeds.odds_api.limits import (
    MAX_BOOKS_PER_EVENT,
    MAX_EVENTS_PER_PAYLOAD,
    MAX_MARKETS_PER_BOOK,
    MAX_OUTCOMES_PER_MARKET,
)
from edge_assets.feeds.odds_api.reading import OfferReader
from ml.quotes import UNKNOWN_TIME, Market, Outcome, QuoteBatch
from tests.benchmarks import payloads
from tests.support.in_memory_ids import InMemoryIdResolver
from tests.support.wire_factories import (
    AT,
    AWAY,
    HOME,
    SPORT,
    book,
    event,
    h2h,
    market,
    outcome,
    payload,
    spreads,
    totals,
)

if TYPE_CHECKING:
    from pathlib import Path

NOW = datetime(2026, 3, 1, 12, 0, 5, tzinfo=UTC)
Row = tuple[Any, ...]


class DiffHarness:
    """A differ with its ids, and rows by name."""

    def __init__(self, price_format: PriceFormat = PriceFormat.DECIMAL, sport: str = SPORT) -> None:
        self.vocabulary = InMemoryIdResolver()
        self.price_format, self.sport = price_format, sport
        self.restart()

    def restart(self, quotes: QuoteBatch | None = None) -> None:
        self.differ = PayloadDiffer(self.vocabulary, self.sport, 1, price_format=self.price_format)
        if quotes is not None:
            self.differ.load(quotes)

    def take(self, body: bytes) -> Diff:
        diff = self.differ.diff(body, NOW)
        self.differ.commit()
        return diff

    def rows(self, diff: Diff) -> set[Row]:
        """(book, market, outcome, point, price); None for no point, and for a withdrawn price."""
        return self.rows_of(diff.quotes)

    def rows_of(self, quotes: QuoteBatch) -> set[Row]:
        columns = (column.tolist() for column in quotes.columns())
        return {
            (self.vocabulary.books.name(b), self._market(m), self._outcome(o), none(point), none(price))
            for _, b, m, o, point, price, _ in zip(*columns, strict=True)
        }

    def changes(self, body: bytes) -> set[Row]:
        return self.rows(self.take(body))

    def _market(self, number: int) -> Any:
        return Market(number).key if number in set(Market) else self.vocabulary.markets.name(number)

    def _outcome(self, number: int) -> Any:
        return Outcome(number).key if number in set(Outcome) else self.vocabulary.outcomes.name(number)


def none(number: float) -> float | None:
    return None if np.isnan(number) else number


@pytest.fixture
def feed() -> DiffHarness:
    return DiffHarness()


def test_the_first_payload_is_all_new_and_a_repeat_changes_nothing(feed: DiffHarness) -> None:
    body = payload(event(book("a", h2h(), spreads(), totals())))
    first = feed.take(body)
    assert feed.rows(first) == {
        ("a", "h2h", "home", None, 1.9),
        ("a", "h2h", "away", None, 2.0),
        ("a", "spreads", "home", 1.5, 1.8),
        ("a", "spreads", "away", -1.5, 2.1),
        ("a", "totals", "over", 5.5, 1.95),
        ("a", "totals", "under", 5.5, 1.95),
    }
    assert (first.quotes_seen, first.events, first.rejected) == (6, 1, Counter())
    again = feed.take(body)
    assert (len(again.quotes), again.quotes_seen, len(again.times)) == (0, 6, 3)


def test_only_changed_prices_become_rows(feed: DiffHarness) -> None:
    feed.take(payload(event(book("a", h2h(), totals()), book("b", h2h()))))
    diff = feed.take(payload(event(book("a", h2h(1.95), totals()), book("b", h2h()))))
    assert feed.rows(diff) == {("a", "h2h", "home", None, 1.95)}


def test_prices_are_exact(feed: DiffHarness) -> None:
    feed.take(payload(event(book("a", h2h(home=1.9333333333333333, away=2)))))
    assert feed.changes(payload(event(book("a", h2h(home=1.9333333333333336, away=2.0))))) == {
        ("a", "h2h", "home", None, 1.9333333333333336)
    }


def test_the_order_of_outcomes_and_books_is_irrelevant(feed: DiffHarness) -> None:
    one, two = book("a", h2h()), book("b", totals())
    feed.take(payload(event(one, two)))
    reordered = market("h2h", outcome(AWAY, 2.0), outcome(HOME, 1.9))
    body = msgspec.json.format(payload(event(two, book("a", reordered))), indent=2)
    assert feed.changes(body) == set()


@pytest.mark.parametrize(
    ("then", "gone"),
    [
        (event(book("a", market("h2h", outcome(HOME, 1.9))), book("b", h2h())), {("a", "h2h", "away")}),
        (event(book("a"), book("b", h2h())), {("a", "h2h", "home"), ("a", "h2h", "away")}),
        (event(book("b", h2h())), {("a", "h2h", "home"), ("a", "h2h", "away")}),
        (event(), {(b, "h2h", o) for b in "ab" for o in ("home", "away")}),
        (None, {(b, "h2h", o) for b in "ab" for o in ("home", "away")}),
    ],
    ids=["outcome", "market", "book", "all books", "event"],
)
def test_missing_quotes_are_withdrawn_once(feed: DiffHarness, then: Any, gone: set[Row]) -> None:
    feed.take(payload(event(book("a", h2h()), book("b", h2h()))))
    body = payload(then) if then else payload()
    assert feed.changes(body) == {(b, m, o, None, None) for b, m, o in gone}
    assert feed.changes(body) == set()


def test_a_withdrawn_quote_that_returns_is_a_change(feed: DiffHarness) -> None:
    body = payload(event(book("a", h2h())))
    everything = feed.changes(body)
    feed.take(payload(event()))
    assert feed.changes(body) == everything


def test_a_moved_line_is_a_withdrawal_and_a_new_quote(feed: DiffHarness) -> None:
    feed.take(payload(event(book("a", totals(5.5)))))
    assert feed.changes(payload(event(book("a", totals(6.0))))) == {
        ("a", "totals", side, point, price) for side in ("over", "under") for point, price in ((5.5, None), (6.0, 1.95))
    }


def test_a_new_confirmation_time_is_reported_without_a_row(feed: DiffHarness) -> None:
    feed.take(payload(event(book("a", h2h(), totals()))))
    later = "2026-03-01T12:00:04Z"
    diff = feed.take(payload(event(book("a", h2h(at=later), totals(), at=later))))
    times = dict(zip(diff.times.market.tolist(), diff.times.confirmed_at.tolist(), strict=True))
    at = to_micros(datetime.fromisoformat(AT))
    assert len(diff.quotes) == 0
    assert times == {Market.H2H: at + 4_000_000, Market.TOTALS: at}


@pytest.mark.parametrize(
    ("market_at", "book_at", "expected"),
    [(AT, "2026-03-01T11:00:00Z", AT), (None, AT, AT), (AT, None, AT), (None, None, None)],
)
def test_the_time_of_the_market_takes_precedence_over_the_book(
    feed: DiffHarness, market_at: str | None, book_at: str | None, expected: str | None
) -> None:
    diff = feed.take(payload(event(book("a", h2h(at=market_at), at=book_at))))
    time = to_micros(datetime.fromisoformat(expected)) if expected else UNKNOWN_TIME
    assert diff.times.confirmed_at.tolist() == [time]
    assert diff.quotes.book_time.tolist() == [time, time]


def test_unix_times_are_the_same_times(feed: DiffHarness) -> None:
    at = int(datetime.fromisoformat(AT).timestamp())
    iso = feed.take(payload(event(book("a", h2h()))))
    unix = feed.take(payload(event(book("a", h2h(at=at), at=at), commence_time=1772409600)))
    assert unix.times.confirmed_at.tolist() == iso.times.confirmed_at.tolist()
    assert unix.starts.commence_at.tolist() == iso.starts.commence_at.tolist() == [1772409600 * 1_000_000]


def test_american_prices_convert_exactly() -> None:
    feed = DiffHarness(PriceFormat.AMERICAN)
    prices = [row[4] for row in feed.changes(payload(event(book("a", h2h(-110, 150)))))]
    assert sorted(prices) == [1 - 100 / -110, 1 + 150 / 100]


def test_three_way_and_two_way_books_have_different_markets(feed: DiffHarness) -> None:
    changes = feed.changes(payload(event(book("two", h2h()), book("three", h2h(2.4, 2.6, 4.0)))))
    assert {(b, m) for b, m, *_ in changes} == {("two", "h2h"), ("three", "h2h_3_way")}
    assert ("three", "h2h_3_way", "draw", None, 4.0) in changes
    now_two = feed.changes(payload(event(book("two", h2h()), book("three", h2h(2.4, 2.6)))))
    assert now_two == {("three", "h2h_3_way", o, None, None) for o in ("home", "away", "draw")} | {
        ("three", "h2h", "home", None, 2.4),
        ("three", "h2h", "away", None, 2.6),
    }


def test_lay_prices_are_separate_markets(feed: DiffHarness) -> None:
    lays = h2h(key="h2h_lay"), h2h(draw=4.0, key="h2h_lay")
    changes = feed.changes(payload(event(book("x", h2h(), lays[0]), book("y", lays[1]))))
    assert {(b, m) for b, m, *_ in changes} == {("x", "h2h"), ("x", "h2h_lay"), ("y", "h2h_3_way_lay")}


def test_other_markets_get_dynamic_ids_and_keep_every_point(feed: DiffHarness) -> None:
    points = market("player_points", *(outcome("Over", 1.9, p, "Nick Suzuki") for p in (0.5, 1.5)))
    alternate = market("alternate_spreads", outcome(HOME, 1.5, 2.5), outcome(HOME, 2.5, -2.5))
    assert feed.changes(payload(event(book("a", points, alternate)))) == {
        ("a", "player_points", ("Over", "Nick Suzuki"), 0.5, 1.9),
        ("a", "player_points", ("Over", "Nick Suzuki"), 1.5, 1.9),
        ("a", "alternate_spreads", "home", 2.5, 1.5),
        ("a", "alternate_spreads", "home", -2.5, 2.5),
    }


def test_outrights_have_no_teams(feed: DiffHarness) -> None:
    winner = market("outrights", outcome("Montréal Canadiens", 10), outcome("Boston Bruins", 6.5))
    changes = feed.changes(payload(event(book("a", winner), home_team=None, away_team=None)))
    assert changes == {
        ("a", "outrights", ("Montréal Canadiens", None), None, 10.0),
        ("a", "outrights", ("Boston Bruins", None), None, 6.5),
    }


def test_minus_zero_is_zero(feed: DiffHarness) -> None:
    feed.take(payload(event(book("a", spreads(0.0)))))
    diff = feed.take(payload(event(book("a", market("spreads", outcome(HOME, 1.8, 0), outcome(AWAY, 2.1, 0.0))))))
    assert len(diff.quotes) == 0
    both = market("spreads", outcome(HOME, 1.8, 0.0), outcome(HOME, 1.8, -0.0))
    assert feed.take(payload(event(book("a", both)))).rejected == {"duplicate_quote": 1}


def test_swapped_teams_keep_their_prices_as_the_event_keeps_its_home_team(feed: DiffHarness) -> None:
    """See also `test_sides`."""
    feed.take(payload(event(book("a", h2h(1.5, 3.0)))))
    swapped = feed.take(payload(event(book("a", h2h(1.5, 3.0)), home_team=AWAY, away_team=HOME)))
    assert (feed.rows(swapped), swapped.rejected) == (set(), {"sides_exchanged": 1})


def test_a_moved_start_is_reported(feed: DiffHarness) -> None:
    feed.take(payload(event(book("a", h2h()))))
    diff = feed.take(payload(event(book("a", h2h()), commence_time="2026-03-02T00:49:00Z")))
    moved = datetime(2026, 3, 2, 0, 49, tzinfo=UTC)
    assert diff.starts.commence_at.tolist() == [to_micros(moved)]
    assert feed.vocabulary.starts[1] == [moved - timedelta(minutes=49), moved]


def test_the_state_changes_only_on_commit(feed: DiffHarness) -> None:
    body = payload(event(book("a", h2h())))
    first, again = feed.differ.diff(body, NOW), feed.differ.diff(body, NOW)
    assert feed.rows(first) == feed.rows(again) != set()
    feed.differ.commit()
    assert len(feed.differ.diff(body, NOW).quotes) == 0


REJECTIONS = [
    ("price_not_above_one", h2h(home=1.0)),
    ("price_not_above_one", h2h(home=-3)),
    ("price_absurd", h2h(home=1.000001)),
    ("price_absurd", h2h(home=10_001)),
    ("unknown_outcome", market("h2h", outcome("Boston Bruins", 1.9), outcome(AWAY, 2.0))),
    ("unknown_outcome", market("h2h", outcome("Over", 1.9), outcome(AWAY, 2.0))),
    ("price_missing", market("h2h", {"name": HOME}, outcome(AWAY, 2.0))),
    ("price_missing", market("h2h", outcome(HOME, None), outcome(AWAY, 2.0))),
    ("price_missing", market("h2h", outcome(HOME, "EVEN"), outcome(AWAY, 2.0))),
    ("price_missing", market("h2h", outcome(HOME, [1.9]), outcome(AWAY, 2.0))),
    ("malformed_outcome", market("h2h", outcome(None, 1.9), outcome(AWAY, 2.0))),  # type: ignore[arg-type]
    ("malformed_point", market("h2h", outcome(HOME, 1.9, "pick"), outcome(AWAY, 2.0))),
    ("malformed_outcome", market("h2h", None, outcome(AWAY, 2.0))),
    ("duplicate_quote", market("h2h", outcome(AWAY, 2.0), outcome(AWAY, 2.1))),
    ("point_not_finite", market("h2h", outcome(HOME, 1.9, 1e300), outcome(AWAY, 2.0))),
]


@pytest.mark.parametrize(("reason", "invalid"), REJECTIONS)
def test_an_invalid_outcome_is_counted_at_every_poll_and_the_rest_is_kept(
    feed: DiffHarness, reason: str, invalid: Any
) -> None:
    body = payload(event(book("a", invalid, totals()), book("b", h2h())))
    first, again = feed.take(body), feed.take(body)
    assert first.rejected == again.rejected == {reason: 1}
    assert first.quotes_seen == again.quotes_seen == 5
    assert ("a", "h2h", "away", None, 2.0) in feed.rows(first)


@pytest.mark.parametrize(
    ("reason", "markets"),
    [
        ("malformed_market", [{"key": "h2h"}, totals()]),
        ("malformed_market", [{"key": "h2h", "outcomes": {"home": 2}}, totals()]),
        ("text_too_long", [h2h(key="x" * 9_000), totals()]),
        ("text_empty", [h2h(key=" "), totals()]),
        ("malformed_market", ["h2h", totals()]),
        ("duplicate_market", [totals(), totals(6.5)]),
    ],
)
def test_an_invalid_market_is_counted_and_the_rest_is_kept(feed: DiffHarness, reason: str, markets: list[Any]) -> None:
    body = payload(event(book("a", *markets), book("b", totals())))
    first, again = feed.take(body), feed.take(body)
    assert first.rejected == again.rejected == {reason: 1}
    assert first.quotes_seen == again.quotes_seen == 4


@pytest.mark.parametrize(
    ("reason", "invalid"),
    [
        ("malformed_book", {"title": "no key", "markets": []}),
        ("malformed_book", {"key": "a", "markets": 3}),
        ("malformed_book", 7),
        ("duplicate_book", book("b", totals())),
        ("duplicate_book", book("b", h2h())),
    ],
)
def test_an_invalid_book_is_counted_and_the_rest_is_kept(feed: DiffHarness, reason: str, invalid: Any) -> None:
    body = payload(event(book("b", totals()), invalid))
    first, again = feed.take(body), feed.take(body)
    assert first.rejected == again.rejected == {reason: 1}
    assert first.quotes_seen == again.quotes_seen == 2


@pytest.mark.parametrize(
    ("reason", "invalid"),
    [
        ("malformed_event", {"id": "x"}),
        ("malformed_event", "event"),
        ("malformed_event", event(number=2, commence_time="soon")),
        ("malformed_event", event(number=2, bookmakers=7)),
        ("malformed_event", event(number=2, commence_time="0001-01-01T00:00:00Z")),
        ("text_too_long", event(number=2, id="x" * 9_000)),
        ("same_team_twice", event(book("a", h2h()), number=2, home_team=AWAY + " ")),
        ("other_sport", event(book("a", h2h()), number=2, sport_key="soccer_epl")),
        ("duplicate_event", event(book("a", h2h()))),
    ],
)
def test_an_invalid_event_is_counted_and_the_rest_is_kept(feed: DiffHarness, reason: str, invalid: Any) -> None:
    diff = feed.take(payload(event(book("b", totals())), invalid, event(book("b", totals()), number=3)))
    assert diff.rejected == {reason: 1}
    assert (diff.events, diff.quotes_seen) == (2, 4)


@pytest.mark.parametrize("sent", [outcome("x" * 9_000, 1.9), outcome("Over", 1.9, 1.5, "x" * 9_000)])
def test_an_overlong_name_is_counted(feed: DiffHarness, sent: Any) -> None:
    diff = feed.take(payload(event(book("a", market("player_points", sent, outcome("Over", 1.9, 1.5, "Me"))))))
    assert (diff.quotes_seen, diff.rejected) == (1, {"text_too_long": 1})


@pytest.mark.parametrize("books", [{"bookmakers": None}, {"bookmakers": []}, {}])
def test_an_event_may_have_no_books(feed: DiffHarness, books: dict[str, Any]) -> None:
    bare = {name: value for name, value in event(number=2).items() if name != "bookmakers"} | books
    diff = feed.take(payload(event(book("a", h2h())), bare))
    assert (diff.events, diff.quotes_seen, diff.rejected) == (2, 2, {})


def test_numbers_may_be_text_and_ids_numbers(feed: DiffHarness) -> None:
    sent = market("spreads", outcome(HOME, "1.80", "+1.5"), outcome(AWAY, " 2.1 ", "\u22121.5"))
    diff = feed.take(payload(event(book("a", sent), id=7, home_team=HOME)))
    assert diff.rejected == {}
    assert {row[2:] for row in feed.rows(diff)} == {("home", 1.5, 1.8), ("away", -1.5, 2.1)}


@pytest.mark.parametrize("number", [b"1e999", b"9" * 5_001, b"NaN", b"Infinity", b"-Infinity"])
def test_non_finite_numbers_affect_only_their_outcome(feed: DiffHarness, number: bytes) -> None:
    body = payload(event(book("a", h2h(1.5, 2.5), totals()), book("b", h2h())))
    diff = feed.take(body.replace(b"1.5", number, 1))
    assert (diff.quotes_seen, diff.rejected) == (5, {"price_missing": 1})


@pytest.mark.parametrize("where", ["title", "key", "sport_title"])
def test_a_lone_surrogate_is_dropped(feed: DiffHarness, where: str) -> None:
    body = payload(
        event(book("ab", h2h(), at=None) | {"title": "Ab"}, sport_title="xb"), event(book("c", h2h()), number=2)
    )
    replacements = {
        "title": (b'"Ab"', b'"A\\ud83d"'),
        "key": (b'"ab"', b'"a\\ud83d"'),
        "sport_title": (b'"xb"', b'"x\\udfff"'),
    }
    diff = feed.take(body.replace(*replacements[where]))
    assert (diff.quotes_seen, diff.rejected) == (4, {})


@pytest.mark.parametrize(
    "at", ["yesterday", 10**18, 1772366400000, "0001-01-01T00:00:00+02:00", 0, "9999-12-31T23:59:59-05:00"]
)
def test_an_invalid_time_leaves_the_price_without_a_time(feed: DiffHarness, at: Any) -> None:
    diff = feed.take(payload(event(book("a", h2h(at=at), totals()))))
    assert (diff.quotes_seen, diff.rejected) == (4, {"malformed_time": 1})
    assert sorted(diff.times.confirmed_at.tolist())[0] == UNKNOWN_TIME


def test_a_time_without_a_zone_is_utc(feed: DiffHarness) -> None:
    diff = feed.take(payload(event(book("a", h2h(at=AT.removesuffix("Z"))))))
    assert diff.times.confirmed_at.tolist() == [to_micros(datetime.fromisoformat(AT))]


def test_a_future_time_becomes_the_time_it_was_first_seen(feed: DiffHarness) -> None:
    ahead = "2026-03-01T16:00:00Z"
    first = feed.take(payload(event(book("a", h2h(at=ahead), totals()))))
    assert (first.times.confirmed_at.max(), first.rejected) == (to_micros(NOW), {"time_ahead": 1})
    later = NOW + timedelta(minutes=10)
    again = feed.differ.diff(payload(event(book("a", h2h(at=ahead), totals(6.5)))), later)
    assert (again.times.confirmed_at.max(), again.rejected) == (to_micros(NOW), {"time_ahead": 1})


def test_teams_match_in_any_spelling(feed: DiffHarness) -> None:
    names = [HOME.upper(), unicodedata.normalize("NFD", HOME), HOME + " ", HOME.replace(" ", "\u00a0"), HOME + "\u0000"]
    books = [book(str(n), market("h2h", outcome(AWAY, 2.0), outcome(name, 1.9))) for n, name in enumerate(names)]
    diff = feed.take(payload(event(*books)))
    assert diff.rejected == {}
    assert {row[2:] for row in feed.rows(diff)} == {("home", None, 1.9), ("away", None, 2.0)}


@pytest.mark.parametrize("draw", [outcome("Draw", None), outcome("draw ", 4.0), {"name": "Draw"}])
def test_a_listed_draw_makes_a_three_way_market_even_without_a_price(feed: DiffHarness, draw: Any) -> None:
    rows = feed.changes(payload(event(book("a", market("h2h", outcome(HOME, 2.4), outcome(AWAY, 2.6), draw)))))
    assert {row[1] for row in rows} == {"h2h_3_way"}


def test_soccer_is_three_way_even_without_a_draw_on_offer() -> None:
    feed = DiffHarness(sport="soccer_epl")
    rows = feed.changes(payload(event(book("a", h2h(2.4, 2.6)), sport_key="soccer_epl")))
    assert {row[1] for row in rows} == {"h2h_3_way"}


def test_handicaps_that_are_not_opposite_are_counted(feed: DiffHarness) -> None:
    unpaired = market("spreads", outcome(HOME, 1.9, -1.5), outcome(AWAY, 1.9, -1.5))
    without_point = market("spreads", outcome(HOME, 1.9), outcome(AWAY, 1.9))
    diff = feed.take(payload(event(book("a", unpaired), book("b", spreads()), book("c", without_point))))
    assert (diff.quotes_seen, diff.rejected) == (2, {"points_not_opposite": 2, "point_missing": 2})


def test_uncovered_quotes_are_not_withdrawn(feed: DiffHarness) -> None:
    def take(books: list[Any], *markets: Market) -> set[Row]:
        diff = feed.differ.diff(payload(event(*books)), NOW, lambda _, __: lambda e, b, m: m in markets)
        feed.differ.commit()
        return feed.rows(diff)

    take([book("a", h2h(), totals()), book("b", totals())], Market.H2H, Market.TOTALS)
    assert take([book("a", h2h(1.95))], Market.H2H) == {("a", "h2h", "home", None, 1.95)}
    gone = {("b", "totals", side, 5.5, None) for side in ("over", "under")}
    moved = take([book("a", totals(over=2.05))], Market.TOTALS)
    assert moved == gone | {("a", "totals", "over", 5.5, 2.05)}
    assert take([], Market.H2H) == {("a", "h2h", side, None, None) for side in ("home", "away")}


def test_a_price_that_becomes_unusable_is_withdrawn(feed: DiffHarness) -> None:
    feed.take(payload(event(book("a", h2h()))))
    assert feed.changes(payload(event(book("a", h2h(home=1.0))))) == {("a", "h2h", "home", None, None)}


@pytest.mark.parametrize(
    ("price", "reason"),
    [
        (-2147483648, "price_absurd"),
        (1_000_000, "price_absurd"),
        (-1_000_000, "price_absurd"),
        (0, "price_not_american"),
        (99, "price_not_american"),
        (-99, "price_not_american"),
    ],
)
def test_invalid_american_prices_are_rejected(price: int, reason: str) -> None:
    diff = DiffHarness(PriceFormat.AMERICAN).take(payload(event(book("a", h2h(price, 150)))))
    assert (diff.quotes_seen, diff.rejected) == (1, {reason: 1})


@pytest.mark.parametrize(("price", "decimal"), [(100, 2.0), (-100, 2.0), (-20_000, 1.005), (250_000, 2501.0)])
def test_extreme_american_prices_are_valid(price: int, decimal: float) -> None:
    assert ("a", "h2h", "home", None, decimal) in DiffHarness(PriceFormat.AMERICAN).changes(
        payload(event(book("a", h2h(price, 150))))
    )


def test_decimal_prices_may_be_integers(feed: DiffHarness) -> None:
    body = payload(event(book("a", h2h(home=2, away=1.95))))
    assert b'"price":2}' in body
    assert {row[4] for row in feed.changes(body)} == {2.0, 1.95}


@pytest.mark.parametrize(
    ("body", "error"),
    [
        (payload(event())[:-40], InvalidJsonError),
        (b"<html>", InvalidJsonError),
        (b"", InvalidJsonError),
        (b'{"message": "x"}', MalformedBodyError),
        (b'{"success": true, "data": [{"sites": []}]}', UnsupportedVersionError),
    ],
)
def test_a_body_that_is_not_a_list_of_events_changes_nothing(
    feed: DiffHarness, body: bytes, error: type[Exception]
) -> None:
    whole = payload(event(book("a", h2h())))
    feed.take(whole)
    with pytest.raises(error):
        feed.differ.diff(body, NOW)
    assert feed.changes(whole) == set()


def test_invalid_utf8_affects_only_one_event(feed: DiffHarness) -> None:
    body = payload(event(book("a", h2h()), number=2, sport_title="invalid"), event(book("b", totals())))
    diff = feed.take(body.replace(b"000000002", b"00000000\xff"))
    assert (diff.events, diff.quotes_seen, diff.rejected) == (1, 2, {"malformed_event": 1})


def test_damaged_bodies_raise_only_the_feeds_errors(feed: DiffHarness) -> None:
    whole = payload(event(book("a", h2h(), spreads(), totals())), event(book("c", h2h(2.4, 2.6, 4)), number=2))
    dice = random.Random(7)
    for _ in range(3000):
        body = bytearray(whole)
        at = dice.randrange(len(body))
        junk = [b"", b"null", b'"', b"1e999", b"\\ud800", b"[", b"\xff", dice.randbytes(2)]
        body[at : at + dice.randrange(9)] = dice.choice(junk)
        with suppress(OddsApiError):
            feed.take(bytes(body))


def accumulate(batches: list[QuoteBatch]) -> dict[Row, float]:
    """What a database would have on offer: the last price of each key unless withdrawn."""
    last: dict[Row, float] = {}
    for batch in batches:
        for *key, price, _ in zip(*(c.tolist() for c in batch.columns()), strict=True):
            last[tuple(none(k) for k in key)] = price
    return {key: price for key, price in last.items() if not np.isnan(price)}


def as_batch(quotes: dict[Row, float]) -> QuoteBatch:
    return QuoteBatch.from_rows(
        (*key[:4], np.nan if key[4] is None else key[4], p, UNKNOWN_TIME) for key, p in quotes.items()
    )


def test_changes_accumulate_to_the_last_payload_and_restarts_change_nothing() -> None:
    stream = payloads.PayloadStream(events=4, books=6, changes=20, seed=3)
    vanish = random.Random(5)
    feed = DiffHarness(sport=payloads.SPORT)
    batches: list[QuoteBatch] = []
    for _ in range(25):
        events = msgspec.json.decode(stream.step())
        for listed in events:
            listed["bookmakers"] = [b for b in listed["bookmakers"] if vanish.random() > 0.1]
        body = msgspec.json.encode([e for e in events if vanish.random() > 0.1])
        before = accumulate(batches)
        batches.append(feed.take(body).quotes)
        fresh = DiffHarness(sport=payloads.SPORT)
        fresh.vocabulary = feed.vocabulary
        fresh.restart()
        assert accumulate(batches) == accumulate([fresh.take(body).quotes])
        fresh.restart(as_batch(before))
        assert fresh.changes(body) == feed.rows_of(batches[-1])


def test_points_survive_the_databases_single_precision(feed: DiffHarness) -> None:
    body = payload(event(book("a", totals(220.1))))
    stored = feed.take(body).quotes
    feed.restart(stored)
    assert feed.changes(body) == set()


@pytest.mark.untraced
def test_the_recorded_week_has_known_counts(odds_data: Path) -> None:
    feed = DiffHarness(PriceFormat.AMERICAN, "americanfootball_nfl")
    bodies: dict[str, bytes] = {}
    with tarfile.open(odds_data / "nfl_week_2025-11.tar.xz") as tar:
        for member in tar:
            if file := tar.extractfile(member):
                bodies[member.name] = file.read()
    sums: Counter[str] = Counter()
    events: set[int] = set()
    books: set[int] = set()
    for name in sorted(bodies):
        diff = feed.take(bodies[name])
        withdrawn = int(np.isnan(diff.quotes.price).sum())
        sums.update(seen=diff.quotes_seen, changed=len(diff.quotes) - withdrawn, withdrawn=withdrawn)
        sums.update(diff.rejected)
        events.update(diff.starts.event.tolist())
        books.update(diff.times.book.tolist())
    assert sums == {"seen": 580_188, "changed": 22_336, "withdrawn": 10_662}
    assert (len(bodies), len(events), len(books)) == (476, 31, 11)


@pytest.mark.parametrize(
    ("body", "seen", "rejected"),
    [
        (payload(*(event(number=i) for i in range(MAX_EVENTS_PER_PAYLOAD + 3))), 0, {"too_many_events": 3}),
        (
            payload(event(*(book(f"b{i}", h2h()) for i in range(MAX_BOOKS_PER_EVENT + 3)))),
            2 * MAX_BOOKS_PER_EVENT,
            {"too_many_books": 3},
        ),
        (
            payload(event(book("a", *(market(f"m{i}", outcome("x", 2.0)) for i in range(MAX_MARKETS_PER_BOOK + 3))))),
            MAX_MARKETS_PER_BOOK,
            {"too_many_markets": 3},
        ),
        (
            payload(
                event(book("a", market("m", *(outcome(f"o{i}", 2.0) for i in range(MAX_OUTCOMES_PER_MARKET + 3)))))
            ),
            MAX_OUTCOMES_PER_MARKET,
            {"too_many_outcomes": 3},
        ),
    ],
    ids=["events", "books", "markets", "outcomes"],
)
def test_parts_beyond_the_limits_are_dropped_and_counted(
    feed: DiffHarness, body: bytes, seen: int, rejected: dict[str, int]
) -> None:
    diff = feed.take(body)
    assert (diff.quotes_seen, diff.rejected) == (seen, rejected)


def test_an_unexpected_error_in_one_event_does_not_affect_the_others(
    feed: DiffHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Any kind of data error drops only its own event."""
    read = OfferReader.read_event

    def fail_on_first(self: OfferReader, number: int, *rest: Any) -> Any:
        if number == 1:
            raise OverflowError("unexpected")
        return read(self, number, *rest)

    monkeypatch.setattr(OfferReader, "read_event", fail_on_first)
    broken = event(book("a", h2h()))
    diff = feed.take(payload(broken, event(book("a", h2h()), number=2)))
    assert (diff.quotes_seen, diff.rejected) == (2, {"unreadable_event": 1})


def test_a_name_that_the_database_rejects_drops_only_its_part(
    feed: DiffHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    def reject(*_: Any) -> int:
        raise UnusableTextError("rejected_by_database")

    feed.take(payload(event(book("a", h2h()))))
    monkeypatch.setattr(feed.vocabulary, "event", reject)
    assert feed.take(payload(event(number=2))).rejected == {"rejected_by_database": 1}
    monkeypatch.undo()
    monkeypatch.setattr(feed.vocabulary, "book", reject)
    diff = feed.take(payload(event(book("b", h2h())), event(number=3)))
    assert (diff.events, diff.rejected) == (2, {"rejected_by_database": 1})


def test_the_limit_of_books_counts_unchanged_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "MAX_BOOKS_PER_PAYLOAD", 5)
    differ = PayloadDiffer(InMemoryIdResolver(), SPORT, 1)
    listed = [event(*(book(key, h2h()) for key in "abc"), id=number * 32) for number in "12"]
    for _ in range(2):
        diff = differ.diff(payload(*listed), NOW)
        differ.commit()
        assert (diff.quotes_seen, diff.rejected) == (10, {"too_many_books_in_response": 1})


def test_distinct_books_are_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "MAX_BOOK_KEYS_PER_PAYLOAD", 3)
    listed = [event(*(book(key, h2h()) for key in keys), id=n * 32) for n, keys in (("1", "ab"), ("2", "acd"))]
    diff = PayloadDiffer(InMemoryIdResolver(), SPORT, 1).diff(payload(*listed), NOW)
    assert (diff.quotes_seen, diff.rejected) == (8, {"too_many_book_keys": 1})
