"""Quarantine on both engines: a price goes, and comes back bit for bit."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import numpy as np

from edge_assets.store.analytics.quarantine import (
    CheckVerdict,
    count_quarantined,
    load_due_events,
    load_due_ticks,
    load_quarantined,
    quarantine_ticks,
    release_price,
)
from edge_assets.store.polls import as_of
from edge_assets.store.postgres.database import load_database_info
from ml.quotes import Market, Outcome, QuoteBatch
from tests.support.poll_factories import NOON, rows

if TYPE_CHECKING:
    from tests.support.poll_factories import StoreHarness

ODD = 5.500000000000001
WRONG = CheckVerdict("palpable_price", "too long")


def test_due_ticks_include_those_already_priced(harness: StoreHarness) -> None:
    away = harness.quote(ODD, market=Market.SPREADS, outcome=Outcome.AWAY, point=3.5)
    harness.write(NOON, QuoteBatch.from_rows([harness.quote(1.9), away]))
    harness.write(NOON + timedelta(minutes=1), QuoteBatch.from_rows([harness.quote(1.95)]))
    harness.conn.execute("INSERT INTO pricing.priced_polls SELECT id FROM polls")
    harness.write(NOON + timedelta(minutes=2), QuoteBatch.from_rows([harness.quote(2.0)]))
    ticks = load_due_ticks(harness.conn, load_due_events(harness.conn), [Market.H2H, Market.SPREADS])
    found = list(zip(ticks["price"].tolist(), ticks["new"].tolist(), strict=True))
    assert found == [(1.9, 0), (1.95, 0), (2.0, 1), (ODD, 0)]
    assert ticks["due"].all()


def test_a_price_goes_and_comes_back(harness: StoreHarness) -> None:
    away = harness.quote(ODD, market=Market.SPREADS, outcome=Outcome.AWAY, point=3.5)
    first = harness.write(NOON, QuoteBatch.from_rows([harness.quote(1.9), away]))
    harness.write(NOON + timedelta(minutes=1), QuoteBatch.from_rows([harness.quote(1.95)]))
    before = as_of.load_last_quotes(harness.conn, harness.sport)[0]
    harness.conn.execute("INSERT INTO pricing.priced_polls SELECT id FROM polls")
    assert load_due_events(harness.conn) == []
    if load_database_info(harness.conn).edition == "timescale":
        harness.conn.execute("SELECT compress_chunk(c, if_not_compressed => true) FROM show_chunks('odds_ticks') AS c")

    ticks = load_due_ticks(harness.conn, load_due_events(harness.conn, everything=True), [Market.H2H, Market.SPREADS])
    assert len(ticks["price"]) == 3
    wrong = {name: column[ticks["price"] == ODD] for name, column in ticks.items()}
    assert wrong["line_point"].tolist() == [-3.5]
    assert quarantine_ticks(harness.conn, wrong, [WRONG]) == 1
    assert quarantine_ticks(harness.conn, wrong, [WRONG]) == 0

    assert rows(as_of.load_last_quotes(harness.conn, harness.sport)[0]) == rows(before), (
        "the live path goes on from what it saw"
    )
    later = NOON + timedelta(minutes=5)
    assert as_of.load_quotes_as_of(harness.conn, harness.events[0], later).quotes.price.tolist() == [1.95]
    [(at,)] = harness.conn.execute("SELECT quarantined_at - interval '1 second' FROM quarantined_ticks").fetchall()
    assert sorted(as_of.load_quotes_as_of(harness.conn, harness.events[0], later, at).quotes.price.tolist()) == [
        1.95,
        ODD,
    ]
    assert np.isnan(as_of.load_poll_changes(harness.conn, first or 0).quotes.price).sum() == 0, "as it was seen"
    assert load_due_events(harness.conn) == [harness.events[0]]
    assert count_quarantined(harness.conn) == {"palpable_price": 1}
    [row] = load_quarantined(harness.conn)
    assert (row.price, row.point, row.market, row.outcome) == (ODD, 3.5, "spreads", "away")
    assert release_price(harness.conn, row.id, "ada")
    assert sorted(as_of.load_quotes_as_of(harness.conn, harness.events[0], later).quotes.price.tolist()) == [1.95, ODD]
    assert rows(as_of.load_last_quotes(harness.conn, harness.sport)[0]) == rows(before)
    assert count_quarantined(harness.conn) == {}
