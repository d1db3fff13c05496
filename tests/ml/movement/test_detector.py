from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from ml.movement import BookStatus, Movement, MovementDetector, MovementKind, MovementRules
from ml.quotes import Market, QuoteBatch
from tests.support.known_movements import SECOND, Held, Stream

if TYPE_CHECKING:
    from collections.abc import Iterable


def kinds(movements: Iterable[Movement]) -> list[str]:
    return [m.kind.value for m in movements]


def watch_stream(stream: Stream, clone_of: dict[int, int] | None = None) -> MovementDetector:
    watch = MovementDetector(clone_of=clone_of)
    for _ in range(3):
        assert watch.apply_poll(stream.poll()) == []
    return watch


def test_steam_is_reported_once_with_its_movers_in_order_and_its_laggards() -> None:
    stream = Stream()
    watch = watch_stream(stream)
    reported = []
    for book in (3, 1, 4, 2, 5, 6):
        stream.move(book, 0.2)
        reported.append(watch.apply_poll(stream.poll(10)))
    steams = [m for step in reported for m in step if m.kind is MovementKind.STEAM]
    assert [kinds(step).count("steam") for step in reported] == [0, 0, 0, 1, 0, 0]
    assert (steams[0].movers, steams[0].waiting) == ((3, 1, 4, 2), (5, 6, 7, 8))
    assert (steams[0].event, steams[0].market, steams[0].direction) == (1, Market.H2H, 1)
    assert steams[0].size == pytest.approx(0.2)


def test_a_clone_is_not_an_independent_book() -> None:
    stream = Stream()
    watch = watch_stream(stream, clone_of={2: 1, 3: 1})
    for book in (1, 2, 3, 4):
        stream.move(book, -0.2)
    assert kinds(watch.apply_poll(stream.poll())) == []
    stream.move(5, -0.2)
    stream.move(6, -0.2)
    (steam,) = (m for m in watch.apply_poll(stream.poll()) if m.kind is MovementKind.STEAM)
    assert steam.direction == -1
    assert steam.movers == (1, 2, 3, 4, 5, 6)


@pytest.mark.parametrize(
    ("moves", "gap"),
    [
        ({1: 0.2, 2: 0.2, 3: -0.2, 4: -0.2, 5: 0.2, 6: 0.2}, 10),  # no agreement
        ({1: 0.2, 2: 0.2, 3: 0.2, 4: 0.2}, 45),  # not in one window
        (dict.fromkeys(range(1, 9), 0.03), 10),  # rounding
        ({1: 1.5}, 10),  # one book's misprint
    ],
)
def test_moves_that_are_not_steam(moves: dict[int, float], gap: float) -> None:
    stream = Stream()
    watch = watch_stream(stream)
    for book, by in moves.items():
        stream.move(book, by)
        assert "steam" not in kinds(watch.apply_poll(stream.poll(gap)))


def test_a_moved_point_is_a_move() -> None:
    for market, point, better in ((Market.SPREADS, -2.5, -3.5), (Market.TOTALS, 44.5, 45.5)):
        stream = Stream(market=market, point=point)
        watch = watch_stream(stream)
        for book in (1, 2, 3, 4, 5):
            stream.hang(book, better)
        (steam,) = (m for m in watch.apply_poll(stream.poll()) if m.kind is MovementKind.STEAM)
        assert steam.direction == 1
        assert steam.size == pytest.approx(MovementRules().log_odds_per_point[market])


def test_drift_is_many_small_steps_and_steam_is_not_drift() -> None:
    stream = Stream()
    watch = watch_stream(stream)
    reported: list[Movement] = []
    for i in range(80):
        stream.move(i % 8 + 1, 0.03)
        reported += watch.apply_poll(stream.poll(30))
    assert kinds(m for m in reported if m.book is None) == ["drift"]
    (drift,) = (m for m in reported if m.book is None)
    assert drift.direction == 1
    assert drift.size >= 0.12

    stream = Stream()
    watch = watch_stream(stream)
    for book in range(1, 9):
        stream.move(book, 0.3)
    assert kinds(watch.apply_poll(stream.poll())) == ["steam"]


def test_a_market_that_wanders_does_not_drift() -> None:
    rng = np.random.default_rng(2)
    stream = Stream()
    watch = watch_stream(stream)
    reported: list[Movement] = []
    for _ in range(400):
        for book in range(1, 9):  # about one level
            stream.move(book, rng.normal(0, 0.02) - 0.3 * stream.lines[1, book].log_odds)
        reported += watch.apply_poll(stream.poll(30))
    assert not {"drift", "reversal", "lagging"} & set(kinds(reported))


def test_reversal_after_a_large_move_only() -> None:
    stream = Stream()
    watch = watch_stream(stream)

    def all_move(by: float) -> list[Movement]:
        for book in range(1, 9):
            stream.move(book, by)
        return [m for m in watch.apply_poll(stream.poll(200)) if m.kind is MovementKind.REVERSAL]

    assert all_move(0.3) == []
    assert all_move(-0.1) == []
    (back,) = all_move(-0.1)
    assert back.direction == -1
    assert back.size == pytest.approx(0.2)
    assert all_move(-0.05) == []
    (again,) = all_move(0.2)
    assert again.direction == 1


def test_a_misprint_or_an_arrival_does_not_move_the_market() -> None:
    stream = Stream(books=5)
    watch = watch_stream(stream)
    stream.move(2, 1.2)
    assert watch.apply_poll(stream.poll()) == []
    stream.move(2, -1.2)
    stream.lines[1, 9] = stream.lines[1, 1]._replace(log_odds=0.8)
    assert watch.apply_poll(stream.poll()) == []
    assert {s.name for s in watch.book_statuses(1, Market.H2H).values()} == {"STEADY"}


def test_halted_stale_lagging_and_steady_are_distinguished() -> None:
    stream = Stream()
    stream.every[7] = 90  # confirms rarely, and always did
    watch = watch_stream(stream)
    for _ in range(30):
        assert watch.apply_poll(stream.poll()) == []
    stream.freeze(2)
    gone = stream.lines.pop((1, 3))
    reported = watch.apply_poll(stream.poll())
    assert [(m.kind, m.book) for m in reported] == [(MovementKind.HALTED, 3)]
    for book in (1, 5, 6, 7, 8):
        stream.move(book, 0.25)
    for _ in range(10):
        reported += watch.apply_poll(stream.poll())
    by_book = {m.book: m for m in reported if m.book in (2, 4)}
    assert {b: m.kind for b, m in by_book.items()} == {2: MovementKind.STALE, 4: MovementKind.LAGGING}
    assert by_book[4].direction == 1
    assert by_book[4].size == pytest.approx(0.25)
    expected = dict.fromkeys(range(1, 9), BookStatus.STEADY)
    expected |= {2: BookStatus.STALE, 3: BookStatus.HALTED, 4: BookStatus.LAGGING}
    assert watch.book_statuses(1, Market.H2H) == expected

    stream.frozen.clear()
    stream.lines[1, 3] = gone._replace(log_odds=0.25)
    stream.move(2, 0.25)
    stream.move(4, 0.25)
    back = watch.apply_poll(stream.poll())
    assert {(m.kind, m.book) for m in back} >= {(MovementKind.RESUMED, 2), (MovementKind.RESUMED, 3)}
    assert set(watch.book_statuses(1, Market.H2H).values()) == {BookStatus.STEADY}


def test_the_leader_is_not_taken_for_a_laggard() -> None:
    stream = Stream()
    watch = watch_stream(stream)
    reported: list[Movement] = []
    for book in range(1, 8):
        stream.move(book, 0.3)
        reported += watch.apply_poll(stream.poll(10))
    lagging = [m.book for m in reported if m.kind is MovementKind.LAGGING]
    assert 1 not in lagging
    assert 8 in lagging


def test_who_leads_and_who_follows() -> None:
    rng = np.random.default_rng(4)
    stream = Stream(books=4)
    watch = watch_stream(stream)
    for _ in range(40):
        by = float(rng.choice([-1, 1]) * 0.2)
        for book, after in ((4, 400), (1, 5), (2, 20)):
            stream.move(book, by)
            watch.apply_poll(stream.poll(after))
        stream.move(3, float(rng.choice([-1, 1]) * 0.2))
        watch.apply_poll(stream.poll(300))
    found = watch.lead_lag()
    at = {book: i for i, book in enumerate(found.books)}
    lead = found.lead_share()
    assert lead[at[4]] == 1
    assert 0 < lead[at[1]] < 1
    assert lead[at[2]] == 0
    assert np.isnan(lead[at[3]])
    assert found.lag_seconds[at[4], at[1]] == pytest.approx(5)
    assert found.lag_seconds[at[4], at[2]] == pytest.approx(25)
    assert found.followed_share()[at[4], at[2]] == pytest.approx(1, abs=0.01)
    assert found.asymmetry()[at[4], at[1]] == pytest.approx(40**0.5, rel=0.02)
    assert found.moves[at[4]] == pytest.approx(40, rel=0.05)


def test_together_is_neither_first() -> None:
    stream = Stream(books=2)
    watch = watch_stream(stream)
    for _ in range(5):
        stream.move(1, 0.2)
        stream.move(2, 0.2)
        watch.apply_poll(stream.poll(300))
    found = watch.lead_lag()
    assert not found.led.any()
    assert found.together[0, 1] == found.together[1, 0] == pytest.approx(5, abs=0.01)


def test_memory_is_bound_by_the_markets_listed() -> None:
    rng = np.random.default_rng(6)
    stream = Stream(books=20)
    watch = MovementDetector()
    sizes = []
    for day in range(12):
        stream.lines = {(day * 30 + e, b): Held(0.0) for e in range(1, 31) for b in range(1, 21)}
        stream.starts = {day * 30 + e: stream.now + 3_600 * SECOND for e in range(1, 31)}
        for _ in range(6):
            for event, book in list(stream.lines):
                stream.move(book, float(rng.normal(0, 0.1)), event)
            watch.apply_poll(stream.poll())
        sizes.append(watch.nbytes)
    assert len(set(sizes)) == 1
    assert sizes[0] < 64 * 32 * 90 + 64 * 120
    assert len(watch.lead_lag().books) == 20


def test_started_events_are_dropped_and_unvalued_markets_ignored() -> None:
    stream = Stream()
    watch = watch_stream(stream)
    stream.starts[1] = stream.now + SECOND
    for book in range(1, 9):
        stream.move(book, 0.5)
    assert watch.apply_poll(stream.poll()) == []
    assert watch.book_statuses(1, Market.H2H) == {}
    poll = stream.poll()
    odd = [(1, 1, m, o, 0.5, 2.0, 0) for m, o in ((Market.H2H_LAY, 1), (105, 1), (Market.H2H, 130), (Market.TOTALS, 1))]
    fresh = MovementDetector()
    assert (
        fresh.apply_poll(type(poll)(1, "t", 5, 5, "r", QuoteBatch.from_rows(odd), poll.confirmations, poll.starts))
        == []
    )
    assert fresh.lead_lag().books == ()
