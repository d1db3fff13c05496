"""Follows the alert stream in the terminal, and resumes after a disconnect."""

from __future__ import annotations

import json
import re
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from rich.text import Text
from websockets.exceptions import ConnectionClosed, InvalidMessage, InvalidStatus
from websockets.sync.client import connect

from edge_assets.cli.application import err, out
from edge_assets.core.terminal import to_single_line
from edge_assets.core.texts import truncate
from edge_assets.local.errors import LocalError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

MALFORMED = 4400
UNAUTHORISED = 4401
UNKNOWN_RESUME_ID = 4409
RETRY_SECONDS = 1.0
CLOSE_TIMEOUT_SECONDS = 1.0
MAX_SELECTION_CHARS = 300
"""Maximum length of the bet's description; an arbitrage of three legs has about 150."""
RULES_STYLES = {"same": "green", "differ": "red", "unknown": "yellow"}
STATE_STYLES = {"opened": "bold green", "updated": "cyan", "closed": "dim"}


def follow(url: str, token: Callable[[], str], after: int | None, show: Callable[[dict[str, Any]], None]) -> None:
    """Show alerts until interrupted, starting after id `after`; `token` is called for every connection.

    Raises `LocalError` if the server rejects the client.
    """
    is_lost = False
    while True:
        try:
            for message in _receive_messages(f"ws{url.removeprefix('http')}/ws/alerts", token(), after):
                if "id" in message:
                    after = message["id"]
                    show(message)
                elif message.get("type") == "hello":
                    after = message["last_id"] if after is None else after
                    if is_lost:
                        err.print("reconnected", style="dim")
                    is_lost = False
        except _ConnectionLostError as error:
            if not is_lost:
                board = re.sub(r"(?<=//)[^@/]*@", "", url)  # without user and password
                err.print(f"lost connection to {board} ({error}); retrying", style="yellow", soft_wrap=True)
            is_lost = True
            time.sleep(RETRY_SECONDS)


class _ConnectionLostError(Exception):
    """The connection failed or ended; retrying may help."""


def _receive_messages(url: str, token: str, after: int | None) -> Iterator[dict[str, Any]]:
    with _translate_disconnects(), connect(url, close_timeout=CLOSE_TIMEOUT_SECONDS) as socket:
        socket.send(json.dumps({"token": token} if after is None else {"token": token, "after": after}))
        while True:
            yield json.loads(socket.recv())


@contextmanager
def _translate_disconnects() -> Iterator[None]:
    try:
        yield
    except (OSError, ConnectionClosed, InvalidStatus, InvalidMessage) as error:
        _raise_if_final(error)
        raise _ConnectionLostError(error) from error


def _raise_if_final(error: Exception) -> None:
    closed = error.rcvd if isinstance(error, ConnectionClosed) else None
    if closed is not None and closed.code == UNAUTHORISED and "expired" not in closed.reason:
        msg = f"the server rejected the token: {closed.reason}"
        raise LocalError(msg, "`edge token` prints one for the stack of this EDGE_HOME")
    if closed is not None and closed.code == MALFORMED:
        raise LocalError(closed.reason, "check --token and --after")
    if closed is not None and closed.code == UNKNOWN_RESUME_ID:
        raise LocalError(closed.reason, "leave out --after to start with the next alert")


def print_json(message: dict[str, Any]) -> None:
    """Print an alert as one line of JSON."""
    print(json.dumps(message), flush=True)  # noqa: T201 - Rich would wrap it


def make_line_printer() -> Callable[[dict[str, Any]], None]:
    """A function that prints an alert as one line of text, and a header before the first."""
    has_header = False

    def show(message: dict[str, Any]) -> None:
        nonlocal has_header
        if not has_header:
            numbers = f"{'EV':>6} {'at least':>8} {'edge':>6} {'stake':>6} {'conf':>4}  {'price':>7} {'fair':>7}"
            out.print(Text(f"{'':8}  {'':8} {numbers}  {'book':14} selection", style="dim"), soft_wrap=True)
            has_header = True
        out.print(_format_line(message), soft_wrap=True)

    return show


def _format_line(alert: dict[str, Any]) -> Text:
    state = alert["state"]
    line = Text(f"{to_single_line(alert['observed_at'][11:19])}  ")
    line.append(f"{to_single_line(state):8}", STATE_STYLES.get(state, ""))
    line.append(f" {_format_percent(alert['expected_value'])} {_format_percent(alert['expected_value_low']):>8}")
    line.append(f" {_format_percent(alert['edge'])} {_format_percent(alert['stake_fraction'])}")
    line.append(f" {_format_number(alert['confidence'], 4, 0)}  {_format_number(alert['price'], 7, 3)}")
    line.append(
        f" {_format_number(_fair_price(alert), 7, 3)}  {to_single_line(alert['book_title'] or alert['kind']):14.14} "
    )
    line.append(
        truncate(to_single_line(_format_selection(alert)), MAX_SELECTION_CHARS), "dim" if state == "closed" else ""
    )
    if alert["kind"] == "likely_error":
        line.append("  likely error: may be voided", "yellow")
    if alert["kind"] == "arbitrage":
        rules = alert.get("rules") or "unknown"  # alerts from before an upgrade may lack it
        line.append(f"  rules: {to_single_line(rules)}", RULES_STYLES.get(rules, ""))
    if late_seconds := alert.get("late_s"):
        line.append(f"  {late_seconds:.0f} s late", "yellow")
    if alert["reason"]:
        line.append(f"  ({to_single_line(alert['reason'])})", "dim")
    return line


def _format_selection(alert: dict[str, Any]) -> str:
    fixture = f"{alert['away_team']} @ {alert['home_team']}" if alert["home_team"] else alert["event"]
    if alert["legs"]:
        chosen = " + ".join(f"{leg['selection']} {leg['price']:g} {leg['book_title']}" for leg in alert["legs"])
    else:
        point = "" if alert["point"] is None else f" {alert['point']:+g}"
        chosen = f"{alert['selection']}{point}"
    return f"{chosen}  [{alert['market']}] {fixture}"


def _fair_price(alert: dict[str, Any]) -> float | None:
    return 1 / alert["fair_probability"] if alert["fair_probability"] else None


def _format_percent(value: float | None) -> str:
    return f"{value:6.1%}" if value is not None else f"{'':6}"


def _format_number(value: float | None, width: int, digits: int) -> str:
    return f"{value:{width}.{digits}f}" if value is not None else " " * width
