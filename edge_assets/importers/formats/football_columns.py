"""The columns of football-data.co.uk, under the names they have had over the years.

A price's name is built of a prefix (book, `Max`, `Avg`; until 2018/19 BetBrain's `BbMx`, `BbAv`), `C` if it is a
closing price, and the outcome: `H D A`, `>2.5 <2.5`, or `AHH AHA` for the Asian handicap, whose line is `AHh`
(`AHCh` at the close, `BbAHh` with BetBrain; until 2012/13 some books had a line of their own, `B365AH`).
Source: https://www.football-data.co.uk/notes.txt
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

from edge_assets.importers.formats.batch import AGGREGATE_KINDS, ImportedBook
from ml.quotes import Market, Outcome

BOOKS_BY_PREFIX = {
    "1XB": ImportedBook("onexbet", "1xBet"),
    "B365": ImportedBook("bet365", "bet365"),
    "BF": ImportedBook("betfair_sb_uk", "Betfair Sportsbook"),
    "BFD": ImportedBook("betfred_uk", "Betfred (UK)"),
    "BFE": ImportedBook("betfair_ex_uk", "Betfair"),
    "BMGM": ImportedBook("betmgm_uk", "BetMGM (UK)"),
    "BS": ImportedBook("bluesquare", "Blue Square"),
    "BV": ImportedBook("betvictor", "Bet Victor"),
    "BW": ImportedBook("bwin", "bwin"),
    "CL": ImportedBook("coral", "Coral"),
    "GB": ImportedBook("gamebookers", "Gamebookers"),
    "IW": ImportedBook("interwetten", "Interwetten"),
    "LB": ImportedBook("ladbrokes_uk", "Ladbrokes"),
    "P": ImportedBook("pinnacle", "Pinnacle"),
    "PP": ImportedBook("paddypower", "Paddy Power"),
    "PS": ImportedBook("pinnacle", "Pinnacle"),
    "SB": ImportedBook("sportingbet", "Sportingbet"),
    "SKB": ImportedBook("skybet", "Sky Bet"),
    "SJ": ImportedBook("stanjames", "Stan James"),
    "SO": ImportedBook("sportingodds", "Sporting Odds"),
    "SY": ImportedBook("stanleybet", "Stanleybet"),
    "VC": ImportedBook("betvictor", "Bet Victor"),
    "WH": ImportedBook("williamhill", "William Hill"),
}
AGGREGATES_BY_PREFIX = {"Max": "max", "Avg": "avg", "BbMx": "max", "BbAv": "avg"}
_NON_PRICE_COLUMNS = (
    "Div Country League Season Date Time HomeTeam AwayTeam HT AT Home Away FTHG FTAG FTR HG AG Res HTHG HTAG HTR "
    "Referee Attendance HS AS HST AST HHW AHW HC AC HF AF HFKC AFKC HO AO HY AY HR AR HBP ABP HxG AxG "
    "Bb1X2 BbOU BbAH BbAHh AHh AHCh"
)
NON_PRICE_COLUMNS = frozenset(_NON_PRICE_COLUMNS.split())
TOTAL_GOALS_POINT = 2.5
DISTINCT_BOOKS = sorted(set(BOOKS_BY_PREFIX.values()))


class PriceColumn(NamedTuple):
    """A column of prices.

    `book_index` is an index into `DISTINCT_BOOKS`, or `AGGREGATE_KINDS` for an aggregate. `line` is the column with the
    home team's handicap, `point` a fixed point, `sign` -1 if the outcome has the opposite handicap.
    """

    name: str
    aggregate: bool
    book_index: int
    market: Market
    outcome: Outcome
    closing: bool
    line: str | None = None
    point: float = float("nan")
    sign: int = 1


@lru_cache(maxsize=256)
def find_price_columns(header: tuple[str, ...]) -> tuple[PriceColumn, ...]:
    """The columns of a header that contain prices."""
    known = {column.name: column for column in _list_columns(frozenset(header))}
    return tuple(known[name] for name in header if name in known)


def find_closing_columns(header: tuple[str, ...]) -> tuple[PriceColumn, ...]:
    """The price columns of a file that has only closing prices; old headers do not mark them (`PH` for `PSCH`)."""
    columns = find_price_columns(header)
    marked = {column._replace(name="") for column in columns if column.closing}
    unmarked = [c for c in columns if not c.closing and c._replace(name="", closing=True) not in marked]
    return tuple(c for c in columns if c.closing) + tuple(c._replace(closing=True) for c in unmarked)


def find_unknown_columns(header: tuple[str, ...]) -> list[str]:
    """The unknown names of a header; a book's own handicap column is known by its prefix."""
    priced = {column.name for column in find_price_columns(header)}
    own_lines = {f"{prefix}AH" for prefix in BOOKS_BY_PREFIX}
    return [name for name in header if name and name not in priced | own_lines | NON_PRICE_COLUMNS]


def _list_columns(header: frozenset[str]) -> list[PriceColumn]:
    sellers = [(p, False, DISTINCT_BOOKS.index(book)) for p, book in BOOKS_BY_PREFIX.items()]
    sellers += [(p, True, AGGREGATE_KINDS.index(kind)) for p, kind in AGGREGATES_BY_PREFIX.items()]
    return [
        column
        for prefix, aggregate, seller in sellers
        for closing in (False, True)
        for column in _list_book_columns(prefix, aggregate, seller, closing, header)
    ]


def _list_book_columns(
    prefix: str, aggregate: bool, book_index: int, closing: bool, header: frozenset[str]
) -> list[PriceColumn]:
    stem = f"{prefix}C" if closing else prefix
    line = _handicap_column(prefix, closing, header)

    def make_column(suffix: str, market: Market, outcome: Outcome, **more: object) -> PriceColumn:
        # mypy checks `more` against the type of every field
        return PriceColumn(f"{stem}{suffix}", aggregate, book_index, market, outcome, closing, **more)  # type: ignore[arg-type]

    return [
        make_column("H", Market.H2H_3_WAY, Outcome.HOME),
        make_column("D", Market.H2H_3_WAY, Outcome.DRAW),
        make_column("A", Market.H2H_3_WAY, Outcome.AWAY),
        make_column(f">{TOTAL_GOALS_POINT}", Market.TOTALS, Outcome.OVER, point=TOTAL_GOALS_POINT),
        make_column(f"<{TOTAL_GOALS_POINT}", Market.TOTALS, Outcome.UNDER, point=TOTAL_GOALS_POINT),
        make_column("AHH", Market.SPREADS, Outcome.HOME, line=line),
        make_column("AHA", Market.SPREADS, Outcome.AWAY, line=line, sign=-1),
    ]


def _handicap_column(prefix: str, closing: bool, header: frozenset[str]) -> str:
    if closing:
        return "AHCh"
    if prefix in BOOKS_BY_PREFIX and f"{prefix}AH" in header:
        return f"{prefix}AH"
    return "AHh" if "AHh" in header else "BbAHh"
