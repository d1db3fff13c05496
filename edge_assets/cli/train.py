"""`edge train`."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from edge_assets.cli.application import JsonOption, echo_json, err, out, print_rows
from edge_assets.core.settings import Settings

if TYPE_CHECKING:
    from edge_assets.models.training import TrainingReport
    from edge_assets.models.training_data import GroupData
    from ml.quotes import Market

MARKET_NAMES = "h2h, h2h_3_way, spreads or totals"
SCORE_HEADER = ("", "log loss", "share", "gain on close", "gain on results")


def train(
    sport: Annotated[str, typer.Option(help="A sport group (soccer) or one league (soccer_epl).")],
    until: Annotated[datetime, typer.Option(formats=["%Y-%m-%d"], help="Learn from games before this day (UTC).")],
    test_until: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Test on games from then to before this day.")
    ] = None,
    market: Annotated[list[str] | None, typer.Option(help=f"{MARKET_NAMES}; may be repeated. Default: all.")] = None,
    reference: Annotated[str, typer.Option(help="The sharp book whose price is corrected.")] = "pinnacle",
    trials: Annotated[int, typer.Option(min=0, help="Settings of the trees to try on the training seasons.")] = 0,
    as_json: JsonOption = False,
) -> None:
    """Train models of fair prices on past games, and test them on later ones.

    Without DATABASE_URL and without a running stack, the embedded database runs while the games are read.
    """
    from time import monotonic

    from edge_assets.local.errors import LocalError
    from edge_assets.local.home import Home
    from edge_assets.models.training import Period, Recipe, save_models, train_group

    period = Period(_micros(until), None if test_until is None else _micros(test_until))
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
    paths = save_models(report, Home.open(Settings().edge_home).models)
    answer = _describe(data, period) | report.figures | {"bundles": paths, "seconds": round(monotonic() - began, 1)}
    if as_json:
        echo_json(answer)
    else:
        _print(report, answer)


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


def _describe(data: GroupData, period: Any) -> dict[str, Any]:
    days = (None if at is None else f"{datetime.fromtimestamp(at / 1e6, UTC):%Y-%m-%d}" for at in period)
    return {"sport": data.group, "games": data.games} | dict(zip(("until", "test_until"), days, strict=True))


def _print(report: TrainingReport, answer: dict[str, Any]) -> None:
    out.print(f"{answer['games']:,} games; gains in 1e-5 nats with 95% intervals; share: of the move to the close")
    for name, figures in answer["models"].items():
        lines = figures["lines"]
        out.print(f"\n{name}: trained on {lines['training']:,} lines, tested on {lines['test']:,}", soft_wrap=True)
        models = figures["test"]["models"] if figures["test"] else {}
        print_rows(SCORE_HEADER, [(member, *_score_cells(scores)) for member, scores in models.items()])
    for name, why in report.skipped.items():
        out.print(f"\n{name}: not trained: {why}", soft_wrap=True)
    _print_bets(answer["pooled"])


def _print_bets(pooled: dict[str, Any]) -> None:
    if bets := pooled.get("bets"):
        out.print("\nbets on all markets at the best price, by lines that the reference prices")
        rules = ("market_rule", "model", "model_same_number")
        rows = [(r, f"{bets[r]['bets']:,}", _percent(bets[r]["clv"]), _percent(bets[r]["yield"])) for r in rules]
        print_rows(("rule", "bets", "CLV", "yield"), rows)
        difference = _percent(bets["clv_difference_same_number"])
        out.print(f"CLV above the market rule's at the same number of bets: {difference}", soft_wrap=True)
    if even := pooled.get("even_odds"):
        won, implied = _percent(even["won"]), _percent(even["implied_by_close"])
        out.print(f"-110: {even['bets']:,} bets, won {won}, the close implies {implied}", soft_wrap=True)


def _score_cells(scores: dict[str, Any]) -> tuple[str, ...]:
    share = scores["share"]
    cells = [_cell(scores["log_loss"], "{:.5f}"), _cell(share, "{:.1%}")]
    for name in ("closing_gain", "result_gain"):
        mean, low, high = scores[name]
        cells.append(_cell(mean, "{:.1f}") + (f" [{low:.1f}, {high:.1f}]" if low is not None else ""))
    return tuple(cells)


def _cell(value: float | None, pattern: str) -> str:
    return "-" if value is None else pattern.format(value)


def _percent(interval: list[float | None]) -> str:
    mean, low, high = interval
    return _cell(mean, "{:.1%}") + (f" [{low:.1%}, {high:.1%}]" if low is not None and high is not None else "")
