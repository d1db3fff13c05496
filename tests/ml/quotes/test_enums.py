from ml.quotes import FIRST_DYNAMIC_ID, MARKET_OUTCOMES, Market, Outcome


def test_fixed_ids_leave_room_for_the_stores() -> None:
    assert all(0 < member < FIRST_DYNAMIC_ID for member in (*Market, *Outcome))


def test_keys_name_every_member_once() -> None:
    assert Market.H2H_3_WAY.key == "h2h_3_way"
    assert Outcome.HOME.key == "home"
    for kind in (Market, Outcome):
        assert len({member.key for member in kind}) == len(kind)


def test_valued_markets_are_two_way_or_three_way() -> None:
    for market, outcomes in MARKET_OUTCOMES.items():
        assert len(outcomes) == (3 if market is Market.H2H_3_WAY else 2)
        assert len(set(outcomes)) == len(outcomes)
    assert not any(market.key.endswith("lay") for market in MARKET_OUTCOMES)
