"""`edge train`."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from edge_assets.cli.application import JsonOption, echo_json, err
from edge_assets.cli.training_reports import print_training, save_report
from edge_assets.core.settings import Settings
from edge_assets.reference.books import REFERENCE_BOOK

if TYPE_CHECKING:
    from edge_assets.models.training import TrainingPeriod
    from edge_assets.models.training_data import GroupData
    from ml.quotes import Market

MARKET_NAMES = "h2h, h2h_3_way, spreads or totals"


def train(
    sport: Annotated[str, typer.Option(metavar="SPORT", help="A sport group (soccer) or one league (soccer_epl).")],
    until: Annotated[
        datetime, typer.Option(metavar="DATE", formats=["%Y-%m-%d"], help="Learn from games before this day (UTC).")
    ],
    test_until: Annotated[
        datetime | None,
        typer.Option(metavar="DATE", formats=["%Y-%m-%d"], help="Test on games from then to before this day."),
    ] = None,
    market: Annotated[
        list[str] | None, typer.Option(metavar="MARKET", help=f"{MARKET_NAMES}; may be repeated. Default: all.")
    ] = None,
    reference: Annotated[
        str, typer.Option(metavar="BOOK", help="The sharp book whose price is corrected.")
    ] = REFERENCE_BOOK,
    trials: Annotated[
        int, typer.Option(metavar="N", min=0, help="Settings of the trees to try on the training seasons.")
    ] = 0,
    as_json: JsonOption = False,
) -> None:
    """Train models of fair prices on past games, and test them on later ones.

    Without DATABASE_URL and without a running stack, the embedded database runs while the games are read.
    """
    from time import monotonic

    from edge_assets.local.errors import LocalError
    from edge_assets.local.home import Home
    from edge_assets.models.training import Recipe, TrainingPeriod, save_models, train_group

    period = TrainingPeriod(_micros(until), None if test_until is None else _micros(test_until))
    if period.test_until is not None and period.test_until <= period.until:
        msg = f"--test-until {test_until:%Y-%m-%d} is not after --until {until:%Y-%m-%d}"
        raise LocalError(msg, "games are tested on from --until to --test-until")
    began = monotonic()
    data = _load(sport, _parse_markets(market or []), reference)
    with err.status("training") as status:
        report = train_group(data, period, Recipe(trials=trials), lambda name: status.update(f"training {name}"))
    if not report.models:
        reasons = (
            "; ".join(f"{name}: {why}" for name, why in report.skipped.items())
            or "no line was priced a day before its start, nor has an opening price"
        )
        msg = f"nothing to train of {sport}: {reasons}"
        raise LocalError(msg, "import more seasons with closing prices, or choose a later --until")
    directory = Home.open(Settings().edge_home).models
    paths = save_models(report, directory)
    result = _describe(data, period) | report.figures | {"bundles": paths, "seconds": round(monotonic() - began, 1)}
    save_report(directory, sport, result)
    if as_json:
        echo_json(result)
    else:
        print_training(result)


def _micros(day: datetime) -> int:
    from edge_assets.core.clock import to_micros

    return to_micros(day.replace(tzinfo=UTC))


def _parse_markets(names: list[str]) -> tuple[Market, ...]:
    from edge_assets.local.errors import LocalError
    from ml.quotes import MARKET_OUTCOMES

    by_key = {market.key: market for market in MARKET_OUTCOMES}
    if unknown := [name for name in names if name not in by_key]:
        msg = f"unknown market {unknown[0]!r}"
        raise LocalError(msg, f"--market is {MARKET_NAMES}")
    return tuple(by_key[name] for name in names)


def _load(sport: str, markets: tuple[Market, ...], reference: str) -> GroupData:
    from edge_assets.local.embedded_database import open_database
    from edge_assets.local.errors import LocalError
    from edge_assets.local.home import Home
    from edge_assets.models.training_data import load_group
    from edge_assets.store.postgres.database import connect
    from edge_assets.store.postgres.schema import upgrade

    settings = Settings()
    with open_database(Home.open(settings.edge_home), settings) as url:
        upgrade(url)
        with err.status(f"reading games of {sport}"), connect(url, "edge train") as conn:
            data = load_group(conn, sport, markets, reference)
    if not data.games:
        msg = f"the database has no games of {sport!r}"
        raise LocalError(msg, "import some: `edge import football-data DIR`")
    return data


def _describe(data: GroupData, period: TrainingPeriod) -> dict[str, Any]:
    days = (None if at is None else f"{datetime.fromtimestamp(at / 1e6, UTC):%Y-%m-%d}" for at in period)
    return {"sport": data.group, "games": data.games} | dict(zip(("until", "test_until"), days, strict=True))
