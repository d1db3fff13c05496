from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from edge_assets.core.settings import Feed, Settings
from edge_assets.local import dagster_home, sockets
from edge_assets.local import plan as planning
from edge_assets.local.environment import build_environment
from edge_assets.local.errors import LocalError
from edge_assets.local.plan import Plan, StartOptions
from edge_assets.local.programs import INFRASTRUCTURE
from edge_assets.local.services import Service, define_services
from edge_assets.local.supervisor import Supervisor

if TYPE_CHECKING:
    from edge_assets.local.home import Home

STEPS = {"databases", "migrations", "feed-sports"}


def settings(**values: Any) -> Settings:
    return Settings(**{"database_url": None, "redis_url": None, "mlflow_tracking_uri": None} | values)


def make(home: Home, options: StartOptions, **values: Any) -> Plan:
    return planning.make_plan(settings(**values), home, options)


def load_services(home: Home, plan: Plan) -> dict[str, Service]:
    return {service.program.name: service for service in define_services(home, plan, Supervisor(home))}


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        (StartOptions(Feed.ODDS_API), "needs ODDS_API_KEY"),
        (StartOptions(Feed.REPLAY), "needs a recording"),
        (StartOptions(Feed.REPLAY, recording=Path("/nowhere/week.tar.xz")), "no recording at /nowhere/week.tar.xz"),
        (StartOptions(Feed.ODDS_API, fresh=True), "--fresh is only for"),
    ],
)
def test_invalid_options_are_refused_with_a_remedy(home: Home, options: StartOptions, problem: str) -> None:
    key = "key" if options.fresh else None
    with pytest.raises(LocalError, match=problem) as caught:
        make(home, options, odds_api_key=key)
    assert caught.value.remedy


def test_each_feed_has_its_own_databases(home: Home, tmp_path: Path) -> None:
    plans = [
        make(home, StartOptions(Feed.ODDS_API), odds_api_key="key"),
        make(home, StartOptions(Feed.REPLAY, recording=tmp_path)),
        make(home, StartOptions(Feed.SIMULATE)),
    ]
    assert [p.database_url.rpartition("/")[2] for p in plans] == ["edge_live", "edge_replay", "edge_simulate"]
    assert len({p.redis_url for p in plans}) == 3
    assert [p.feed_port is None for p in plans] == [True, False, False]


def test_a_plan_is_stored_privately(home: Home, tmp_path: Path) -> None:
    assert Plan.load(home) is None
    plan = make(home, StartOptions(Feed.REPLAY, recording=tmp_path, speed="60"))
    plan.save(home)
    assert Plan.load(home) == plan
    assert (home.run / "stack.json").stat().st_mode & 0o077 == 0


def test_configured_servers_replace_the_embedded_ones(home: Home) -> None:
    plan = make(
        home,
        StartOptions(Feed.SIMULATE),
        database_url="postgresql://me:pw@db:6543/odds?sslmode=require",
        redis_url="redis://cache:6379/4",
        mlflow_tracking_uri="http://models:5000",
    )
    assert plan.database_url == "postgresql://me:pw@db:6543/odds?sslmode=require"
    assert plan.dagster_url == "postgresql://me:pw@db:6543/dagster?sslmode=require"
    assert plan.redis_url == "redis://cache:6379/4"
    assert plan.urls["mlflow"] == "http://models:5000"
    assert not plan.is_managed("mlflow")
    assert load_services(home, plan).keys().isdisjoint({*INFRASTRUCTURE, "mlflow"})


def test_every_service_waits_only_for_known_steps(home: Home) -> None:
    plan = make(home, StartOptions(Feed.SIMULATE))
    all_services = load_services(home, plan)
    for service in all_services.values():
        assert set(service.after) <= all_services.keys() | STEPS
    assert {name for name, service in all_services.items() if not service.essential} == {"code-analytics", "watchdog"}


def test_rarely_used_pages_start_on_demand(home: Home) -> None:
    plan = make(home, StartOptions(Feed.SIMULATE))
    known = load_services(home, plan)
    on_demand = {name for name, service in known.items() if service.program.on_demand}
    assert on_demand == {"dagster-webserver", "mlflow"}
    for page, name in {"dagster": "dagster-webserver", "mlflow": "mlflow"}.items():
        port, inner = plan.urls[page].rpartition(":")[2], plan.inner_ports[name]
        assert f"{name}:{port}:{inner}" in known["activator"].program.command
        assert str(inner) in known[name].program.command


def test_the_daemon_waits_for_the_code_servers(home: Home) -> None:
    daemon = load_services(home, make(home, StartOptions(Feed.SIMULATE)))["dagster-daemon"]
    assert {"code-ingest", "code-analytics"} <= set(daemon.after)


def test_code_servers_listen_on_private_sockets(home: Home) -> None:
    dagster_home.write_dagster_home(home)
    servers = {
        entry["grpc_server"]["location_name"]: Path(entry["grpc_server"]["socket"])
        for entry in json.loads(dagster_home.workspace_file(home).read_text())["load_from"]
    }
    sockets.make_directory(home)
    known = load_services(home, make(home, StartOptions(Feed.SIMULATE)))
    for name, path in servers.items():
        command = known[f"code-{name}"].program.command
        assert command[command.index("--socket") + 1] == str(path)
        assert "--port" not in command
        assert path.parent.stat().st_mode & 0o077 == 0


def test_no_secret_is_on_a_command_line(home: Home) -> None:
    plan = make(home, StartOptions(Feed.SIMULATE))
    words = " ".join(word for service in load_services(home, plan).values() for word in service.program.command)
    for name in ("postgres", "valkey", "jwt", "odds-api-key"):
        assert home.secret(name) not in words


def test_settings_read_the_environment_of_the_stack(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    plan = make(home, StartOptions(Feed.SIMULATE))
    for key, value in build_environment(settings(), home, plan).items():
        monkeypatch.setenv(key, value)
    loaded = Settings()
    assert (loaded.edge_home, loaded.edge_feed, loaded.edge_local) == (home.root, Feed.SIMULATE, True)
    assert (loaded.database_url, loaded.redis_url) == (plan.database_url, plan.redis_url)
    assert loaded.odds_api_url == f"http://127.0.0.1:{plan.feed_port}/v4"
    assert loaded.odds_api_key is not None
    assert loaded.odds_api_key.get_secret_value() == home.secret("odds-api-key")


def test_a_live_stack_keeps_the_configured_key_and_secret(home: Home) -> None:
    live = settings(odds_api_key="key", jwt_secret="s" * 32)
    given = build_environment(live, home, planning.make_plan(live, home, StartOptions(Feed.ODDS_API)))
    assert (given["ODDS_API_KEY"], given["JWT_SECRET"]) == ("key", "s" * 32)
    assert given["ODDS_API_URL"] == "https://api.the-odds-api.com/v4"
