"""`python -m serving.scorer`: the scorer as a process."""

from __future__ import annotations

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

from edge_assets.clock import WallClock, micros
from edge_assets.settings import Feed, MissingSettingError, Settings, setting_problems
from edge_assets.store.database import connect
from edge_assets.store.leases import hold_scorer
from edge_assets.store.vocabulary import Vocabulary
from ml.scoring import ScoringRules
from serving.scorer.link import SOCKET_SECONDS, StreamLink
from serving.scorer.service import Session, run_forever
from serving.scorer.sports import Sports

if TYPE_CHECKING:
    from ml.quotes import Micros

log = logging.getLogger(__name__)


def open_session(settings: Settings, stack: ExitStack) -> Session:
    """Connect and prepare one life of the scorer; `stack` closes what it opened."""
    conn = stack.enter_context(connect(settings.require_database(), "scorer"))
    hold_scorer(conn)
    client = redis.Redis.from_url(
        settings.require_redis(),
        socket_timeout=SOCKET_SECONDS,
        socket_connect_timeout=SOCKET_SECONDS,
        retry=Retry(NoBackoff(), 0),
    )
    stack.callback(client.close)
    vocabulary = Vocabulary.load(conn)
    stack.callback(vocabulary.close)
    rules = ScoringRules(threshold_edge=settings.alert_threshold_edge, kelly_cap=settings.max_kelly_fraction)
    is_live = settings.edge_feed is Feed.ODDS_API
    sports = Sports(conn, vocabulary, rules, settings.edge_book_weights, is_live=is_live)
    # in a replay only polls move the time
    return Session(conn, StreamLink(conn, client), sports, None if settings.edge_feed is Feed.REPLAY else _now)


def _now() -> Micros:
    return micros(WallClock().now())


def main() -> None:
    """Score until told to stop."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(levelname)s %(message)s")
    stop = threading.Event()

    def interrupt(*_: object) -> NoReturn:
        # crash-only: better now than after a wait for the lock; the event is for an exception that got lost
        stop.set()
        raise KeyboardInterrupt

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, interrupt)
    try:
        settings = Settings()
        run_forever(lambda stack: open_session(settings, stack), stop)
    except KeyboardInterrupt:
        log.info("stopped")
    except MissingSettingError as error:
        sys.exit(str(error))
    except ValidationError as error:  # its own text would repeat the value, which may be a secret
        sys.exit("\n".join(setting_problems(error)))


if __name__ == "__main__":
    main()
