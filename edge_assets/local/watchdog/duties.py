"""What the watchdog checks, with the timeouts of each service and what to restart when it hangs."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from edge_assets.health.assessment import SCORER, SENSOR
from edge_assets.local.ports import ACTIVATOR_PATH
from edge_assets.local.watchdog import probing
from edge_assets.local.watchdog.liveness import LivenessTimeouts

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable
    from datetime import datetime

    from edge_assets.store.health.vital_signs import HealthSnapshot

SERVING, FEED, CODE_SERVER = "serving", "feed", "code-ingest"
ACTIVATOR, VALKEY, POSTGRES = "activator", "valkey", "postgres"
DAEMON = "dagster-daemon"
DATABASE_TIMEOUTS = LivenessTimeouts(start_seconds=600, report_seconds=8, restart_seconds=300)
"""A restart ends every session and needs a recovery: the last resort, but safe, because PostgreSQL does not start while
sessions of a dead server remain."""


class WatchedPorts(NamedTuple):
    """Ports of the stack's servers; None if the server is external."""

    serving: int
    feed: int | None = None
    activator: int | None = None
    valkey: int | None = None
    postgres: int | None = None


class WatchedService(NamedTuple):
    """`sign_of_life` changes while the service works (None: unknown now); `restart_programs` are restarted in turn."""

    name: str
    sign_of_life: Callable[[HealthSnapshot | None], Hashable]
    timeouts: LivenessTimeouts
    restart_programs: tuple[str, ...]


def watched_services(
    ports: WatchedPorts, now: Callable[[], float], owns_port: Callable[[str, int], bool]
) -> list[WatchedService]:
    """All watched services. For the sensor, the daemon is restarted first, then its code server.

    `owns_port` returns whether our program listens on a port: another home's may have taken it.
    """

    def answer_sign(service: str, port: int, path: str) -> Callable[[HealthSnapshot | None], Hashable]:
        """Any response of our program is a sign of life, each time a new one."""

        def sign(_: HealthSnapshot | None) -> Hashable:
            return now() if probing.get_json(port, path) is not None and owns_port(service, port) else "silent"

        return sign

    def reply_sign(service: str, port: int, request: bytes) -> Callable[[HealthSnapshot | None], Hashable]:
        """Any byte of our program counts, even an error: a database in recovery or a loading cache is alive."""

        def sign(_: HealthSnapshot | None) -> Hashable:
            return now() if probing.has_reply(port, request) and owns_port(service, port) else "silent"

        return sign

    watched = [
        WatchedService(SENSOR, _heartbeat_sign(SENSOR), LivenessTimeouts(180, 30, 90), (DAEMON, CODE_SERVER)),
        WatchedService(SCORER, _scorer_sign, LivenessTimeouts(180, 20, 60), ("scorer",)),
        WatchedService(
            SERVING, answer_sign(SERVING, ports.serving, "/readyz"), LivenessTimeouts(120, 8, 30), (SERVING,)
        ),
    ]
    own_servers = [
        (FEED, ports.feed, partial(answer_sign, path="/_edge/ready"), LivenessTimeouts(120, 8, 60)),
        (ACTIVATOR, ports.activator, partial(answer_sign, path=ACTIVATOR_PATH), LivenessTimeouts(120, 8, 30)),
        (VALKEY, ports.valkey, partial(reply_sign, request=probing.PING_REQUEST), LivenessTimeouts(120, 8, 60)),
        (POSTGRES, ports.postgres, partial(reply_sign, request=probing.SSL_REQUEST), DATABASE_TIMEOUTS),
    ]
    return watched + [
        WatchedService(name, sign(name, port), timeouts, (name,)) for name, port, sign, timeouts in own_servers if port
    ]


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
