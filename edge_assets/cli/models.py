"""`edge models`: what has been trained, and how it compares with the market."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from edge_assets.cli.application import JsonOption, echo_json, out, print_rows
from edge_assets.cli.training_reports import load_reports, print_training
from edge_assets.core.settings import HomeSettings

if TYPE_CHECKING:
    from pathlib import Path

    from edge_assets.models.catalogue import CataloguedModel

TRAIN_REMEDY = "train one: `edge train --sport soccer --until 2022-07-01`"
app = typer.Typer(
    name="models", help="List, show and compare the models that `edge train` has trained.", no_args_is_help=True
)
NameArgument = Annotated[str, typer.Argument(metavar="MODEL", help="Its name in `edge models list`.")]


@app.command("list")
def list_(as_json: JsonOption = False) -> None:
    """List the trained models."""
    from edge_assets.models.catalogue import list_models

    models = list_models(_models_directory())
    if as_json:
        echo_json([_describe(model) for model in models])
        return
    header = ("model", "trained until", "lines", "features", "state")
    print_rows(header, [_list_row(model) for model in models])
    if not models:
        out.print(f"no models; {TRAIN_REMEDY}", soft_wrap=True)


@app.command()
def show(name: NameArgument, as_json: JsonOption = False) -> None:
    """Show a model: what it was trained on, its features, and its scores at the last training."""
    from edge_assets.local.errors import LocalError
    from edge_assets.models.catalogue import list_models

    known = {model.name: model for model in list_models(_models_directory())}
    if name not in known:
        msg = f"unknown model {name!r}"
        raise LocalError(msg, f"there are: {', '.join(known)}" if known else TRAIN_REMEDY)
    reports = [report for report in load_reports(_models_directory()).values() if name in report["models"]]
    figures = reports[0]["models"][name] if reports else None
    if as_json:
        echo_json(_describe(known[name]) | {"figures": figures})
        return
    _print_model(known[name])
    if reports:
        print_training(reports[0] | {"models": {name: figures}, "pooled": {}, "skipped": {}})


@app.command()
def compare(
    sport: Annotated[str | None, typer.Option(help="Only the training of this sport group or league.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Compare models with the market on the games they were tested on: the report of each sport's last training."""
    from edge_assets.local.errors import LocalError

    reports = load_reports(_models_directory())
    if not reports or (sport is not None and sport not in reports):
        msg = f"no training of {sport!r}" if sport else "nothing has been trained"
        raise LocalError(msg, f"there are trainings of: {', '.join(reports)}" if reports else TRAIN_REMEDY)
    chosen = {name: report for name, report in reports.items() if sport in {None, name}}
    if as_json:
        echo_json(chosen)
        return
    for name, report in chosen.items():
        out.print(f"{name}: trained until {report['until']}, tested until {report['test_until'] or 'the last game'}")
        print_training(report)


def _models_directory() -> Path:
    from edge_assets.local.home import Home

    return Home.open(HomeSettings().edge_home).models


def _describe(model: CataloguedModel) -> dict[str, Any]:
    import msgspec

    spec = None if model.spec is None else msgspec.to_builtins(model.spec)
    return {"name": model.name, "path": str(model.path), "problem": model.problem, "spec": spec}


def _list_row(model: CataloguedModel) -> tuple[str, ...]:
    if (spec := model.spec) is None:
        return model.name, "", "", "", model.problem or ""
    until, lines, features = spec.trained_until[:10], f"{spec.lines:,}", str(len(spec.features))
    return model.name, until, lines, features, "usable"


def _print_model(model: CataloguedModel) -> None:
    if (spec := model.spec) is None:
        out.print(f"{model.name} cannot be used: {model.problem}", soft_wrap=True)
        return
    period = f"{spec.trained_from[:10]} to {spec.trained_until[:10]}"
    out.print(f"{model.name}: {spec.lines:,} lines, {period}, reference {spec.reference}", soft_wrap=True)
    rows = [(feature.name, feature.unit, feature.known_at, feature.missing) for feature in spec.features]
    print_rows(("feature", "unit", "known at", "where missing"), rows)
