"""Every command under every invalid setting: a message and a remedy, no traceback, no secret."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.edge_command import Edge

SECRET = "s3cretS3cretS3cretS3cret"
COMMANDS = (
    ("up", "--feed", "simulate", "--detach"),
    ("up", "--feed", "odds-api", "--detach"),
    ("up", "--feed", "replay", "--replay", "nowhere"),
    ("doctor",),
    ("watch", "--url", "nonsense"),
    ("import", "odds-api", "nowhere"),
    ("lines", "1"),
    ("token",),
    ("quarantine", "list"),
    ("warehouse", "build"),
    ("warehouse", "report"),
    ("warehouse", "table"),
    ("warehouse", "accuracy"),
    ("warehouse", "weights"),
)
ODD = (
    {"REDIS_URL": "nonsense"},
    {"DATABASE_URL": f"mysql://u:{SECRET}@x"},
    {"DATABASE_URL": f"postgresql://u:{SECRET}%zz@x/y"},
    {"DATABASE_URL": f"postgres://u:pa@{SECRET}:x@127.0.0.1:1/y", "REDIS_URL": f"redis://:p/{SECRET}@127.0.0.1:1",
     "JWT_SECRET": "short"},
    {"DATABASE_URL": f"postgres://u:pa@{SECRET}/x@127.0.0.1:1/y"},
    {"EDGE_SPORTS": "nfll"},
    {"EDGE_REGIONS": f"us,{SECRET}"},
    {"EDGE_BOOK_WEIGHTS": "pinnacle=x"},
    {"ODDS_API_KEY": f"{SECRET} {SECRET}"},
    {"ALERT_THRESHOLD_EDGE": SECRET},
    {"DATABASE_URL": f"postgres://u:{SECRET}@127.0.0.1:1/odds", "REDIS_URL": f"redis://:{SECRET}@127.0.0.1:1/0",
     "JWT_SECRET": "short", "ODDS_API_KEY": SECRET},
)  # fmt: skip


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_every_command_reports_the_error(edge: Edge, command: tuple[str, ...]) -> None:
    for odd in ODD:
        done = edge(*command, **odd)
        reported = done.stdout + done.stderr
        assert done.returncode != 0, (odd, reported)
        assert "Traceback" not in reported
        assert SECRET not in reported
        assert reported.strip(), odd
        assert len(reported.splitlines()) < 40


@pytest.mark.parametrize(
    ("command", "environment", "message", "remedy"),
    [
        (("doctor",), {"REDIS_URL": "nonsense"}, "REDIS_URL", "redis://"),
        (("warehouse", "report"), {"DATABASE_URL": "mysql://x"}, "DATABASE_URL", "postgresql://"),
        (("watch", "--url", "nonsense"), {}, "--url", "http://127.0.0.1:8000"),
        (("watch", "--url", "http://h:99999"), {}, "host and port", "http://127.0.0.1:8000"),
        (("watch", "--after", "-1"), {}, "--after", "0"),
        (("up", "--feed", "simulate"), {"REDIS_URL": "redis://127.0.0.1:1"}, "no Redis answers", "REDIS_URL"),
        (("up", "--feed", "simulate"), {"DATABASE_URL": "postgresql://127.0.0.1:1/x"}, "database x at", "DATABASE_URL"),
        (("up", "--feed", "simulate"), {"JWT_SECRET": "short"}, "JWT_SECRET is too short", "openssl rand -hex 32"),
        (("up", "--port", "99999"), {}, "--port", "65535"),
        (("replay", "nowhere", "--port", "-1"), {}, "--port", "equal to 1"),
        (("token",), {"JWT_SECRET": "short"}, "JWT_SECRET is too short", "openssl rand -hex 32"),
        (("token", "--hours", "nan"), {}, "--hours", "from 0 to"),
        (("token", "--hours", "1e300"), {}, "--hours", "from 0 to"),
        (("token", "--hours", "-1"), {}, "--hours", "from 0 to"),
    ],
)  # fmt: skip
def test_the_message_names_the_setting_and_the_remedy(
    edge: Edge, command: tuple[str, ...], environment: dict[str, str], message: str, remedy: str
) -> None:
    done = edge(*command, **environment)
    reported = " ".join((done.stdout + done.stderr).split())
    assert done.returncode != 0
    assert message in reported
    assert remedy in reported


def test_a_settings_file_in_another_encoding_is_named(edge: Edge, tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("EDGE_REGIONS=us\n", "utf-16")
    done = edge("doctor")
    assert (done.returncode, "Traceback" in done.stderr) == (1, False)
    assert ".env is not valid UTF-8" in done.stderr


def test_down_and_status_work_under_any_setting(edge: Edge) -> None:
    for odd in ODD:
        assert edge("down", **odd).returncode == 0
        assert edge("status", **odd).returncode == 3
