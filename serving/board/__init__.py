"""The live board: one hand-written page, no build step, nothing from other hosts."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from fastapi.responses import FileResponse
from starlette.staticfiles import StaticFiles

if TYPE_CHECKING:
    from fastapi import FastAPI
    from starlette.responses import Response

PAGE = Path(__file__).parent / "static"
FRESH = {"Cache-Control": "no-cache"}
POLICY = "default-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
GUARDED = FRESH | {"Content-Security-Policy": POLICY}


class _FreshFiles(StaticFiles):
    """Files that a browser revalidates, so that an upgrade never mixes old scripts with new answers."""

    def file_response(self, *args: Any, **kwargs: Any) -> Response:
        response = super().file_response(*args, **kwargs)
        response.headers.update(FRESH)
        return response


def mount(app: FastAPI) -> None:
    """Serve the page at `/`, that of the API at `/docs` and `/redoc`, and their files below `/board`."""

    @app.get("/", include_in_schema=False)
    def page() -> FileResponse:
        return FileResponse(PAGE / "index.html", headers=GUARDED)

    @app.get("/docs", include_in_schema=False)
    @app.get("/redoc", include_in_schema=False)
    def docs() -> FileResponse:
        return FileResponse(PAGE / "docs.html", headers=GUARDED)

    app.mount("/board", _FreshFiles(directory=PAGE), name="board")
