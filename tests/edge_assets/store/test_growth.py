"""What grows how fast, and when the disk is full."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from edge_assets.core.retention_days import DEFAULT_RETENTION, FOREVER_DAYS
from edge_assets.store.maintenance.growth import StorageGrowth, StoragePart, measure_growth, measure_sizes
from tests.support.poll_factories import batch

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.poll_factories import StoreHarness

GB = 10**9


def test_rates_are_the_difference_to_the_day_before(harness: StoreHarness, tmp_path: Path) -> None:
    kept = DEFAULT_RETENTION["odds-api"]
    (tmp_path / "logs").mkdir()
    sizes = measure_sizes(harness.conn, tmp_path)
    harness.conn.execute("UPDATE size_measurements SET measured_at = now() - interval '12 hours'")
    harness.write(datetime(2025, 11, 10, tzinfo=UTC), batch(3_000, harness.events))
    (tmp_path / "logs" / "scorer.log").write_bytes(bytes(5_000))

    found = measure_growth(harness.conn, tmp_path, kept)

    parts = {part.name: part for part in found.parts}
    assert set(parts) == set(sizes)
    assert (parts["logs"].bytes, parts["logs"].kept_days) == (5_000, None)
    assert parts["logs"].bytes_per_day == pytest.approx(10_000, rel=0.01)
    grown = parts["ticks"].bytes - sizes.get("ticks", 0)
    assert grown > 3_000 * 50
    assert parts["ticks"].bytes_per_day == pytest.approx(2 * grown, rel=0.01)
    assert parts["payloads"].kept_days == kept.payloads
    assert parts["ticks"].kept_days is None


def test_in_the_first_hours_rates_use_the_age_of_the_database(harness: StoreHarness, tmp_path: Path) -> None:
    assert all(
        part.bytes_per_day is None
        for part in measure_growth(harness.conn, tmp_path, DEFAULT_RETENTION["simulate"]).parts
    )
    harness.write(datetime(2025, 11, 10, tzinfo=UTC), batch(3_000, harness.events))
    harness.conn.execute("UPDATE polls SET received_at = now() - interval '6 hours'")

    parts = {part.name: part for part in measure_growth(harness.conn, tmp_path, DEFAULT_RETENTION["simulate"]).parts}

    assert parts["ticks"].bytes_per_day == pytest.approx(4 * parts["ticks"].bytes, rel=0.01)
    assert parts["warehouse"].bytes_per_day is None


def test_what_is_dropped_after_some_days_does_not_fill_the_disk() -> None:
    ticks, payloads = StoragePart("ticks", GB, 2 * GB, 2), StoragePart("payloads", GB, 1 * GB, None)

    assert StorageGrowth([ticks, payloads], 100 * GB).days_until_full == 96, "5 GB more of ticks, and a GB a day"
    assert StorageGrowth([ticks], 100 * GB).days_until_full is None
    assert StorageGrowth([ticks], 100 * GB).bytes_in_a_year == 6 * GB
    assert StorageGrowth([ticks], 4 * GB).days_until_full == 3
    assert "2 GB a day, kept 2 days" in StorageGrowth([ticks], 4 * GB).summary
    assert "full in 3 days" in StorageGrowth([ticks], 4 * GB).summary


def test_what_leads_back_to_polls_goes_no_later_than_they_do() -> None:
    now = datetime(2026, 11, 30, tzinfo=UTC)
    since = replace(DEFAULT_RETENTION["odds-api"], ticks=10, payloads=30, alerts=FOREVER_DAYS).cutoffs(now)
    assert since.payloads == since.alerts == since.ticks == datetime(2026, 11, 20, tzinfo=UTC)
    assert since.prices is None
