"""Remove API keys from logs and exceptions: the API takes its key in the URL, and httpx2 logs URLs."""

from __future__ import annotations

import logging
import re
from urllib.parse import quote, quote_plus

_KEY_PATTERN = re.compile(r"(api_?key=)[^&\s\"'#]*", re.IGNORECASE)


def redact(text: str) -> str:
    """The text without the values of key parameters."""
    return _KEY_PATTERN.sub(r"\1[redacted]", text)


def redact_key(body: bytes, key: str) -> bytes:
    """The body without the key, as it is or as a URL has it."""
    for form in {key, quote(key, safe=""), quote_plus(key)} - {""}:
        body = body.replace(form.encode(), b"[redacted]")
    return body


class RedactingFilter(logging.Filter):
    """Removes keys from every record and lets it pass."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Rewrite the message of the record."""
        record.msg, record.args = redact(record.getMessage()), ()
        return True


_FILTER = RedactingFilter()
_LOGGERS = (
    "httpx2",
    "httpcore2.connection",
    "httpcore2.http11",
    "httpcore2.http2",
    "httpcore2.proxy",
    "httpcore2.socks",
)
"""Each by its own name: a logger's filter does not see what the loggers below it say."""


def redact_http_logs() -> None:
    """Install the filter, once, on the loggers that log URLs."""
    for name in _LOGGERS:
        logging.getLogger(name).addFilter(_FILTER)
