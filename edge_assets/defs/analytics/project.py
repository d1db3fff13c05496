"""The dbt project, with a manifest that dbt keeps up to date."""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

from dagster_dbt import DbtCliResource, DbtProject

from edge_assets.warehouse.dbt_runner import PROJECT_DIR, find_project_files

DBT_EXECUTABLE = Path(sys.executable).with_name("dbt")
"""The executable of this environment: a supervised code server may not have it on its PATH."""


def prepare_project(directory: Path = PROJECT_DIR) -> DbtProject:
    """The project with a current manifest: runs `dbt parse` if a file is newer, which needs no database.

    Raises `DagsterDbtCliRuntimeError` if the project does not parse.
    """
    project = DbtProject(directory, profiles_dir=directory)
    if _newest_change(directory) > _manifest_written_at(project.manifest_path):
        _parse(project)
    return project


def _parse(project: DbtProject) -> None:
    """Replace the manifest atomically, because a code server and a run may both find it outdated.

    In a separate process, so that loading the location does not keep dbt in memory.
    """
    project.manifest_path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=project.manifest_path.parent) as scratch:
        dbt = DbtCliResource(project, dbt_executable=DBT_EXECUTABLE)
        dbt.cli(["parse", "--quiet"], target_path=Path(scratch)).wait()
        os.replace(Path(scratch) / project.manifest_path.name, project.manifest_path)


def _newest_change(directory: Path) -> float:
    return max(path.stat().st_mtime for path in find_project_files(directory))


def _manifest_written_at(path: Path) -> float:
    return path.stat().st_mtime if path.exists() else 0.0
