"""A terminal that prints external names as plain text."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.console import Console

from edge_assets.core.texts import escape_text

if TYPE_CHECKING:
    from rich.text import Text


class Terminal(Console):
    """A console without markup and emoji codes that escapes control characters.

    A team's name in a table must not be able to clear the screen or end the command. Pass a `Text` for styled
    output, or `markup=True` for text without external names.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(highlight=False, markup=False, emoji=False, **options)

    def render_str(self, text: str, **options: Any) -> Text:
        """The text with control characters escaped. Line ends are our own: `to_single_line` has escaped external
        ones.
        """
        return super().render_str(escape_text(text, keep="\n"), **options)


def to_single_line(text: str) -> str:
    """External text with line ends and control characters escaped."""
    return escape_text(text)
