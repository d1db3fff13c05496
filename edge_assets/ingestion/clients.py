"""The feed's client and clock, from the settings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import SecretStr

from edge_assets.core.clock import VirtualClock, WallClock
from edge_assets.core.settings import Feed, MissingSettingError
from edge_assets.feeds.odds_api.client import OddsApiClient

if TYPE_CHECKING:
    from edge_assets.core.clock import Clock
    from edge_assets.core.settings import Settings


def create_feed_clock(settings: Settings) -> Clock:
    """The wall clock for the real feed, the server's virtual time for all others."""
    return WallClock() if settings.edge_feed is Feed.ODDS_API else VirtualClock()


def create_feed_client(settings: Settings, clock: Clock) -> OddsApiClient:
    """A client of the feed; raises `MissingSettingError` if the real feed has no key."""
    key = settings.odds_api_key
    if key is None:
        if settings.edge_feed is Feed.ODDS_API:
            msg = "ODDS_API_KEY is not set: set it, or use `edge up --feed simulate`"
            raise MissingSettingError(msg)
        key = SecretStr(settings.edge_feed.value)
    return OddsApiClient(settings.odds_api_url, key, clock)
