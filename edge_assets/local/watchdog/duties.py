"""What the watchdog looks at, with the patience for each and what to restart when it is at its end."""

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
"""Its restart ends every session and is followed by a recovery: the last resort, and a safe one, as PostgreSQL does not
start beside sessions of a dead server."""


class WatchedPorts(NamedTuple):
    """Where our servers listen; None where one is not ours."""

    serving: int
    feed: int | None = None
    activator: int | None = None
    valkey: int | None = None
    postgres: int | None = None


class WatchedService(NamedTuple):
    """`sign` is what changes while `service` works (None: nobody can tell now); `restart_programs` are taken in
    turn.
    """

    name: str
    sign_of_life: Callable[[HealthSnapshot | None], Hashable]
    timeouts: LivenessTimeouts
    restart_programs: tuple[str, ...]


def watched_services(
    ports: WatchedPorts, now: Callable[[], float], owns_port: Callable[[str, int], bool]
) -> list[WatchedService]:
    """All of them. A sensor that a new daemon does not wake may hang in its code server.

    `owns_port` says whether a program of ours listens on a port: while ours starts, another home's may take it.
    """

    def answer_sign(service: str, port: int, path: str) -> Callable[[HealthSnapshot | None], Hashable]:
        """Any answer of ours is a sign of life, and a new one each time."""

        def sign(_: HealthSnapshot | None) -> Hashable:
            return now() if probing.get_json(port, path) is not None and owns_port(service, port) else "silent"

        return sign

    def reply_sign(service: str, port: int, question: bytes) -> Callable[[HealthSnapshot | None], Hashable]:
        """Any byte of ours, an error included: a database that recovers and a cache that loads live."""

        def sign(_: HealthSnapshot | None) -> Hashable:
            return now() if probing.has_reply(port, question) and owns_port(service, port) else "silent"

        return sign

    watched = [
        WatchedService(SENSOR, _heartbeat_sign(SENSOR), LivenessTimeouts(180, 30, 90), (DAEMON, CODE_SERVER)),
        WatchedService(SCORER, _scorer_sign, LivenessTimeouts(180, 20, 60), ("scorer",)),
        WatchedService(
            SERVING, answer_sign(SERVING, ports.serving, "/readyz"), LivenessTimeouts(120, 8, 30), (SERVING,)
        ),
    ]
    ours = [
        (FEED, ports.feed, partial(answer_sign, path="/_edge/ready"), LivenessTimeouts(120, 8, 60)),
        (ACTIVATOR, ports.activator, partial(answer_sign, path=ACTIVATOR_PATH), LivenessTimeouts(120, 8, 30)),
        (VALKEY, ports.valkey, partial(reply_sign, question=probing.PING_REQUEST), LivenessTimeouts(120, 8, 60)),
        (POSTGRES, ports.postgres, partial(reply_sign, question=probing.SSL_REQUEST), DATABASE_TIMEOUTS),
    ]
    return watched + [
        WatchedService(name, sign(name, port), patience, (name,)) for name, port, sign, patience in ours if port
    ]


def _heartbeat_sign(service: str) -> Callable[[HealthSnapshot | None], Hashable]:
    def sign(signs: HealthSnapshot | None) -> Hashable:
        return _last_heartbeat(signs, service) or "none yet" if signs else None

    return sign


def _last_heartbeat(signs: HealthSnapshot, service: str) -> datetime | None:
    beat = signs.heartbeats.get(service)
    return beat.beat_at if beat else None


def _scorer_sign(signs: HealthSnapshot | None) -> Hashable:
    """Its sign of life, and the oldest poll that waits for it: none waits, or another one than before."""
    if signs is None:
        return None
    return _last_heartbeat(signs, SCORER) or signs.unscored_since


def has_recording_ended(ports: WatchedPorts) -> bool:
    """Whether our feed server has played its recording to the end."""
    answer: dict[str, Any] = (ports.feed and probing.get_json(ports.feed, "/_edge/ready")) or {}
    return bool(answer.get("ended"))
