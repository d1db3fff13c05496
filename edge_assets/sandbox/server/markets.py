"""Valid market keys, and those that the bulk endpoint serves."""

from __future__ import annotations

import re

from edge_assets.sandbox.server.errors import ApiError

BULK_MARKETS = frozenset({"h2h", "spreads", "totals", "outrights", "h2h_lay", "outrights_lay"})
_GAME_MARKETS = frozenset({"h2h", "spreads", "totals"})
_PERIOD_SUFFIX = r"(_(q[1-4]|h[12]|p[123]|1st_[1357]_innings))?"
_MARKET_KEY_PATTERN = re.compile(
    rf"outrights(_lay)?|h2h_lay|btts|draw_no_bet|double_chance"
    rf"|(h2h|h2h_3_way|(alternate_)?(spreads|totals|team_totals)){_PERIOD_SUFFIX}"
    r"|alternate_(spreads|totals)_(corners|cards)|(player|batter|pitcher)_[a-z0-9_]+"
)


def check_markets(markets: tuple[str, ...], *, bulk: bool, outrights: bool) -> None:
    """Reject market keys that do not exist or that the endpoint does not serve.

    Any key that begins like a player proposition passes: there are hundreds, and the list changes.
    """
    if unknown := [market for market in markets if not _MARKET_KEY_PATTERN.fullmatch(market)]:
        raise ApiError("INVALID_MARKET", f"Invalid markets: {','.join(unknown)}")
    if not bulk:
        return
    if unserved := [market for market in markets if market not in BULK_MARKETS]:
        raise ApiError("INVALID_MARKET", f"Markets not supported by this endpoint: {', '.join(unserved)}")
    if outrights and not _GAME_MARKETS.isdisjoint(markets):
        raise ApiError("INVALID_MARKET_COMBO")
