"""`edge replay` and `edge simulate`: a feed server on its own."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

PortOption = Annotated[int, typer.Option(metavar="PORT", min=1, max=65_535, help="Port to listen on.")]


def replay(
    path: Annotated[Path, typer.Argument(metavar="PATH", help="Directory or tar of captured responses.")],
    speed: Annotated[str, typer.Option(metavar="N|max", help="Speed, as a multiple of real time.")] = "max",
    port: PortOption = 8100,
) -> None:
    """Serve a recording through The Odds API's interface."""
    from edge_assets.sandbox.server.__main__ import main

    _require_free_port(port)
    main(path, port, speed)


def simulate(
    seed: Annotated[int, typer.Option(metavar="N", help="Seed of the simulated market.")] = 1,
    port: PortOption = 8100,
) -> None:
    """Serve a simulated market through The Odds API's interface."""
    from edge_assets.sandbox.simulator.__main__ import main

    _require_free_port(port)
    main(port=port, seed=seed)


def _require_free_port(port: int) -> None:
    from edge_assets.local.errors import LocalError
    from edge_assets.local.ports import is_free

    if not is_free(port):
        msg = f"port {port} is taken by another program"
        raise LocalError(msg, "choose another with --port")
