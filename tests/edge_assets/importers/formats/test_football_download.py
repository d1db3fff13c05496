"""The real client against a real local server."""

from __future__ import annotations

import threading
from collections import Counter
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import pytest

from edge_assets.importers.formats import football_download
from edge_assets.importers.formats.batch import RejectedFileError
from edge_assets.importers.formats.football_download import download

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FILE = b"\xef\xbb\xbfDiv,Date,HomeTeam\nE0,1,2\n"


@contextmanager
def site(responses: dict[str, list[tuple[int, bytes]]]) -> Iterator[tuple[str, Counter[str]]]:
    """Serve each path's responses in order, then repeat the last; yields the URL and the request counts."""
    requested: Counter[str] = Counter()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            listed = responses.get(self.path, [(404, b"<html>Not found")])
            status, body = listed[min(requested[self.path], len(listed) - 1)]
            requested[self.path] += 1
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}", requested
        server.shutdown()


def test_each_league_and_season_is_one_file(tmp_path: Path) -> None:
    paths = {f"/{season}/{league}.csv": [(200, FILE)] for season in ("2223", "2324") for league in ("E0", "D1")}
    with site(paths) as (url, requested):
        files = list(download(["E0", "D1"], ["2223", "2324"], tmp_path, url))
    assert requested == dict.fromkeys(paths, 1)
    assert [str(file.relative_to(tmp_path)) for file in files] == [path[1:] for path in
        ("/2223/E0.csv", "/2223/D1.csv", "/2324/E0.csv", "/2324/D1.csv")]  # fmt: skip
    assert {file.read_bytes() for file in files} == {FILE}


def test_a_temporary_error_is_retried(tmp_path: Path) -> None:
    with site({"/2324/E0.csv": [(503, b""), (200, FILE)]}) as (url, requested):
        assert len(list(download(["E0"], ["2324"], tmp_path, url))) == 1
    assert requested["/2324/E0.csv"] == 2


def test_extra_leagues_have_one_file_and_fixtures_two(tmp_path: Path) -> None:
    extra = b"Country,League,Season,Date\n"
    responses = {
        "/mmz4281/2324/E0.csv": FILE,
        "/new/ARG.csv": extra,
        "/fixtures.csv": FILE,
        "/new_league_fixtures.csv": extra,
    }
    with site({path: [(200, body)] for path, body in responses.items()}) as (url, requested):
        files = list(download(["ARG", "E0"], ["2324"], tmp_path, f"{url}/mmz4281", fixtures=True))
    assert requested == dict.fromkeys(responses, 1)
    assert [str(file.relative_to(tmp_path)) for file in files] == [
        "2324/E0.csv", "new/ARG.csv", "fixtures.csv", "new_league_fixtures.csv"
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("league", "season", "reason"),
    [
        ("E0", "2425", "not_published"),
        ("D1", "2324", "not_published"),
        ("E9", "2324", "league_unknown"),
        ("E0", "2325", "season_unknown"),
        ("E0", "23/24", "season_unknown"),
    ],
)
def test_unpublished_files_and_invalid_arguments(tmp_path: Path, league: str, season: str, reason: str) -> None:
    page = {"/2324/D1.csv": [(200, b"<html>this season is not here")]}
    with site(page) as (url, requested), pytest.raises(RejectedFileError, match=reason):
        list(download([league], [season], tmp_path, url))
    assert max(requested.values(), default=1) == 1
    assert not list(tmp_path.rglob("*.csv"))


def test_an_unreachable_site(tmp_path: Path) -> None:
    with pytest.raises(RejectedFileError, match="no_response"):
        list(download(["E0"], ["2324"], tmp_path, "http://127.0.0.1:1"))


@pytest.mark.parametrize(
    ("limit", "value", "why"), [("MAX_BODY_BYTES", 20, "exceeds"), ("MAX_FILE_SECONDS", -1.0, "too slow")]
)
def test_an_endless_file_is_abandoned(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limit: str, value: float, why: str
) -> None:
    monkeypatch.setattr(football_download, limit, value)
    with site({"/2324/E0.csv": [(200, FILE)]}) as (url, requested), pytest.raises(RejectedFileError, match=why):
        list(download(["E0"], ["2324"], tmp_path, url))
    assert (requested["/2324/E0.csv"], list(tmp_path.iterdir())) == (1, [])
