"""The check of commit messages, run on repositories made for it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.untraced

CHECK = Path(__file__).parents[2] / ".ci" / "commit_subjects.py"
GOOD = "Close alerts whose price no longer qualifies"


def git(folder: Path, *arguments: str) -> str:
    identity = ("-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false")
    command = ["git", *identity, "-C", str(folder), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def commit(folder: Path, subject: str, body: str = "It was late.") -> str:
    git(folder, "commit", "--quiet", "--allow-empty", "-m", subject, *(["-m", body] if body else []))
    return git(folder, "rev-parse", "HEAD")


def check(folder: Path, *base: str) -> tuple[int, str]:
    done = subprocess.run([sys.executable, CHECK, *base], cwd=folder, capture_output=True, text=True, check=False)
    assert not done.stderr
    return done.returncode, done.stdout


@pytest.fixture
def repository(tmp_path: Path) -> tuple[Path, str]:
    """A repository and its first commit, which breaks every rule."""
    git(tmp_path, "init", "--quiet")
    return tmp_path, commit(tmp_path, "wip: added things that nobody has described, of which there are very many.", "")


def test_a_good_message_passes(repository: tuple[Path, str]) -> None:
    folder, base = repository
    commit(folder, GOOD)
    assert check(folder, base) == (0, "commit subjects: 0 of 1 commits fail\n")


@pytest.mark.parametrize(
    ("subject", "body", "fault"),
    [
        ("Closes alerts of late prices", "r", "not imperative"),
        ("Closed alerts of late prices", "r", "not imperative"),
        ("A poll that returns nothing", "r", "not imperative"),
        (f"{GOOD}.", "r", "period"),
        (f"{GOOD} {'x' * 16}", "r", "61 characters"),
        ("close alerts of late prices", "r", "capital"),
        ("WIP", "r", "draft"),
        ("fixup! Close alerts", "r", "draft"),
        (GOOD, "", "body"),
    ],
)
def test_a_fault_is_named(subject: str, body: str, fault: str, repository: tuple[Path, str]) -> None:
    folder, base = repository
    commit(folder, subject, body)
    code, listed = check(folder, base)
    assert code == 1
    assert subject in listed
    assert fault in listed
    assert "1 of 1 commits fail" in listed


def test_merges_are_exempt(repository: tuple[Path, str]) -> None:
    folder, base = repository
    git(folder, "checkout", "--quiet", "-b", "side")
    commit(folder, GOOD)
    git(folder, "checkout", "--quiet", "-")
    commit(folder, "Open alerts again")
    git(folder, "merge", "--quiet", "--no-edit", "side")
    assert check(folder, base) == (0, "commit subjects: 0 of 2 commits fail\n")


def test_a_shallow_clone_is_checked_as_far_as_it_goes(repository: tuple[Path, str], tmp_path: Path) -> None:
    folder, base = repository
    commit(folder, GOOD)
    commit(folder, "Added a thing")
    git(folder, "clone", "--quiet", "--depth=2", folder.as_uri(), "shallow")
    code, listed = check(tmp_path / "shallow", base)
    assert code == 1
    assert "1 of 2 commits fail" in listed


def test_without_a_repository_or_its_base_it_is_skipped(repository: tuple[Path, str], tmp_path: Path) -> None:
    folder, _ = repository
    assert check(folder, "0123abc") == (0, "commit subjects: skipped, 0123abc is not in this repository\n")
    (folder / ".git").rename(folder / "not-git")
    assert check(folder) == (0, "commit subjects: skipped, this is not a Git repository\n")
