"""The check of prose: what it takes for prose in each kind of file, and where it reports a finding."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.untraced

ROOT = Path(__file__).parents[2]
CHECK = ROOT / ".ci" / "prose.py"
WORD = "anew"  # prose: ignore


def check(*paths: Path | str) -> tuple[int, list[str]]:
    done = subprocess.run([sys.executable, CHECK, *paths], capture_output=True, text=True, check=False)
    assert " findings in " in done.stderr, done.stderr
    return done.returncode, done.stdout.splitlines()


@pytest.mark.parametrize(
    ("name", "text", "lines"),
    [
        ("a.py", f'"""Start {WORD}.\n\n{WORD}\n"""\n{WORD} = 1  # {WORD}\n', [1, 3, 5]),
        ("a.py", f'x = f"begin {WORD} at {{{WORD}}}"\ny = "{WORD}"\nz = {{"{WORD}": {WORD}}}\n', [1]),
        ("a.py", f"# not `{WORD}`, nor {WORD}_at\n# {WORD}: prose: ignore\n", []),
        ("a.py", "# it is there\n# once\n# more\n", [2]),
        ("a.sql", f"-- {WORD}\nSELECT {WORD} /* {WORD} */\n{{# {WORD} #}}\n", [1, 2, 3]),
        ("a.js", f"// {WORD}\nconst {WORD} = `begin {WORD}`;\n", [1, 2]),
        ("a.html", f'<p class="{WORD}">{WORD}</p>\n<a title="begin {WORD}"></a>\n', [1, 2]),
        ("a.yml", f"{WORD}: 1\ndescription: begin {WORD}\nlong: >\n  begin\n  {WORD}\n", [2, 5]),
        ("a.toml", f'"{WORD}" = "begin {WORD}"  \n# {WORD}\n', [2]),
        ("a.md", f"{WORD} `{WORD}`\n```\n{WORD}\n```\n[x](http://a/{WORD})\n", [1]),
        ("Makefile", f"{WORD}: {WORD}.c  ## begin {WORD}\n\techo {WORD}\n", [1]),
        ("script", f"#!/bin/sh\n{WORD}=1 # {WORD}\n", [2]),
    ],
)
def test_prose_is_distinguished_from_code(name: str, text: str, lines: list[int], tmp_path: Path) -> None:
    (tmp_path / name).write_text(text)
    code, listed = check(tmp_path)
    assert [int(line.split(":")[1]) for line in listed] == lines
    assert code == bool(lines)


def test_a_finding_names_file_rule_and_remedy(tmp_path: Path) -> None:
    file = tmp_path / "notes.md"
    file.write_text(f"Begin\n{WORD}.\n")
    assert check(file) == (1, [f"{file}:2: [dialect] '{WORD}': again"])


@pytest.mark.parametrize(
    "text",
    ["look up", "a look-up table", "there is no poll", "it is no longer there", "the World Cup", "Fort Worth",
     "worth an alert", "tell apart", "it stands for", "turned off", "really all that is"],
)  # fmt: skip
def test_plain_english_passes(text: str, tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text(text)
    assert check(tmp_path) == (0, [])
