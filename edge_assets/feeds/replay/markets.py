"""Which market keys exist, and which of them the bulk endpoint serves."""

from __future__ import annotations

import re

from edge_assets.feeds.replay.errors import ApiError

BULK = frozenset({"h2h", "spreads", "totals", "outrights", "h2h_lay", "outrights_lay"})
LAY_TWINS = {"h2h": "h2h_lay", "outrights": "outrights_lay"}
_GAME = frozenset({"h2h", "spreads", "totals"})
_PERIOD = r"(_(q[1-4]|h[12]|p[123]|1st_[1357]_innings))?"
_KNOWN = re.compile(
    rf"outrights(_lay)?|h2h_lay|btts|draw_no_bet|double_chance"
    rf"|(h2h|h2h_3_way|(alternate_)?(spreads|totals|team_totals)){_PERIOD}"
    r"|alternate_(spreads|totals)_(corners|cards)|(player|batter|pitcher)_[a-z0-9_]+"
)


def check(markets: tuple[str, ...], *, bulk: bool, outrights: bool) -> None:
    """Refuse market keys that do not exist or that the endpoint does not serve.

    Any key that begins like a player proposition passes: their list has hundreds and churns.
    """
    if unknown := [market for market in markets if not _KNOWN.fullmatch(market)]:
        raise ApiError("INVALID_MARKET", f"Invalid markets: {','.join(unknown)}")
    if not bulk:
        return
    if unserved := [market for market in markets if market not in BULK]:
        raise ApiError("INVALID_MARKET", f"Markets not supported by this endpoint: {', '.join(unserved)}")
    if outrights and not _GAME.isdisjoint(markets):
        raise ApiError("INVALID_MARKET_COMBO")


def with_lay_twins(markets: tuple[str, ...]) -> frozenset[str]:
    """The markets that an answer holds: exchanges add their lay prices to h2h and outrights by themselves."""
    return frozenset(markets) | {LAY_TWINS[market] for market in markets if market in LAY_TWINS}
