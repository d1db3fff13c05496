"""A price history agrees at every time with the point-in-time reader."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy.optimize import brentq

from edge_assets.charts.line import BookSeries, PriceHistory, load_price_history
from edge_assets.charts.selection import ChartRequest, NothingToShowError, selection_label
from edge_assets.store.analytics.line_history import find_events
from edge_assets.store.polls.as_of import load_quotes_as_of
from ml.quotes import Market, Outcome, QuoteBatch
from tests.support.poll_factories import NAN, NOON, START, StoreHarness

if TYPE_CHECKING:
    from datetime import datetime

    from psycopg import Connection

HOUR = timedelta(hours=1)
TICKS = st.lists(
    st.tuples(
        st.integers(1, 200),
        st.integers(0, 2),
        st.sampled_from([Outcome.HOME, Outcome.AWAY]),
        st.sampled_from([1.5, 1.9, 2.0, 2.75, NAN]),
    ),
    min_size=1,
    max_size=25,
)


def write(harness: StoreHarness, at: datetime, *quotes: Any) -> None:
    harness.write(at, QuoteBatch.from_rows(quotes))


def line(harness: StoreHarness, event: int = 0, **request: Any) -> PriceHistory:
    [found] = find_events(harness.conn, str(harness.events[event]))
    return load_price_history(harness.conn, found, ChartRequest(**request), {})


def at(series: BookSeries, time: datetime) -> float:
    """The value of a series at a time."""
    index = int(np.searchsorted(series.at, np.datetime64(time.replace(tzinfo=None), "us"), "right")) - 1
    return float(series.value[index]) if index >= 0 else NAN


@given(ticks=TICKS, poll_list=st.lists(st.integers(0, 250), min_size=1, max_size=5))
@settings(max_examples=15, suppress_health_check=list(HealthCheck))
def test_every_value_equals_the_point_in_time_reader(
    harness: StoreHarness, ticks: list[tuple[int, int, Outcome, float]], poll_list: list[int]
) -> None:
    forget(harness.conn)
    for minute in sorted({t[0] for t in ticks}):
        quotes = {(b, o): harness.quote(p, book=b, outcome=o) for m, b, o, p in ticks if m == minute}
        write(harness, NOON + timedelta(minutes=minute), *quotes.values())
    for outcome in (Outcome.HOME, Outcome.AWAY):
        if not any(o == outcome and p > 1 for _, _, o, p in ticks):
            continue
        shown = {s.book: s for s in line(harness, outcome=outcome.key).series}
        for moment in (NOON + timedelta(minutes=m) for m in poll_list):
            found = load_quotes_as_of(harness.conn, harness.events[0], moment).quotes
            stood = {b: p for b, o, p in zip(found.book, found.outcome, found.price, strict=True) if o == outcome}
            for book, key in zip(harness.books, ("pinnacle", "fanduel", "betmgm"), strict=True):
                value = at(shown[key], moment) if key in shown else NAN
                assert value == stood.get(book) or (np.isnan(value) and book not in stood)


def test_fair_probabilities_use_the_power_method_on_each_books_own_line(harness: StoreHarness) -> None:
    spread = {"market": Market.SPREADS}
    write(harness, NOON, harness.quote(1.8, point=-3.5, **spread))
    write(harness, NOON + HOUR, harness.quote(2.1, point=3.5, outcome=Outcome.AWAY, **spread))
    write(harness, NOON + 2 * HOUR, harness.quote(1.9, point=-3.5, **spread), harness.quote(5.0, point=3.0, **spread))
    [series] = line(harness, market="spreads", point=-3.5, fair=True).series
    for moment, home, away in ((NOON + HOUR, 1.8, 2.1), (NOON + 2 * HOUR, 1.9, 2.1)):
        power = brentq(lambda k, h=home, a=away: h**-k + a**-k - 1, 0.5, 2)
        assert at(series, moment) == pytest.approx(home**-power)
    assert np.isnan(at(series, NOON))  # the other side was not quoted yet


def test_the_history_starts_with_the_price_at_since_and_withdrawals_are_gaps(harness: StoreHarness) -> None:
    write(harness, NOON, harness.quote(2.0), harness.quote(3.0, book=1))
    write(harness, NOON + 2 * HOUR, harness.quote(2.2), harness.quote(NAN, book=1))
    write(harness, NOON + 4 * HOUR, harness.quote(NAN))
    since = NOON + HOUR
    shown = line(harness, since=since)
    by_book = {s.book: s for s in shown.series}
    assert by_book["pinnacle"].at[0] == np.datetime64(since.replace(tzinfo=None), "us")
    assert [at(by_book["pinnacle"], since + h * HOUR) for h in (0, 1)] == [2.0, 2.2]
    assert by_book["pinnacle"].summarize()[:3] == (2.0, 2.0, 2.2)
    assert by_book["pinnacle"].summarize().changes == 2
    assert np.isnan(by_book["pinnacle"].summarize().last)
    later = line(harness, since=NOON + 3 * HOUR)
    assert [s.book for s in later.series] == ["pinnacle"]


def test_a_history_ends_with_the_last_poll_before_the_start_unless_in_play(harness: StoreHarness) -> None:
    write(harness, NOON, harness.quote(2.0))
    harness.write(NOON + 3 * HOUR, QuoteBatch.empty())
    write(harness, START + HOUR, harness.quote(9.0))
    before, after = line(harness), line(harness, in_play=True)
    assert before.ends_at == NOON + 3 * HOUR
    assert before.series[0].value.tolist() == [2.0]
    assert before.start_marks() == {}  # a day after the last price: a mark would squeeze three hours into a corner
    assert after.ends_at == START + HOUR
    assert after.series[0].value.tolist() == [2.0, 9.0]
    assert list(after.start_marks()) == ["start"]
    with pytest.raises(NothingToShowError, match="the line ends at 2025-11-10 15:00"):
        line(harness, since=NOON + 3 * HOUR)


def test_moved_starts_and_assumed_times_are_noted(harness: StoreHarness) -> None:
    write(harness, NOON, harness.quote(2.0))
    write(harness, START - HOUR, harness.quote(2.1))
    assert "assumed" not in " ".join(line(harness).notes)
    harness.conn.execute("UPDATE events SET commence_at = commence_at + interval '3 hours'")
    harness.conn.execute("UPDATE polls SET time_assumed = true")
    moved = line(harness)
    assert list(moved.start_marks()) == ["start", "first announced"]
    assert "originally 2025-11-11 18:00" in moved.notes
    assert any("price times assumed" in note for note in moved.notes)
    assert moved.as_json()["time_assumed"] is True


def test_books_are_ordered_by_weight_and_unknown_ones_refused(harness: StoreHarness) -> None:
    write(harness, NOON, *(harness.quote(2.0, book=b) for b in range(3)))
    [event] = find_events(harness.conn, "e1")
    shown = load_price_history(harness.conn, event, ChartRequest(), {"betmgm": 9.0, "fanduel": 0.0})
    assert [s.book for s in shown.series] == ["betmgm", "pinnacle", "fanduel"]
    assert [s.book for s in line(harness, books=("fanduel",)).series] == ["fanduel"]
    with pytest.raises(NothingToShowError, match="no such price of circa") as refused:
        line(harness, books=("circa",))
    assert refused.value.remedy == "--book is one of betmgm, fanduel, pinnacle"


def test_events_are_found_by_id_by_any_sources_key_and_by_words(harness: StoreHarness) -> None:
    harness.conn.execute("INSERT INTO event_sources VALUES (%s, 'espn', '401772810')", [harness.events[1]])
    ids = {
        text: [e.id for e in find_events(harness.conn, text)] for text in ("e1", "401772810", str(harness.events[0]))
    }
    assert ids == {
        "e1": [harness.events[0]],
        "401772810": [harness.events[1]],
        str(harness.events[0]): [harness.events[0]],
    }
    for text in ("seahawks", "RAMS @ Seattle", "Seattle Seahawks vs Rams"):
        assert {e.id for e in find_events(harness.conn, text)} == set(harness.events)
    for text in ("seahawks 49ers", "%", "_", "vs", " "):
        assert find_events(harness.conn, text) == []


def test_defaults_are_chosen_and_the_alternatives_listed(harness: StoreHarness) -> None:
    totals = {"market": Market.TOTALS, "outcome": Outcome.OVER}
    write(
        harness,
        NOON,
        harness.quote(2.0),
        harness.quote(2.0, outcome=Outcome.AWAY),
        *(harness.quote(1.9, book=b, point=44.5, **totals) for b in range(3)),
        harness.quote(1.9, point=45, **totals),
    )
    result, over = line(harness), line(harness, market="totals")
    assert result.title == "Seattle Seahawks v Rams: Seattle Seahawks"
    assert result.other_options() == "--market totals; --outcome away"
    assert over.title == "Seattle Seahawks v Rams: Over 44.5"
    assert over.other_options() == "--market h2h; --point 45"
    assert line(harness, outcome="rams").selection.outcome == "away"
    for wish, remedy in (
        ({"market": "spreads"}, "--market is one of h2h, totals"),
        ({"outcome": "draw"}, "--outcome is one of Seattle Seahawks, Rams"),
        ({"market": "totals", "point": 40.0}, "--point is one of 44.5, 45"),
        ({"market": "totals", "fair": True}, "or leave out --fair"),
    ):
        with pytest.raises(NothingToShowError) as refused:
            line(harness, **wish)
        assert remedy in refused.value.remedy
    with pytest.raises(NothingToShowError, match="no price of Seattle Seahawks v Rams before its start"):
        line(harness, event=1)


def test_points_of_spreads_have_a_sign(harness: StoreHarness) -> None:
    write(harness, NOON, harness.quote(1.9, market=Market.SPREADS, point=3.5, outcome=Outcome.AWAY))
    shown = line(harness)
    assert selection_label(shown.event, shown.selection) == "Rams +3.5"


def forget(conn: Connection) -> None:
    """Remove all ticks before the next example of a property."""
    conn.execute("DELETE FROM odds_ticks")
    conn.execute("DELETE FROM polls")
