"""Parse settings as people paste them. Errors explain what is wrong without showing secrets."""

from __future__ import annotations

import re
from difflib import get_close_matches
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

from edge_assets.core.postgres_parameters import are_parameters

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from urllib.parse import SplitResult

FORCE_PREFIX = "+"
"""Accepts a name that is not known here: the feed adds sports and books."""
_QUOTE_PAIRS = ("''", '""', "\u2018\u2019", "\u201c\u201d", "``")
_SEPARATORS = re.compile(r"[,;\s]+")
_BETWEEN_QUOTED = re.compile("['\"\u2019\u201d`]\\s*[,;\\s]\\s*['\"\u2018\u201c`]")
_NAME_PATTERN = re.compile(r"[A-Za-z][A-Za-z0-9_. :=-]{0,39}")
_SECRET_PATTERN = re.compile(r"[0-9A-Fa-f]{16,}|[A-Za-z0-9]{24,}")
_INVALID_ESCAPE_PATTERN = re.compile(r"%(?![0-9A-Fa-f]{2})|%00")
_ESCAPE = re.compile(r"[@:/#?,\[\]]")
"""Characters in a user name or password (separated by the first colon) at which one client or another ends them."""
_HOST_AND_PATH = re.compile(r"(?:\[[0-9A-Fa-f:.%]+\]|[\w.%,-]*)(?::\d+)?(?:/[^?#@]*)?(?:\?[^#@]*)?")
"""Hosts, port, path and parameters; text that contains a truncated password does not match."""
_SSL = re.compile(r"(?<=[?&])ssl=([\w-]*)", re.IGNORECASE)
_YES, _NO = frozenset({"", "1", "on", "true", "yes"}), frozenset({"0", "off", "false", "no"})
_MAX_EXAMPLES = 8
_DIGITS_OF_DATABASE = 5


def strip_quotes(value: str) -> str:
    """Strip spaces, line ends and quotes that were copied with a value; leave a list of quoted names unchanged."""
    value = value.strip().strip("\ufeff\u200b")
    while len(value) > 1 and value[0] + value[-1] in _QUOTE_PAIRS and not _BETWEEN_QUOTED.search(value):
        value = value[1:-1].strip()
    return value


def split_list(value: str) -> tuple[str, ...]:
    """The distinct items of a list separated by commas, semicolons or white space; JSON lists work too."""
    inner = value[1:-1] if value[:1] + value[-1:] in {"[]", "()"} else value
    return tuple(dict.fromkeys(filter(None, map(strip_quotes, _SEPARATORS.split(inner)))))


def redact(value: str) -> str:
    """A value as an error may show it: names are quoted, anything that may be a secret is not."""
    if _NAME_PATTERN.fullmatch(value) and not _SECRET_PATTERN.search(value):
        return repr(value)
    return f"a text of {len(value)} characters"


def require_known_name(value: str, known: Collection[str], kind: str) -> str:
    """Return a known name, or one forced with `+name`; otherwise raise a `ValueError` that lists known ones."""
    if value.startswith(FORCE_PREFIX) and re.fullmatch(r"[a-z0-9_]+", value[1:]):
        return value[1:]
    if value in known:
        return value
    msg = f"{format_unknown_name(value, known, kind)} (prefix it with {FORCE_PREFIX} if the feed has added it since)"
    raise ValueError(msg)


def format_unknown_name(value: str, known: Collection[str], kind: str) -> str:
    """An error message for an unknown name, with suggestions."""
    close = get_close_matches(value, known, n=3, cutoff=0.6)
    if close:
        hint = f"did you mean {' or '.join(close)}?"
    else:
        names = sorted(known)
        hint = f"choose from {', '.join(names[:_MAX_EXAMPLES])}" + (" and others" if len(names) > _MAX_EXAMPLES else "")
    return f"unknown {kind} {redact(value)}: {hint}"


def validate_url(url: str, schemes: Sequence[str]) -> str:
    """A URL with one of the `schemes`, its user name and password escaped so that every client reads it alike.

    The last `@` ends the password, unless the part before it may be host and path: `u:1/x@h` may mean the host `u`.
    Raises a `ValueError` that does not show the URL.
    """
    scheme, separator, _ = url.partition("://")
    if not separator or scheme not in schemes:
        found_scheme = f", not with {scheme}://" if separator and re.fullmatch(r"[a-z][a-z0-9+.]{0,19}", scheme) else ""
        msg = f"a URL begins with {' or '.join(f'{known}://' for known in schemes)}{found_scheme}"
        raise ValueError(msg)
    if _INVALID_ESCAPE_PATTERN.search(url) or not url.isprintable() or " " in url:
        msg = "the URL contains characters that must be written as %XX (in a password: % @ : / # ? and spaces)"
        raise ValueError(msg)
    try:
        url = _escape_credentials(url)
        parts = urlsplit(url)
        usable = parts.port != 0 and bool(_HOST_AND_PATH.fullmatch(url.partition("://")[2].rpartition("@")[2]))
        usable &= bool(parts.hostname) or not parts.netloc or "host" in parse_qs(parts.query) or scheme == "unix"
    except ValueError:
        usable = False
    if not usable:
        msg = "cannot parse host and port of the URL: in a password write % @ : / # ? as %XX"
        raise ValueError(msg)
    return url


def normalize_postgres_url(url: str) -> str:
    """A database URL for libpq; accepts `postgres://` and SQLAlchemy's `postgresql+driver://`."""
    plain = re.sub(r"^postgres(ql)?(\+\w+)?://", "postgresql://", url, flags=re.IGNORECASE)
    plain = _SSL.sub(_to_sslmode, validate_url(plain, ("postgresql",)))
    if not are_parameters(plain.partition("?")[2]):  # the message names none: one may contain a part of the password
        msg = "PostgreSQL does not know a parameter after the ? of the URL; it knows sslmode=require, for example"
        raise ValueError(msg)
    return plain


def _to_sslmode(found: re.Match[str]) -> str:
    """Translate asyncpg's `ssl` parameter to libpq's `sslmode`."""
    mode = found[1].lower()
    return f"sslmode={'require' if mode in _YES else 'disable' if mode in _NO else mode}"


def _escape_credentials(url: str) -> str:
    """Escape user name and password; `ValueError` if the URL is ambiguous."""
    scheme, _, rest = url.partition("://")
    login, at, place = rest.rpartition("@")
    if not at:
        return url
    user, colon, password = login.partition(":")
    escaped = "".join(
        (scheme, "://", _ESCAPE.sub(_percent_encode, user), colon, _ESCAPE.sub(_percent_encode, password), at, place)
    )
    begin = re.split(r"[/?#]", rest, maxsplit=1)[0]
    if begin != rest and len(begin) < len(login) and _HOST_AND_PATH.fullmatch(begin.rpartition("@")[2]):
        msg = "more than one @ may end the password"
        raise ValueError(msg)
    return escaped


def _percent_encode(found: re.Match[str]) -> str:
    return f"%{ord(found[0]):02X}"


def clean_redis_url(url: str) -> str:
    """A Redis URL. The database, in its path or as `db`, must be a number."""
    parts = urlsplit(url := validate_url(url, ("redis", "rediss", "unix")))
    named = [
        *parse_qs(parts.query, keep_blank_values=True).get("db", []),
        *([parts.path.strip("/")] * _has_path(parts)),
    ]
    if not all(name.isascii() and name.isdecimal() and len(name) <= _DIGITS_OF_DATABASE for name in named):
        msg = "the part after host and port must be the number of a database: write redis://host:6379/0"
        raise ValueError(msg)
    return url


def _has_path(parts: SplitResult) -> bool:
    """Whether the path names a database; the path of a socket URL is a file."""
    return parts.scheme != "unix" and parts.path.strip("/") != ""
