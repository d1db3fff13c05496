"""`python -m edge_assets.sandbox.simulator --port N --seed S`: serve the simulated market."""

from __future__ import annotations

from typing import Annotated

import typer

from edge_assets.sandbox.server.app import create_app
from edge_assets.sandbox.server.serve import serve
from edge_assets.sandbox.simulator.market import SimulatedMarket

app = typer.Typer(add_completion=False)


@app.command()
def main(
    port: Annotated[int, typer.Option(help="Port to listen on.")],
    seed: Annotated[int, typer.Option(help="Seed of the simulated market.")] = 1,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
) -> None:
    """Serve a simulated market as The Odds API v4, in real time."""
    serve(create_app(SimulatedMarket(seed)), host, port)


if __name__ == "__main__":
    app()
