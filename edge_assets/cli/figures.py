"""`edge warehouse table` and `edge warehouse accuracy`: what the recorded prices were worth."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from edge_assets.cli.application import JSON, echo_json, out, print_rows
from edge_assets.cli.database import warehouse

if TYPE_CHECKING:
    from collections.abc import Sequence

    from psycopg import Connection

    from edge_assets.warehouse.sharp_table import Row
    from ml.market import DevigMethod
    from ml.quotes import Market

METHODS = Annotated[str, typer.Option("--devig", help="Methods, separated by commas.")]
MARKET = Annotated[str, typer.Option(help="h2h_3_way or h2h.")]
SPORT = Annotated[str, typer.Option(help="Sports whose keys begin like this.")]
QUARANTINED = Annotated[bool, typer.Option("--with-quarantined", help="Count quarantined prices.")]
PRICES = ("max", "avg", "best")


def table(
    reference: Annotated[str, typer.Option(help="The book whose fair price decides.")] = "pinnacle",
    price: Annotated[str, typer.Option(help="What is bet at: max or avg as recorded, or best, of the books.")] = "max",
    sport: SPORT = "",
    methods: METHODS = "additive,multiplicative,power",
    market: MARKET = "h2h_3_way",
    with_quarantined: QUARANTINED = False,
    as_json: JSON = False,
) -> None:
    """Bet on paper, over all results, where the reference's opening prices say so; judge it by its close.

    Beside it the same with and without quarantined prices, and at the best price of a single recorded book.
    """
    from edge_assets.store.reference_prices import reference_prices
    from edge_assets.store.settlements import not_counted
    from edge_assets.warehouse.sharp_table import DIFFERENCES, Offer, sharp_table, variants

    offers = variants(Offer(_one_of(PRICES, price), with_quarantined))
    chosen, known = _market(market), _methods(methods)
    with warehouse("int_winners_settled") as conn:
        _check_book(conn, reference)
        found = [reference_prices(conn, chosen, reference, *offer, sport) for offer in offers]
        left_out = not_counted(conn, chosen, sport)
    tables = [sharp_table(prices, offer, known) for prices, offer in zip(found, offers, strict=True)]
    asked, *beside = tables
    if as_json:
        explained = {
            "reference": reference,
            "beside": [t.facts() for t in beside],
            "explained": DIFFERENCES,
            "not_counted": left_out,
        }
        echo_json(asked.facts() | explained)
        return
    print_rows(("de-vig", "EV >", "bets", "claimed", "yield", "CLV", "beat the close"), list(map(_texts, asked.rows)))
    out.print()
    head = (f"{t.offer}\n{name}" for t in tables for name in ("bets", "yield"))
    print_rows(("de-vig", "EV >", *head), [_compared(rows) for rows in zip(*(t.rows for t in tables), strict=True)])
    for difference in DIFFERENCES:
        out.print(f"\n{difference}")
    _print_left_out(left_out)


def accuracy(
    reference: Annotated[str, typer.Option(help="A book, or consensus: the plain mean of all.")] = "consensus",
    sport: SPORT = "",
    methods: METHODS = "multiplicative,power",
    market: MARKET = "h2h",
    with_quarantined: QUARANTINED = False,
    as_json: JSON = False,
) -> None:
    """Log loss of first and of closing prices, on the games with both, by either rule of when a game begins."""
    from edge_assets.store.foretold import StartRule, foretold
    from edge_assets.store.settlements import not_counted
    from edge_assets.warehouse.accuracy import accuracy as judged

    book = None if reference == "consensus" else reference
    chosen, known = _market(market), _methods(methods)
    rows: list[dict[str, Any]] = []
    with warehouse("int_winners_settled") as conn:
        if book:
            _check_book(conn, book)
        left_out = not_counted(conn, chosen, sport)
        for start in StartRule:
            prices = foretold(conn, chosen, start, sport, book, with_quarantined=with_quarantined)
            rows += [{"start": start, "devig": method, **judged(prices, method)._asdict()} for method in known]
    if as_json:
        echo_json({"reference": reference, "sport": sport, "market": market, "rows": rows, "not_counted": left_out})
        return
    print_rows(("start", "de-vig", "games", "first", "close"), [_losses(row) for row in rows])
    _print_left_out(left_out)


def _check_book(conn: Connection, name: str) -> None:
    from edge_assets.local.errors import LocalError
    from edge_assets.pasted import unknown
    from edge_assets.store.names import book_keys

    books = book_keys(conn)
    if name not in books:
        raise LocalError(unknown(name, books, "book"), "choose another --reference")


def _print_left_out(games: dict[str, int]) -> None:
    """Results that count for nothing, and what to do about it."""
    if not games:
        return
    reasons = ", ".join(f"{reason.replace('_', ' ')} {count:,}" for reason, count in games.items())
    remedy = "; a person decides: `edge results list --contradicted`" if "contradicted" in games else ""
    out.print(f"\nNot counted, by how their result stands: {reasons}{remedy}", soft_wrap=True)


def _one_of(known: tuple[str, ...], name: str) -> str:
    from edge_assets.local.errors import LocalError

    if name not in known:
        msg = f"{name!r} is none of {', '.join(known)}"
        raise LocalError(msg, "choose one of them")
    return name


def _methods(names: str) -> list[DevigMethod]:
    from ml.market import DevigMethod

    return [DevigMethod(_one_of(tuple(DevigMethod), name.strip())) for name in names.split(",")]


def _market(name: str) -> Market:
    from ml.quotes import Market

    return Market[_one_of(("h2h_3_way", "h2h"), name).upper()]


def _texts(row: Row) -> tuple[str, ...]:
    rates = map(_rate, (row.claimed_ev, row.profit_rate, row.mean_clv))
    beaten = "-" if row.beat_the_close is None else f"{row.beat_the_close:.1%}"
    return row.devig, f"{row.ev_above:.0%}", f"{row.bets:,}", *rates, beaten


def _compared(rows: Sequence[Row]) -> tuple[str, ...]:
    """The same bets at each offer."""
    texts = (text for row in rows for text in (f"{row.bets:,}", _rate(row.profit_rate)))
    return rows[0].devig, f"{rows[0].ev_above:.0%}", *texts


def _rate(rate: float | None) -> str:
    return "-" if rate is None else f"{rate:+.2%}"


def _losses(row: dict[str, Any]) -> tuple[str, ...]:
    losses = ("-" if row[name] is None else f"{row[name]:.5f}" for name in ("first_log_loss", "closing_log_loss"))
    return row["start"].replace("_", " "), row["devig"], f"{row['games']:,}", *losses
