"""What the watchdog looks at, with the patience for each and what to restart when it is at its end."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from edge_assets.health.assessment import SCORER, SENSOR
from edge_assets.local.ports import ACTIVATOR_PATH
from edge_assets.local.watchdog import probing
from edge_assets.local.watchdog.liveness import Patience

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable
    from datetime import datetime

    from edge_assets.store.vital_signs import VitalSigns

SERVING, FEED, CODE = "serving", "feed", "code-ingest"
ACTIVATOR, VALKEY, POSTGRES = "activator", "valkey", "postgres"
DAEMON = "dagster-daemon"
PATIENCE_WITH_DATABASE = Patience(start=600, tell=8, restart=300)
"""Its restart ends every session and is followed by a recovery: the last resort, and a safe one, as PostgreSQL does not
start beside sessions of a dead server."""


class Ports(NamedTuple):
    """Where our servers listen; None where one is not ours."""

    serving: int
    feed: int | None = None
    activator: int | None = None
    valkey: int | None = None
    postgres: int | None = None


class Duty(NamedTuple):
    """`sign` is what changes while `service` works (None: nobody can tell now); `restarts` are taken in turn."""

    service: str
    sign: Callable[[VitalSigns | None], Hashable]
    patience: Patience
    restarts: tuple[str, ...]


def duties(ports: Ports, now: Callable[[], float], owns: Callable[[str, int], bool]) -> list[Duty]:
    """All of them. A sensor that a new daemon does not wake may hang in its code server.

    `owns` says whether a program of ours listens on a port: while ours starts, another home's may take it.
    """

    def answering(service: str, port: int, path: str) -> Callable[[VitalSigns | None], Hashable]:
        """Any answer of ours is a sign of life, and a new one each time."""

        def sign(_: VitalSigns | None) -> Hashable:
            return now() if probing.get_json(port, path) is not None and owns(service, port) else "silent"

        return sign

    def replying(service: str, port: int, question: bytes) -> Callable[[VitalSigns | None], Hashable]:
        """Any byte of ours, an error included: a database that recovers and a cache that loads live."""

        def sign(_: VitalSigns | None) -> Hashable:
            return now() if probing.replies(port, question) and owns(service, port) else "silent"

        return sign

    listed = [
        Duty(SENSOR, _beat_of(SENSOR), Patience(180, 30, 90), (DAEMON, CODE)),
        Duty(SCORER, _scoring, Patience(180, 20, 60), ("scorer",)),
        Duty(SERVING, answering(SERVING, ports.serving, "/readyz"), Patience(120, 8, 30), (SERVING,)),
    ]
    ours = [
        (FEED, ports.feed, partial(answering, path="/_edge/ready"), Patience(120, 8, 60)),
        (ACTIVATOR, ports.activator, partial(answering, path=ACTIVATOR_PATH), Patience(120, 8, 30)),
        (VALKEY, ports.valkey, partial(replying, question=probing.PING), Patience(120, 8, 60)),
        (POSTGRES, ports.postgres, partial(replying, question=probing.SSL_REQUEST), PATIENCE_WITH_DATABASE),
    ]
    return listed + [Duty(name, sign(name, port), patience, (name,)) for name, port, sign, patience in ours if port]


def _beat_of(service: str) -> Callable[[VitalSigns | None], Hashable]:
    def sign(signs: VitalSigns | None) -> Hashable:
        return _beat(signs, service) or "none yet" if signs else None

    return sign


def _beat(signs: VitalSigns, service: str) -> datetime | None:
    beat = signs.heartbeats.get(service)
    return beat.beat_at if beat else None


def _scoring(signs: VitalSigns | None) -> Hashable:
    """Its sign of life, and the oldest poll that waits for it: none waits, or another one than before."""
    if signs is None:
        return None
    return _beat(signs, SCORER) or signs.unscored_since


def recording_ended(ports: Ports) -> bool:
    """Whether our feed server has played its recording to the end."""
    answer: dict[str, Any] = (ports.feed and probing.get_json(ports.feed, "/_edge/ready")) or {}
    return bool(answer.get("ended"))
