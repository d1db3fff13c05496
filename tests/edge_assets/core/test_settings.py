"""Settings as people paste them: sensible values are accepted, others get a clear error, secrets are never shown."""

from __future__ import annotations

import os
import re
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from edge_assets.core.retention_days import DEFAULT_RETENTION, FOREVER_DAYS
from edge_assets.core.settings import LOOPBACK_NAMES, RETENTION_FIELDS, HomeSettings, Settings, describe_setting_errors
from edge_assets.core.settings_input import redact

if TYPE_CHECKING:
    from pathlib import Path

ROOT = Path(__file__).parents[3]
SECRET = "s3cretS3cretS3cretS3cret"
PLAIN = "postgresql://edge:pw@db.example.org:5432/odds"


@pytest.fixture(autouse=True)
def _bare(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Nothing configured."""
    monkeypatch.chdir(tmp_path)
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)


def read(**environment: str) -> Settings:
    with pytest.MonkeyPatch.context() as patch:
        for name, value in environment.items():
            patch.setenv(name, value)
        return Settings()


def error_text(**environment: str) -> str:
    with pytest.raises(ValidationError) as raised:
        read(**environment)
    return "\n".join(describe_setting_errors(raised.value))


@pytest.mark.parametrize(
    ("name", "pasted", "meant"),
    [
        ("EDGE_REGIONS", " us , eu ,\n", ("us", "eu")),
        ("EDGE_REGIONS", "us;eu us", ("us", "eu")),
        ("EDGE_REGIONS", '["us", "eu"]', ("us", "eu")),
        ("EDGE_REGIONS", "'us,eu'", ("us", "eu")),
        ("EDGE_REGIONS", '"us","eu"', ("us", "eu")),
        ("EDGE_REGIONS", "'us'; 'eu'", ("us", "eu")),
        ("EDGE_REGIONS", "US,EU", ("us", "eu")),
        ("EDGE_REGIONS", "", ("us", "eu")),
        ("EDGE_SPORTS", "nfl, \u201cNBA\u201d", ("americanfootball_nfl", "basketball_nba")),
        ("EDGE_SPORTS", "nfl,americanfootball_nfl", ("americanfootball_nfl",)),
        ("EDGE_SPORTS", "+soccer_moon_league", ("soccer_moon_league",)),
        ("EDGE_BOOK_WEIGHTS", " pinnacle = 5 , fanduel=0.5\n", {"pinnacle": 5.0, "fanduel": 0.5}),
        ("EDGE_BOOK_WEIGHTS", "+newbook=2", {"newbook": 2.0}),
        ("DATABASE_URL", f"{PLAIN}\n", PLAIN),
        ("DATABASE_URL", f'"{PLAIN}"', PLAIN),
        ("DATABASE_URL", PLAIN.replace("postgresql", "postgres"), PLAIN),
        ("DATABASE_URL", PLAIN.replace("postgresql", "postgresql+psycopg2"), PLAIN),
        ("DATABASE_URL", PLAIN.replace("postgresql", "postgresql+asyncpg"), PLAIN),
        ("DATABASE_URL", "postgres://u:pa@Sup3rSecret:x@127.0.0.1:5432/y",
         "postgresql://u:pa%40Sup3rSecret%3Ax@127.0.0.1:5432/y"),
        ("DATABASE_URL", "postgres://u:pa@Sup3r,S:7@h/y", "postgresql://u:pa%40Sup3r%2CS%3A7@h/y"),
        ("DATABASE_URL", "postgres://u:pa/S#u?p@h/y", "postgresql://u:pa%2FS%23u%3Fp@h/y"),
        ("DATABASE_URL", "postgresql+asyncpg://u:p@h/y?ssl=require", "postgresql://u:p@h/y?sslmode=require"),
        ("REDIS_URL", "redis://:p/w@d@r:6379/0", "redis://:p%2Fw%40d@r:6379/0"),
        ("MLFLOW_TRACKING_URI", "http://u:p@w@m:5000", "http://u:p%40w@m:5000"),
        ("DATABASE_URL", "postgresql:///odds?host=/run/postgresql", "postgresql:///odds?host=/run/postgresql"),
        ("DATABASE_URL", "  ", None),
        ("REDIS_URL", "redis://:pw@[::1]:6379/0 ", "redis://:pw@[::1]:6379/0"),
        ("ODDS_API_URL", "https://api.the-odds-api.com/v4/ ", "https://api.the-odds-api.com/v4"),
        ("KEEP_TICKS_DAYS", "", None),
        ("KEEP_TICKS_DAYS", " Forever ", FOREVER_DAYS),
        ("ALERT_THRESHOLD_EDGE", " '0.03' ", 0.03),
        ("EDGE_LOCAL", "True\n", True),
    ],
)  # fmt: skip
def test_pasted_values_are_understood(name: str, pasted: str, meant: object) -> None:
    assert getattr(read(**{name: pasted}), name.lower()) == meant


def test_secrets_lose_quotes_and_line_ends() -> None:
    found = read(ODDS_API_KEY=f'"{SECRET}"\n', JWT_SECRET=f" {SECRET}\r\n")
    assert [s and s.get_secret_value() for s in (found.odds_api_key, found.jwt_secret)] == [SECRET, SECRET]
    assert SECRET not in repr(found)


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("EDGE_SPORTS", "americanfootball_nfll", "did you mean americanfootball_nfl"),
        ("EDGE_SPORTS", "nonsense_sport", "unknown sport 'nonsense_sport'"),
        ("EDGE_REGIONS", "us,europe", "unknown region 'europe': choose from au, eu"),
        ("EDGE_REGIONS", "moon", "au"),
        ("EDGE_MARKETS", "h2h,spread", "did you mean spreads"),
        ("EDGE_BOOK_WEIGHTS", "pinacle=5", "did you mean pinnacle"),
        ("EDGE_BOOK_WEIGHTS", "pinnacle=x", "the weight of 'pinnacle' is not a number"),
        ("EDGE_BOOK_WEIGHTS", "pinnacle", "is not a number"),
        ("EDGE_BOOK_WEIGHTS", "pinnacle=-1", "greater than or equal to 0"),
        ("EDGE_BOOK_WEIGHTS", "pinnacle=inf", "finite"),
        ("EDGE_BOOK_WEIGHTS", "pinnacle=nan", "finite"),
        ("DATABASE_URL", "mysql://x", "postgresql://, not with mysql://"),
        ("DATABASE_URL", "host=db dbname=odds", "begins with postgresql://"),
        ("DATABASE_URL", "postgresql://u:p@ss/w#rd@db/odds", "%XX"),
        ("DATABASE_URL", "postgresql://u:100%sure@db/odds", "%XX"),
        ("DATABASE_URL", "postgresql://db:99999/odds", "host and port"),
        ("DATABASE_URL", "postgresql://u:7/w@db/odds", "host and port"),
        ("DATABASE_URL", "postgresql://db/odds?password=a&w=d", "PostgreSQL does not know"),
        ("REDIS_URL", "redis://:p@w/d@r:6379/0", "host and port"),
        ("REDIS_URL", "nonsense", "begins with redis://"),
        ("REDIS_URL", "redis://h:6379/abc", "number of a database"),
        ("REDIS_URL", "redis://h:6379?db=abc", "number of a database"),
        ("EDGE_SPORTS", ",", "the list is empty"),
        ("EDGE_REGIONS", ", ;", "the list is empty"),
        ("EDGE_BOOK_WEIGHTS", "pinnacle=1e308", "'pinnacle' is above 1,000"),
        ("REDIS_URL", "http://localhost:6379", "not with http://"),
        ("REDIS_URL", "redis://[::1:6379", "host and port"),
        ("ODDS_API_URL", "api.the-odds-api.com", "begins with http://"),
        ("ODDS_API_KEY", "two words", "without spaces"),
        ("ALERT_THRESHOLD_EDGE", "nan", "ALERT_THRESHOLD_EDGE"),
        ("KEEP_TICKS_DAYS", "99999999", "36500"),
        ("EDGE_FEED", "betfair", "'odds-api', 'replay' or 'simulate'"),
    ],
)  # fmt: skip
def test_an_error_names_the_variable_and_the_problem(name: str, value: str, message: str) -> None:
    reported = error_text(**{name: value})
    assert reported.startswith(f"{name}: ")
    assert message in reported


def test_a_replay_accepts_sports_and_books_unknown_to_the_feed() -> None:
    found = read(EDGE_FEED="replay", EDGE_SPORTS="soccer_moon_league", EDGE_BOOK_WEIGHTS="moonbet=2")
    assert (found.edge_sports, found.edge_book_weights) == (("soccer_moon_league",), {"moonbet": 2.0})


def test_home_settings_ignore_other_variables(tmp_path: Path) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("EDGE_REGIONS", "moon")
        patch.setenv("EDGE_HOME", f"'{tmp_path}'\n")
        assert HomeSettings().edge_home == tmp_path


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
def test_an_env_file_may_have_a_byte_order_mark(tmp_path: Path, encoding: str) -> None:
    (tmp_path / ".env").write_text("EDGE_REGIONS = \"uk\"\nREDIS_URL='redis://r:1'\n", encoding)
    assert (read().edge_regions, read().redis_url) == (("uk",), "redis://r:1")


NAMES = sorted(name.upper() for name in Settings.model_fields)
pieces = st.sampled_from((
    "postgres://", "postgresql+psycopg2://", "mysql://", "redis://", "https://", "@", ":", "/", "#", "?", "%", "%zz",
    "%00", "=", ",", " ", "\n", "'", '"', "[", "]", "{", "nan", "inf", "1e999", "-1", "0", "pinnacle", "nfl", "us",
    "\u00e9", "\u202e", "host", "99999", SECRET,
)) | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8)  # fmt: skip
values = st.lists(pieces, max_size=8).map("".join)


@settings(max_examples=400, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(environment=st.dictionaries(st.sampled_from(NAMES), values, min_size=1, max_size=3))
def test_any_value_is_accepted_or_rejected_without_showing_it(environment: dict[str, str]) -> None:
    try:
        found: Any = read(**environment)
    except ValidationError as error:
        reported = describe_setting_errors(error)
        assert reported
        assert all(line.split(":")[0] in environment for line in reported)
        assert SECRET not in "\n".join(reported)
    else:
        assert SECRET not in "".join(map(repr, (found.odds_api_key, found.jwt_secret)))


@given(st.text())
def test_redact_shows_only_plausible_names(value: str) -> None:
    for text in (value, value + SECRET, os.urandom(16).hex()):
        if redact(text) != f"a text of {len(text)} characters":
            assert text.isascii()
            assert text.isprintable()
            assert SECRET not in text


@pytest.mark.parametrize(
    ("name", "value"), [("ALERT_THRESHOLD_EDGE", "abc"), ("MAX_KELLY_FRACTION", "nan"), ("KEEP_TICKS_DAYS", "1e9")]
)
def test_an_invalid_number_is_rejected_with_an_example(name: str, value: str) -> None:
    assert f"(such as {name}=" in error_text(**{name: value})


def test_retention_defaults_depend_on_the_feed() -> None:
    assert read(EDGE_FEED="simulate").retention_days == DEFAULT_RETENTION["simulate"]
    assert read(EDGE_FEED="simulate", KEEP_TICKS_DAYS="forever", KEEP_RUNS_DAYS="3").retention_days == replace(
        DEFAULT_RETENTION["simulate"], ticks=FOREVER_DAYS, runs=3
    )
    assert read().retention_days.ticks == FOREVER_DAYS, "live odds cannot be fetched again"


@pytest.mark.parametrize("message", ["mybox.lan", "mybox.lan,localhost", ""])
def test_allowed_hosts_are_added_to_the_loopback_names(message: str) -> None:
    assert read(EDGE_ALLOWED_HOSTS=message).edge_allowed_hosts == (
        *LOOPBACK_NAMES,
        *filter(None, message.split(",")[:1]),
    )


def test_every_setting_is_read() -> None:
    """A setting that nothing reads misleads those who set it."""
    code = "\n".join(
        path.read_text() for folder in ("edge_assets", "serving") for path in (ROOT / folder).rglob("*.py")
    )
    read_somewhere = {name for name in Settings.model_fields if re.search(rf"\.{name}\b", code)}
    assert read_somewhere | set(RETENTION_FIELDS) == set(Settings.model_fields)
