"""Decode JSON lists in which one broken item must not lose the others."""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, TypeVar

import msgspec

from edge_assets.feeds.odds_api.wire import DECODE_ERRORS

if TYPE_CHECKING:
    from collections.abc import Iterator

T = TypeVar("T")

_items_decoder = msgspec.json.Decoder(list[msgspec.Raw])


class LenientListDecoder(Generic[T]):
    """Decodes a JSON list at once, and item by item only if that fails.

    `reason` is added to `rejected` for each item that does not have the type.
    """

    def __init__(self, item: type[T], reason: str) -> None:
        self._list_decoder = msgspec.json.Decoder(list[item])  # type: ignore[valid-type]  # known at run time
        self._item_decoder = msgspec.json.Decoder(item)
        self._reason = reason

    def decode(self, body: bytes | msgspec.Raw, rejected: list[str]) -> list[T]:
        """The items of the right type.

        Raises:
            msgspec.DecodeError, UnicodeDecodeError: the body is not a JSON list.
        """
        try:
            return self._list_decoder.decode(body)
        except DECODE_ERRORS:
            return list(self._decode_items(body, rejected))

    def _decode_items(self, body: bytes | msgspec.Raw, rejected: list[str]) -> Iterator[T]:
        for raw in _items_decoder.decode(body):
            try:
                yield self._item_decoder.decode(raw)
            except DECODE_ERRORS:
                rejected.append(self._reason)
