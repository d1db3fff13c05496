"""The live board: one hand-written page, no build step, nothing from other hosts."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from fastapi.responses import FileResponse
from starlette.staticfiles import StaticFiles

if TYPE_CHECKING:
    from fastapi import FastAPI
    from starlette.responses import Response

STATIC_DIR = Path(__file__).parent / "static"
NO_CACHE_HEADERS = {"Cache-Control": "no-cache"}
CONTENT_SECURITY_POLICY = "default-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
PAGE_HEADERS = NO_CACHE_HEADERS | {"Content-Security-Policy": CONTENT_SECURITY_POLICY}


class _RevalidatedStaticFiles(StaticFiles):
    """Files that browsers revalidate, so that an upgrade never mixes old scripts with new responses."""

    def file_response(self, *args: Any, **kwargs: Any) -> Response:
        response = super().file_response(*args, **kwargs)
        response.headers.update(NO_CACHE_HEADERS)
        return response


def mount(app: FastAPI) -> None:
    """Serve the board at `/`, the API reference at `/docs` and `/redoc`, and their files under `/board`."""

    @app.get("/", include_in_schema=False)
    def page() -> FileResponse:
        return FileResponse(STATIC_DIR / "index.html", headers=PAGE_HEADERS)

    @app.get("/docs", include_in_schema=False)
    @app.get("/redoc", include_in_schema=False)
    def docs() -> FileResponse:
        return FileResponse(STATIC_DIR / "docs.html", headers=PAGE_HEADERS)

    app.mount("/board", _RevalidatedStaticFiles(directory=STATIC_DIR), name="board")
