"""Print what `make check` covers: files that differ from `origin/main` (or `main`), and their tests.

`changed.py sql` prints the changed SQL of dbt; `changed.py tests` prints the changed tests, the test file that mirrors
a changed module, and the tests that import one directly. Indirect users are left to `make test`: nearly every test
reaches the core. pytest-testmon knows lines, but needs the whole suite under its tracer first and misses subprocesses.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import grimp

ROOT = Path(__file__).parents[1]
PACKAGES = ("edge_assets", "ml", "serving", "tests")
TOO_LONG = ("tests/e2e/", "tests/benchmarks/")


def git(*arguments: str) -> list[str]:
    """The lines that a Git command prints; none if it fails."""
    done = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=False)
    return done.stdout.splitlines() if done.returncode == 0 else []


def changed_files() -> set[str]:
    """Files that differ from the main branch, committed or not, and new ones."""
    base = git("merge-base", "HEAD", "origin/main") or git("merge-base", "HEAD", "main") or ["HEAD"]
    changed = git("diff", "--name-only", "--diff-filter=d", *base) + git("ls-files", "--others", "--exclude-standard")
    return set(changed)


def module_of(name: str) -> str:
    """The module in a file."""
    return name.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def file_of(module: str) -> str:
    """The file of a module, unless it is a package."""
    return module.replace(".", "/") + ".py"


def is_test(name: str) -> bool:
    """Whether pytest collects a file, and it is quick enough for `make check`."""
    return Path(name).name.startswith("test_") and name.startswith("tests/") and not name.startswith(TOO_LONG)


def related_tests(changed: set[str]) -> set[str]:
    """The test files that belong to some changed files."""
    graph = grimp.build_graph(*PACKAGES, cache_dir=str(ROOT / ".import_linter_cache"))
    modules = {module_of(name) for name in changed if name.endswith(".py") and name.split("/")[0] in PACKAGES}
    related = changed | {mirrored_test(module) for module in modules}
    for module in modules & graph.modules:
        related.update(map(file_of, graph.find_modules_that_directly_import(module)))
    return {name for name in related if is_test(name) and (ROOT / name).exists()}


def mirrored_test(module: str) -> str:
    """The test file in a module's place of the mirrored tree."""
    package, _, name = module.rpartition(".")
    return "tests/" + file_of(f"{package}.test_{name}")


def main() -> None:
    """Print one file a line."""
    changed = changed_files()
    if sys.argv[1] == "sql":
        files = {name for name in changed if name.startswith("dbt_project/") and name.endswith(".sql")}
    else:
        files = related_tests(changed)
    print(*sorted(files), sep="\n")


if __name__ == "__main__":
    main()
