"""Whose certificates the clients trust."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING

import certifi

from edge_assets.feeds.certificates import create_ssl_context

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def test_mozillas_authorities_are_trusted_regardless_of_the_system(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SSL_CERT_FILE", raising=False)
    monkeypatch.delenv("SSL_CERT_DIR", raising=False)
    context = create_ssl_context()
    mozillas = ssl.create_default_context(cafile=certifi.where()).get_ca_certs(binary_form=True)
    assert len(mozillas) > 100
    assert set(mozillas) <= set(context.get_ca_certs(binary_form=True))
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname


def test_a_file_of_ones_own_is_trusted_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own = ssl.create_default_context(cafile=certifi.where()).get_ca_certs(binary_form=True)[0]
    file = tmp_path / "own.pem"
    file.write_text(ssl.DER_cert_to_PEM_cert(own))
    monkeypatch.setenv("SSL_CERT_FILE", str(file))
    assert create_ssl_context().get_ca_certs(binary_form=True) == [own]
