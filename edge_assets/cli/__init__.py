"""The `edge` command, one module per subcommand.

At the top, modules import only what `edge --help` needs, and the rest when they run.
"""

from __future__ import annotations

from edge_assets.cli import (
    doctor,
    down,
    feeds,
    imports,
    lines,
    models,
    quality,
    quarantine,
    results,
    status,
    token,
    train,
    unreadable,
    up,
    warehouse,
    watch,
)
from edge_assets.cli.application import app

app.command()(up.up)
app.command()(down.down)
app.command()(status.status)
app.command()(doctor.doctor)
app.command()(watch.watch)
app.command()(feeds.replay)
app.command()(feeds.simulate)
app.command("import")(imports.import_)
app.command()(lines.lines)
app.command()(token.token)
app.command()(train.train)
app.add_typer(models.app)
app.add_typer(quality.app)
app.add_typer(quarantine.app)
app.add_typer(results.app)
app.add_typer(unreadable.app)
app.add_typer(warehouse.app)

__all__ = ["app"]
