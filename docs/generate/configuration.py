"""The environment variables, from the declarations of `edge_assets.core.settings`."""

from __future__ import annotations

from dataclasses import fields
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Any

from docs.generate.markdown import code, table
from edge_assets.core.retention_days import DEFAULT_RETENTION, FOREVER_DAYS, RetentionDays
from edge_assets.core.settings import Settings

if TYPE_CHECKING:
    from pydantic.fields import FieldInfo

INTRODUCTION = """
# Configuration

Edge Finder reads its settings from the environment and from a file `.env` in the working directory; the environment
goes first. Copy `.env.example` to `.env` to begin. Nothing has to be set for `make up`.

Values may be pasted with quotes, spaces or line ends. Lists are separated by commas, semicolons or spaces. Database
URLs may begin with `postgres://` or in SQLAlchemy's way. A variable that is set to nothing counts as unset. A value
that makes no sense stops the program with an error that names the variable.

"""
RETENTION = """
## Retention

These variables take a number of days or `forever`. Days count back from the newest poll. What was imported is never
deleted. Payloads and alerts lead back to their polls and go when those do. The defaults depend on the feed:

"""
ELSEWHERE = """
## For Docker Compose

`docker-compose.yml` has no default secrets. It also needs `POSTGRES_PASSWORD` and `REDIS_PASSWORD`; use letters and
digits, because they become parts of URLs. `SERVING_PORT`, `DAGSTER_PORT` and `MLFLOW_PORT` choose the ports on
127.0.0.1 (8000, 3000, 5000).

## For tests and benchmarks

`EDGE_DATA_DIR` is the folder of recorded odds (default: `../shared/data`). Tests that need it are skipped where it is
absent, and fail where `CI` is set.
"""


def page() -> str:
    """The page of the configuration."""
    variables = [(code(name.upper()), _meaning(name, field)) for name, field in Settings.model_fields.items()]
    return (INTRODUCTION + table(("variable", "meaning"), variables) + RETENTION + _retention() + ELSEWHERE).lstrip()


def _meaning(name: str, field: FieldInfo) -> str:
    """What a variable means, and its default if there is one."""
    default = "" if name.startswith("keep_") else _format_default(field.get_default(call_default_factory=True))
    return f"{field.description} Default: {default}" if default else f"{field.description}"


def _format_default(value: Any) -> str:
    match value:
        case Enum():
            return code(str(value.value))
        case tuple():
            return code(", ".join(value))
        case bool():
            return code(str(value).lower())
        case Path():
            return code(str(value).replace(str(Path.home()), "~"))
        case _:
            return code(str(value or ""))


def _retention() -> str:
    kinds = [field.name for field in fields(RetentionDays)]
    rows = [
        (code(f"KEEP_{kind.upper()}_DAYS"), *(_days(days, kind) for days in DEFAULT_RETENTION.values()))
        for kind in kinds
    ]
    return table(("variable", *map(code, DEFAULT_RETENTION)), rows)


def _days(retention: RetentionDays, kind: str) -> str:
    days = getattr(retention, kind)
    return "forever" if days >= FOREVER_DAYS else str(days)
