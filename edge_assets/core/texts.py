"""Clean external text for storage, comparison and display: names of teams, books, markets and players."""

from __future__ import annotations

import unicodedata
from functools import lru_cache

MAX_TEXT_LENGTH = 200
"""Characters. The longest real name (a player with team and market) has about 90."""
_UNPRINTABLE_CATEGORIES = frozenset({"Cc", "Cs", "Zl", "Zp"})
"""Controls (NUL, escape, line ends), halves of surrogate pairs, line and paragraph separators."""


_JOINERS = "\u200c\u200d"


class UnusableTextError(ValueError):
    """Text that is empty once cleaned, or too long. The message is the rejection reason."""


def clean_text(text: str) -> str:
    """Normalize to NFC, collapse white space and unprintable characters to single spaces, and strip.

    PostgreSQL rejects NUL, and UTF-8 cannot encode lone surrogates; sources send the same name with different spaces
    and Unicode forms.

    Raises:
        UnusableTextError: no visible character is left, or more than `MAX_TEXT_LENGTH` are.
    """
    if text.isascii() and text.isprintable() and "  " not in text and text == text.strip():
        cleaned = text
    else:
        printable = "".join(" " if unicodedata.category(c) in _UNPRINTABLE_CATEGORIES else c for c in text)
        cleaned = " ".join(unicodedata.normalize("NFC", printable).split())
    if not cleaned or not (cleaned.isascii() or fold_text(cleaned)):
        raise UnusableTextError("text_empty")
    if len(cleaned) > MAX_TEXT_LENGTH:
        raise UnusableTextError("text_too_long")
    return cleaned


def escape_text(text: str, *, keep: str = "") -> str:
    """Escape characters that control the screen instead of being shown: `\\x1b`, `\\n`, `\\u202e`.

    These are controls, line ends, direction marks and zero-width characters, but not the joiners that Persian and
    Indian names are spelt with, nor the characters in `keep`.
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(_escape_char(c) if _is_control(c) and c not in keep else c for c in text)


def _is_control(char: str) -> bool:
    category = unicodedata.category(char)
    return category in _UNPRINTABLE_CATEGORIES or (category == "Cf" and char not in _JOINERS)


def _escape_char(char: str) -> str:
    return char.encode("unicode_escape").decode()


def truncate(text: str, limit: int = MAX_TEXT_LENGTH) -> str:
    """The text, shortened to `limit` characters."""
    return text if len(text) <= limit else f"{text[: limit - 1]}…"


def fold_text(text: str) -> str:
    """A comparison key for two texts of one response: ignores case, kinds of spaces and Unicode forms.

    Accents stay. Invisible format characters (direction marks, soft hyphens) are dropped.
    """
    printable = "".join(c for c in unicodedata.normalize("NFKC", text) if unicodedata.category(c) != "Cf")
    return " ".join(unicodedata.normalize("NFKC", printable.casefold()).split())


@lru_cache(maxsize=65_536)
def is_same_name(one: str | None, other: str | None) -> bool:
    """Whether two names are the same. If both sides have one name, prices cannot be assigned to either."""
    return one is not None and other is not None and (one == other or fold_text(one) == fold_text(other))
