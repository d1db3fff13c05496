"""Configuration from the environment and `.env`, read once at the start of each process."""

from __future__ import annotations

import re
from dataclasses import asdict, fields
from enum import StrEnum
from ipaddress import ip_network
from math import inf
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field, SecretStr, ValidationInfo
from pydantic.functional_validators import field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from edge_assets.core.lost_polls import lost_polls_folder
from edge_assets.core.retention_days import DEFAULT_RETENTION, FOREVER_DAYS, RetentionDays
from edge_assets.core.settings_input import (
    clean_redis_url,
    normalize_postgres_url,
    redact,
    require_known_name,
    split_list,
    strip_quotes,
    validate_url,
)
from edge_assets.reference.books import REGIONS, load_known_books
from edge_assets.reference.sports import DEFAULT_SPORTS, KNOWN_SPORTS, SPORT_ALIASES

if TYPE_CHECKING:
    from pydantic import ValidationError

FEATURED_MARKETS = ("h2h", "h2h_lay", "outrights", "outrights_lay", "spreads", "totals")
"""The markets of the feed's bulk endpoint."""
LOOPBACK_NAMES = ("localhost", "127.0.0.1", "::1")
_HOST_NAME = re.compile(r"[A-Za-z0-9._-]+|\[?[0-9A-Fa-f:.]+\]?")
_EXAMPLE_VALUES = {
    "alert_threshold_edge": "0.05",
    "max_kelly_fraction": "0.25",
    "cache_ttl_seconds": "60",
    "keep_ticks_days": "90",
    "keep_payloads_days": "30",
    "keep_alerts_days": "90",
    "keep_prices_days": "forever",
    "keep_runs_days": "7",
}

RETENTION_FIELDS = tuple(f"keep_{kind.name}_days" for kind in fields(RetentionDays))
Days = Annotated[int, Field(gt=0, le=FOREVER_DAYS)]
MAX_WEIGHT = 1_000.0
"""Of a book. The highest in `books.toml` is 5; the sum of two weights of 1e308 overflows."""
Weight = Annotated[float, Field(ge=0, le=MAX_WEIGHT, allow_inf_nan=False)]


class Feed(StrEnum):
    """Where odds come from."""

    ODDS_API = "odds-api"
    REPLAY = "replay"
    SIMULATE = "simulate"


class HomeSettings(BaseSettings):
    """Where the local installation is. `edge down` needs only this, so an invalid other variable cannot block it."""

    model_config = SettingsConfigDict(
        env_file=".env",
        env_file_encoding="utf-8-sig",
        extra="ignore",
        frozen=True,
        populate_by_name=True,
        hide_input_in_errors=True,
        use_attribute_docstrings=True,
    )

    edge_home: Path = Field(default_factory=lambda: Path.home() / ".edge-finder")
    """Where the local installation keeps its data, logs and secrets."""

    @property
    def ending_runs_path(self) -> Path:
        """Written by `edge down` for Dagster's daemon: a JSON list of the process ids of the runs to end."""
        return self.edge_home.expanduser().resolve() / "run" / "runs_to_end.json"

    @model_validator(mode="before")
    @classmethod
    def _clean_values(cls, values: dict[str, Any]) -> dict[str, Any]:
        cleaned = {name: strip_quotes(value) if isinstance(value, str) else value for name, value in values.items()}
        return {name: value for name, value in cleaned.items() if value != ""}


class Settings(HomeSettings):
    """Every variable, with what it means: the reference of `docs/` is made of it. Field names are in lower case.

    Values are read as people paste them; an empty variable counts as unset. An invalid value raises a
    `ValidationError`, which `describe_setting_errors` explains.
    """

    edge_feed: Feed = Feed.ODDS_API
    """Where odds come from; `edge up` sets it."""
    edge_sports: Annotated[tuple[str, ...], NoDecode] = DEFAULT_SPORTS
    """Sports to poll: keys of the feed, or aliases such as `nfl`. `+name` asks for one that is not known here."""
    edge_regions: Annotated[tuple[str, ...], NoDecode] = ("us", "eu")
    """Regions whose books to ask for; each one multiplies the credits of a poll."""
    edge_markets: Annotated[tuple[str, ...], NoDecode] = ("h2h", "spreads", "totals")
    """Markets to ask for; each one multiplies the credits of a poll."""
    edge_book_weights: Annotated[dict[str, Weight], NoDecode] = Field(default_factory=dict)
    """Weights in the consensus, such as `pinnacle=5,fanduel=0.5`. Unset: as measured, else as in `books.toml`."""
    edge_local: bool = False
    """Whether the board gets its token without a login, on this machine only; `edge up` sets it."""
    edge_board_url: str = "http://127.0.0.1:8000"
    """Address of the board, for links from Dagster; `edge up` sets it."""
    edge_allowed_hosts: Annotated[tuple[str, ...], NoDecode] = LOOPBACK_NAMES
    """Further host names of the board, Dagster and MLflow."""
    edge_trusted_proxies: Annotated[tuple[str, ...], NoDecode] = ()
    """Addresses or networks of reverse proxies whose `X-Forwarded-*` headers are believed."""

    odds_api_key: SecretStr | None = None
    """Key of The Odds API; never logged, stored or shown."""
    odds_api_url: str = "https://api.the-odds-api.com/v4"
    """Address of The Odds API, or of what stands in for it."""
    espn_url: str = "https://site.api.espn.com/apis/site/v2/sports"
    """Where ESPN's results come from."""
    football_data_url: str = "https://www.football-data.co.uk/mmz4281"
    """Where `edge import football-data` downloads from."""
    database_url: str | None = None
    """A PostgreSQL database of your own instead of the embedded one; a feed needs one to itself."""
    redis_url: str | None = None
    """A Redis database of your own instead of the embedded one; a feed needs one to itself."""
    mlflow_tracking_uri: str | None = None
    """An MLflow tracking server of your own instead of the embedded one."""
    jwt_secret: SecretStr | None = None
    """Signs the tokens of the alert stream; at least 32 bytes. `edge up` makes one, nothing else has a default."""

    alert_threshold_edge: float = Field(default=0.05, gt=0, lt=1)
    """The smallest edge, fair minus implied probability, that becomes an alert."""
    max_kelly_fraction: float = Field(default=0.25, gt=0, le=1)
    """The largest share of the bankroll that a Kelly fraction may be."""
    cache_ttl_seconds: int = Field(default=60, ge=0)
    """Life of cached responses: those of the feed's free endpoints, and `/api/odds` between two polls."""
    keep_payloads_days: Days | None = None
    """Days that payloads are kept. What was imported is never deleted, here and below."""
    keep_ticks_days: Days | None = None
    """Days that ticks are kept, and their polls."""
    keep_alerts_days: Days | None = None
    """Days that closed alerts are kept, and the counts of suppressed prices."""
    keep_prices_days: Days | None = None
    """Days that the warehouse keeps an event's prices, counted from its start."""
    keep_runs_days: Days | None = None
    """Days that Dagster's runs and logs are kept, and the pages of the Data Docs."""

    @field_validator(*RETENTION_FIELDS, mode="before")
    @classmethod
    def _parse_days(cls, value: object) -> object:
        return FOREVER_DAYS if isinstance(value, str) and value.lower() in {"forever", "for ever"} else value

    @field_validator(
        "edge_sports", "edge_regions", "edge_markets", "edge_allowed_hosts", "edge_trusted_proxies", mode="before"
    )
    @classmethod
    def _split_lists(cls, value: object) -> object:
        return tuple(part.lower() for part in split_list(value)) if isinstance(value, str) else value

    @field_validator("edge_sports", "edge_regions", "edge_markets")
    @classmethod
    def _require_values(cls, value: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        if not value:
            usual = cls.model_fields[info.field_name or ""].default
            msg = f"the list is empty: write names such as {','.join(usual[:2])}, or leave it unset for the usual ones"
            raise ValueError(msg)
        return value

    @field_validator("edge_sports")
    @classmethod
    def _validate_sports(cls, value: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        keys = tuple(dict.fromkeys(SPORT_ALIASES.get(name, name) for name in value))
        # a recording or the simulator may have sports that the feed does not
        is_live = info.data.get("edge_feed") is Feed.ODDS_API
        return (
            tuple(require_known_name(key, KNOWN_SPORTS | {*SPORT_ALIASES}, "sport") for key in keys)
            if is_live
            else keys
        )

    @field_validator("edge_regions")
    @classmethod
    def _validate_regions(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(require_known_name(region, REGIONS, "region") for region in value)

    @field_validator("edge_markets")
    @classmethod
    def _validate_markets(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(require_known_name(market, FEATURED_MARKETS, "market") for market in value)

    @field_validator("edge_allowed_hosts")
    @classmethod
    def _validate_hosts(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if invalid := [name for name in value if not _HOST_NAME.fullmatch(name)]:
            found = redact(invalid[0])
            msg = f"{found} is not a host name or address: write mybox.lan,192.168.1.5 without scheme, port or *"
            raise ValueError(msg)
        return tuple(dict.fromkeys((*LOOPBACK_NAMES, *value)))  # the stack's own health checks use these

    @field_validator("edge_trusted_proxies")
    @classmethod
    def _validate_proxies(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for proxy in value:
            ip_network(proxy, strict=False)  # its message names the value, which is not a secret
        return value

    @field_validator("edge_book_weights", mode="before")
    @classmethod
    def _parse_book_weights(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        # spaces around `=` are not separators
        pairs = [pair.partition("=") for pair in split_list(value.replace(" =", "=").replace("= ", "="))]
        return {
            strip_quotes(book).lower(): _parse_weight(strip_quotes(book), strip_quotes(weight))
            for book, _, weight in pairs
        }

    @field_validator("edge_book_weights")
    @classmethod
    def _validate_books(cls, value: dict[str, float], info: ValidationInfo) -> dict[str, float]:
        if info.data.get("edge_feed") is not Feed.ODDS_API:
            return value
        return {require_known_name(book, load_known_books(), "book"): weight for book, weight in value.items()}

    @field_validator("database_url")
    @classmethod
    def _normalize_database_url(cls, value: str | None) -> str | None:
        return value and normalize_postgres_url(value)

    @field_validator("redis_url")
    @classmethod
    def _validate_redis_url(cls, value: str | None) -> str | None:
        return value and clean_redis_url(value)

    @field_validator("mlflow_tracking_uri")
    @classmethod
    def _check_mlflow_uri(cls, value: str | None) -> str | None:
        scheme, found, _ = (value or "").partition("://")
        # a folder, or `databricks`, is not a URL
        return validate_url(value, (scheme,)) if value and found and "@" in value else value

    @field_validator("odds_api_url", "espn_url", "football_data_url", "edge_board_url")
    @classmethod
    def _validate_http_urls(cls, value: str) -> str:
        return validate_url(value, ("http", "https")).rstrip("/")

    @field_validator("odds_api_key")
    @classmethod
    def _validate_api_key(cls, value: SecretStr | None) -> SecretStr | None:
        if value and not re.fullmatch(r"[!-~]+", value.get_secret_value()):
            msg = "a key consists of printable ASCII characters without spaces"
            raise ValueError(msg)
        return value

    @property
    def retention_days(self) -> RetentionDays:
        """The configured retention periods, with the feed's defaults for those that are unset."""
        defaults = asdict(DEFAULT_RETENTION[self.edge_feed.value])
        configured = {kind: getattr(self, f"keep_{kind}_days") for kind in defaults}
        return RetentionDays(**defaults | {kind: days for kind, days in configured.items() if days is not None})

    @property
    def lost_polls(self) -> Path:
        """The folder of failed polls that the database could not record."""
        return lost_polls_folder(self.edge_home.expanduser().resolve(), self.edge_feed.value)

    @property
    def data_docs_dir(self) -> Path:
        """The folder of Great Expectations' Data Docs."""
        return self.edge_home.expanduser().resolve() / "data_docs"

    @property
    def dbt_target_dir(self) -> Path:
        """dbt's target folder: parsed and compiled models, and the timings of the last build."""
        return self.edge_home.expanduser().resolve() / "dbt"

    def require_database_url(self) -> str:
        """The database URL; `MissingSettingError` if it is not set."""
        return _require(self.database_url, "DATABASE_URL")

    def require_redis_url(self) -> str:
        """The Redis URL; `MissingSettingError` if it is not set."""
        return _require(self.redis_url, "REDIS_URL")


class MissingSettingError(RuntimeError):
    """A required variable is not set."""


def describe_setting_errors(error: ValidationError) -> list[str]:
    """One line for each invalid variable. Values are not shown, as they may be secrets."""
    problems = error.errors(include_input=False, include_url=False, include_context=False)
    return [_format_problem(".".join(map(str, problem["loc"][:1])), problem["msg"]) for problem in problems]


def _format_problem(name: str, message: str) -> str:
    message = message.removeprefix("Value error, ")
    example_value = _EXAMPLE_VALUES.get(name)
    example = f" (such as {name.upper()}={example_value})" if example_value else ""
    return f"{name.upper()}: {message}{example}" if name else message


def _parse_weight(book: str, weight: str) -> float:
    try:
        number = float(weight)
    except ValueError:
        msg = f"the weight of {redact(book)} is not a number: write pinnacle=5,fanduel=0.5"
        raise ValueError(msg) from None
    if MAX_WEIGHT < number < inf:
        msg = f"the weight of {redact(book)} is above {MAX_WEIGHT:,.0f}: write pinnacle=5,fanduel=0.5"
        raise ValueError(msg)
    return number


def _require(value: str | None, name: str) -> str:
    if not value:
        msg = f"{name} is not set: run under `edge up`, or set it (see .env.example)"
        raise MissingSettingError(msg)
    return value
