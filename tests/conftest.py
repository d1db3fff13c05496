"""Real servers for the tests; none is left running."""

from __future__ import annotations

import gc
import os
import signal
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import pytest
import redis
from coverage import Coverage
from hypothesis import HealthCheck, settings

from edge_assets.store.postgres.database import ensure_database
from edge_assets.store.postgres.schema import upgrade
from tests.support.servers import npm, pglite, postgres, timescale, valkey

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

TEMPLATE = "edge_template"

settings.register_profile(
    "edge",
    deadline=None,
    max_examples=50,
    suppress_health_check=[HealthCheck.too_slow],
    derandomize=bool(os.getenv("CI")),
)
settings.load_profile("edge")


def pytest_configure() -> None:
    """Make a terminated run (`timeout`, a cancelled job) stop its servers, like an interrupted one."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)


def pytest_collection_finish() -> None:
    """Exclude what has been imported from garbage collection, which would otherwise take much of the time."""
    gc.collect()
    gc.freeze()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Run tests marked `untraced`, with their fixtures, without coverage."""
    with _pause_coverage() if item.get_closest_marker("untraced") else nullcontext():
        return (yield)


@contextmanager
def _pause_coverage() -> Iterator[None]:
    """Pause coverage in this process and in those it starts; the restart sets the variable again."""
    measured = Coverage.current()
    if measured:
        measured.stop()
        os.environ.pop("COVERAGE_PROCESS_CONFIG", None)
    try:
        yield
    finally:
        if measured:
            measured.start()


def absent(what: str) -> NoReturn:
    """Skip a test because `what` is missing; in CI that is a failure."""
    if os.getenv("CI"):
        pytest.fail(f"{what}, and CI is set")
    pytest.skip(what)


def need_timescale() -> None:
    """Skip a test if TimescaleDB cannot run."""
    if reason := timescale.missing():
        absent(reason)


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """The recorded odds (see ../shared/data/README.md), which are never part of the project."""
    path = Path(os.getenv("EDGE_DATA_DIR") or Path(__file__).parents[2] / "shared" / "data")
    if not path.is_dir():
        absent(f"no recorded data at {path}; set EDGE_DATA_DIR")
    return path


@pytest.fixture(scope="session")
def postgres_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[postgres.PostgresServer]:
    """The session's PostgreSQL."""
    yield from postgres.running(tmp_path_factory.mktemp("postgres"))


@pytest.fixture(scope="session")
def timescale_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[postgres.PostgresServer]:
    """The session's TimescaleDB."""
    need_timescale()
    yield from timescale.running(tmp_path_factory.mktemp("timescale") / "timescale.log")


@pytest.fixture(scope="session")
def community_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[pglite.PgliteServer]:
    """The session's TimescaleDB, community edition; it takes one connection at a time."""
    if reason := npm.missing():
        absent(reason)
    yield from pglite.running(tmp_path_factory.mktemp("pglite") / "pglite.log")


@pytest.fixture
def unloaded_timescale_server(tmp_path: Path) -> Iterator[postgres.PostgresServer]:
    """PostgreSQL with TimescaleDB's files, but not configured to load it."""
    need_timescale()
    yield from timescale.running(tmp_path / "timescale.log", preload="")


@pytest.fixture(scope="session")
def migrated_template(postgres_server: postgres.PostgresServer) -> str:
    """A migrated database to clone, which is much faster than migrating."""
    upgrade(ensure_database(postgres_server.url, TEMPLATE))
    return TEMPLATE


@pytest.fixture
def database_url(postgres_server: postgres.PostgresServer, migrated_template: str) -> Iterator[str]:
    """A migrated, empty database for one test."""
    with postgres_server.clone_of(migrated_template) as url:
        yield url


@pytest.fixture
def own_postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[postgres.PostgresServer]:
    """A server that the test may kill."""
    yield from postgres.running(tmp_path_factory.mktemp("own-postgres"))


@pytest.fixture(scope="session")
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[valkey.ValkeyServer]:
    """The session's Redis-compatible server."""
    yield from valkey.running(tmp_path_factory.mktemp("valkey"))


@pytest.fixture
def redis_url(redis_server: valkey.ValkeyServer) -> str:
    """The session's Redis-compatible server, emptied."""
    with redis.Redis.from_url(redis_server.url) as client:
        client.flushall()
    return redis_server.url


@pytest.fixture
def own_redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[valkey.ValkeyServer]:
    """A server that the test may kill."""
    yield from valkey.running(tmp_path_factory.mktemp("own-valkey"))
