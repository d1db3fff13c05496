"""`EDGE_HOME`: the files of one local installation."""

from __future__ import annotations

import fcntl
import json
import os
import re
import secrets
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from edge_assets.local.errors import LocalError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PRIVATE_FILE_MODE = 0o600
PRIVATE_DIRECTORY_MODE = 0o700
SECRET_BYTES = 32
SECRET_PATTERN = re.compile(rf"[0-9a-f]{{{2 * SECRET_BYTES}}}")


@dataclass(frozen=True)
class Home:
    """Paths below `root`; `open` creates them."""

    root: Path

    @classmethod
    def open(cls, path: Path) -> Home:
        """The home at `path`, created if missing, readable only by its owner.

        Raises `LocalError` if it is not writable.
        """
        home = cls(path.expanduser().resolve())
        try:
            for directory in (
                home.root,
                home.run,
                home.logs,
                home.dagster,
                home.mlflow,
                home.root / "secrets",
            ):
                directory.mkdir(mode=PRIVATE_DIRECTORY_MODE, parents=True, exist_ok=True)
        except OSError as error:
            msg = f"{home.root} cannot be used as EDGE_HOME: {error.strerror}"
            raise LocalError(msg, "set EDGE_HOME to a directory you can write to") from error
        return home

    @property
    def run(self) -> Path:
        """Files of the running stack."""
        return self.root / "run"

    @property
    def logs(self) -> Path:
        """One file per service, rotated."""
        return self.root / "logs"

    @property
    def postgres(self) -> Path:
        """The embedded database's cluster."""
        return self.root / "postgres"

    @property
    def reserve(self) -> Path:
        """Disk space reserved for the database's recovery."""
        return self.root / "reserve"

    @property
    def dumps(self) -> Path:
        """Dumps of databases before migrations."""
        return self.root / "dumps"

    @property
    def valkey(self) -> Path:
        """The embedded Redis-compatible server's data."""
        return self.root / "valkey"

    @property
    def dagster(self) -> Path:
        """DAGSTER_HOME."""
        return self.root / "dagster"

    @property
    def mlflow(self) -> Path:
        """MLflow's artifacts."""
        return self.root / "mlflow"

    @property
    def models(self) -> Path:
        """Trained models, a directory each."""
        return self.root / "models"

    def secret(self, name: str) -> str:
        """A random secret, created on first use.

        Raises `LocalError` if the file is damaged, which would otherwise be used as a password and rejected.
        """
        path = self.root / "secrets" / name
        if not path.exists():
            write_private(path, secrets.token_hex(SECRET_BYTES))
        value = path.read_text(errors="replace").strip()
        if not SECRET_PATTERN.fullmatch(value):
            msg = f"{path} is damaged: a secret has {2 * SECRET_BYTES} hexadecimal digits"
            raise LocalError(msg, "delete it; `edge up` creates a new one and configures its server")
        return value

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Lock this home while its servers are started or stopped; `LocalError` if another process holds the lock.

        The kernel releases the lock when its holder ends, even by a kill.
        """
        with (self.root / "lock").open("a+") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                file.seek(0)
                msg = f"another edge command (pid {file.read()}) is using {self.root}"
                raise LocalError(msg, "wait for it to finish, then try again") from None
            file.truncate(0)
            file.write(str(os.getpid()))
            file.flush()
            yield

    def set_state(self, key: str, value: Any) -> None:
        """Store a value across restarts."""
        state = self._load_state() | {key: value}
        write_private(self.root / "state.json", json.dumps(state, indent=1))

    def get_state(self, key: str, default: Any = None) -> Any:
        """A stored value."""
        return self._load_state().get(key, default)

    def _load_state(self) -> dict[str, Any]:
        path = self.root / "state.json"
        return read_private_json(path, "delete it; it stores only ports and the feed of each database") or {}


def write_private(path: Path, text: str) -> None:
    """Write a file atomically and durably, readable only by its owner; a power cut leaves the old file or the new.

    Without the first `fsync`, the rename may reach the disk before the content, and leave an empty file.
    """
    scratch = path.with_name(f".{path.name}.{os.getpid()}")
    scratch.touch(mode=PRIVATE_FILE_MODE)
    with scratch.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    scratch.replace(path)
    sync_directory(path.parent)


def sync_directory(directory: Path) -> None:
    """Make creations, renames and deletions in a directory survive a power cut."""
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def read_private_json(path: Path, remedy: str) -> dict[str, Any] | None:
    """The JSON object in a file of `write_private`; None if there is no such file.

    Raises `LocalError` with the file's name and `remedy` if the file is empty, truncated or not a JSON object.
    """
    if not path.exists():
        return None
    try:
        content = json.loads(path.read_bytes())
    except (ValueError, RecursionError) as error:  # invalid UTF-8 is a ValueError
        msg = f"{path} is damaged: {error}" if path.stat().st_size else f"{path} is empty, as after a power cut"
        raise LocalError(msg, remedy) from None
    if not isinstance(content, dict):
        msg = f"{path} is damaged: not a JSON object"
        raise LocalError(msg, remedy)
    return content
