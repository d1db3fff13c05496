"""Check prose against the word list in `prose.toml`: comments, docstrings, messages, SQL and YAML comments, documents.

`make lint` runs it. `.venv/bin/python .ci/prose.py [PATH ...]` lists what it finds as file:line; `--count` counts it by
folder and by word.
Vale would be the usual tool; its packages at PyPI and npm only download it from elsewhere.
"""

from __future__ import annotations

import argparse
import re
import sys
import tomllib
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pygments.lexers import BashLexer, get_lexer_for_filename
from pygments.util import ClassNotFound

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pygments.lexer import Lexer

ROOT = Path(__file__).parents[1]
CHECKED = (
    "edge_assets", "ml", "serving", "tests", "dbt_project", "docs", ".ci", "README.md", "CHANGELOG.md",
    "CONTRIBUTING.md", "Makefile", "Dockerfile", "docker-compose.yml", "pyproject.toml", "dagster.yaml",
    "workspace.yaml", ".env.example",
)  # fmt: skip
SUFFIXES = {".py", ".sql", ".js", ".mjs", ".html", ".css", ".yml", ".yaml", ".toml", ".md", ".ipynb", ".mako", ""}
LEFT_OUT = {
    "__pycache__",
    "target",
    "node_modules",
    "dbt_packages",
    "logs",
    "_build",
    "prose.toml",
    "migrations",
}
"""Generated, vendored, the word list itself, and history: applied migrations keep their words."""
GENERATED = ROOT / "docs" / "reference"
"""Pages made from the code and from the comments of applied migrations."""
NAMES = re.compile(r"```.*?```|``[^`]+``|`[^`\n]+`|https?://\S+|\]\([^)\s]+\)", re.DOTALL)
JINJA_COMMENT = re.compile(r"\{#.*?#\}", re.DOTALL)
GAP = r"(?:\s|\n\s*(?:\#|--|//|\*)?\s*)+"
"""What is between two words, in a comment that continues in the next line too."""


@dataclass(frozen=True)
class ProseFinding:
    """A match of a rule in a file."""

    path: Path
    line: int
    rule: str
    found: str
    advice: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: [{self.rule}] '{self.found}': {self.advice}"


@dataclass(frozen=True)
class WordList:
    """All patterns as one expression, which is several times faster than one after the other."""

    pattern: re.Pattern[str]
    advice: dict[str, tuple[str, str]]

    @classmethod
    def read(cls, path: Path) -> WordList:
        """Read the rules of a TOML file."""
        rules = [(rule, *item) for rule, swaps in tomllib.loads(path.read_text()).items() for item in swaps.items()]
        alternatives = [rf"(?P<_{n}>(?:{match_line_breaks(pattern)}))\b" for n, (_, pattern, _) in enumerate(rules)]
        advice = {f"_{n}": (rule, text) for n, (rule, _, text) in enumerate(rules)}
        return cls(re.compile(rf"\b(?:{'|'.join(alternatives)})"), advice)

    def findings(self, path: Path, shown: Path) -> Iterator[ProseFinding]:
        """The matches in the prose of a file. It is parsed only if anything in it matches at all."""
        text = path.read_text(encoding="utf-8")
        matches = list(self.pattern.finditer(text.lower()))
        prose = prose_mask(path, text) if matches else bytearray()
        lines = text.splitlines()
        for match in matches:
            line = text.count("\n", 0, match.start())
            if prose[match.start()] and prose[match.end() - 1] and "prose: ignore" not in lines[line]:
                rule, advice = self.advice[next(n for n in self.advice if match[n] is not None)]
                yield ProseFinding(shown, line + 1, rule, re.sub(GAP, " ", match[0]), advice)


def match_line_breaks(pattern: str) -> str:
    """A pattern whose spaces match line breaks; lookbehinds need a fixed width and keep theirs."""
    return re.sub(r"(\(\?<!.*?\))| ", lambda found: found[1] or GAP, pattern)


def prose_mask(path: Path, text: str) -> bytearray:
    """For every character, whether it is prose."""
    mask = bytearray(len(text))
    if path.suffix == ".md":
        mask = bytearray(b"\1") * len(text)
    else:
        for start, kind, value in lexer_of(path).get_tokens_unprocessed(text):
            if is_prose(path.suffix, kind, value):
                mask[start : start + len(value)] = b"\1" * len(value)
    for comment in JINJA_COMMENT.finditer(text) if path.suffix == ".sql" else ():
        mask[comment.start() : comment.end()] = b"\1" * len(comment[0])
    for name in () if path.suffix in {".js", ".mjs", ".html"} else NAMES.finditer(text):
        mask[name.start() : name.end()] = bytes(len(name[0]))
    return mask


def lexer_of(path: Path) -> Lexer:
    """The lexer for a file; scripts without a suffix are shell scripts."""
    try:
        lexer: Lexer = get_lexer_for_filename(path.name)
    except ClassNotFound:
        lexer = BashLexer()
    return lexer


def is_prose(suffix: str, kind: tuple[str, ...], value: str) -> bool:
    """Comments; strings of several words, except in TOML, which holds names; text in HTML; values in YAML."""
    if kind[:1] == ("Comment",) or kind[:3] == ("Literal", "String", "Doc"):
        return "Preproc" not in kind[1:]
    if suffix in {".yml", ".yaml"}:
        return kind[:1] == ("Literal",) or kind[:2] in {("Name", "Constant"), ("Name", "Variable")}
    if kind[:2] == ("Literal", "String"):
        return " " in value.strip() and suffix != ".toml"
    return suffix == ".html" and kind[:1] == ("Text",)


def files(paths: Iterable[Path]) -> Iterator[Path]:
    """The files to check below some paths."""
    for path in paths:
        below = sorted(path.rglob("*")) if path.is_dir() else [path]
        for file in below:
            is_left_out = LEFT_OUT.intersection(file.parts) or GENERATED in file.parents
            if file.is_file() and file.suffix in SUFFIXES and not is_left_out:
                yield file


def to_shown_path(path: Path) -> Path:
    """A path as the listing shows it."""
    return path.relative_to(ROOT) if path.is_relative_to(ROOT) else path


def room(path: Path) -> str:
    """The folder that a finding is counted in."""
    depth = 3 if path.parts[:2] in {("edge_assets", "store"), ("tests", "edge_assets")} else 2
    return "/".join(path.parts[: min(depth, len(path.parts) - 1)] or path.parts)


def count(findings: list[ProseFinding]) -> None:
    """Print how many findings each folder and each rule has."""
    for title, keys in (("folder", [room(f.path) for f in findings]), ("word", [f.found.lower() for f in findings])):
        print(f"\n{'findings':>8}  {title}")
        for key, number in Counter(keys).most_common(60):
            print(f"{number:8,}  {key}")


def main() -> int:
    """List what is found; fail if anything is."""
    parser = argparse.ArgumentParser(description="Check prose against .ci/prose.toml.")
    parser.add_argument("paths", nargs="*", type=Path, help="files and folders; the whole tree by default")
    parser.add_argument("--count", action="store_true", help="count by folder and word instead of listing")
    options = parser.parse_args()
    words = WordList.read(ROOT / ".ci" / "prose.toml")
    paths = [path.resolve() for path in options.paths] or [ROOT / name for name in CHECKED]
    checked = list(files(paths))
    findings = [f for path in checked for f in words.findings(path, to_shown_path(path))]
    if options.count:
        count(findings)
    else:
        print(*findings, sep="\n", end="\n" if findings else "")
    print(f"prose: {len(findings):,} findings in {len(checked):,} files", file=sys.stderr)
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
