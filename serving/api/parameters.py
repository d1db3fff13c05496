"""Unknown query parameters are errors: ignoring a misspelt filter would return unfiltered results."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.requests import HTTPConnection

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fastapi.dependencies.models import Dependant

MAX_NAME_CHARS = 50


def reject_unknown_parameters(request: HTTPConnection) -> None:
    """Reject query parameters that the endpoint does not have, naming those it has, and repeated ones."""
    route = request.scope.get("route")
    if not isinstance(route, APIRoute) or not route.include_in_schema:
        return
    known = set(_parameter_names(route.dependant))
    given = Counter(name for name, _ in request.query_params.multi_items())
    problems = [_unknown_problem(name, known) for name in given if name not in known]
    problems += [_repeated_problem(name) for name, times in given.items() if times > 1]
    if problems:
        raise RequestValidationError(problems)


def _parameter_names(dependant: Dependant) -> Iterator[str]:
    yield from (field.alias for field in dependant.query_params)
    for inner in dependant.dependencies:
        yield from _parameter_names(inner)


def _unknown_problem(name: str, known: set[str]) -> dict[str, Any]:
    available = f"known: {', '.join(sorted(known))}" if known else "none are accepted"
    return _problem("extra_forbidden", name, f"unknown parameter; {available}")


def _repeated_problem(name: str) -> dict[str, Any]:
    return _problem("repeated", name, "parameter given more than once")


def _problem(kind: str, name: str, message: str) -> dict[str, Any]:
    shown = name if len(name) <= MAX_NAME_CHARS else f"{name[:MAX_NAME_CHARS]}…"
    return {"type": kind, "loc": ("query", shown), "msg": message, "input": None}
