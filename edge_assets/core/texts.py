"""Texts from outside, made fit to be stored, compared and shown: names of teams, books, markets and players."""

from __future__ import annotations

import unicodedata
from functools import lru_cache

MAX_TEXT_LENGTH = 200
"""Characters of the longest name that is taken; the longest real one (a player with team and market) has about 90."""
_UNPRINTABLE_CATEGORIES = frozenset({"Cc", "Cs", "Zl", "Zp"})
"""Controls (NUL, escape, line ends), halves of surrogate pairs, line and paragraph separators."""


_JOINERS = "\u200c\u200d"


class UnusableTextError(ValueError):
    """A text that names nothing: empty once cleaned, or absurdly long. The message is the reason that is counted."""


def clean_text(text: str) -> str:
    """The text in Unicode form NFC, one space where white space or unprintable characters were, none at the ends.

    PostgreSQL refuses NUL, and UTF-8 has no half surrogates; the same name is sent with other kinds of spaces and
    in another Unicode form by another source.

    Raises:
        UnusableTextError: nothing is left that can be seen, or more than `MAX_TEXT_LENGTH` characters.
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
    """The text with everything that acts on a screen instead of standing on it written out: `\\x1b`, `\\n`, `\\u202e`.

    Controls, line ends, marks of direction and what has no width; not the joiners that Persian and Indian names are
    spelt with, nor the characters of `keep`.
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
    """The text, cut where it is longer than `limit` characters."""
    return text if len(text) <= limit else f"{text[: limit - 1]}…"


def fold_text(text: str) -> str:
    """The form in which two texts of one answer are compared: without case, kinds of spaces and of Unicode forms.

    Accents stay. What cannot be seen (Unicode's format characters: a mark of direction, a soft hyphen) is left out.
    """
    printable = "".join(c for c in unicodedata.normalize("NFKC", text) if unicodedata.category(c) != "Cf")
    return " ".join(unicodedata.normalize("NFKC", printable.casefold()).split())


@lru_cache(maxsize=65_536)
def is_same_name(one: str | None, other: str | None) -> bool:
    """Whether two texts are one name: of two sides with one name nothing on offer says whom it is about."""
    return one is not None and other is not None and (one == other or fold_text(one) == fold_text(other))
