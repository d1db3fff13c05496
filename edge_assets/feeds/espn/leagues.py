"""ESPN's paths for the leagues of The Odds API."""

from __future__ import annotations

from typing import NamedTuple


class EspnLeague(NamedTuple):
    """A scoreboard's path; college scoreboards show only ranked teams unless a `group` is given."""

    path: str
    group: int | None = None


LEAGUES_BY_SPORT = {
    "americanfootball_nfl": EspnLeague("football/nfl"),
    "americanfootball_ncaaf": EspnLeague("football/college-football", 80),
    "aussierules_afl": EspnLeague("australian-football/afl"),
    "baseball_mlb": EspnLeague("baseball/mlb"),
    "basketball_nba": EspnLeague("basketball/nba"),
    "basketball_ncaab": EspnLeague("basketball/mens-college-basketball", 50),
    "basketball_wnba": EspnLeague("basketball/wnba"),
    "icehockey_nhl": EspnLeague("hockey/nhl"),
    **{
        f"soccer_{key}": EspnLeague(f"soccer/{slug}")
        for key, slug in {
            "argentina_primera_division": "arg.1",
            "australia_aleague": "aus.1",
            "belgium_first_div": "bel.1",
            "brazil_campeonato": "bra.1",
            "conmebol_copa_america": "conmebol.america",
            "conmebol_copa_libertadores": "conmebol.libertadores",
            "efl_champ": "eng.2",
            "england_efl_cup": "eng.league_cup",
            "england_league1": "eng.3",
            "england_league2": "eng.4",
            "epl": "eng.1",
            "fa_cup": "eng.fa",
            "fifa_world_cup": "fifa.world",
            "france_ligue_one": "fra.1",
            "france_ligue_two": "fra.2",
            "germany_bundesliga": "ger.1",
            "germany_bundesliga2": "ger.2",
            "greece_super_league": "gre.1",
            "italy_serie_a": "ita.1",
            "italy_serie_b": "ita.2",
            "mexico_ligamx": "mex.1",
            "netherlands_eredivisie": "ned.1",
            "portugal_primeira_liga": "por.1",
            "spain_la_liga": "esp.1",
            "spain_segunda_division": "esp.2",
            "spl": "sco.1",
            "turkey_super_league": "tur.1",
            "uefa_champs_league": "uefa.champions",
            "uefa_europa_conference_league": "uefa.europa.conf",
            "uefa_europa_league": "uefa.europa",
            "uefa_european_championship": "uefa.euro",
            "usa_mls": "usa.1",
        }.items()
    },
}
