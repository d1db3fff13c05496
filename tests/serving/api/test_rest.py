"""REST over real HTTP: schemas, filters, errors."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from edge_assets.core.clock import to_micros
from edge_assets.store.alerts.fair_prices import load_fair_prices, store_fair_prices
from ml.quotes import Market, Outcome
from ml.scoring.fair_prices import FairPriceBatch, OutlyingBookBatch, StatedFairPrices
from serving.api.models import Middles, OpenAlerts, SportOdds


def get(served: Any, path: str, status: int = 200, **params: Any) -> Any:
    with served.http as http:
        answer = http.get(path, params=params)
    assert answer.status_code == status, answer.text
    return answer.json()


def test_open_value_bets_come_best_first_with_a_resume_token(site: Any, market: Any) -> None:
    small, large, gone = market.value(0.05), market.value(0.08, book=2), market.value(0.1, book=3)
    market.publish(small, large, gone, market.make_closing(gone))
    answer = OpenAlerts.model_validate(get(site, "/api/value-bets"))
    assert (answer.last_id, answer.feed, answer.count) == (4, "simulate", 2)
    assert [a.edge for a in answer.alerts] == [0.08, 0.05]
    assert answer.alerts[0].selection == "Seattle Seahawks"
    assert answer.alerts[0].book_title == "DraftKings"


def test_an_updated_alert_appears_once_in_its_latest_state(site: Any, market: Any) -> None:
    opened = market.value()
    market.publish(opened, market.make_update(opened))
    (alert,) = get(site, "/api/value-bets")["alerts"]
    assert (alert["seq"], alert["state"], alert["edge"]) == (1, "updated", 0.07)


@pytest.mark.parametrize(
    ("params", "edges"),
    [
        ({"sport": "nfl"}, [0.08, 0.05]),
        ({"sport": "americanfootball_nfl", "min_edge": 0.06}, [0.08]),
        ({"sport": "epl"}, []),
        ({"book": "fanduel"}, [0.05]),
        ({"limit": 1}, [0.08]),
    ],
)
def test_value_bets_can_be_filtered(site: Any, market: Any, params: dict[str, Any], edges: list[float]) -> None:
    market.publish(market.value(0.05), market.value(0.08, book=2))
    assert [a["edge"] for a in get(site, "/api/value-bets", **params)["alerts"]] == edges


@pytest.mark.parametrize("params", [{"limit": 0}, {"min_edge": -1}, {"min_edge": "x"}])
def test_invalid_filters_are_refused(site: Any, params: dict[str, Any]) -> None:
    get(site, "/api/value-bets", 422, **params)


def test_arbitrages_carry_their_legs(site: Any, market: Any) -> None:
    market.publish(market.arbitrage(), market.value())
    answer = get(site, "/api/arbitrage", book="fanduel", min_edge=0.04)
    (alert,) = OpenAlerts.model_validate(answer).alerts
    assert alert.legs is not None
    assert [(leg.book, leg.selection, leg.stake_fraction) for leg in alert.legs] == [
        ("fanduel", "Seattle Seahawks", 0.48),
        ("draftkings", "<b>Rams</b>", 0.52),
    ]
    assert alert.rules == "unknown"
    assert [len(get(site, "/api/arbitrage", rules=r)["alerts"]) for r in ("unknown", "same", "differ")] == [1, 0, 0]
    assert get(site, "/api/arbitrage", book="pinnacle")["alerts"] == []
    assert get(site, "/api/arbitrage", min_edge=0.05)["alerts"] == []


def test_middles_are_computed_from_the_latest_poll(site: Any, market: Any) -> None:
    assert get(site, "/api/middles", sport="nfl")["middles"] == []
    market.totals([44.5, 44.5, 44.5, 41.5, 47.5])
    assert get(site, "/api/middles", sport="nfl")["middles"] == []
    market.score()
    answer = Middles.model_validate(get(site, "/api/middles", sport="nfl"))
    (middle,) = answer.middles
    assert [(leg.book, leg.outcome, leg.point) for leg in middle.legs] == [
        ("betmgm", "over", 41.5),
        ("bovada", "under", 47.5),
    ]
    assert (middle.rules, middle.market) == ("unknown", "totals")
    assert middle.guaranteed_return == pytest.approx(-0.025)
    assert 0.1 < middle.middle_probability < 0.3
    assert get(site, "/api/middles", sport="nfl", rules="same")["count"] == 0
    assert get(site, "/api/middles", sport="nfl", min_value=0.9)["count"] == 0


def test_middles_leave_out_the_books_that_the_scorer_takes_for_outlying(site: Any, market: Any) -> None:
    market.totals([44.5, 44.5, 44.5, 41.5, 47.5])
    market.score()
    (middle,) = get(site, "/api/middles", sport="nfl")["middles"]
    under = middle["legs"][1]
    (book,) = market.conn.execute("SELECT id FROM books WHERE key = %s", [under["book"]]).fetchone()
    fair = load_fair_prices(market.conn, market.sport, market.poll_id)
    outlying = OutlyingBookBatch.from_rows([(market.event, Market.TOTALS, under["point"], book)])
    fair = fair._replace(outlying=outlying)
    store_fair_prices(market.conn, market.sport, market.poll_id, to_micros(market.now), fair)
    assert get(site, "/api/middles", sport="nfl")["middles"] == []


def test_odds_show_every_book_with_age_and_fair_probability(site: Any, market: Any) -> None:
    market.score()
    odds = SportOdds.model_validate(get(site, "/api/odds/nfl"))
    assert (odds.sport, odds.title, odds.feed, odds.poll_id) == (
        "americanfootball_nfl",
        "NFL",
        "simulate",
        market.poll_id,
    )
    assert odds.observed_at == market.now
    (event,) = odds.events
    assert (event.home_team, event.commence_at) == ("Seattle Seahawks", market.start)
    (line,) = event.lines
    assert (line.market, line.point, line.books) == ("h2h", None, 4)
    home, away = line.outcomes
    assert home.fair_probability is not None
    assert away.fair_probability is not None
    assert home.fair_probability + away.fair_probability == pytest.approx(1)
    assert {p.book: (p.price, p.age_s, p.stale) for p in home.prices} == {
        "pinnacle": (2.0, 20.0, False),
        "fanduel": (2.0, 20.0, False),
        "draftkings": (2.0, 20.0, False),
        "betmgm": (2.0, 20.0, False),
        "bovada": (2.0, 3600.0, True),
    }
    assert home.prices[0].edge == pytest.approx(home.fair_probability - 0.5)


def test_odds_have_no_fair_values_until_the_scorer_has_come_to_the_poll(site: Any, market: Any) -> None:
    def read_prices() -> list[tuple[float, float | None, float | None]]:
        (line,) = SportOdds.model_validate(get(site, "/api/odds/nfl")).events[0].lines
        return [(o.prices[0].price, o.fair_probability, o.prices[0].edge) for o in line.outcomes]

    assert read_prices() == [(2.0, None, None), (1.9, None, None)]
    market.score()
    (_, first, _), _ = read_prices()
    assert first is not None
    market.poll(home=2.1, observed_at=market.now + timedelta(seconds=20))
    assert read_prices() == [(2.1, None, None), (1.9, None, None)]
    market.score()
    (_, second, _), _ = read_prices()
    assert second is not None
    assert second < first


def test_odds_show_what_the_scorer_has_written_and_not_what_the_prices_would_say(site: Any, market: Any) -> None:
    prices = FairPriceBatch.from_rows(
        [
            (market.event, Market.H2H, 0.0, Outcome.HOME, 0.7, 0.1, 9),
            (market.event, Market.H2H, 0.0, Outcome.AWAY, 0.3, 0.1, 9),
        ]
    )
    fair = StatedFairPrices(prices, OutlyingBookBatch.empty())
    store_fair_prices(market.conn, market.sport, market.poll_id, to_micros(market.now), fair)
    (line,) = SportOdds.model_validate(get(site, "/api/odds/nfl")).events[0].lines
    assert [o.fair_probability for o in line.outcomes] == [0.7, 0.3]
    assert [o.standard_error for o in line.outcomes] == pytest.approx([0.021, 0.021])
    assert line.books == 9
    assert line.outcomes[0].prices[0].edge == pytest.approx(0.2)


def test_odds_of_one_event(site: Any, market: Any) -> None:
    market.score()
    assert len(get(site, "/api/odds/nfl", event_id=market.event)["events"]) == 1
    assert get(site, "/api/odds/nfl", 404, event_id=market.event + 1)["known"] == [str(market.event)]
    (whole,) = get(site, "/api/odds/nfl")["events"]
    assert get(site, "/api/odds/nfl", event_id=market.event)["events"] == [whole]


def test_events_of_a_sport(site: Any, market: Any) -> None:
    (event,) = get(site, "/api/odds/nfl/events")
    assert (event["event_id"], event["event"]) == (market.event, "e1")
    assert get(site, "/api/odds/epl/events") == []


def test_a_new_poll_is_visible_at_once_despite_the_cache(site: Any, market: Any) -> None:
    first, again = get(site, "/api/odds/nfl"), get(site, "/api/odds/NFL")
    assert first == again
    later = market.now + timedelta(seconds=5)
    market.poll(home=2.5, observed_at=later)
    prices = get(site, "/api/odds/nfl")["events"][0]["lines"][0]["outcomes"][0]["prices"]
    assert {p["price"] for p in prices} == {2.5}


def test_answers_are_cached_per_poll(site: Any, market: Any) -> None:
    get(site, "/api/odds/nfl")
    with market.redis() as client:
        (key,) = client.keys("edge:odds:*")
        assert 0 < client.ttl(key) <= 60
        client.set(key, b'{"cached": true}')
    assert get(site, "/api/odds/nfl") == {"cached": True}


def test_caching_can_be_switched_off(serve: Any, market: Any) -> None:
    with serve(cache_ttl_seconds=0) as served:
        get(served, "/api/odds/nfl")
        with market.redis() as client:
            assert client.keys("edge:odds:*") == []


def test_an_unknown_sport_is_answered_with_the_known_ones(site: Any) -> None:
    for path, params in (("/api/odds/curling", {}), ("/api/value-bets", {"sport": "curling"})):
        answer = get(site, path, 404, **params)
        assert "curling" in answer["detail"]
        assert {"nfl", "americanfootball_nfl", "epl"} <= set(answer["known"])


def test_a_sport_not_polled_yet_has_no_events(site: Any) -> None:
    odds = SportOdds.model_validate(get(site, "/api/odds/epl"))
    assert (odds.sport, odds.poll_id, odds.events) == ("soccer_epl", None, [])


def test_sports_and_status(site: Any, market: Any) -> None:
    assert get(site, "/api/sports") == [{"key": "americanfootball_nfl", "title": "NFL", "aliases": ["nfl"]}]
    market.publish(market.value())
    status = get(site, "/api/status")
    assert (status["feed"], status["local"], status["alerts_opened"]) == ("simulate", False, 1)


def test_the_api_describes_itself(site: Any) -> None:
    paths = get(site, "/openapi.json")["paths"]
    assert {"/api/odds/{sport}", "/api/value-bets", "/api/arbitrage", "/healthz", "/api/status"} <= set(paths)
    assert all("200" in call["responses"] for path in paths.values() for call in path.values())
