"""The references say everything there is to say, whatever is added to the code."""

from __future__ import annotations

import pkgutil
import re
from pathlib import Path

import psycopg
import typer
from typer.core import TyperGroup

from docs.generate import alerts, cli, configuration, data_dictionary, markdown
from edge_assets.cli import app
from edge_assets.core.settings import Settings
from ml.scoring.rules import Verdict
from serving.api.models import AlertMessage, BetLeg

ROOT = Path(__file__).parents[2]


def cells(page: str) -> dict[str, str]:
    """The rest of each row of a page's tables, by the code in its first cell."""
    return dict(re.findall(r"^\| `([^`]+)` \| (.*) \|$", page, re.MULTILINE))


def verbs(command: typer.core.TyperCommand | TyperGroup, name: str = "edge") -> set[str]:
    if not isinstance(command, TyperGroup):
        return {name}
    return {name}.union(*(verbs(below, f"{name} {word}") for word, below in command.commands.items()))  # type: ignore[arg-type]


def test_every_variable_is_explained() -> None:
    page = configuration.page()
    explained = cells(page.partition("## Retention")[0])
    assert set(explained) == {name.upper() for name in Settings.model_fields}
    assert all(meaning[0].isupper() and "None" not in meaning for meaning in explained.values())
    assert explained["ALERT_THRESHOLD_EDGE"].endswith("Default: `0.05`")
    assert explained["EDGE_HOME"].endswith("Default: `~/.edge-finder`")
    assert "Default" not in explained["ODDS_API_KEY"]
    examples = set(re.findall(r"^#?([A-Z][A-Z_]+)=", (ROOT / ".env.example").read_text(), re.MULTILINE))
    assert {name for name in examples if name not in page} == set()
    assert set(explained) - examples == set()


def test_every_command_has_its_help() -> None:
    page = cli.page()
    sections = set(re.findall(r"^#+ `(edge[\w -]*)`$", page, re.MULTILINE))
    assert sections | {"edge"} == verbs(typer.main.get_command(app))  # type: ignore[arg-type]
    assert "Show this message" not in page
    assert "**Options**:\n\n#" not in page
    assert "`--detach`" in page


def test_every_field_and_reason_of_an_alert_is_there() -> None:
    explained = cells(alerts.page())
    fields = {*AlertMessage.model_fields, *BetLeg.model_fields}
    reasons = {verdict.reason for verdict in Verdict if verdict > Verdict.OPEN}
    assert fields | reasons <= set(explained)
    assert explained["kind"].startswith("`value`, `arbitrage`, `likely_error`")
    assert explained["published_at"].startswith("time or null")
    assert explained["legs"].startswith("list of leg or null")


def test_every_table_is_there(database_url: str) -> None:
    with psycopg.connect(database_url) as conn:
        sections = "".join(data_dictionary.relations(conn))
        there_are = {name for (name,) in conn.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")}
        partitions = {name for (name,) in conn.execute("SELECT relname FROM pg_class WHERE relispartition")}
    shown = set(re.findall(r"^### (\w+)$", sections, re.MULTILINE))
    assert there_are - partitions - {"alembic_version"} <= shown
    assert not partitions & shown
    assert "| `price` | double precision or NULL | decimal odds; NULL: withdrawn |" in sections


def test_names_of_code_in_comments_exist(database_url: str) -> None:
    with psycopg.connect(database_url) as conn:
        comments = [text for (text,) in conn.execute("SELECT description FROM pg_description WHERE objoid >= 16384")]
    names = {name for text in comments for name in re.findall(r"\b(?:ml|edge_assets)(?:\.\w+)+", text)}
    assert len(names) > 5
    for name in names:
        pkgutil.resolve_name(name)


def test_every_mart_is_there() -> None:
    shown = re.findall(r"^### (\w+)$", "".join(data_dictionary.marts(data_dictionary.MARTS)), re.MULTILINE)
    assert sorted(shown) == sorted(path.stem for path in data_dictionary.MARTS.glob("*/*.sql"))


def test_a_cell_ends_where_it_should() -> None:
    assert markdown.table(("a", "b"), [("x | y", "one\n  two")]) == "| a | b |\n| --- | --- |\n| x \\| y | one two |\n"
