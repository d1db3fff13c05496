"""The report of each sport's last training, kept with the models, and its tables."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from edge_assets.cli.application import out, print_rows

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

REPORT_SUFFIX = ".report.json"
REPORT_REMEDY = "delete it, and train again"

SCORE_HEADER = ("", "log loss", "share", "gain on close", "gain on results")


def save_report(directory: Path, sport: str, report: Mapping[str, Any]) -> None:
    """Keep the report of a sport's last training, in place of the one before."""
    from edge_assets.local.home import write_private

    write_private(directory / f"{sport}{REPORT_SUFFIX}", json.dumps(report))


def load_reports(directory: Path) -> dict[str, dict[str, Any]]:
    """The report of each sport's last training, by sport. Raises `LocalError`."""
    paths = sorted(directory.glob(f"*{REPORT_SUFFIX}"))
    return {path.name.removesuffix(REPORT_SUFFIX): _load_report(path) for path in paths}


def _load_report(path: Path) -> dict[str, Any]:
    from edge_assets.local.errors import LocalError
    from edge_assets.local.home import read_private_json

    report = read_private_json(path, REPORT_REMEDY) or {}
    if not isinstance(report.get("models"), dict):
        msg = f"{path} is damaged: not a training report"
        raise LocalError(msg, REPORT_REMEDY)
    return report


def print_training(report: Mapping[str, Any]) -> None:
    """Print the report of a training: the scores of each model, the bets of all, and what was skipped."""
    out.print(f"{report['games']:,} games; gains in 1e-5 nats with 95% intervals; share: of the move to the close")
    for name, figures in report["models"].items():
        lines = figures["lines"]
        out.print(f"\n{name}: trained on {lines['training']:,} lines, tested on {lines['test']:,}", soft_wrap=True)
        models = figures["test"]["models"] if figures["test"] else {}
        print_rows(SCORE_HEADER, [(member, *_score_cells(scores)) for member, scores in models.items()])
    for name, why in report["skipped"].items():
        out.print(f"\n{name}: not trained: {why}", soft_wrap=True)
    _print_bets(report["pooled"])


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
