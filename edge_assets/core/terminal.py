"""A terminal on which names from outside stand as text."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.console import Console

from edge_assets.core.texts import escape_text

if TYPE_CHECKING:
    from rich.text import Text


class Terminal(Console):
    """Shows texts as they are: no markup, no emoji codes, and controls written out.

    Names come from outside; one in a table must not be able to clear the screen or end the command. What is to be
    styled is a `Text`, or `markup=True` where nothing from outside stands.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(highlight=False, markup=False, emoji=False, **options)

    def render_str(self, text: str, **options: Any) -> Text:
        """The text as it will stand on the screen; ends of lines are ours, `to_single_line` has written out the
        others.
        """
        return super().render_str(escape_text(text, keep="\n"), **options)


def to_single_line(text: str) -> str:
    """A text from outside as one line."""
    return escape_text(text)
