"""The embedded servers under the real supervisord."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, NamedTuple

from edge_assets.local import ports, postgres, probes, valkey
from edge_assets.local.home import Home
from edge_assets.local.startup import Step, bring_up
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
        return cls(home, Supervisor(home), ports.choose(home, "postgres"), ports.choose(home, "valkey"))

    @property
    def database_url(self) -> str:
        return postgres.server_url(self.postgres_port, self.home.secret("postgres"))

    @property
    def redis_url(self) -> str:
        return valkey.url(self.valkey_port, self.home.secret("valkey"), 0)

    def start(self) -> None:
        postgres.prepare(self.home, self.home.secret("postgres"))
        self.supervisor.launch(os.environ)
        database = postgres.program(self.home, self.postgres_port)
        cache = valkey.program(self.home, self.valkey_port, self.home.secret("valkey"))
        steps = [
            Step(
                "postgres",
                (),
                lambda: self.supervisor.add(database),
                lambda: probes.postgres(self.database_url),
            ),
            Step("valkey", (), lambda: self.supervisor.add(cache), lambda: probes.valkey(self.redis_url)),
        ]
        bring_up(steps, lambda *_: None)

    def pid(self, name: str) -> int:
        return next((program.pid for program in self.supervisor.programs() if program.name == name), 0)
