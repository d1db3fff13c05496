"""A parameter that an endpoint does not have is an error: ignored, its filter would be missing from the answer."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.requests import HTTPConnection

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fastapi.dependencies.models import Dependant

MAX_SHOWN = 50


def known_parameters(request: HTTPConnection) -> None:
    """Refuse a query parameter that the endpoint does not have, or that stands there twice, with those there are."""
    route = request.scope.get("route")
    if not isinstance(route, APIRoute) or not route.include_in_schema:
        return
    known = set(_names(route.dependant))
    given = Counter(name for name, _ in request.query_params.multi_items())
    problems = [_unknown(name, known) for name in given if name not in known]
    problems += [_repeated(name) for name, times in given.items() if times > 1]
    if problems:
        raise RequestValidationError(problems)


def _names(dependant: Dependant) -> Iterator[str]:
    yield from (field.alias for field in dependant.query_params)
    for inner in dependant.dependencies:
        yield from _names(inner)


def _unknown(name: str, known: set[str]) -> dict[str, Any]:
    there_are = f"there are {', '.join(sorted(known))}" if known else "there is none"
    return _problem("extra_forbidden", name, f"there is no such parameter here; {there_are}")


def _repeated(name: str) -> dict[str, Any]:
    return _problem("repeated", name, "this parameter can be given once")


def _problem(kind: str, name: str, message: str) -> dict[str, Any]:
    shown = name if len(name) <= MAX_SHOWN else f"{name[:MAX_SHOWN]}…"
    return {"type": kind, "loc": ("query", shown), "msg": message, "input": None}
