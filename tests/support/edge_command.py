"""The shape of the `edge` fixture."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import subprocess


class Edge(Protocol):
    def __call__(self, *args: str, **environment: str) -> subprocess.CompletedProcess[str]: ...
