"""Great Expectations' pages, which show names as they came: in a sandbox, without scripts and without other hosts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from starlette.staticfiles import StaticFiles

if TYPE_CHECKING:
    from starlette.responses import Response

CONTENT_SECURITY_POLICY = (
    "sandbox; default-src 'none'; img-src 'self' data:; style-src 'self' 'unsafe-inline'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""Sandboxed, a page belongs to no origin: what it might run would be as foreign to the board as any other page."""


class DataDocsFiles(StaticFiles):
    """The files of the Data Docs."""

    def file_response(self, *args: Any, **kwargs: Any) -> Response:
        """A file under the policy."""
        response = super().file_response(*args, **kwargs)
        response.headers["Content-Security-Policy"] = CONTENT_SECURITY_POLICY
        response.headers["Cache-Control"] = "no-cache"
        return response
