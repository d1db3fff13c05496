"""Sports are divided among scorer processes: each is scored by exactly one, and one that dies stops no other."""

from __future__ import annotations

from contextlib import ExitStack
from itertools import product
from typing import TYPE_CHECKING

import pytest

from edge_assets.reference.sports import KNOWN_SPORTS
from edge_assets.store.health.problems import load_heartbeats
from edge_assets.store.polls.leases import acquire_scorer_lock
from edge_assets.store.postgres.database import connect
from serving.scorer.__main__ import open_worker
from serving.scorer.shards import BUCKETS, Shard
from tests.support.scorer_harness import SPORT, ScorerHarness, wait, within

if TYPE_CHECKING:
    from collections.abc import Iterator

OTHER = "icehockey_nhl"
PATIENCE = 60.0
HALVES = Shard(0, 2), Shard(1, 2)


@pytest.fixture
def other(database_url: str, redis_url: str) -> Iterator[ScorerHarness]:
    """A sport of the other shard."""
    harness = ScorerHarness(database_url, redis_url, OTHER)
    yield harness
    harness.close()


def life(harness: ScorerHarness, shard: Shard) -> None:
    """Run one shard until the sport of `harness` is scored."""
    query = "SELECT poll_id FROM scorer_progress WHERE sport_id = %s"
    newest = harness.conn.execute("SELECT max(id) FROM polls WHERE sport_id = %s", [harness.sport]).fetchone()
    with ExitStack() as stack:
        worker = open_worker(harness.settings(), stack, shard)
        worker.run(within(20, lambda: harness.conn.execute(query, [harness.sport]).fetchone() == newest))


@pytest.mark.parametrize("count", range(1, BUCKETS + 1))
def test_every_sport_and_bucket_has_exactly_one_shard(count: int) -> None:
    shards = [Shard(index, count) for index in range(count)]
    for sport in KNOWN_SPORTS:
        assert sum(shard.owns(sport) for shard in shards) == 1
    assert sorted(bucket for shard in shards for bucket in shard.buckets) == list(range(BUCKETS))


def test_a_sports_bucket_belongs_to_its_shard_for_any_number_of_shards() -> None:
    for sport, count in product(sorted(KNOWN_SPORTS), range(1, BUCKETS + 1)):
        [whole] = [bucket for bucket in range(BUCKETS) if Shard(bucket, BUCKETS).owns(sport)]
        [owner] = [Shard(i, count) for i in range(count) if Shard(i, count).owns(sport)]
        assert whole in owner.buckets


@pytest.mark.parametrize("text", ["", "1", "2/2", "0/17", "-1/2", "a/b", "0/0"])
def test_an_invalid_shard_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="index/count"):
        Shard.parse(text)
    assert Shard.parse("1/2") == Shard(1, 2)


def test_each_shard_scores_only_its_own_sport(harness: ScorerHarness, other: ScorerHarness) -> None:
    assert [[shard.owns(sport) for sport in (SPORT, OTHER)] for shard in HALVES] in (
        [[True, False], [False, True]],
        [[False, True], [True, False]],
    )
    owner = {sport: next(shard for shard in HALVES if shard.owns(sport)) for sport in (SPORT, OTHER)}
    harness.poll_lively_market(5), other.poll_lively_market(5)

    life(harness, owner[SPORT])

    scored = {sport for (sport,) in harness.conn.execute("SELECT sport_id FROM scorer_progress")}
    assert scored == {harness.sport}
    assert {sport for (sport,) in harness.conn.execute("SELECT DISTINCT sport_id FROM alerts")} == {harness.sport}
    life(other, owner[OTHER])
    assert {sport for (sport,) in harness.conn.execute("SELECT DISTINCT sport_id FROM alerts")} == {
        harness.sport,
        other.sport,
    }
    assert {"scorer", "scorer:1"} <= load_heartbeats(harness.conn).keys()


def test_a_shard_that_dies_does_not_stop_the_other(harness: ScorerHarness, other: ScorerHarness) -> None:
    by_sport = {sport: i for i in (0, 1) for sport in (SPORT, OTHER) if HALVES[i].owns(sport)}
    harness.poll_lively_market(3), other.poll_lively_market(3)
    with harness.process(shard="0/2") as first, harness.process(shard="1/2") as second:
        wait(harness.all_scored, PATIENCE)
        dying, living = (first, other) if by_sport[SPORT] == 0 else (second, other)
        dying.kill()
        dying.wait(20)
        living.publish(*living.poll_lively_market(3, seed=2))
        harness.poll_lively_market(2, seed=3)
        wait(lambda: living.count_unscored(living.sport) == 0, PATIENCE)
        assert harness.count_unscored(harness.sport) == 2
    assert {sport for (sport,) in harness.conn.execute("SELECT DISTINCT sport_id FROM alerts")} == {
        harness.sport,
        other.sport,
    }


def test_no_shard_scores_while_a_scorer_of_all_sports_runs(database_url: str, harness: ScorerHarness) -> None:
    with connect(database_url, "all") as every, connect(database_url, "half") as half:
        acquire_scorer_lock(every, Shard().buckets)
        half.execute("SET lock_timeout = '200ms'")
        for shard in HALVES:
            with pytest.raises(Exception, match="lock timeout"):
                acquire_scorer_lock(half, shard.buckets)
