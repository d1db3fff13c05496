"""A page that is started by whoever opens it, under the real supervisord."""

from __future__ import annotations

import os
import sys
import urllib.request
from typing import TYPE_CHECKING

from edge_assets.local import probes
from edge_assets.local.ports import HOST, choose
from edge_assets.local.programs import Program
from edge_assets.local.supervisor import Supervisor
from tests.edge_assets.local.embedded import eventually

if TYPE_CHECKING:
    from edge_assets.local.home import Home

SOON_IDLE = """
import asyncio, sys
from pathlib import Path
from edge_assets.local.activator import serve
from edge_assets.local.home import Home
from edge_assets.local.supervisor import Supervisor
home, port, inner = sys.argv[1:]
asyncio.run(serve(Supervisor(Home(Path(home))), [("page", int(port), int(inner))], idle_seconds=1.0))
"""


def test_a_page_starts_when_it_is_opened_and_ends_when_nobody_uses_it(home: Home) -> None:
    port, inner = choose(home, "page"), choose(home, "page inner")
    supervisor = Supervisor(home)
    supervisor.launch(os.environ)
    server = (sys.executable, "-m", "http.server", "--bind", HOST, "--directory", str(home.run), str(inner))
    supervisor.add(Program("page", server, on_demand=True))
    script = home.run / "soon_idle.py"
    script.write_text(SOON_IDLE)
    supervisor.add(Program("activator", (sys.executable, str(script), str(home.root), str(port), str(inner))))

    def state() -> str:
        return next(info.state for info in supervisor.programs() if info.name == "page")

    eventually(lambda: probes.listens(port), 120)
    assert state() == "STOPPED"  # a probe of the port asks for nothing
    for _ in range(2):
        with urllib.request.urlopen(f"http://{HOST}:{port}/supervisord.conf", timeout=120) as page:
            assert b"[supervisord]" in page.read()
        assert state() in {"STARTING", "RUNNING"}
        eventually(lambda: state() == "STOPPED", 60)
