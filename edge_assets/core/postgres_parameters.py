"""Which parameters libpq takes in a database URL.

A list of our own, so that settings can be checked at once and `core` needs no database driver. A test compares it with
the libpq that is installed.
"""

from __future__ import annotations

from urllib.parse import unquote

_NAMES = """
application_name channel_binding client_encoding connect_timeout dbname fallback_application_name gssdelegation
gssencmode gsslib host hostaddr keepalives keepalives_count keepalives_idle keepalives_interval krbsrvname
load_balance_hosts max_protocol_version min_protocol_version oauth_client_id oauth_client_secret oauth_issuer
oauth_scope options passfile password port replication require_auth requirepeer scram_client_key scram_server_key
service ssl_max_protocol_version ssl_min_protocol_version sslcert sslcertmode sslcompression sslcrl sslcrldir sslkey
sslkeylogfile sslmode sslnegotiation sslpassword sslrootcert sslsni target_session_attrs tcp_user_timeout user
"""
PARAMETERS = frozenset(_NAMES.split())
"""Of PostgreSQL 18: https://www.postgresql.org/docs/18/libpq-connect.html#LIBPQ-PARAMKEYWORDS"""


def are_parameters(query: str) -> bool:
    """Whether libpq takes what follows the `?` of a URL: known names, each with one `=`, separated by `&`."""
    return not query or all(map(_is_parameter, query.removesuffix("&").split("&")))


def _is_parameter(text: str) -> bool:
    name, separator, value = text.partition("=")
    return bool(separator) and "=" not in value and unquote(name) in PARAMETERS
