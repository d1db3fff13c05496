"""Whose certificates are trusted."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import certifi
import httpx2

if TYPE_CHECKING:
    import ssl


def create_ssl_context() -> ssl.SSLContext:
    """Trust the system's authorities and Mozilla's: httpx2 trusts the system's only, and a slim machine has none.

    If SSL_CERT_FILE or SSL_CERT_DIR is set, only that is trusted.
    """
    context = httpx2.create_ssl_context()
    if not os.environ.get("SSL_CERT_FILE") and not os.environ.get("SSL_CERT_DIR"):
        context.load_verify_locations(certifi.where())
    return context
