"""Errors of the commands: a message and a remedy, never a traceback."""

from __future__ import annotations

import json
import socket
from typing import TYPE_CHECKING

import pytest

from edge_assets.core.tokens import InvalidTokenError, verify_token
from edge_assets.local.home import Home

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.edge_command import Edge

SECRET = "0123456789abcdef0123456789abcdef"


@pytest.mark.parametrize(
    ("args", "environment", "problem", "remedy"),
    [
        (["up", "--feed", "odds-api"], {}, "needs ODDS_API_KEY", "--feed simulate"),
        (["up", "--feed", "replay"], {}, "a replay needs a recording", "--replay PATH"),
        (["up", "--replay", "none.tar"], {}, "there is no recording at", "a directory or tar"),
        (["up", "--feed", "simulate", "--replay", "x"], {}, "--replay requires --feed replay", ""),
        (["up", "--fresh"], {"DATABASE_URL": "postgresql://x@127.0.0.1:1/x"}, "--fresh is only for", ""),
        (["up"], {"MAX_KELLY_FRACTION": "2"}, "MAX_KELLY_FRACTION: Input should be less", ".env.example"),
        (["up"], {"EDGE_HOME": "/dev/null/home"}, "cannot be used as EDGE_HOME", "write to"),
        (["replay", "nowhere", "--port", "1"], {}, "", ""),
        (["watch", "--url", "http://127.0.0.1:1", "--token", "x", "--after", "no"], {}, "", ""),
    ],
)
def test_problems_are_reported(
    edge: Edge, args: list[str], environment: dict[str, str], problem: str, remedy: str
) -> None:
    done = edge(*args, **environment)
    assert done.returncode in {1, 2}
    assert problem in done.stderr
    assert remedy in done.stderr
    assert "Traceback" not in done.stderr


def test_an_unreachable_server_is_reported_and_nothing_is_left_running(edge_process: Edge) -> None:
    """With a configured database and Redis, neither of which exists."""
    url = "postgresql://me:hunter2@127.0.0.1:1/odds"
    done = edge_process("up", DATABASE_URL=url, REDIS_URL="redis://127.0.0.1:1/0")
    assert done.returncode == 1
    assert "database odds at 127.0.0.1:1" in done.stderr
    assert "check DATABASE_URL" in done.stderr
    assert "hunter2" not in done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    assert "nothing of" in edge_process("down").stderr


def test_a_requested_port_that_is_taken_is_reported(edge: Edge) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = str(listener.getsockname()[1])
        assert f"port {port} is taken" in edge("up", "--port", port).stderr
        assert f"port {port} is taken" in edge("simulate", "--port", port).stderr


def test_fresh_asks_before_deleting_data(edge: Edge, tmp_path: Path) -> None:
    Home.open(tmp_path / "home").set_state("feed_identities", {"simulate": "seed 7"})
    done = edge("up", "--feed", "simulate", "--fresh")
    assert done.returncode == 1
    assert "deletes the contents of this home's database for simulate (seed 7)" in done.stderr
    assert "add --yes" in done.stderr


def test_fresh_asks_if_the_contents_are_unknown(edge: Edge, tmp_path: Path) -> None:
    home = Home.open(tmp_path / "home")
    home.postgres.mkdir()
    (home.postgres / "PG_VERSION").write_text("18\n")
    assert "deletes the contents of this home's database" in edge("up", "--feed", "simulate", "--fresh").stderr


def test_help_lists_every_command(edge_process: Edge) -> None:
    shown = edge_process("--help").stdout
    for command in ("up", "down", "status", "doctor", "watch", "replay", "simulate", "token"):
        assert f"│ {command} " in shown


def test_a_token_is_signed_by_the_configured_secret_or_the_homes_own(edge: Edge, tmp_path: Path) -> None:
    token = edge("token", "--subject", "phone", "--hours", "1", JWT_SECRET=SECRET).stdout.strip()
    assert verify_token(SECRET, token).subject == "phone"
    own = edge("token").stdout.strip()
    with pytest.raises(InvalidTokenError):
        verify_token(SECRET, own)
    assert verify_token((tmp_path / "home" / "secrets" / "jwt").read_text(), own).subject == "cli"


def test_status_without_a_stack(edge: Edge, tmp_path: Path) -> None:
    done = edge("status", "--json")
    assert done.returncode == 3
    assert json.loads(done.stdout) == {"running": False, "home": str(tmp_path / "home"), "services": {}}
    assert "no stack is running in" in edge("status").stdout


def test_doctor_checks_this_machine(edge_process: Edge, database_url: str, redis_url: str) -> None:
    done = edge_process("doctor", "--json", DATABASE_URL=database_url, REDIS_URL=redis_url, ODDS_API_KEY="hunter2")
    checks = {check["name"]: check for check in json.loads(done.stdout)}
    assert {
        "python",
        "disk",
        "memory",
        "open files",
        "database",
        "clock",
        "redis",
        "versions",
    } <= checks.keys()
    assert checks["database"]["found"].startswith("PostgreSQL 18")
    assert checks["redis"]["found"].startswith("Valkey")
    assert checks["ODDS_API_KEY"] == {"name": "ODDS_API_KEY", "verdict": "ok", "found": "set", "remedy": ""}
    assert "hunter2" not in done.stdout
    assert done.returncode == int(any(check["verdict"] == "fail" for check in checks.values()))


def test_doctor_reports_failures_with_a_remedy(edge: Edge) -> None:
    done = edge("doctor", DATABASE_URL="postgresql://x@127.0.0.1:1/x", REDIS_URL="redis://127.0.0.1:1/0")
    assert done.returncode == 1
    assert "✗ database" in done.stdout
    assert "✗ redis" in done.stdout
    assert "→ check DATABASE_URL" in done.stdout
