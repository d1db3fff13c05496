"""`python -m serving.scorer`: run the scorer process."""

from __future__ import annotations

import argparse
import logging
import signal
import sys
import threading
from contextlib import ExitStack
from typing import TYPE_CHECKING, NoReturn

import redis
from pydantic import ValidationError
from redis.backoff import NoBackoff
from redis.retry import Retry

from edge_assets.core.clock import WallClock, to_micros
from edge_assets.core.settings import Feed, MissingSettingError, Settings, describe_setting_errors
from edge_assets.store.polls.dimensions import IdRegistry
from edge_assets.store.polls.leases import acquire_scorer_lock
from edge_assets.store.postgres.database import connect
from ml.scoring import ScoringRules
from serving.scorer.redis_streams import SOCKET_TIMEOUT_SECONDS, StreamLink
from serving.scorer.service import ScorerWorker, run_forever
from serving.scorer.shards import Shard
from serving.scorer.sports import SportScorers

if TYPE_CHECKING:
    from ml.quotes import Micros

log = logging.getLogger(__name__)


def open_worker(settings: Settings, stack: ExitStack, shard: Shard = Shard()) -> ScorerWorker:  # noqa: B008
    """Connect and set up a worker; `stack` closes what it opened."""
    conn = stack.enter_context(connect(settings.require_database_url(), shard.name))
    acquire_scorer_lock(conn, shard.buckets)
    client = redis.Redis.from_url(
        settings.require_redis_url(),
        socket_timeout=SOCKET_TIMEOUT_SECONDS,
        socket_connect_timeout=SOCKET_TIMEOUT_SECONDS,
        retry=Retry(NoBackoff(), 0),
    )
    stack.callback(client.close)
    ids = IdRegistry.load(conn)
    stack.callback(ids.close)
    rules = ScoringRules(threshold_edge=settings.alert_threshold_edge, kelly_cap=settings.max_kelly_fraction)
    is_live = settings.edge_feed is Feed.ODDS_API
    sports = SportScorers(conn, ids, rules, settings.edge_book_weights, is_live=is_live, shard=shard)
    # in a replay only polls advance the time
    now = None if settings.edge_feed is Feed.REPLAY else _now
    return ScorerWorker(conn, StreamLink(conn, client), sports, now, shard.name)


def _now() -> Micros:
    return to_micros(WallClock().now())


def _parse_shard() -> Shard:
    parser = argparse.ArgumentParser(prog="python -m serving.scorer", description=__doc__)
    parser.add_argument(
        "--shard",
        default="0/1",
        metavar="INDEX/COUNT",
        help="which share of the sports to score, such as 0/2 and 1/2 in two processes (default: all sports)",
    )
    try:
        return Shard.parse(parser.parse_args().shard)
    except ValueError as error:
        parser.error(str(error))


def main() -> None:
    """Score until a signal stops the process."""
    shard = _parse_shard()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(levelname)s %(message)s")
    stop = threading.Event()

    def interrupt(*_: object) -> NoReturn:
        # crash-only: interrupt even a wait for the lock; the event still stops the loop if the exception is swallowed
        stop.set()
        raise KeyboardInterrupt

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, interrupt)
    try:
        settings = Settings()
        run_forever(lambda stack: open_worker(settings, stack, shard), stop)
    except KeyboardInterrupt:
        log.info("stopped")
    except MissingSettingError as error:
        sys.exit(str(error))
    except ValidationError as error:  # its own text repeats the value, which may be a secret
        sys.exit("\n".join(describe_setting_errors(error)))


if __name__ == "__main__":
    main()
