"""Naming rules of CONTRIBUTING that no linter checks: unique class names, functions that are verbs."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from pathlib import Path

import pytest

pytestmark = pytest.mark.untraced

ROOT = Path(__file__).parents[1]
FOLDERS = (".ci", "docs/generate", "edge_assets", "ml", "serving", "tests")
PARTICIPLE = re.compile(
    r"_*(?!(?:feed|need|embed|exceed|seed|speed)$)(?:[a-z]+ed|told|held|kept|made|found|known|shown|given)"
)


def test_classes_are_unique_and_no_function_is_a_bare_participle() -> None:
    classes, participles = defaultdict(list), []
    for path in (path for folder in FOLDERS for path in (ROOT / folder).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_bytes())):
            if isinstance(node, ast.ClassDef):
                classes[node.name].append(str(path.relative_to(ROOT)))
            elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and PARTICIPLE.fullmatch(node.name):
                participles.append((str(path.relative_to(ROOT)), node.name))
    assert {name: paths for name, paths in classes.items() if len(paths) > 1} == {}
    assert participles == []
