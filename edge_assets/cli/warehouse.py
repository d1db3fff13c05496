"""`edge warehouse`."""

from __future__ import annotations

from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Annotated, Any

import typer

from edge_assets.cli.application import out
from edge_assets.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from psycopg import Connection

    from edge_assets.warehouse.sharp_table import Row

app = typer.Typer(name="warehouse", help="Ask the warehouse.", no_args_is_help=True)
JSON = Annotated[bool, typer.Option("--json", help="For programs.")]


@app.command()
def report(as_json: JSON = False) -> None:
    """Show how many closing lines there are by sport, season and book, and why the others are missing."""
    from edge_assets.store.coverage import closing_coverage

    with _built() as conn:
        coverage = closing_coverage(conn)
    if as_json:
        import json

        typer.echo(json.dumps({"coverage": coverage}, indent=1))
        return
    _print(
        ("sport", "season", "book", "expected", "closed", "missing, by reason"),
        [
            (
                entry["sport"],
                str(entry["season"]),
                entry["book"],
                f"{entry['expected']:,}",
                f"{entry['closed_percent']:.1f}%",
                ", ".join(f"{reason} {part['percent']:.1f}%" for reason, part in entry["missing"].items()),
            )
            for entry in coverage
        ],
    )


@app.command()
def table(
    reference: Annotated[str, typer.Option(help="The book whose fair price decides.")] = "pinnacle",
    price: Annotated[str, typer.Option(help="What is bet at: max or avg as recorded, or best, of the books.")] = "max",
    devig: Annotated[str, typer.Option(help="Methods, separated by commas.")] = "additive,multiplicative,power",
    market: Annotated[str, typer.Option(help="h2h_3_way or h2h.")] = "h2h_3_way",
    with_quarantined: Annotated[bool, typer.Option("--with-quarantined", help="Count quarantined prices.")] = False,
    as_json: JSON = False,
) -> None:
    """Bet on paper, over all results, where the reference's opening prices say so; judge it by its close."""
    from edge_assets.local.errors import LocalError
    from edge_assets.store.reference_prices import reference_prices
    from edge_assets.warehouse.sharp_table import blind_rate, sharp_table
    from ml.market import DevigMethod
    from ml.quotes import Market

    try:
        methods = [DevigMethod(name.strip()) for name in devig.split(",")]
        chosen = Market[market.upper()]
    except (ValueError, KeyError) as error:
        raise LocalError(str(error), f"methods are {', '.join(DevigMethod)}; markets h2h_3_way, h2h") from error
    with _built() as conn:
        prices = reference_prices(conn, chosen, reference, price, with_quarantined=with_quarantined)
    rows, blind = sharp_table(prices, methods), blind_rate(prices)
    if as_json:
        import json

        answer = {"reference": reference, "price": price, "events": len(prices.won), "blind_rate": blind}
        typer.echo(json.dumps(answer | {"rows": [row._asdict() for row in rows]}, indent=1))
        return
    _print(("de-vig", "EV >", "bets", "claimed", "yield", "CLV", "beat the close"), list(map(_texts, rows)))


@app.command()
def weights(as_json: JSON = False) -> None:
    """Show what books count where the warehouse has measured it, and on how many games that rests.

    The rest count as by convention; EDGE_BOOK_WEIGHTS overrides both.
    """
    from edge_assets.store.weights import last_weights

    with _built() as conn:
        found = last_weights(conn)
    if as_json:
        import json

        typer.echo(json.dumps({"weights": [w._asdict() for w in found]}, indent=1, default=str))
        return
    _print(
        ("sport", "book", "weight", "convention", "games", "gain, millinats", "valid from"),
        [
            (
                w.sport,
                w.book,
                f"{w.weight:.2f}",
                f"{w.prior:.2f}",
                f"{w.games:,}",
                f"{1000 * w.gain:+.2f} ± {1000 * w.error:.2f}",
                f"{w.valid_from:%Y-%m-%d}",
            )
            for w in found
        ],
    )


@contextmanager
def _built() -> Iterator[Connection]:
    """A connection to a database whose warehouse has been built."""
    from edge_assets.local.errors import LocalError
    from edge_assets.store.coverage import is_built
    from edge_assets.store.database import connect

    with closing(connect(Settings().require_database(), "warehouse")) as conn:
        if not is_built(conn):
            msg = "the warehouse has not been built"
            raise LocalError(msg, "materialise the job `warehouse` in Dagster; it runs every hour")
        yield conn


def _texts(row: Row) -> tuple[str, ...]:
    rates = (row.claimed_ev, row.profit_rate, row.mean_clv)
    texts = ["-" if rate is None else f"{rate:+.2%}" for rate in rates]
    beaten = "-" if row.beat_the_close is None else f"{row.beat_the_close:.1%}"
    return row.devig, f"{row.ev_above:.0%}", f"{row.bets:,}", *texts, beaten


def _print(header: Sequence[str], rows: Sequence[tuple[Any, ...]]) -> None:
    from rich.table import Table

    shown = Table(*header, box=None, pad_edge=False)
    for row in rows:
        shown.add_row(*row)
    out.print(shown)
