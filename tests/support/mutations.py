"""What can become of an answer: any node dropped, null, of another type, doubled, in another order, cut short."""

from __future__ import annotations

from copy import deepcopy
from typing import TYPE_CHECKING, Any

import msgspec
from hypothesis import strategies as st

if TYPE_CHECKING:
    from collections.abc import Iterator

ODD_VALUES: tuple[Any, ...] = (
    None,
    True,
    False,
    0,
    -1,
    2**62,
    1.5,
    "",
    "text",
    "\x00",
    "9" * 5_001,
    [],
    [None],
    {},
    {"value": 3},
)


def nodes(content: Any, way: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The way to every node but the root."""
    items = content.items() if isinstance(content, dict) else enumerate(content) if isinstance(content, list) else ()
    for key, value in items:
        yield (*way, key)
        yield from nodes(value, (*way, key))


@st.composite
def mutate(draw: st.DrawFn, content: Any) -> Any:
    """The content with one node changed."""
    changed = msgspec.json.decode(msgspec.json.encode(content))  # a copy that shares nothing
    *way, last = draw(st.sampled_from(list(nodes(content))))
    parent = changed
    for step in way:
        parent = parent[step]
    how = draw(st.sampled_from(["drop", "odd", "double", "reverse", "cut"]))
    value = parent[last]
    if how == "drop":
        del parent[last]
    elif how == "double" and isinstance(parent, list):
        parent.insert(last, deepcopy(value))
    elif how in {"reverse", "cut"} and isinstance(value, list | str):
        parent[last] = value[::-1] if how == "reverse" else value[: len(value) // 2]
    else:
        parent[last] = draw(st.sampled_from(ODD_VALUES))
    return changed
