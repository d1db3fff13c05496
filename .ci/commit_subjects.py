"""Check the commits since `BASE`: an imperative subject of at most 60 characters without a period, and a body.

Ruff's D401 checks the mood, as it does for docstrings. Merges are exempt: Git writes their subjects.
gitlint (last released in 2023), commitizen and commitlint do not check the mood.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

BASE = "28e28c3"
"""The last commit before this check existed; history is not rewritten for it."""
MAX_LENGTH = 60
RUFF = Path(sys.executable).with_name("ruff")


def git(*arguments: str) -> str:
    """What a Git command prints; empty if it fails."""
    return subprocess.run(["git", *arguments], capture_output=True, text=True, check=False).stdout


def commits(base: str) -> list[tuple[str, str, str]]:
    """Abbreviated id, subject and body of the commits since `base`; without one, of all there are."""
    log = git("log", "--no-merges", "--format=%h%x00%s%x00%b%x01", "HEAD", *([f"^{base}"] if base else []), "--")
    return [(h.strip(), subject, body) for h, subject, body in (c.split("\0") for c in log.split("\1")[:-1])]


def reason_to_skip(base: str) -> str:
    """Why nothing can be checked; a clone too shallow to hold `base` has only commits since."""
    if not git("rev-parse", "--git-dir"):
        return "this is not a Git repository"
    if not is_known(base) and git("rev-parse", "--is-shallow-repository").strip() != "true":
        return f"{base} is not in this repository"
    return ""


def is_known(base: str) -> bool:
    """Whether the repository holds a commit."""
    return bool(git("rev-parse", "--quiet", "--verify", f"{base}^{{commit}}"))


def moods(subjects: list[str]) -> set[int]:
    """Which subjects Ruff does not take for imperative. It gets each as the docstring of a function."""
    source = "".join(f"def f{n}():\n    {json.dumps(subject)}\n" for n, subject in enumerate(subjects))
    command = [str(RUFF), "check", "--isolated", "--select=D401", "--output-format=json", "-"]
    found = subprocess.run(command, input=source, capture_output=True, text=True, check=False).stdout
    return {(finding["location"]["row"] - 1) // 2 for finding in json.loads(found)}


def faults(subject: str, body: str) -> list[str]:
    """What is wrong with a commit's message, its mood aside."""
    rules = {
        f"the subject has {len(subject)} characters, {MAX_LENGTH} at most": len(subject) > MAX_LENGTH,
        "the subject ends in a period": subject.endswith("."),
        "the subject does not begin with a capital letter": not subject[:1].isupper(),
        "the subject is a draft's": re.match(r"(?i)(wip|fixup!|squash!|amend!)", subject) is not None,
        "the body is missing: give the reason": not body.strip(),
    }
    return [fault for fault, applies in rules.items() if applies]


def main() -> int:
    """List what is wrong, by commit."""
    base = sys.argv[1] if len(sys.argv) > 1 else BASE
    if reason := reason_to_skip(base):
        print(f"commit subjects: skipped, {reason}")
        return 0
    checked = commits(base if is_known(base) else "")
    not_imperative = moods([subject for _, subject, _ in checked])
    found = {
        n: faults(s, b) + ["the subject is not imperative"] * (n in not_imperative)
        for n, (_, s, b) in enumerate(checked)
    }
    failed = [n for n in found if found[n]]
    for n in failed:
        print(f"{checked[n][0]} {checked[n][1]!r}: {'; '.join(found[n])}")
    print(f"commit subjects: {len(failed)} of {len(checked)} commits fail")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
