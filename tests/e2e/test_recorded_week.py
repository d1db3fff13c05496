"""A recorded NFL week through the running system gives the alerts of a batch computation, whatever is killed."""

from __future__ import annotations

import re
import tarfile
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
import redis

from edge_assets.reference.book_profiles import book_profile
from edge_assets.store.alerts import streams
from edge_assets.store.postgres.database import connect
from ml.points import point_models_for
from ml.scoring import ScoringRules
from tests.e2e.recomputation import VALUE_NUMBERS, Key, Recomputation, Scene
from tests.support.running_system import System

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.servers.valkey import ValkeyServer

pytestmark = pytest.mark.untraced
NFL = "americanfootball_nfl"
THRESHOLD = 0.01
WEEK = {"payloads": 476, "quotes_seen": 580_188, "ticks": 22_336, "withdrawals": 10_662}


@pytest.fixture(scope="module")
def recording(data_dir: Path) -> Path:
    return data_dir / "odds_api" / "nfl_week_2025-11.tar.xz"


@pytest.fixture(scope="module")
def expectation(recording: Path) -> Recomputation:
    scene = Scene(
        ScoringRules(threshold_edge=THRESHOLD), lambda book: book_profile(book, {}, NFL), point_models_for(NFL)
    )
    return Recomputation(scene).run(read_payloads(recording))


def read_payloads(recording: Path) -> Iterator[tuple[datetime, bytes]]:
    """The captures of the week in order of time."""
    with tarfile.open(recording) as archive:
        members = sorted((m for m in archive if m.isfile()), key=lambda m: m.name)
        for member in members:
            stamp = re.search(r"\d{8}T\d{6}Z", member.name)
            body = archive.extractfile(member)
            assert stamp is not None
            assert body is not None
            yield datetime.strptime(stamp[0], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC), body.read()


def test_the_week_gives_the_alerts_of_the_batch_computation(
    recording: Path, database_url: str, redis_url: str, expectation: Recomputation
) -> None:
    with System(recording, NFL, database_url, redis_url, ALERT_THRESHOLD_EDGE=str(THRESHOLD)) as system:
        system.wait_for_payloads(WEEK["payloads"])
        system.wait_for_scorer()
        check_alerts(system, redis_url, expectation)


def test_killing_any_process_does_not_change_the_alerts(
    recording: Path, database_url: str, own_redis: ValkeyServer, expectation: Recomputation
) -> None:
    with System(recording, NFL, database_url, own_redis.url, ALERT_THRESHOLD_EDGE=str(THRESHOLD)) as system:
        system.wait_for_payloads(40)
        system.kill("burst")
        system.start_burst()
        system.wait_for_payloads(120)
        system.kill("scorer")
        system.wait_for_payloads(160)
        system.start_scorer()
        system.wait_for_payloads(200)
        system.cut_connections()
        system.wait_for_payloads(280)
        own_redis.process.kill()
        system.wait_for_payloads(320)
        own_redis.process.start()
        system.wait_for_payloads(400)
        system.kill("scorer")
        system.kill("burst")
        system.start_burst()
        system.start_scorer()
        system.wait_for_payloads(WEEK["payloads"])
        system.wait_for_scorer()
        check_alerts(system, own_redis.url, expectation)


def check_alerts(system: System, redis_url: str, expected: Recomputation) -> None:
    status = system.status()
    assert {key: status[key] for key in WEEK} == WEEK
    assert status["rejected"] == {}
    assert status["suppressed"] == dict(expected.suppressed)
    published = load_messages(system.database_url)
    found = {(message_key(m), m["state"], m["observed_at"]): m for m in published}
    steps = {(r.key, r.state, r.observed_at.isoformat()): r.numbers for r in expected.records}
    assert len(published) == len(found)
    assert found.keys() == steps.keys()
    for key, numbers in steps.items():
        assert message_metrics(found[key]) == pytest.approx(numbers, rel=1e-9, abs=1e-12), key
    assert load_streamed_ids(redis_url) == [m["id"] for m in published]


def load_messages(url: str) -> list[dict[str, Any]]:
    with connect(url, "test") as conn:
        return [m for (m,) in conn.execute("SELECT to_jsonb(m) FROM alert_messages AS m ORDER BY id")]


def load_streamed_ids(url: str) -> list[int]:
    """The ids on the stream, in its order."""
    with redis.Redis.from_url(url) as client:
        return [int(entry_id.partition(b"-")[0]) for entry_id, _ in client.xrange(streams.ALERTS_STREAM)]


def message_key(message: dict[str, Any]) -> Key:
    return Key(*(message[field] for field in ("kind", "event", "market", "point", "outcome", "book")))


def message_metrics(message: dict[str, Any]) -> tuple[float, ...]:
    if message["kind"] != "arbitrage":
        return tuple(message[name] for name in VALUE_NUMBERS)
    legs = message["legs"]
    return (message["expected_value"], *(g["price"] for g in legs), *(g["stake_fraction"] for g in legs))
