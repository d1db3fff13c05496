"""docker-compose.yml: its syntax, its graph, its secrets, and that it names what exists."""

from __future__ import annotations

import ast
import importlib
import importlib.util
import os
import re
import shutil
import subprocess
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml

from edge_assets.core.settings import Settings

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "docker-compose.yml").read_text()
COMPOSE: dict[str, Any] = yaml.safe_load(TEXT)
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
EXAMPLE = (ROOT / ".env.example").read_text()
ONE_SHOT = {"migrate"}
SECRETS = {"ODDS_API_KEY", "POSTGRES_PASSWORD", "REDIS_PASSWORD", "JWT_SECRET"}
DATABASE_VARIABLES = {"DATABASE_URL", "DAGSTER_POSTGRES_URL", "MLFLOW_BACKEND_STORE_URI"}


def upstream(name: str) -> set[str]:
    """Everything that the service waits for, directly or not."""
    direct = set(SERVICES[name].get("depends_on", {}))
    return direct.union(*(upstream(other) for other in direct))


def scripts() -> list[str]:
    """The Python texts after `-c` in commands and healthchecks."""
    commands = [s.get("command") for s in SERVICES.values()]
    commands += [s.get("healthcheck", {}).get("test") for s in SERVICES.values()]
    return [c[c.index("-c") + 1] for c in commands if isinstance(c, list) and "python" in c]


def test_the_stack_is_complete() -> None:
    stores = {"database", "redis", "mlflow"}
    ours = {
        "migrate",
        "code-ingest",
        "code-analytics",
        "dagster-webserver",
        "dagster-daemon",
        "scorer",
        "serving",
    }
    assert set(SERVICES) == stores | ours


def test_dependencies_exist_and_have_no_cycle() -> None:
    graph = {name: set(service.get("depends_on", {})) for name, service in SERVICES.items()}
    assert set().union(*graph.values()) <= set(SERVICES)
    assert set(TopologicalSorter(graph).static_order()) == set(SERVICES)


@pytest.mark.parametrize("name", SERVICES)
def test_services_wait_for_health_or_for_completion(name: str) -> None:
    for other, condition in SERVICES[name].get("depends_on", {}).items():
        expected = "service_completed_successfully" if other in ONE_SHOT else "service_healthy"
        assert condition == {"condition": expected}


@pytest.mark.parametrize("name", sorted(set(SERVICES) - {"migrate", "database"}))
def test_the_schema_is_migrated_before_any_service_uses_the_database(name: str) -> None:
    uses_database = DATABASE_VARIABLES & set(SERVICES[name].get("environment", {}))
    assert not uses_database or "migrate" in SERVICES[name]["depends_on"]
    assert upstream("migrate") == {"database"}


@pytest.mark.parametrize("name", SERVICES)
def test_every_service_is_pinned_checked_and_local(name: str) -> None:
    service = SERVICES[name]
    assert "build" in service or re.search(r":v?\d+\.\d+\.\d+", service["image"]), "pin the image to a release"
    assert (name in ONE_SHOT) != ("healthcheck" in service)
    assert service["restart"] == ("no" if name in ONE_SHOT else "unless-stopped")
    assert all(port.startswith("127.0.0.1:") for port in service.get("ports", []))


@pytest.mark.parametrize("name", sorted(set(SERVICES) - ONE_SHOT))
def test_a_service_that_hangs_is_ended_by_its_check_and_restarted(name: str) -> None:
    service = SERVICES[name]
    check = service["healthcheck"]
    assert check["test"][:3] == ["CMD", "sh", "/alive"]
    assert service["init"] is True, "the check cannot kill a first process that is the service itself"
    assert {"source": "alive", "target": "/alive"} in service["configs"]
    limit, patience = map(int, check["test"][3:5])
    assert limit < int(check["timeout"].removesuffix("s")), "Docker would end the check before it has decided"
    assert patience >= 60
    assert not re.search(r"timeout=", " ".join(check["test"])), "a check that gives up first would look like an answer"


@pytest.fixture
def alive(tmp_path: Path) -> Path:
    """The script that decides, without the power to kill."""
    content = COMPOSE["configs"]["alive"]["content"].replace("$$", "$")
    assert content.count("kill -KILL -1") == 1
    assert content.count("/dev/shm/hanging-since") == 1
    harmless = content.replace("kill -KILL -1", "echo killed").replace("/dev/shm/", f"{tmp_path}/")
    script = tmp_path / "alive"
    script.write_text(harmless)
    return script


def test_only_a_check_that_hangs_for_long_ends_a_container(alive: Path, tmp_path: Path) -> None:
    def check(patience: int, *command: str) -> tuple[int, str]:
        done = _run(["sh", str(alive), "0.2", str(patience), *command])
        return done.returncode, done.stdout.strip()

    hangs, fails, beats_no_more = ("sleep", "60"), ("sh", "-c", "exit 1"), ("sh", "-c", "exit 124")
    assert check(0, "true") == (0, "")
    assert check(0, *fails) == (1, "")
    assert check(60, *hangs) == (1, "")
    since = tmp_path / "hanging-since"
    since.write_text(str(int(since.read_text()) - 70))
    assert check(60, *beats_no_more) == (1, "killed")
    assert check(60, *fails) == (1, "")
    assert check(60, *hangs) == (1, ""), "an answer between two silences ends the first"


def test_volumes_and_configs_are_declared_and_used() -> None:
    mounted = {v.partition(":")[0] for s in SERVICES.values() for v in s.get("volumes", [])}
    configured = {c["source"] for s in SERVICES.values() for c in s.get("configs", [])}
    assert mounted == set(COMPOSE["volumes"])
    assert configured == set(COMPOSE["configs"])
    assert (ROOT / COMPOSE["configs"]["instance"]["file"]).is_file()


def test_secrets_have_no_default_and_are_never_spelt_out() -> None:
    for secret in SECRETS:
        uses = re.findall(rf"\$\{{{secret}[^}}]*\}}", TEXT)
        assert uses
        assert all(use.startswith(f"${{{secret}:?") for use in uses), "no default, refuse to start without"
    for name, value in _environments():
        if re.search(r"PASSWORD|SECRET|KEY|TOKEN", name):
            assert value.startswith("${")
        if "://" in value and "@" in value:
            assert re.search(r":\$\{\w+:\?[^}]*\}@", value), "the password of a URL comes from a variable"


def test_the_example_names_every_variable_and_no_other() -> None:
    named = set(re.findall(r"^#?([A-Z_]+)=", EXAMPLE, re.MULTILINE))
    asked = set(re.findall(r"(?<!\$)\$\{([A-Z_]+)", TEXT))
    settings = {name.upper() for name in Settings.model_fields}
    assert asked <= named
    assert named <= asked | settings
    assert not re.search(r"^#?\w*(PASSWORD|SECRET|KEY)=.", EXAMPLE, re.MULTILINE)


def test_variables_of_our_services_are_settings() -> None:
    settings = {name.upper() for name in Settings.model_fields}
    others = {"DAGSTER_GRPC_TIMEOUT_SECONDS", "DAGSTER_POSTGRES_URL", "DO_NOT_TRACK", "MLFLOW_DISABLE_TELEMETRY"}
    assert set(COMPOSE["x-environment"]) <= settings | others


def test_mlflow_is_served_behind_the_guard_under_the_name_that_the_others_use() -> None:
    mlflow, others = SERVICES["mlflow"], COMPOSE["x-environment"]
    assert mlflow["image"] == SERVICES["serving"]["image"]
    assert mlflow["command"].startswith("python -m edge_assets.web.mlflow_ui server ")
    assert "mlflow:/mlflow/artifacts" in mlflow["volumes"]
    asked = urlsplit(others["MLFLOW_TRACKING_URI"]).hostname
    assert asked in mlflow["environment"]["EDGE_ALLOWED_HOSTS"].split(",")


def test_data_docs_are_dropped_where_they_are_written() -> None:
    """Pages are written by one code server, and dropped by a job of the other."""
    home = COMPOSE["x-environment"]["EDGE_HOME"]
    for name in ("code-ingest", "code-analytics"):
        assert f"home:{home}" in SERVICES[name]["volumes"]


def test_what_is_mounted_may_be_written_by_the_image_s_user() -> None:
    """A new volume takes over the folder's owner."""
    made = " ".join(re.findall(r"mkdir -p ([^\\\n]+)", (ROOT / "Dockerfile").read_text())).split()
    ours = [service for service in SERVICES.values() if service["image"] == "edge-finder"]
    assert {v.partition(":")[2] for service in ours for v in service.get("volumes", [])} <= set(made)


def test_code_servers_are_those_of_the_workspace() -> None:
    local = yaml.safe_load((ROOT / "workspace.yaml").read_text())["load_from"]
    served = yaml.safe_load(COMPOSE["configs"]["workspace"]["content"])["load_from"]
    assert [entry["grpc_server"]["location_name"] for entry in served] == [
        entry["python_module"]["location_name"] for entry in local
    ]
    for entry in local:
        module, location = entry["python_module"]["module_name"], entry["python_module"]["location_name"]
        command = SERVICES[f"code-{location}"]["command"]
        assert f"--module-name {module} --location-name {location}" in command


def test_commands_name_modules_that_exist() -> None:
    commands = [s["command"] for s in SERVICES.values() if isinstance(s.get("command"), str)]
    modules = re.findall(r"(?:python -m|--module-name) ([\w.]+)", " ".join(commands))
    assert "serving.scorer" in modules
    assert all(importlib.util.find_spec(module) for module in modules)
    assert importlib.util.find_spec("serving.scorer.__main__")


@pytest.mark.parametrize("script", scripts())
def test_inline_scripts_import_what_exists(script: str) -> None:
    imports = [node for node in ast.walk(ast.parse(script)) if isinstance(node, ast.ImportFrom)]
    for node in imports:
        module = importlib.import_module(str(node.module))
        assert all(hasattr(module, alias.name) for alias in node.names)


def test_the_image_holds_what_the_build_copies() -> None:
    copied = re.findall(r"^COPY (?!--from)(.+) \S+$", (ROOT / "Dockerfile").read_text(), re.MULTILINE)
    ignored = (ROOT / ".dockerignore").read_text().splitlines()
    for source in " ".join(copied).split():
        assert (ROOT / source).exists()
        assert f"!{source}" in ignored


def compose() -> list[str]:
    """The command: this machine's, or the one that `.ci/docker_compose` has fetched."""
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    fetched = Path(cache) / "edge-finder" / "docker-compose"
    for command in (["docker", "compose"], [str(fetched)]):
        if shutil.which(command[0]) and not _run([*command, "version"]).returncode:
            return command
    if os.environ.get("CI"):
        pytest.fail("CI must have Compose: run .ci/docker_compose")
    pytest.skip("Compose is not installed here; .ci/docker_compose fetches it")


def _run(command: list[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    ("message", "instead", "code"),
    [
        ("start_period:", "start_period:", 0),
        ("start_period:", "start_perod:", 15),
        ("migrate:\n    condition", "migrat:\n    condition", 15),
    ],
    ids=["as it is", "a key misspelt", "a service misspelt"],
)
def test_compose_itself_accepts_the_file(tmp_path: Path, message: str, instead: str, code: int) -> None:
    secrets, file = tmp_path / "env", tmp_path / "docker-compose.yml"
    secrets.write_text("".join(f"{secret}=x\n" for secret in SECRETS))
    file.write_text(TEXT.replace(message, instead))
    options = ["--project-directory", str(ROOT), "--env-file", str(secrets), "--file", str(file)]
    checked = _run([*compose(), *options, "config", "-q"])
    assert checked.returncode == code, checked.stderr
    assert bool(checked.stderr) == bool(code)


def _environments() -> list[tuple[str, str]]:
    return [(k, v) for service in SERVICES.values() for k, v in service.get("environment", {}).items()]
