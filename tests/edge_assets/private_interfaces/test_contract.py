"""Private interfaces of other projects that we rely on: after an upgrade, this shows which are gone.

Existence is checked of every name that the adapters import; signatures, attributes and texts are listed here.
"""

from __future__ import annotations

import ast
import inspect
import warnings
from importlib import import_module
from importlib.metadata import distribution
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from edge_assets.defs.daemon import TIMESTAMP_SUFFIX
from edge_assets.private_interfaces import replacing
from edge_assets.private_interfaces.replacing import describe_loss

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[3]
ADAPTERS = Path(replacing.__file__).parent
OURS = {"edge_assets", "ml", "serving"}
UNDOCUMENTED = (
    "dagster_dbt.asset_utils.", "dagster_dbt.core.", "dagster_dbt.dbt_manifest.", "dagster_webserver.", "dbt.",
    "dbt_common.", "mlflow.cli.", "mlflow.server.", "uvicorn.protocols.",
)  # fmt: skip
"""Modules whose names have no underscore, and which are private all the same."""

CALLS: list[tuple[str, str, int, tuple[str, ...]]] = [
    # module, what is called, how many positional arguments, keywords
    ("dagster._daemon.cli", "main", 0, ()),
    ("dagster._grpc.client", "DagsterGrpcClient", 0, ("port", "socket", "host", "use_ssl")),
    ("dagster._grpc.client", "DagsterGrpcClient.can_cancel_execution", 3, ()),
    ("dagster._grpc.types", "CanCancelExecutionRequest", 0, ("run_id",)),
    ("dagster._serdes", "deserialize_value", 2, ()),
    ("dagster._core.scheduler.instigation", "InstigatorState.with_data", 2, ()),
    ("dagster._core.scheduler.instigation", "InstigatorTick.with_status", 2, ("timestamp",)),
    ("dagster", "DagsterInstance.all_instigator_state", 1, ()),
    ("dagster", "DagsterInstance.get_ticks", 3, ("after",)),
    ("dagster", "DagsterInstance.update_instigator_state", 2, ()),
    ("dagster", "DagsterInstance.update_tick", 2, ()),
    ("dagster", "DagsterInstance.report_run_canceling", 3, ()),
    ("dagster", "DagsterInstance.report_run_canceled", 3, ()),
    ("dagster", "DagsterInstance.report_dagster_event", 3, ()),
    ("dagster", "DagsterEvent", 2, ("message",)),
    ("dagster_dbt.asset_utils", "get_subset_selection_for_context", 2, (
        "select", "exclude", "selector", "dagster_dbt_translator", "current_dbt_indirect_selection_env",
    )),
    ("dagster_dbt.core.dbt_cli_event", "DbtCoreCliEventMessage", 2, ()),
    ("dagster_dbt.core.dbt_cli_event", "DbtCoreCliEventMessage.to_default_asset_events", 4, ("project",)),
    ("dagster_dbt.dbt_manifest", "validate_manifest", 1, ()),
    ("dagster_webserver.cli", "create_app_from_workspace_process_context", 1, ()),
    ("dbt.cli.main", "dbtRunner", 2, ()),
    ("dbt.cli.main", "dbtRunner.invoke", 2, ()),
    ("dbt.contracts.graph.manifest", "Manifest.deepcopy", 1, ()),
    ("dbt_common.events.functions", "msg_to_dict", 1, ()),
]  # fmt: skip

ATTRIBUTES = [
    ("dagster", "DagsterEventType.RUN_ENQUEUED"),
    ("dagster._core.scheduler.instigation", "InstigatorState.instigator_data"),
    ("dagster._core.scheduler.instigation", "InstigatorState.instigator_origin_id"),
    ("dagster._core.scheduler.instigation", "InstigatorState.selector_id"),
    ("dagster._core.scheduler.instigation", "SensorInstigatorData.last_tick_timestamp"),
    ("dagster._core.scheduler.instigation", "SensorInstigatorData.last_run_key"),
    ("dagster._core.scheduler.instigation", "ScheduleInstigatorData.start_timestamp"),
    ("dagster._grpc.types", "CanCancelExecutionResult.can_cancel"),
    ("dagster_webserver.cli", "uvicorn.run"),
    ("dagster_webserver.cli", "main"),
    ("dbt.events.types", "LogModelResult"),
    ("dbt.events.types", "LogTestResult"),
    ("uvicorn.protocols.http.httptools_impl", "HttpToolsProtocol.connection_made"),
    ("uvicorn.protocols.http.httptools_impl", "HttpToolsProtocol.connection_lost"),
    ("uvicorn.protocols.http.httptools_impl", "HttpToolsProtocol.data_received"),
    ("uvicorn.protocols.http.httptools_impl", "HttpToolsProtocol.on_headers_complete"),
    ("uvicorn.protocols.http.httptools_impl", "HttpToolsProtocol.on_message_complete"),
    ("uvicorn.protocols.http.httptools_impl", "HttpToolsProtocol.handle_websocket_upgrade"),
    ("uvicorn.protocols.http.httptools_impl", "HttpToolsProtocol.send_400_response"),
    ("uvicorn.protocols.websockets.websockets_sansio_impl", "WebSocketsSansIOProtocol.data_received"),
    ("uvicorn.protocols.websockets.websockets_sansio_impl", "WebSocketsSansIOProtocol.send_receive_event_to_app"),
    ("uvicorn.protocols.websockets.websockets_sansio_impl", "WebSocketsSansIOProtocol.handle_parser_exception"),
    ("uvicorn.protocols.websockets.websockets_sansio_impl", "WebSocketsSansIOProtocol.send"),
]
TEXTS = [
    # module whose source holds a text that is read or replaced by it
    ("dagster._grpc.impl", "Started process for run (pid: "),
]
UNLOADED_NAMES = [
    ("mlflow.cli", "cli"),
    ("mlflow.server", "_run_server"),
    ("mlflow.server.fastapi_app", "app"),
    ("mlflow.server.constants", "BACKEND_STORE_URI_ENV_VAR"),
    ("mlflow.server.constants", "REGISTRY_STORE_URI_ENV_VAR"),
    ("mlflow.server.constants", "ARTIFACT_ROOT_ENV_VAR"),
    ("mlflow.server.constants", "SERVE_ARTIFACTS_ENV_VAR"),
    ("mlflow.server.constants", "ARTIFACTS_DESTINATION_ENV_VAR"),
]
"""Of MLflow, which takes too long to import: what its source defines. Its real server is tested elsewhere."""
UNLOADED_TEXTS = [
    ("mlflow.cli", "from mlflow.server import _run_server"),
    ("mlflow.server", "_MLFLOW_SGI_NAME"),
]


def imports(path: Path) -> Iterator[tuple[str, str]]:
    """The modules that a file imports, with the names that it takes from them."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield from ((node.module, alias.name) for alias in node.names)
        elif isinstance(node, ast.Import):
            yield from ((alias.name, "") for alias in node.names)


def private_imports() -> list[tuple[str, str]]:
    found = {pair for path in ADAPTERS.glob("*.py") for pair in imports(path)}
    return sorted((module, name) for module, name in found if is_private(module, name) and module[:6] != "mlflow")


def is_private(module: str, name: str) -> bool:
    package, *inner = [*module.split("."), name]
    if package in OURS or package == "__future__":
        return False
    return any(part.startswith("_") for part in inner) or f"{module}.".startswith(UNDOCUMENTED)


def resolve(module: str, path: str) -> Any:
    """The object at a path, imported as the product does: warnings are not errors."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found: Any = import_module(module)
            for name in filter(None, path.split(".")):
                found = getattr(found, name, None) or import_module(f"{module}.{name}")
    except (ImportError, AttributeError) as error:
        pytest.fail(f"{describe_loss(module, path)} ({error})", pytrace=False)
    return found


@pytest.mark.parametrize(("module", "name"), private_imports())
def test_every_private_name_is_there(module: str, name: str) -> None:
    resolve(module, name)


@pytest.mark.parametrize(("module", "name"), ATTRIBUTES)
def test_every_attribute_is_there(module: str, name: str) -> None:
    owner, _, attribute = name.rpartition(".")
    if owner and attribute in getattr(resolve(module, owner), "__annotations__", {}):
        return
    resolve(module, name)


@pytest.mark.parametrize(("module", "name", "positional", "keywords"), CALLS)
def test_every_call_is_still_possible(module: str, name: str, positional: int, keywords: tuple[str, ...]) -> None:
    signature = inspect.signature(resolve(module, name))
    try:
        signature.bind(*range(positional), **dict.fromkeys(keywords))
    except TypeError as error:
        pytest.fail(f"{describe_loss(module, name)}: it was called otherwise ({error})", pytrace=False)


def read_source(module: str) -> str:
    """The source of a module of MLflow, which is not imported."""
    path = Path(str(distribution("mlflow").locate_file(module.replace(".", "/"))))
    found = next((p for p in (path.with_suffix(".py"), path / "__init__.py") if p.is_file()), None)
    return found.read_text() if found else ""


def defined_names(source: str) -> set[str]:
    body = ast.parse(source).body
    assigned = (target for node in body if isinstance(node, ast.Assign) for target in node.targets)
    names = {target.id for target in assigned if isinstance(target, ast.Name)}
    return names | {node.name for node in body if isinstance(node, ast.FunctionDef | ast.ClassDef)}


@pytest.mark.parametrize(("module", "name"), UNLOADED_NAMES)
def test_mlflow_defines_what_is_taken_or_replaced(module: str, name: str) -> None:
    if name not in defined_names(read_source(module)):
        pytest.fail(describe_loss(module, name), pytrace=False)


@pytest.mark.parametrize(("module", "text"), UNLOADED_TEXTS)
def test_mlflow_reads_what_is_replaced(module: str, text: str) -> None:
    if text not in read_source(module):
        pytest.fail(describe_loss(module, repr(text)), pytrace=False)


@pytest.mark.parametrize(("module", "text"), TEXTS)
def test_every_text_is_still_written(module: str, text: str) -> None:
    if text not in inspect.getsource(resolve(module, "")):
        pytest.fail(describe_loss(module, repr(text)), pytrace=False)


def test_times_of_sensors_and_schedules_end_as_the_daemon_expects() -> None:
    fields = {
        name: [f for f in resolve("dagster._core.scheduler.instigation", name)._fields if f.endswith(TIMESTAMP_SUFFIX)]
        for name in ("SensorInstigatorData", "ScheduleInstigatorData")
    }
    assert all(fields.values()), fields


def test_nothing_private_is_imported_anywhere_else() -> None:
    modules = [path for room in sorted(OURS) for path in (ROOT / room).rglob("*.py") if ADAPTERS not in path.parents]
    found = [
        f"{path.relative_to(ROOT)} imports {module}.{name}"
        for path in modules
        for module, name in imports(path)
        if is_private(module, name)
    ]
    assert found == []
    assert private_imports()
