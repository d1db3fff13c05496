"""Configuration from the environment (and `.env`), read once by each process's composition root."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

from pydantic import Field, NonNegativeFloat, PositiveInt, SecretStr
from pydantic.functional_validators import field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

DEFAULT_SPORTS = (
    "americanfootball_nfl",
    "americanfootball_ncaaf",
    "basketball_nba",
    "baseball_mlb",
    "icehockey_nhl",
    "soccer_epl",
    "soccer_spain_la_liga",
    "soccer_uefa_champs_league",
    "mma_mixed_martial_arts",
)


class Feed(StrEnum):
    """Where odds come from."""

    ODDS_API = "odds-api"
    REPLAY = "replay"
    SIMULATE = "simulate"


class Settings(BaseSettings):
    """Every variable of the README's configuration table; field names are the lower-case variable names."""

    model_config = SettingsConfigDict(env_file=".env", extra="ignore", frozen=True, populate_by_name=True)

    edge_home: Path = Field(default_factory=lambda: Path.home() / ".edge-finder")
    edge_data_dir: Path | None = None
    edge_feed: Feed = Feed.ODDS_API
    edge_sports: Annotated[tuple[str, ...], NoDecode] = DEFAULT_SPORTS
    edge_regions: Annotated[tuple[str, ...], NoDecode] = ("us", "eu")
    edge_markets: Annotated[tuple[str, ...], NoDecode] = ("h2h", "spreads", "totals")
    edge_book_weights: Annotated[dict[str, NonNegativeFloat], NoDecode] = Field(default_factory=dict)
    edge_local: bool = False
    edge_board_url: str = "http://127.0.0.1:8000"

    odds_api_key: SecretStr | None = None
    odds_api_url: str = "https://api.the-odds-api.com/v4"
    espn_url: str = "https://site.api.espn.com/apis/site/v2/sports"
    football_data_url: str = "https://www.football-data.co.uk/mmz4281"
    database_url: str | None = None
    redis_url: str | None = None
    mlflow_tracking_uri: str | None = None
    jwt_secret: SecretStr | None = None

    alert_threshold_edge: float = Field(default=0.05, gt=0, lt=1)
    max_kelly_fraction: float = Field(default=0.25, gt=0, le=1)
    cache_ttl_seconds: int = Field(default=60, ge=0)
    keep_ticks_days: PositiveInt | None = None
    keep_payloads_days: PositiveInt | None = None

    @field_validator("edge_sports", "edge_regions", "edge_markets", mode="before")
    @classmethod
    def _comma_separated(cls, value: object) -> object:
        return tuple(v.strip() for v in value.split(",") if v.strip()) if isinstance(value, str) else value

    @field_validator("edge_book_weights", mode="before")
    @classmethod
    def _pairs(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        return dict(pair.split("=", 1) for pair in value.split(",") if pair)

    @field_validator("keep_ticks_days", "keep_payloads_days", mode="before")
    @classmethod
    def _empty_is_unset(cls, value: object) -> object:
        return None if value == "" else value

    @property
    def retention_days(self) -> dict[str, int | None]:
        """For how many days each table of recordings is kept; None: for ever."""
        return {"odds_ticks": self.keep_ticks_days, "payloads": self.keep_payloads_days}

    @property
    def data_docs(self) -> Path:
        """The folder of Great Expectations' Data Docs."""
        return self.edge_home.expanduser().resolve() / "data_docs"

    @property
    def dbt_scratch(self) -> Path:
        """dbt's own folder: what it has parsed and compiled, and the times of the last build."""
        return self.edge_home.expanduser().resolve() / "dbt"

    def require_database(self) -> str:
        """The database URL, or an error that says what to set."""
        return _require(self.database_url, "DATABASE_URL")

    def require_redis(self) -> str:
        """The Redis URL, or an error that says what to set."""
        return _require(self.redis_url, "REDIS_URL")


class MissingSettingError(RuntimeError):
    """A process was started without a variable that it cannot do without."""


def _require(value: str | None, name: str) -> str:
    if not value:
        msg = f"{name} is not set: run under `edge up`, or set it (see .env.example)"
        raise MissingSettingError(msg)
    return value
