"""Lists of which one broken item must not lose the others."""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, TypeVar

import msgspec

from edge_assets.feeds.odds_api.wire import UNREADABLE

if TYPE_CHECKING:
    from collections.abc import Iterator

T = TypeVar("T")

_items = msgspec.json.Decoder(list[msgspec.Raw])


class LenientList(Generic[T]):
    """Decodes a JSON list whole, and only where that fails item by item.

    For each item that does not fit, `refused_as` is added to the rejected.
    """

    def __init__(self, item: type[T], refused_as: str) -> None:
        self._whole = msgspec.json.Decoder(list[item])  # type: ignore[valid-type]  # known at run time
        self._item = msgspec.json.Decoder(item)
        self._refused_as = refused_as

    def decode(self, body: bytes | msgspec.Raw, rejected: list[str]) -> list[T]:
        """The items that fit.

        Raises:
            msgspec.DecodeError, UnicodeDecodeError: the body is no JSON list at all.
        """
        try:
            return self._whole.decode(body)
        except UNREADABLE:
            return list(self._survivors(body, rejected))

    def _survivors(self, body: bytes | msgspec.Raw, rejected: list[str]) -> Iterator[T]:
        for raw in _items.decode(body):
            try:
                yield self._item.decode(raw)
            except UNREADABLE:
                rejected.append(self._refused_as)
