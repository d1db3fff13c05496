"""What the watchdog checks, with the timeouts of each service and what to restart when it hangs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from edge_assets.health.assessment import SCORER, SENSOR
from edge_assets.local.ports import ACTIVATOR_PATH
from edge_assets.local.watchdog import probing
from edge_assets.local.watchdog.liveness import SILENT, LivenessTimeouts

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterator, Mapping
    from datetime import datetime
    from pathlib import Path

    from edge_assets.store.health.vital_signs import HealthSnapshot

    SignOfLife: TypeAlias = Callable[[HealthSnapshot | None], Hashable]

SERVING, FEED, CODE_SERVER = "serving", "feed", "code-ingest"
ACTIVATOR, VALKEY, POSTGRES = "activator", "valkey", "postgres"
DAEMON, DAGSTER_PAGE, MLFLOW = "dagster-daemon", "dagster-webserver", "mlflow"
REPORT_SECONDS = 12.0
"""Two questions without an answer, at five seconds between rounds and three for each."""
SERVER_TIMEOUTS = LivenessTimeouts(start_seconds=120, report_seconds=REPORT_SECONDS, restart_seconds=30)
OWN_SERVER_TIMEOUTS = LivenessTimeouts(start_seconds=120, report_seconds=REPORT_SECONDS, restart_seconds=60)
PAGE_TIMEOUTS = LivenessTimeouts(start_seconds=300, report_seconds=REPORT_SECONDS, restart_seconds=30)
"""On a busy machine MLflow imports for minutes, and the activator holds a connection for as long."""
CODE_SERVER_TIMEOUTS = LivenessTimeouts(start_seconds=300, report_seconds=REPORT_SECONDS, restart_seconds=60)
DAEMON_TIMEOUTS = LivenessTimeouts(start_seconds=180, report_seconds=20, restart_seconds=40)
"""Its threads wake every few seconds; a restart takes 20 s, for which a daemon that works may end its runs."""
DATABASE_TIMEOUTS = LivenessTimeouts(start_seconds=600, report_seconds=REPORT_SECONDS, restart_seconds=300)
"""A restart ends every session and needs a recovery: the last resort, but safe, because PostgreSQL does not start while
sessions of a dead server remain."""


class WatchedPorts(NamedTuple):
    """Ports of the stack's servers; None if the server is external. The last two are of services that start on
    demand, behind the activator.
    """

    serving: int
    feed: int | None = None
    activator: int | None = None
    valkey: int | None = None
    postgres: int | None = None
    dagster_page: int | None = None
    mlflow: int | None = None


class Observer(NamedTuple):
    """How processes are observed: the monotonic time, whether our program listens on a port (another home's may have
    taken it), and the work that a program has done so far (None if it does not run).
    """

    now: Callable[[], float]
    owns_port: Callable[[str, int], bool]
    measure_work: Callable[[str], Hashable]


class WatchedService(NamedTuple):
    """`sign_of_life` changes while the service works (None: unknown now); `restart_programs` are restarted in turn.

    A service `on_demand` is watched while it runs.
    """

    name: str
    sign_of_life: SignOfLife
    timeouts: LivenessTimeouts
    restart_programs: tuple[str, ...]
    on_demand: bool = False


def watched_services(ports: WatchedPorts, observer: Observer, code_servers: Mapping[str, Path]) -> list[WatchedService]:
    """All watched services; `code_servers` are the sockets of Dagster's code servers by name.

    For a silent sensor, the daemon is restarted first, then its code server.
    """
    return [
        WatchedService(SENSOR, _heartbeat_sign(SENSOR), LivenessTimeouts(180, 30, 90), (DAEMON, CODE_SERVER)),
        WatchedService(SCORER, _scorer_sign, LivenessTimeouts(180, 20, 60), ("scorer",)),
        WatchedService(DAEMON, _work_sign(observer, DAEMON), DAEMON_TIMEOUTS, (DAEMON,)),
        *_watched_servers(ports, observer),
        *(
            WatchedService(name, _code_server_sign(observer, socket), CODE_SERVER_TIMEOUTS, (name,))
            for name, socket in code_servers.items()
        ),
    ]


def _watched_servers(ports: WatchedPorts, observer: Observer) -> Iterator[WatchedService]:
    """The servers that listen on a port of this machine."""
    reporting = [
        (SERVING, ports.serving, "/readyz", SERVER_TIMEOUTS),
        (FEED, ports.feed, "/_edge/ready", OWN_SERVER_TIMEOUTS),
        (ACTIVATOR, ports.activator, ACTIVATOR_PATH, SERVER_TIMEOUTS),
    ]
    for name, port, path, timeouts in reporting:
        if port:
            yield WatchedService(name, _report_sign(observer, name, port, path), timeouts, (name,))
    replying = [
        (VALKEY, ports.valkey, probing.PING_REQUEST, OWN_SERVER_TIMEOUTS, False),
        (POSTGRES, ports.postgres, probing.SSL_REQUEST, DATABASE_TIMEOUTS, False),
        (DAGSTER_PAGE, ports.dagster_page, probing.PAGE_REQUEST, PAGE_TIMEOUTS, True),
        (MLFLOW, ports.mlflow, probing.PAGE_REQUEST, PAGE_TIMEOUTS, True),
    ]
    for name, port, request, timeouts, on_demand in replying:
        if port:
            yield WatchedService(name, _reply_sign(observer, name, port, request), timeouts, (name,), on_demand)


def _report_sign(observer: Observer, service: str, port: int, path: str) -> SignOfLife:
    """Any report of our program is a sign of life, each time a new one."""

    def sign(_: HealthSnapshot | None) -> Hashable:
        is_alive = probing.get_json(port, path) is not None and observer.owns_port(service, port)
        return observer.now() if is_alive else SILENT

    return sign


def _reply_sign(observer: Observer, service: str, port: int, request: bytes) -> SignOfLife:
    """Any byte of our program counts, even an error: a database in recovery or a loading cache is alive."""

    def sign(_: HealthSnapshot | None) -> Hashable:
        is_alive = probing.has_reply(port, request) and observer.owns_port(service, port)
        return observer.now() if is_alive else SILENT

    return sign


def _code_server_sign(observer: Observer, socket: Path) -> SignOfLife:
    """Any byte counts; only this user can listen on the socket."""

    def sign(_: HealthSnapshot | None) -> Hashable:
        return observer.now() if probing.has_reply(socket, probing.GRPC_REQUEST) else SILENT

    return sign


def _work_sign(observer: Observer, service: str) -> SignOfLife:
    """Any work of the process counts, unless the database is away: then all its threads may wait for that."""

    def sign(signs: HealthSnapshot | None) -> Hashable:
        return observer.measure_work(service) if signs else None

    return sign


def _heartbeat_sign(service: str) -> Callable[[HealthSnapshot | None], Hashable]:
    def sign(signs: HealthSnapshot | None) -> Hashable:
        return _last_heartbeat(signs, service) or "none yet" if signs else None

    return sign


def _last_heartbeat(signs: HealthSnapshot, service: str) -> datetime | None:
    beat = signs.heartbeats.get(service)
    return beat.beat_at if beat else None


def _scorer_sign(signs: HealthSnapshot | None) -> Hashable:
    """The scorer's heartbeat, or the time of its oldest unscored poll."""
    if signs is None:
        return None
    return _last_heartbeat(signs, SCORER) or signs.unscored_since


def has_recording_ended(ports: WatchedPorts) -> bool:
    """Whether the feed server has finished its recording."""
    answer: dict[str, Any] = (ports.feed and probing.get_json(ports.feed, "/_edge/ready")) or {}
    return bool(answer.get("ended"))
