"""What the columns of football-data.co.uk mean, under the names that they have had over the years.

A price's name is built of a prefix (book, `Max`, `Avg`; until 2018/19 BetBrain's `BbMx`, `BbAv`), `C` if it is a
closing price, and the outcome: `H D A`, `>2.5 <2.5`, or `AHH AHA` for the Asian handicap, whose line is `AHh`
(`AHCh` at the close, `BbAHh` with BetBrain; until 2012/13 some books had a line of their own, `B365AH`).
Source: https://www.football-data.co.uk/notes.txt
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

from edge_assets.feeds.history.batch import AGGREGATE_KINDS, BookName
from ml.quotes import Market, Outcome

BOOKS = {
    "1XB": BookName("onexbet", "1xBet"),
    "B365": BookName("bet365", "bet365"),
    "BF": BookName("betfair_sb_uk", "Betfair Sportsbook"),
    "BFD": BookName("betfred_uk", "Betfred (UK)"),
    "BFE": BookName("betfair_ex_uk", "Betfair"),
    "BMGM": BookName("betmgm_uk", "BetMGM (UK)"),
    "BS": BookName("bluesquare", "Blue Square"),
    "BV": BookName("betvictor", "Bet Victor"),
    "BW": BookName("bwin", "bwin"),
    "CL": BookName("coral", "Coral"),
    "GB": BookName("gamebookers", "Gamebookers"),
    "IW": BookName("interwetten", "Interwetten"),
    "LB": BookName("ladbrokes_uk", "Ladbrokes"),
    "P": BookName("pinnacle", "Pinnacle"),
    "PP": BookName("paddypower", "Paddy Power"),
    "PS": BookName("pinnacle", "Pinnacle"),
    "SB": BookName("sportingbet", "Sportingbet"),
    "SKB": BookName("skybet", "Sky Bet"),
    "SJ": BookName("stanjames", "Stan James"),
    "SO": BookName("sportingodds", "Sporting Odds"),
    "SY": BookName("stanleybet", "Stanleybet"),
    "VC": BookName("betvictor", "Bet Victor"),
    "WH": BookName("williamhill", "William Hill"),
}
AGGREGATES = {"Max": "max", "Avg": "avg", "BbMx": "max", "BbAv": "avg"}
_NO_PRICES = (
    "Div Country League Season Date Time HomeTeam AwayTeam HT AT Home Away FTHG FTAG FTR HG AG Res HTHG HTAG HTR "
    "Referee Attendance HS AS HST AST HHW AHW HC AC HF AF HFKC AFKC HO AO HY AY HR AR HBP ABP HxG AxG "
    "Bb1X2 BbOU BbAH BbAHh AHh AHCh"
)
NO_PRICES = frozenset(_NO_PRICES.split())
GOALS = 2.5
BOOK_NAMES = sorted(set(BOOKS.values()))


class PriceColumn(NamedTuple):
    """A column of prices.

    `seller` indexes `BOOK_NAMES`, or `AGGREGATE_KINDS` of an aggregate. `line` is the column that states the home
    team's handicap, `point` the one that is fixed, `sign` -1 where the outcome has the opposite handicap.
    """

    name: str
    aggregate: bool
    seller: int
    market: Market
    outcome: Outcome
    closing: bool
    line: str | None = None
    point: float = float("nan")
    sign: int = 1


@lru_cache(maxsize=256)
def price_columns(header: tuple[str, ...]) -> tuple[PriceColumn, ...]:
    """The columns of a header that hold prices."""
    known = {column.name: column for column in _all_columns(frozenset(header))}
    return tuple(known[name] for name in header if name in known)


def closing_columns(header: tuple[str, ...]) -> tuple[PriceColumn, ...]:
    """The same of a file that has closing prices only, of which its older headers do not say so (`PH` for `PSCH`)."""
    columns = price_columns(header)
    said = {column._replace(name="") for column in columns if column.closing}
    silent = [c for c in columns if not c.closing and c._replace(name="", closing=True) not in said]
    return tuple(c for c in columns if c.closing) + tuple(c._replace(closing=True) for c in silent)


def unknown_columns(header: tuple[str, ...]) -> list[str]:
    """The names of a header that mean nothing here; a book's own line is told by its prefix."""
    priced = {column.name for column in price_columns(header)}
    own_lines = {f"{prefix}AH" for prefix in BOOKS}
    return [name for name in header if name and name not in priced | own_lines | NO_PRICES]


def _all_columns(header: frozenset[str]) -> list[PriceColumn]:
    sellers = [(p, False, BOOK_NAMES.index(book)) for p, book in BOOKS.items()]
    sellers += [(p, True, AGGREGATE_KINDS.index(kind)) for p, kind in AGGREGATES.items()]
    return [
        column
        for prefix, aggregate, seller in sellers
        for closing in (False, True)
        for column in _columns_of(prefix, aggregate, seller, closing, header)
    ]


def _columns_of(prefix: str, aggregate: bool, seller: int, closing: bool, header: frozenset[str]) -> list[PriceColumn]:
    stem = f"{prefix}C" if closing else prefix
    line = _line(prefix, closing, header)

    def column(suffix: str, market: Market, outcome: Outcome, **more: object) -> PriceColumn:
        # `more` may name any field, of which mypy takes the type for each other's
        return PriceColumn(f"{stem}{suffix}", aggregate, seller, market, outcome, closing, **more)  # type: ignore[arg-type]

    return [
        column("H", Market.H2H_3_WAY, Outcome.HOME),
        column("D", Market.H2H_3_WAY, Outcome.DRAW),
        column("A", Market.H2H_3_WAY, Outcome.AWAY),
        column(f">{GOALS}", Market.TOTALS, Outcome.OVER, point=GOALS),
        column(f"<{GOALS}", Market.TOTALS, Outcome.UNDER, point=GOALS),
        column("AHH", Market.SPREADS, Outcome.HOME, line=line),
        column("AHA", Market.SPREADS, Outcome.AWAY, line=line, sign=-1),
    ]


def _line(prefix: str, closing: bool, header: frozenset[str]) -> str:
    if closing:
        return "AHCh"
    if prefix in BOOKS and f"{prefix}AH" in header:
        return f"{prefix}AH"
    return "AHh" if "AHh" in header else "BbAHh"
