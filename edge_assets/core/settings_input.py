"""Settings as people paste them: what is meant is taken, and what cannot be meant is told without repeating secrets."""

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
"""Before a name that is not known here: the feed's lists churn, and a person may know better."""
_QUOTE_PAIRS = ("''", '""', "\u2018\u2019", "\u201c\u201d", "``")
_SEPARATORS = re.compile(r"[,;\s]+")
_BETWEEN_QUOTED = re.compile("['\"\u2019\u201d`]\\s*[,;\\s]\\s*['\"\u2018\u201c`]")
_NAME_PATTERN = re.compile(r"[A-Za-z][A-Za-z0-9_. :=-]{0,39}")
_SECRET_PATTERN = re.compile(r"[0-9A-Fa-f]{16,}|[A-Za-z0-9]{24,}")
_INVALID_ESCAPE_PATTERN = re.compile(r"%(?![0-9A-Fa-f]{2})|%00")
_ESCAPE = re.compile(r"[@:/#?,\[\]]")
"""Of a user name and of a password, which the first colon parts, what ends them early for one client or the other."""
_HOST_AND_PATH = re.compile(r"(?:\[[0-9A-Fa-f:.%]+\]|[\w.%,-]*)(?::\d+)?(?:/[^?#@]*)?(?:\?[^#@]*)?")
"""Hosts, port, path and parameters: nothing that a password could have been cut into."""
_SSL = re.compile(r"(?<=[?&])ssl=([\w-]*)", re.IGNORECASE)
_YES, _NO = frozenset({"", "1", "on", "true", "yes"}), frozenset({"0", "off", "false", "no"})
_MAX_EXAMPLES = 8
_DIGITS_OF_DATABASE = 5


def strip_quotes(value: str) -> str:
    """A value without the spaces, line ends and quotes that were copied with it; a list of quoted names as it is."""
    value = value.strip().strip("\ufeff\u200b")
    while len(value) > 1 and value[0] + value[-1] in _QUOTE_PAIRS and not _BETWEEN_QUOTED.search(value):
        value = value[1:-1].strip()
    return value


def split_list(value: str) -> tuple[str, ...]:
    """The parts of a list, once each, separated by commas, semicolons or white space; also a list as JSON writes it."""
    inner = value[1:-1] if value[:1] + value[-1:] in {"[]", "()"} else value
    return tuple(dict.fromkeys(filter(None, map(strip_quotes, _SEPARATORS.split(inner)))))


def redact(value: str) -> str:
    """A value as an error may repeat it: a name is, anything that may be a secret is not."""
    if _NAME_PATTERN.fullmatch(value) and not _SECRET_PATTERN.search(value):
        return repr(value)
    return f"a text of {len(value)} characters"


def require_known_name(value: str, known: Collection[str], kind: str) -> str:
    """A name that is known, or that is to be taken all the same (`+name`); `ValueError` tells what there is."""
    if value.startswith(FORCE_PREFIX) and re.fullmatch(r"[a-z0-9_]+", value[1:]):
        return value[1:]
    if value in known:
        return value
    msg = f"{format_unknown_name(value, known, kind)} (write {FORCE_PREFIX} before a {kind} that is new at the feed)"
    raise ValueError(msg)


def format_unknown_name(value: str, known: Collection[str], kind: str) -> str:
    """That there is no such name, and which there are."""
    close = get_close_matches(value, known, n=3, cutoff=0.6)
    if close:
        hint = f"did you mean {' or '.join(close)}?"
    else:
        names = sorted(known)
        hint = f"there are {', '.join(names[:_MAX_EXAMPLES])}" + (" and others" if len(names) > _MAX_EXAMPLES else "")
    return f"there is no {kind} {redact(value)}: {hint}"


def validate_url(url: str, schemes: Sequence[str]) -> str:
    """A URL of one of the `schemes` as every client reads it alike: what a user name or password has to escape, is.

    The last `@` ends the password, unless what stands before may be host and path: `u:1/x@h` may mean the host `u`.
    `ValueError` tells what is wrong without repeating it.
    """
    scheme, separator, _ = url.partition("://")
    if not separator or scheme not in schemes:
        found_scheme = f", not with {scheme}://" if separator and re.fullmatch(r"[a-z][a-z0-9+.]{0,19}", scheme) else ""
        msg = f"a URL begins with {' or '.join(f'{known}://' for known in schemes)}{found_scheme}"
        raise ValueError(msg)
    if _INVALID_ESCAPE_PATTERN.search(url) or not url.isprintable() or " " in url:
        msg = "the URL holds characters that have to be written as %XX (in a password: % @ : / # ? and spaces)"
        raise ValueError(msg)
    try:
        url = _escape_credentials(url)
        parts = urlsplit(url)
        usable = parts.port != 0 and bool(_HOST_AND_PATH.fullmatch(url.partition("://")[2].rpartition("@")[2]))
        usable &= bool(parts.hostname) or not parts.netloc or "host" in parse_qs(parts.query) or scheme == "unix"
    except ValueError:
        usable = False
    if not usable:
        msg = "host and port of the URL cannot be read: in a password % @ : / # ? are written as %XX"
        raise ValueError(msg)
    return url


def normalize_postgres_url(url: str) -> str:
    """A database URL as libpq takes it, also from `postgres://` and from SQLAlchemy's `postgresql+driver://`."""
    plain = re.sub(r"^postgres(ql)?(\+\w+)?://", "postgresql://", url, flags=re.IGNORECASE)
    plain = _SSL.sub(_to_sslmode, validate_url(plain, ("postgresql",)))
    if not are_parameters(plain.partition("?")[2]):
        # without naming them: the end of a password may stand among them
        msg = "behind the ? of the URL stands what PostgreSQL does not know; it knows sslmode=require and the like"
        raise ValueError(msg)
    return plain


def _to_sslmode(found: re.Match[str]) -> str:
    """asyncpg's way to ask for encryption as libpq writes it."""
    mode = found[1].lower()
    return f"sslmode={'require' if mode in _YES else 'disable' if mode in _NO else mode}"


def _escape_credentials(url: str) -> str:
    """The URL with its user name and password escaped; `ValueError` where it may be read in two ways."""
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
        msg = "either @ may end the password"
        raise ValueError(msg)
    return escaped


def _percent_encode(found: re.Match[str]) -> str:
    return f"%{ord(found[0]):02X}"


def clean_redis_url(url: str) -> str:
    """The URL of a Redis; the database that it may name, in its path or as `db`, is a number."""
    parts = urlsplit(url := validate_url(url, ("redis", "rediss", "unix")))
    named = [
        *parse_qs(parts.query, keep_blank_values=True).get("db", []),
        *([parts.path.strip("/")] * _has_path(parts)),
    ]
    if not all(name.isascii() and name.isdecimal() and len(name) <= _DIGITS_OF_DATABASE for name in named):
        msg = "what follows the host and port is the number of a database: write redis://host:6379/0"
        raise ValueError(msg)
    return url


def _has_path(parts: SplitResult) -> bool:
    """Whether the path, which of a socket is its file, names a database."""
    return parts.scheme != "unix" and parts.path.strip("/") != ""
