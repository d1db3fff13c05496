"""`edge down`."""

from __future__ import annotations

from edge_assets.cli.application import err
from edge_assets.core.settings import HomeSettings


def down() -> None:
    """Stop everything that `edge up` started, even after a crash."""
    from edge_assets.local.home import Home
    from edge_assets.local.shutdown import down as stop

    home = Home.open(HomeSettings().edge_home)
    with home.lock(), err.status("stopping everything"):
        stopped = stop(home)
    err.print(f"stopped ({stopped} processes)" if stopped else f"nothing of {home.root} is running")
