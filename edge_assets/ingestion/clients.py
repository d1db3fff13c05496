"""The feed's client and clock, as the settings want them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import SecretStr

from edge_assets.clock import VirtualClock, WallClock
from edge_assets.feeds.odds_api.client import OddsApiClient
from edge_assets.settings import Feed, MissingSettingError

if TYPE_CHECKING:
    from edge_assets.clock import Clock
    from edge_assets.settings import Settings


def feed_clock(settings: Settings) -> Clock:
    """The wall clock for the real feed, the server's time for all others."""
    return WallClock() if settings.edge_feed is Feed.ODDS_API else VirtualClock()


def feed_client(settings: Settings, clock: Clock) -> OddsApiClient:
    """A client of the feed; raises `MissingSettingError` where the real one has no key."""
    key = settings.odds_api_key
    if key is None:
        if settings.edge_feed is Feed.ODDS_API:
            msg = "ODDS_API_KEY is not set: set it, or use `edge up --feed simulate`"
            raise MissingSettingError(msg)
        key = SecretStr(settings.edge_feed.value)
    return OddsApiClient(settings.odds_api_url, key, clock)
