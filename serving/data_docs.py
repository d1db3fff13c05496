"""Great Expectations' pages, which contain raw names: served in a sandbox, without scripts or other hosts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from starlette.staticfiles import StaticFiles

if TYPE_CHECKING:
    from starlette.responses import Response

CONTENT_SECURITY_POLICY = (
    "sandbox; default-src 'none'; img-src 'self' data:; style-src 'self' 'unsafe-inline'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""A sandboxed page has no origin, so a script in it would be as foreign to the board as any other site."""


class DataDocsFiles(StaticFiles):
    """The files of the Data Docs."""

    def file_response(self, *args: Any, **kwargs: Any) -> Response:
        """A file with the policy."""
        response = super().file_response(*args, **kwargs)
        response.headers["Content-Security-Policy"] = CONTENT_SECURITY_POLICY
        response.headers["Cache-Control"] = "no-cache"
        return response
