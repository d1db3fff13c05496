"""Every captured body decodes to its type, or raises the right error."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest

from edge_assets.feeds.odds_api import errors, wire
from edge_assets.feeds.odds_api.conversions import PriceFormat
from edge_assets.feeds.odds_api.diff import PayloadDiffer
from edge_assets.feeds.odds_api.errors import error_from_response
from edge_assets.feeds.odds_api.quota import Quota
from edge_assets.feeds.odds_api.wire import HistoricalEnvelope, decode
from tests.support.in_memory_ids import InMemoryIdResolver

DATA = Path(os.environ.get("EDGE_DATA_DIR", Path(__file__).parents[5] / "shared" / "data")) / "odds_api"
BODIES = sorted([*DATA.glob("payloads/*.json"), *DATA.glob("payloads_doc/*.json")])
REGIONS = sorted(DATA.glob("all_regions_2026-04-16/*.json"))
ERRORS = sorted(DATA.glob("payloads/errors/*.json"))
KINDS: list[tuple[str, Any]] = [
    ("hist_odds", HistoricalEnvelope[list[wire.WireEventOdds]]),
    ("hist_events", HistoricalEnvelope[list[wire.WireEvent]]),
    ("hist_event_odds", HistoricalEnvelope[wire.WireEventOdds]),
    ("historical_events", HistoricalEnvelope[list[wire.WireEvent]]),
    ("historical_event_odds", HistoricalEnvelope[wire.WireEventOdds]),
    ("event_odds", wire.WireEventOdds),
    ("event_markets", wire.EventMarkets),
    ("sports", list[wire.WireSport]),
    ("events", list[wire.WireEvent]),
    ("scores", list[wire.WireScore]),
    ("participants", list[wire.Participant]),
    ("odds", list[wire.WireEventOdds]),
]
ERROR_TYPES = {
    "401_MISSING_KEY": errors.InvalidApiKeyError,
    "401_INVALID_KEY": errors.InvalidApiKeyError,
    "401_DEACTIVATED_KEY": errors.InvalidApiKeyError,
    "401_OUT_OF_USAGE_CREDITS": errors.OutOfCreditsError,
    "401_HISTORICAL_UNAVAILABLE_ON_FREE_USAGE_PLAN": errors.HistoryUnavailableError,
    "404_UNKNOWN_SPORT": errors.UnknownSportError,
    "404_EVENT_NOT_FOUND": errors.EventNotFoundError,
    "422_INVALID_MARKET_bulk": errors.InvalidMarketError,
    "422_INVALID_MARKET_event": errors.InvalidMarketError,
    "422_INVALID_MARKET_COMBO": errors.InvalidRequestError,
    "422_INVALID_COMMENCE_TIME_FROM": errors.InvalidRequestError,
    "422_MISSING_REGION": errors.InvalidRequestError,
    "429_EXCEEDED_FREQ_LIMIT": errors.RateLimitedError,
}


def kind_of(path: Path) -> Any:
    name = path.stem.lstrip("0123456789_")
    return next(kind for start, kind in KINDS if name.startswith(start))


def name_of(path: Path) -> str:
    return path.stem


def test_the_captured_bodies_exist() -> None:
    if not BODIES and not os.environ.get("CI"):
        pytest.skip(f"{DATA} is missing: set EDGE_DATA_DIR to the recorded data")
    assert (len(BODIES), len(REGIONS), len(ERRORS)) == (29, 4, 13)


@pytest.mark.parametrize("path", BODIES, ids=name_of)
def test_a_captured_body_decodes_to_its_type(path: Path) -> None:
    body = path.read_bytes()
    content = decode(body, kind_of(path))
    stated = msgspec.json.decode(body)
    if isinstance(content, list):
        assert len(content) == len(stated) > 0
    items = content.data if isinstance(content, HistoricalEnvelope) else content
    for item in items if isinstance(items, list) else [items]:
        if isinstance(item, wire.WireEvent):
            assert item.commence_time.tzinfo is not None


@pytest.mark.parametrize("path", [p for p in BODIES + REGIONS if "_odds_" in p.stem or p in REGIONS], ids=name_of)
def test_a_captured_odds_body_gives_quotes(path: Path) -> None:
    """The differ accounts for every price, as a quote or as rejected."""
    stated = msgspec.json.decode(path.read_bytes())
    data = stated["data"] if isinstance(stated, dict) and "data" in stated else stated
    events = data if isinstance(data, list) else [data]
    prices = [
        outcome["price"]
        for event in events
        for book in event["bookmakers"]
        for market in book["markets"]
        for outcome in market["outcomes"]
    ]
    american = PriceFormat.AMERICAN if any(abs(price) >= 100 and price % 1 == 0 for price in prices[:4]) else None
    sport = events[0]["sport_key"]
    differ = PayloadDiffer(InMemoryIdResolver(), sport, 1, price_format=american or PriceFormat.DECIMAL)
    diff = differ.diff(msgspec.json.encode(events), datetime.now(UTC))
    assert diff.events == len({event["id"] for event in events})
    assert len(prices) == diff.quotes_seen + diff.rejected.total()
    assert set(diff.rejected) <= {"price_absurd", "price_not_above_one", "duplicate_quote"}
    assert diff.rejected.total() <= len(prices) / 50


@pytest.mark.parametrize("path", ERRORS, ids=name_of)
def test_a_captured_error_has_its_type(path: Path) -> None:
    error = error_from_response(int(path.stem[:3]), path.read_bytes(), Quota(last=0, used=1, remaining=499))
    stated = msgspec.json.decode(path.read_bytes())
    assert type(error) is ERROR_TYPES[path.stem]
    assert (error.error_code, error.message) == (stated["error_code"], stated["message"])


@pytest.mark.parametrize(
    ("name", "markets"),
    [
        ("422_INVALID_MARKET_bulk", ("h2h_1st_5_innings", "h2h_h1", "h2h_p1")),
        ("422_INVALID_MARKET_event", ("player_freethrows_made",)),
    ],
)
def test_a_captured_market_error_names_the_markets(odds_data: Path, name: str, markets: tuple[str, ...]) -> None:
    error = error_from_response(422, (odds_data / "payloads" / "errors" / f"{name}.json").read_bytes(), Quota())
    assert isinstance(error, errors.InvalidMarketError)
    assert error.markets == markets


@pytest.mark.parametrize("path", BODIES, ids=name_of)
def test_a_truncated_captured_body_is_invalid_json(path: Path) -> None:
    with pytest.raises(errors.InvalidJsonError):
        decode(path.read_bytes().rstrip()[:-1], kind_of(path))


@pytest.mark.parametrize("path", ERRORS, ids=name_of)
def test_an_error_body_is_not_a_list_of_odds(path: Path) -> None:
    with pytest.raises(errors.MalformedBodyError):
        decode(path.read_bytes(), list[wire.WireEventOdds])
