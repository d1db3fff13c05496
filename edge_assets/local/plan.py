"""What `edge up` will run, decided before anything starts: which servers are embedded, and on which ports."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlsplit, urlunsplit

from edge_assets.core.settings import Feed, Settings
from edge_assets.local import postgres, valkey
from edge_assets.local.errors import LocalError
from edge_assets.local.home import Home, read_private_json, write_private
from edge_assets.local.ports import HOST, allocate_port

if TYPE_CHECKING:
    from collections.abc import Iterator

RECORDING_HELP = "a directory or tar of captured responses"
REWRITE_REMEDY = "run `edge down`, then `edge up`, which rewrites it"


class FeedDatabases(NamedTuple):
    """The databases of a feed; live, replayed and simulated odds never mix."""

    database: str
    redis_database: int


FEED_DATABASES = {
    Feed.ODDS_API: FeedDatabases("edge_live", 0),
    Feed.REPLAY: FeedDatabases("edge_replay", 1),
    Feed.SIMULATE: FeedDatabases("edge_simulate", 2),
}


@dataclass(frozen=True)
class StartOptions:
    """Options of `edge up`. `recording` and `speed` apply to a replay, `seed` to a simulation.

    `fresh` deletes the contents of the feed's database.
    """

    feed: Feed
    recording: Path | None = None
    speed: str = "max"
    seed: int = 1
    port: int | None = None
    fresh: bool = False

    @property
    def feed_identity(self) -> str:
        """What a database is filled from; runs that share it may share a database."""
        return {
            Feed.ODDS_API: "live",
            Feed.REPLAY: f"recording {self.recording}",
            Feed.SIMULATE: f"seed {self.seed}",
        }[self.feed]


@dataclass(frozen=True)
class Plan:
    """The stack to run. A port of `None` means that the server is external. Contains passwords."""

    feed: Feed
    feed_identity: str
    recording: str | None
    speed: str
    seed: int
    database_url: str
    dagster_url: str
    mlflow_database_url: str
    redis_url: str
    mlflow_uri: str
    serving_port: int
    dagster_port: int
    postgres_port: int | None
    valkey_port: int | None
    mlflow_port: int | None
    feed_port: int | None
    inner_ports: dict[str, int]
    """Ports of the services that the activator starts on demand, behind their public ports."""

    @property
    def urls(self) -> dict[str, str]:
        """Pages for the browser."""
        return {
            "board": f"http://{HOST}:{self.serving_port}",
            "dagster": f"http://{HOST}:{self.dagster_port}",
            "mlflow": self.mlflow_uri,
        }

    def is_managed(self, page: str) -> bool:
        """Whether this stack runs the server of a page in `urls`."""
        return page != "mlflow" or self.mlflow_port is not None

    @property
    def database_urls(self) -> Iterator[str]:
        """The URLs of all databases that must exist."""
        yield from (self.database_url, self.dagster_url)
        if self.mlflow_port:
            yield self.mlflow_database_url

    def save(self, home: Home) -> None:
        """Store the plan for other commands."""
        write_private(home.run / "stack.json", json.dumps(asdict(self)))

    @classmethod
    def load(cls, home: Home) -> Plan | None:
        """The plan of the last start in this home, if any.

        Raises `LocalError` if it is damaged or was written by another version.
        """
        path = home.run / "stack.json"
        stored = read_private_json(path, REWRITE_REMEDY)
        if stored is None:
            return None
        try:
            values = {field.name: stored[field.name] for field in fields(cls)}
            plan = cls(**values | {"feed": Feed(stored["feed"])})
            if not all(isinstance(url, str) for url in (plan.redis_url, *plan.database_urls)):
                msg = "a URL is not a string"
                raise ValueError(msg)
            return plan
        except (KeyError, ValueError) as error:
            msg = f"{path} was not written by this version: {error}"
            raise LocalError(msg, REWRITE_REMEDY) from None


def make_plan(settings: Settings, home: Home, options: StartOptions) -> Plan:
    """Choose servers and ports. Raises `LocalError` if the options cannot be satisfied."""
    _validate_options(settings, options)
    databases = FEED_DATABASES[options.feed]
    server, postgres_port = _database_server(settings, home)
    redis_url, valkey_port = _redis_server(settings, home, databases)
    mlflow_port = None if settings.mlflow_tracking_uri else allocate_port(home, "mlflow")
    return Plan(
        feed=options.feed,
        feed_identity=options.feed_identity,
        recording=str(options.recording) if options.recording else None,
        speed=options.speed,
        seed=options.seed,
        database_url=settings.database_url or with_database(server, databases.database),
        dagster_url=with_database(server, "dagster"),
        mlflow_database_url=with_database(server, "mlflow"),
        redis_url=redis_url,
        mlflow_uri=settings.mlflow_tracking_uri or f"http://{HOST}:{mlflow_port}",
        serving_port=allocate_port(home, "serving", options.port),
        dagster_port=allocate_port(home, "dagster-webserver"),
        postgres_port=postgres_port,
        valkey_port=valkey_port,
        mlflow_port=mlflow_port,
        feed_port=None if options.feed is Feed.ODDS_API else allocate_port(home, "feed"),
        inner_ports={name: allocate_port(home, f"{name} inner") for name in ("dagster-webserver", "mlflow")},
    )


def default_feed(settings: Settings) -> Feed:
    """The feed of a home without options: the live one if there is a key for it."""
    return Feed.ODDS_API if settings.odds_api_key else Feed.SIMULATE


def with_database(url: str, name: str) -> str:
    """The URL of another database on the same server."""
    return urlunsplit(urlsplit(url)._replace(path=f"/{name}"))


def _validate_options(settings: Settings, options: StartOptions) -> None:
    if options.feed is Feed.ODDS_API and settings.odds_api_key is None:
        msg = "the live feed needs ODDS_API_KEY, which is not set"
        raise LocalError(msg, "set it (see .env.example), or try `edge up --feed simulate`")
    if options.feed is Feed.REPLAY and options.recording is None:
        msg = "a replay needs a recording"
        raise LocalError(msg, f"edge up --feed replay --replay PATH ({RECORDING_HELP})")
    if options.fresh and (settings.database_url or settings.redis_url or options.feed is Feed.ODDS_API):
        msg = "--fresh is only for the embedded databases of a replay or simulation"
        raise LocalError(msg, "reset your own database, or a live one, yourself")
    if options.recording is not None and not options.recording.exists():
        msg = f"there is no recording at {options.recording}"
        raise LocalError(msg, f"PATH is {RECORDING_HELP}")


def _database_server(settings: Settings, home: Home) -> tuple[str, int | None]:
    if settings.database_url:
        return settings.database_url, None
    port = allocate_port(home, "postgres")
    return postgres.server_url(port, home.secret("postgres")), port


def _redis_server(settings: Settings, home: Home, databases: FeedDatabases) -> tuple[str, int | None]:
    if settings.redis_url:
        return settings.redis_url, None
    port = allocate_port(home, "valkey")
    return valkey.server_url(port, home.secret("valkey"), databases.redis_database), port
