"""What we stand on and what we publish: licences as `docs/licences.md` lists them, and no secret in any file."""

from __future__ import annotations

import re
import subprocess
from importlib.metadata import Distribution, distributions
from pathlib import Path

import pytest

pytestmark = pytest.mark.untraced

ROOT = Path(__file__).parents[1]
COPYLEFT = re.compile(r"GPL|General Public|MPL|Mozilla|EUPL|CDDL|EPL|SSPL|BUSL", re.IGNORECASE)
SECRETS = {
    "private key": re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----"),
    "token of a service": re.compile(
        r"\b(?:AKIA[0-9A-Z]{16}|gh[pousr]_\w{30,}|xox[abpr]-[\w-]{20,}|eyJhbGciOi[\w-]{20,}\.)"
    ),
    # one that repeats itself is made up
    "secret": re.compile(
        r"""(?i)(?:api_?key|secret|passw(?:or)?d|token)["']?\s*[:=]\s*["'](?!(.{1,16}?)\1+["'])[A-Za-z0-9+/_=-]{24,}["']"""
    ),
    "password in an address": re.compile(r"\b(?:postgres(?:ql)?|rediss?)://\w*:(?!\$|%s|\{)[A-Za-z0-9]{12,}@"),
}


def licence(package: Distribution) -> str:
    """As the package states it; of a full licence text, the first line."""
    about = package.metadata
    [stated, *_] = about.get_all("License-Expression", []) or [""]
    classified = [
        name.rpartition(" :: ")[2] for name in about.get_all("Classifier", []) if name.startswith("License ::")
    ]
    [text, *_] = about.get_all("License", []) or [""]
    return stated or "; ".join(classified) or text.partition("\n")[0]


def test_what_is_not_permissive_is_listed() -> None:
    listed = set(re.findall(r"^\| `([\w.-]+)` \|", (ROOT / "docs" / "licences.md").read_text(), re.MULTILINE))
    found = {p.metadata["Name"].lower() for p in distributions() if COPYLEFT.search(licence(p))}
    assert found == listed
    assert {"psycopg", "psycopg-binary", "psycopg-pool", "psycopg2-binary"} <= listed


def list_files() -> list[Path]:
    if not (ROOT / ".git").exists():
        pytest.skip("no repository is here")
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout.decode()
    return [ROOT / name for name in listed.split("\0") if name]


def test_no_secret_is_committed() -> None:
    texts = {
        path: path.read_text(errors="replace") for path in list_files() if path.is_file() and path.name != "uv.lock"
    }
    found = [
        f"{path.relative_to(ROOT)}: {kind}, line {text.count(chr(10), 0, match.start()) + 1}"
        for path, text in texts.items()
        for kind, pattern in SECRETS.items()
        for match in pattern.finditer(text)
    ]
    assert found == []
    assert len(texts) > 100


@pytest.mark.parametrize(
    "text",
    [
        "-----BEGIN RSA " + "PRIVATE KEY-----",
        'api_key = "' + "f3a9c1d47b2e" + "80659dd1c3aa" + '"',
        "postgresql://edge:" + "hunter2hunter2@db/x",
        "gh" + "p_" + "a" * 36,
    ],
)
def test_a_secret_would_be_found(text: str) -> None:
    assert any(pattern.search(text) for pattern in SECRETS.values())
