"""Quarantine on both engines: a price goes, and comes back bit for bit."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import numpy as np

from edge_assets.store import readers
from edge_assets.store.database import describe
from edge_assets.store.quarantine import Verdict, events_due, held, quarantine, quarantined, release, ticks_of
from ml.quotes import Market, Outcome, QuoteBatch
from tests.edge_assets.store.material import NOON, rows

if TYPE_CHECKING:
    from tests.edge_assets.store.material import Desk

ODD = 5.500000000000001
WRONG = Verdict("palpable_price", "too long")


def test_what_was_taken_in_is_read_beside_what_is_new(desk: Desk) -> None:
    away = desk.quote(ODD, market=Market.SPREADS, outcome=Outcome.AWAY, point=3.5)
    desk.write(NOON, QuoteBatch.of([desk.quote(1.9), away]))
    desk.write(NOON + timedelta(minutes=1), QuoteBatch.of([desk.quote(1.95)]))
    desk.conn.execute("INSERT INTO pricing.priced_polls SELECT id FROM polls")
    desk.write(NOON + timedelta(minutes=2), QuoteBatch.of([desk.quote(2.0)]))
    ticks = ticks_of(desk.conn, events_due(desk.conn), [Market.H2H, Market.SPREADS])
    found = list(zip(ticks["price"].tolist(), ticks["new"].tolist(), strict=True))
    assert found == [(1.9, 0), (1.95, 0), (2.0, 1), (ODD, 0)]
    assert ticks["due"].all()


def test_a_price_goes_and_comes_back(desk: Desk) -> None:
    away = desk.quote(ODD, market=Market.SPREADS, outcome=Outcome.AWAY, point=3.5)
    first = desk.write(NOON, QuoteBatch.of([desk.quote(1.9), away]))
    desk.write(NOON + timedelta(minutes=1), QuoteBatch.of([desk.quote(1.95)]))
    before = readers.last_quotes(desk.conn, desk.sport)[0]
    desk.conn.execute("INSERT INTO pricing.priced_polls SELECT id FROM polls")
    assert events_due(desk.conn) == []
    if describe(desk.conn).edition == "timescale":
        desk.conn.execute("SELECT compress_chunk(c, if_not_compressed => true) FROM show_chunks('odds_ticks') AS c")

    ticks = ticks_of(desk.conn, events_due(desk.conn, everything=True), [Market.H2H, Market.SPREADS])
    assert len(ticks["price"]) == 3
    wrong = {name: column[ticks["price"] == ODD] for name, column in ticks.items()}
    assert wrong["line_point"].tolist() == [-3.5]
    assert quarantine(desk.conn, wrong, [WRONG]) == 1
    assert quarantine(desk.conn, wrong, [WRONG]) == 0

    assert rows(readers.last_quotes(desk.conn, desk.sport)[0]) == rows(before), "the live path goes on from what it saw"
    later = NOON + timedelta(minutes=5)
    assert readers.as_of(desk.conn, desk.events[0], later).quotes.price.tolist() == [1.95]
    [(at,)] = desk.conn.execute("SELECT quarantined_at - interval '1 second' FROM quarantined_ticks").fetchall()
    assert sorted(readers.as_of(desk.conn, desk.events[0], later, at).quotes.price.tolist()) == [1.95, ODD]
    assert np.isnan(readers.changes(desk.conn, first or 0).quotes.price).sum() == 0, "as it was seen"
    assert events_due(desk.conn) == [desk.events[0]]
    assert held(desk.conn) == {"palpable_price": 1}
    [row] = quarantined(desk.conn)
    assert (row.price, row.point, row.market, row.outcome) == (ODD, 3.5, "spreads", "away")
    assert release(desk.conn, row.id, "ada")
    assert sorted(readers.as_of(desk.conn, desk.events[0], later).quotes.price.tolist()) == [1.95, ODD]
    assert rows(readers.last_quotes(desk.conn, desk.sport)[0]) == rows(before)
    assert held(desk.conn) == {}
