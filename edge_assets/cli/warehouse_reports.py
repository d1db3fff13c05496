"""`edge warehouse table` and `edge warehouse accuracy`: a backtest, and the accuracy of prices."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from edge_assets.cli.application import JsonOption, echo_json, out, print_rows
from edge_assets.cli.database import connect_warehouse
from edge_assets.reference.books import REFERENCE_BOOK

if TYPE_CHECKING:
    from collections.abc import Sequence

    from psycopg import Connection

    from edge_assets.warehouse.sharp_reference import BacktestRow
    from ml.market import DevigMethod
    from ml.quotes import Market

MethodsOption = Annotated[str, typer.Option("--devig", metavar="METHODS", help="De-vig methods, separated by commas.")]
MarketOption = Annotated[str, typer.Option(metavar="MARKET", help="h2h_3_way or h2h.")]
SportPrefixOption = Annotated[str, typer.Option(metavar="SPORT", help="Prefix of the sport keys.")]
QuarantinedOption = Annotated[bool, typer.Option("--with-quarantined", help="Include quarantined prices.")]
PRICE_SOURCES = ("max", "avg", "best")


def table(
    reference: Annotated[str, typer.Option(metavar="BOOK", help="Reference book for the fair price.")] = REFERENCE_BOOK,
    price: Annotated[
        str, typer.Option(metavar="PRICE", help="Price to bet at: recorded max or avg, or best of the books.")
    ] = "max",
    sport: SportPrefixOption = "",
    methods: MethodsOption = "additive,multiplicative,power",
    market: MarketOption = "h2h_3_way",
    with_quarantined: QuarantinedOption = False,
    as_json: JsonOption = False,
) -> None:
    """Backtest: bet where the reference book's opening price shows an edge, and measure results and CLV.

    For comparison, also with or without quarantined prices, and at the best price of a single recorded book.
    """
    from edge_assets.store.analytics.reference_prices import load_reference_prices
    from edge_assets.store.events.settlements import count_excluded_games
    from edge_assets.warehouse.sharp_reference import (
        COMPARISON_NOTES,
        BettingPrice,
        add_comparisons,
        run_sharp_backtest,
    )

    offers = add_comparisons(BettingPrice(_validate_choice(PRICE_SOURCES, price), with_quarantined))
    market_id, devig_methods = _parse_market(market), _parse_methods(methods)
    with connect_warehouse("int_winners_settled") as conn:
        _require_book(conn, reference)
        price_sets = [load_reference_prices(conn, market_id, reference, *offer, sport) for offer in offers]
        excluded = count_excluded_games(conn, market_id, sport)
    tables = [
        run_sharp_backtest(prices, offer, market_id, devig_methods)
        for prices, offer in zip(price_sets, offers, strict=True)
    ]
    requested, *comparisons = tables
    if as_json:
        context = {
            "reference": reference,
            "comparisons": [t.as_json() for t in comparisons],
            "notes": COMPARISON_NOTES,
            "excluded": excluded,
        }
        echo_json(requested.as_json() | context)
        return
    print_rows(
        ("de-vig", "EV >", "bets", "claimed", "yield", "CLV", "beat the close"), list(map(_row_cells, requested.rows))
    )
    out.print()
    comparison_header = (f"{t.offer}\n{name}" for t in tables for name in ("bets", "yield"))
    print_rows(
        ("de-vig", "EV >", *comparison_header),
        [_comparison_cells(rows) for rows in zip(*(t.rows for t in tables), strict=True)],
    )
    for note in COMPARISON_NOTES:
        out.print(f"\n{note}")
    _print_excluded(excluded)


def accuracy(
    reference: Annotated[
        str, typer.Option(metavar="BOOK", help="A book, or consensus: the unweighted mean of all.")
    ] = "consensus",
    sport: SportPrefixOption = "",
    methods: MethodsOption = "multiplicative,power",
    market: MarketOption = "h2h",
    with_quarantined: QuarantinedOption = False,
    as_json: JsonOption = False,
) -> None:
    """Log loss of opening and closing prices, on games with both, under both rules for the start of a game."""
    from edge_assets.store.analytics.opening_closing import StartRule, load_opening_closing_prices
    from edge_assets.store.events.settlements import count_excluded_games
    from edge_assets.warehouse.accuracy import measure_accuracy

    book = None if reference == "consensus" else reference
    market_id, devig_methods = _parse_market(market), _parse_methods(methods)
    rows: list[dict[str, Any]] = []
    with connect_warehouse("int_winners_settled") as conn:
        if book:
            _require_book(conn, book)
        excluded = count_excluded_games(conn, market_id, sport)
        for start in StartRule:
            prices = load_opening_closing_prices(conn, market_id, start, sport, book, with_quarantined=with_quarantined)
            rows += [
                {"start": start, "devig": method, **measure_accuracy(prices, method)._asdict()}
                for method in devig_methods
            ]
    if as_json:
        echo_json({"reference": reference, "sport": sport, "market": market, "rows": rows, "excluded": excluded})
        return
    print_rows(("start", "de-vig", "games", "first", "close"), [_loss_cells(row) for row in rows])
    _print_excluded(excluded)


def _require_book(conn: Connection, name: str) -> None:
    from edge_assets.core.settings_input import format_unknown_name
    from edge_assets.local.errors import LocalError
    from edge_assets.store.polls.dimension_keys import load_book_keys

    books = load_book_keys(conn)
    if name not in books:
        raise LocalError(format_unknown_name(name, books, "book"), "choose another --reference")


def _print_excluded(games: dict[str, int]) -> None:
    """Print how many results are excluded, and what to do about them."""
    if not games:
        return
    reasons = ", ".join(f"{reason.replace('_', ' ')} {count:,}" for reason, count in games.items())
    remedy = "; decide them: `edge results list --contradicted`" if "contradicted" in games else ""
    out.print(f"\nExcluded by result status: {reasons}{remedy}", soft_wrap=True)


def _validate_choice(choices: tuple[str, ...], name: str) -> str:
    from edge_assets.local.errors import LocalError

    if name not in choices:
        msg = f"unknown value {name!r}"
        raise LocalError(msg, f"choose one of {', '.join(choices)}")
    return name


def _parse_methods(names: str) -> list[DevigMethod]:
    from ml.market import DevigMethod

    return [DevigMethod(_validate_choice(tuple(DevigMethod), name.strip())) for name in names.split(",")]


def _parse_market(name: str) -> Market:
    from ml.quotes import Market

    return Market[_validate_choice(("h2h_3_way", "h2h"), name).upper()]


def _row_cells(row: BacktestRow) -> tuple[str, ...]:
    rates = map(_format_rate, (row.claimed_ev, row.profit_rate, row.mean_clv))
    beaten = "-" if row.beat_the_close is None else f"{row.beat_the_close:.1%}"
    return row.devig, f"{row.ev_above:.0%}", f"{row.bets:,}", *rates, beaten


def _comparison_cells(rows: Sequence[BacktestRow]) -> tuple[str, ...]:
    """The cells of one row: the same threshold in each table."""
    texts = (text for row in rows for text in (f"{row.bets:,}", _format_rate(row.profit_rate)))
    return rows[0].devig, f"{rows[0].ev_above:.0%}", *texts


def _format_rate(rate: float | None) -> str:
    return "-" if rate is None else f"{rate:+.2%}"


def _loss_cells(row: dict[str, Any]) -> tuple[str, ...]:
    losses = ("-" if row[name] is None else f"{row[name]:.5f}" for name in ("first_log_loss", "closing_log_loss"))
    return row["start"].replace("_", " "), row["devig"], f"{row['games']:,}", *losses
