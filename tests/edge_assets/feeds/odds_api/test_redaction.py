"""No key reaches a log: the client queries a real server while the root logger captures every record."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

import pytest
from pydantic import SecretStr

from edge_assets.core.clock import WallClock
from edge_assets.feeds.odds_api import redaction
from edge_assets.feeds.odds_api.client import OddsApiClient
from edge_assets.feeds.odds_api.errors import InvalidApiKeyError, TransportError
from tests.support.scripted_server import Scripted, error

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.scripted_server import ScriptedApi

KEY = "0123456789abcdef0123456789abcdef"


class Notebook(logging.Handler):
    """Keeps records whole: their text, their arguments, and whatever else hangs on them."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.loggers: set[str] = set()
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.loggers.add(record.name)
        self.lines += [self.format(record), repr(vars(record))]


@pytest.fixture
def notebook() -> Iterator[Notebook]:
    root, notebook = logging.getLogger(), Notebook()
    level = root.level
    root.addHandler(notebook)
    root.setLevel(logging.DEBUG)
    yield notebook
    root.removeHandler(notebook)
    root.setLevel(level)


async def ask(url: str, *, times: int = 1) -> None:
    async with OddsApiClient(url, SecretStr(KEY), WallClock()) as client:
        await asyncio.gather(
            *(client.odds_payload("icehockey_nhl", regions=["us"], markets=["h2h"]) for _ in range(times))
        )


async def test_the_root_logger_hears_of_requests_and_of_no_key(api: ScriptedApi, notebook: Notebook) -> None:
    api.set_answers(Scripted(status=500), Scripted())
    await ask(api.url, times=2)
    assert {asked.params["apiKey"] for asked in api.asked} == {KEY}
    assert {"httpx2", "httpcore2.connection", "httpcore2.http11"} <= notebook.loggers
    assert any("/odds?" in line and "apiKey=[redacted]" in line for line in notebook.lines)
    assert not [line for line in notebook.lines if KEY in line]


async def test_a_server_that_is_away_brings_no_key_to_light(notebook: Notebook) -> None:
    with pytest.raises(TransportError):
        await ask("http://127.0.0.1:1/v4")
    assert "httpcore2.connection" in notebook.loggers
    assert not [line for line in notebook.lines if KEY in line]


async def test_an_error_message_that_repeats_the_request_brings_no_key_to_light(
    api: ScriptedApi, notebook: Notebook
) -> None:
    api.set_answers(error(401, "INVALID_KEY", f"invalid {KEY} in /odds?apiKey={KEY}"))
    with pytest.raises(InvalidApiKeyError, match="redacted") as caught:
        await ask(api.url)
    assert KEY not in f"{caught.value} {vars(caught.value)}"
    assert not [line for line in notebook.lines if KEY in line]


async def test_without_the_filter_the_key_would_be_logged(api: ScriptedApi, notebook: Notebook) -> None:
    """httpx2 still logs the URL; if it stops doing so, the other tests here prove nothing."""
    async with OddsApiClient(api.url, SecretStr(KEY), WallClock()) as client:
        logging.getLogger("httpx2").removeFilter(redaction._FILTER)
        await client.odds_payload("icehockey_nhl", regions=["us"], markets=["h2h"])
    redaction.redact_http_logs()
    assert any(KEY in line for line in notebook.lines)


def test_every_logger_of_the_client_is_filtered() -> None:
    redaction.redact_http_logs()
    loggers = logging.root.manager.loggerDict
    names = {name for name in loggers if name.partition(".")[0] in {"httpx2", "httpcore2"}}
    said_by = {name for name in names if isinstance(loggers[name], logging.Logger)}
    assert "httpx2" in said_by
    assert [n for n in sorted(said_by) if redaction._FILTER not in logging.getLogger(n).filters] == []
