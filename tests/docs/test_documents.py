"""What the documents mention exists: paths, links, commands, targets and variables."""

from __future__ import annotations

import re
from itertools import product
from pathlib import Path

import pytest
import typer

from docs.generate import PAGES
from edge_assets.cli import app
from edge_assets.core.settings import Settings

ROOT = Path(__file__).parents[2]
DOCUMENTS = [
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    ROOT / "serving/realtime/PROTOCOL.md",
    *sorted(path for path in (ROOT / "docs").rglob("*.md") if not {"_build", "reference"} & set(path.parts)),
]
TOP = r"(?:edge_assets|ml|serving|dbt_project|docs|tests|\.ci)"
BUILT = {"docs/_build/html", "docs/_build/html/index.html"}
MAX_README_LINES = 150


def find_mentions(path: Path) -> list[str]:
    """What stands in backticks, and the lines of blocks of code."""
    text = path.read_text()
    blocks = re.findall(r"^```sh\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    return re.findall(r"`([^`\n]+)`", text) + [line for block in blocks for line in block.splitlines()]


def alternatives(text: str) -> list[str]:
    """`a/{b,c}` as a/b and a/c."""
    parts = [part.split(",") for part in re.split(r"[{}]", text)]
    return ["".join(chosen) for chosen in product(*parts)]


def is_there(path: str) -> bool:
    return (ROOT / path).exists() or (ROOT / f"{path}.py").exists() or any(ROOT.glob(path))


by_document = pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))


@by_document
def test_paths_exist(document: Path) -> None:
    paths = [p for text in find_mentions(document) if re.fullmatch(rf"{TOP}/[^ ]*", text) for p in alternatives(text)]
    modules = [
        text.replace(".", "/") for text in find_mentions(document) if re.fullmatch(r"(?:edge_assets|ml)[.\w]+", text)
    ]
    assert [path for path in paths + modules if path not in BUILT and not is_there(path)] == []


@by_document
def test_links_lead_somewhere(document: Path) -> None:
    links = re.findall(r"\]\((?!https?:)([^)#]+)", document.read_text())
    generated = {ROOT / "docs" / "reference" / f"{name}.md" for name in PAGES}
    places = [(document.parent / link).resolve() for link in links]
    assert [str(place) for place in places if place not in generated and not place.exists()] == []


@by_document
def test_commands_and_targets_exist(document: Path) -> None:
    command = typer.main.get_command(app)
    verbs: dict[str, object] = command.commands  # type: ignore[attr-defined]
    texts = find_mentions(document)
    said = [found[1].split() for text in texts if (found := re.match(r"edge ((?:[a-z]+ ?){1,2})", text))]
    assert [words for words in said if words[0] not in verbs] == []
    groups = [(words, getattr(verbs[words[0]], "commands", None)) for words in said if len(words) > 1]
    assert [words for words, below in groups if below and words[1] not in below] == []
    targets = re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert [text for text in texts if (made := re.match(r"make ([a-z]+)", text)) and made[1] not in targets] == []


@by_document
def test_variables_exist(document: Path) -> None:
    known = {name.upper() for name in Settings.model_fields} | {"EDGE_DATA_DIR"}
    known |= set(re.findall(r"^#?([A-Z_]+)=", (ROOT / ".env.example").read_text(), re.MULTILINE))
    names = {name for text in find_mentions(document) for name in re.findall(r"\b(?:EDGE|KEEP|ODDS|JWT)_[A-Z_]+", text)}
    assert names - known == set()


def test_the_readme_is_short() -> None:
    assert len((ROOT / "README.md").read_text().splitlines()) <= MAX_README_LINES


def test_a_path_that_is_gone_is_found() -> None:
    assert not is_there("edge_assets/store/nowhere")
    assert is_there("edge_assets/store/polls/writer")
    assert alternatives("a/{b,c}/d") == ["a/b/d", "a/c/d"]
