"""Every fault is visible in the payloads while it is active."""

from __future__ import annotations

from datetime import datetime
from math import log
from typing import TYPE_CHECKING

import pytest

from edge_assets.sandbox.simulator.books import BOOKS
from edge_assets.sandbox.simulator.faults import SOFT_BOOKS, FaultKind
from tests.support.simulated_markets import KEYS, NOON, faults, on_the_wire, quotes_at, quotes_without_faults, utc_time

if TYPE_CHECKING:
    from edge_assets.feeds.recordings.wire import RawBookmaker
    from edge_assets.sandbox.simulator.market import SimulatedMarket


def middle(begins: int, ends: int) -> int:
    return (begins + ends) // 2


@pytest.mark.parametrize("kind", ["stale", "suspended", "palpable_error", "swapped", "promotion", "mispriced"])
def test_faults_affect_soft_books_before_the_start(kind: FaultKind) -> None:
    found = faults(kind)
    assert len(found) > 20
    for event, fault in found:
        assert fault.book in SOFT_BOOKS
        assert event.listed_at <= fault.begins < event.start


def test_prices_and_confirmations_of_a_stale_book_are_frozen(simulator: SimulatedMarket) -> None:
    for event, fault in faults("stale")[:10]:
        early, late = (on_the_wire(simulator, event, fault.book, at) for at in (fault.begins + 40, fault.ends - 1))
        after = on_the_wire(simulator, event, fault.book, fault.ends + 31)
        assert early == late is not None
        assert update_time(late) <= fault.begins
        assert update_time(after) >= fault.ends


def update_time(book: RawBookmaker | None) -> float:
    assert book is not None
    return datetime.fromisoformat(str(book.last_update)).timestamp()


def test_suspended_markets_are_not_on_offer(simulator: SimulatedMarket) -> None:
    long = [(e, f) for e, f in faults("suspended") if f.ends - f.begins > 45 and f.ends + 60 < e.start]
    assert {f.market for _, f in long} == {None, "h2h", "spreads", "totals"}
    for event, fault in long[:25]:
        book = on_the_wire(simulator, event, fault.book, fault.ends - 1)
        back = on_the_wire(simulator, event, fault.book, fault.ends + BOOKS[fault.book].scrape_seconds)
        assert back is not None
        if fault.market is None:
            assert book is None
        else:
            assert book is not None
            assert {m.key for m in back.markets} - {m.key for m in book.markets} == {fault.market}


@pytest.mark.parametrize("kind", ["palpable_error", "promotion"])
def test_an_error_raises_one_price(kind: FaultKind) -> None:
    for event, fault in faults(kind):
        at = middle(fault.begins, fault.ends)
        wrong, right = quotes_at(event, fault.book, at), quotes_without_faults(event, fault.book, at)
        outcome = ("home", "away")[fault.outcome]
        assert [key for key in right if wrong[key] != right[key]] == [("h2h", outcome)]
        expected = min(right["h2h", outcome].price * fault.size, 101.0)
        assert wrong["h2h", outcome].price == pytest.approx(expected, abs=0.006)
        assert (fault.size >= 1.8) == (kind == "palpable_error")


def test_swapped_prices_reverse_a_clear_favourite() -> None:
    for event, fault in faults("swapped"):
        at = middle(fault.begins, fault.ends)
        wrong, right = quotes_at(event, fault.book, at), quotes_without_faults(event, fault.book, at)
        home, away = right["h2h", "home"].price, right["h2h", "away"].price
        assert (wrong["h2h", "home"].price, wrong["h2h", "away"].price) == (away, home)
        assert max(home, away) / min(home, away) > 1.4


def test_a_mispriced_market_is_off_by_the_size_of_the_fault() -> None:
    for event, fault in faults("mispriced", events=20):
        at = middle(fault.begins, fault.ends)
        wrong, right = quotes_at(event, fault.book, at), quotes_without_faults(event, fault.book, at)
        assert {market for market, outcome in right if wrong[market, outcome] != right[market, outcome]} == {
            fault.market
        }
        first, second = ("over", "under") if fault.market == "totals" else ("home", "away")
        ratio = [log(q[str(fault.market), second].price / q[str(fault.market), first].price) for q in (wrong, right)]
        assert ratio[0] - ratio[1] == pytest.approx(fault.size, abs=0.2)


def test_mispricings_create_true_value(simulator: SimulatedMarket) -> None:
    """Most mispricings have a positive true EV."""
    best = []
    for event, fault in faults("mispriced", events=20):
        at = middle(fault.begins, fault.ends)
        quotes = [q for (market, _), q in quotes_at(event, fault.book, at).items() if market == fault.market]
        key = "h2h_3_way" if len(quotes) == 3 else str(fault.market)
        chances = [(q, simulator.true_probabilities(event, key, q.outcome, q.point, utc_time(at))) for q in quotes]
        best.append(max(chance.win * q.price + chance.push - 1 for q, chance in chances))
    assert sum(value > 0.05 for value in best) / len(best) > 0.8


def test_active_faults_are_listed(simulator: SimulatedMarket) -> None:
    wrong = [(event, fault) for key in KEYS for event, fault in simulator.active_faults(key, NOON)]
    assert wrong
    assert all(fault in event.faults and fault.is_active(NOON.timestamp()) for event, fault in wrong)
