"""The embedded servers under the real supervisord."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, NamedTuple

from edge_assets.local import ports, postgres, probes, valkey
from edge_assets.local.home import Home
from edge_assets.local.startup import StartupStep, start_in_order
from edge_assets.local.supervisor import Supervisor

if TYPE_CHECKING:
    from collections.abc import Callable


def eventually(holds: Callable[[], bool], seconds: float = 20) -> None:
    give_up = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < give_up, "it never came to hold"
        time.sleep(0.05)


class Servers(NamedTuple):
    home: Home
    supervisor: Supervisor
    postgres_port: int
    valkey_port: int

    @classmethod
    def of(cls, home: Home) -> Servers:
        return cls(home, Supervisor(home), ports.allocate_port(home, "postgres"), ports.allocate_port(home, "valkey"))

    @property
    def database_url(self) -> str:
        return postgres.server_url(self.postgres_port, self.home.secret("postgres"))

    @property
    def redis_url(self) -> str:
        return valkey.server_url(self.valkey_port, self.home.secret("valkey"), 0)

    def start(self) -> None:
        postgres.prepare_cluster(self.home, self.home.secret("postgres"))
        self.supervisor.launch(os.environ)
        database = postgres.server_program(self.home, self.postgres_port)
        cache = valkey.server_program(self.home, self.valkey_port, self.home.secret("valkey"))
        steps = [
            StartupStep(
                "postgres",
                (),
                lambda: self.supervisor.add(database),
                lambda: probes.is_postgres_ready(self.database_url),
            ),
            StartupStep(
                "valkey", (), lambda: self.supervisor.add(cache), lambda: probes.is_valkey_ready(self.redis_url)
            ),
        ]
        start_in_order(steps, lambda *_: None)

    def pid(self, name: str) -> int:
        return next((program.pid for program in self.supervisor.programs() if program.name == name), 0)
