"""The sports that The Odds API lists, and short names for some of them."""

from __future__ import annotations

SPORT_ALIASES = {
    "nfl": "americanfootball_nfl",
    "ncaaf": "americanfootball_ncaaf",
    "nba": "basketball_nba",
    "wnba": "basketball_wnba",
    "ncaab": "basketball_ncaab",
    "euroleague": "basketball_euroleague",
    "mlb": "baseball_mlb",
    "nhl": "icehockey_nhl",
    "epl": "soccer_epl",
    "laliga": "soccer_spain_la_liga",
    "bundesliga": "soccer_germany_bundesliga",
    "seriea": "soccer_italy_serie_a",
    "ligue1": "soccer_france_ligue_one",
    "ucl": "soccer_uefa_champs_league",
    "mls": "soccer_usa_mls",
    "mma": "mma_mixed_martial_arts",
    "ufc": "mma_mixed_martial_arts",
    "boxing": "boxing_boxing",
}
"""The feed's own keys are accepted as well."""

_LEAGUES = {
    "americanfootball": "cfl ncaaf ncaaf_championship_winner nfl nfl_preseason nfl_super_bowl_winner ufl",
    "aussierules": "afl",
    "baseball": "kbo milb mlb mlb_preseason mlb_world_series_winner ncaa npb",
    "basketball": (
        "euroleague nba nba_all_stars nba_championship_winner nba_preseason nba_summer_league nbl ncaab "
        "ncaab_championship_winner wnba wncaab"
    ),
    "boxing": "boxing",
    "cricket": (
        "asia_cup big_bash caribbean_premier_league icc_trophy icc_world_cup icc_world_cup_womens "
        "international_t20 ipl odi psl t20_blast t20_world_cup test_match the_hundred"
    ),
    "golf": "masters_tournament_winner pga_championship_winner the_open_championship_winner us_open_winner",
    "handball": "germany_bundesliga",
    "icehockey": "ahl liiga mestis nhl nhl_championship_winner nhl_preseason sweden_allsvenskan sweden_hockey_league",
    "lacrosse": "ncaa pll",
    "mma": "mixed_martial_arts",
    "politics": "us_presidential_election_winner",
    "rugbyleague": "nrl nrl_state_of_origin super_league",
    "rugbyunion": "six_nations",
    "soccer": (
        "africa_cup_of_nations argentina_primera_division australia_aleague austria_bundesliga "
        "belgium_first_div brazil_campeonato brazil_serie_b chile_campeonato china_superleague "
        "concacaf_gold_cup concacaf_leagues_cup conmebol_copa_america conmebol_copa_libertadores "
        "conmebol_copa_sudamericana denmark_superliga efl_champ england_efl_cup england_league1 "
        "england_league2 england_national_league epl fa_cup fifa_club_world_cup fifa_world_cup "
        "fifa_world_cup_qualifiers_europe fifa_world_cup_qualifiers_south_america fifa_world_cup_winner "
        "fifa_world_cup_womens finland_veikkausliiga france_coupe_de_france france_ligue_one france_ligue_two "
        "germany_bundesliga germany_bundesliga2 germany_bundesliga_women germany_dfb_pokal germany_liga3 "
        "greece_super_league italy_coppa_italia italy_serie_a italy_serie_b japan_j_league korea_kleague1 "
        "league_of_ireland mexico_ligamx netherlands_eredivisie norway_eliteserien poland_ekstraklasa "
        "portugal_primeira_liga russia_premier_league saudi_arabia_pro_league scotland_championship "
        "scotland_league1 scotland_league2 spain_copa_del_rey spain_la_liga spain_segunda_division spl "
        "sweden_allsvenskan sweden_superettan switzerland_superleague turkey_super_league uefa_champs_league "
        "uefa_champs_league_qualification uefa_champs_league_women uefa_euro_qualification "
        "uefa_europa_conference_league uefa_europa_league uefa_european_championship uefa_nations_league "
        "usa_mls"
    ),
    "tennis": (
        "atp_aus_open_singles atp_canadian_open atp_china_open atp_cincinnati_open atp_dubai atp_french_open "
        "atp_indian_wells atp_italian_open atp_madrid_open atp_miami_open atp_monte_carlo_masters "
        "atp_paris_masters atp_qatar_open atp_shanghai_masters atp_us_open atp_wimbledon wta_aus_open_singles "
        "wta_canadian_open wta_china_open wta_cincinnati_open wta_dubai wta_french_open wta_indian_wells "
        "wta_italian_open wta_madrid_open wta_miami_open wta_qatar_open wta_us_open wta_wimbledon "
        "wta_wuhan_open"
    ),
}
KNOWN_SPORTS = frozenset(f"{group}_{league}" for group, leagues in _LEAGUES.items() for league in leagues.split())
"""Keys from the feed's documentation. Newer ones can be configured as `+key`."""
