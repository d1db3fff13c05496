"""Access tokens for the alert stream (JWT, HS256)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

import jwt

from edge_assets.core.settings import MissingSettingError

if TYPE_CHECKING:
    from edge_assets.core.settings import Settings

ALGORITHM = "HS256"
AUDIENCE = "edge-alerts"
MIN_SECRET_BYTES = 32
"""RFC 7518, section 3.2: an HS256 key is at least as long as the hash."""


class InvalidTokenError(ValueError):
    """A token that was rejected. The message gives the reason and never contains the token."""


class Claims(NamedTuple):
    """The claims of a valid token."""

    subject: str
    expires_at: datetime


def signing_secret(settings: Settings) -> str:
    """The secret that signs tokens; `MissingSettingError` if it is missing or too short."""
    secret = settings.jwt_secret.get_secret_value() if settings.jwt_secret else ""
    if len(secret.encode()) < MIN_SECRET_BYTES:
        problem = "is too short" if secret else "is not set"
        msg = f"JWT_SECRET {problem}: set at least {MIN_SECRET_BYTES} random bytes, e.g. `openssl rand -hex 32`"
        raise MissingSettingError(msg)
    return secret


def issue_token(secret: str, subject: str, lifetime: timedelta) -> str:
    """A token that gives `subject` access for `lifetime` from now."""
    now = datetime.now(UTC)
    claims = {"sub": subject, "aud": AUDIENCE, "iat": now, "exp": now + lifetime}
    return jwt.encode(claims, secret, algorithm=ALGORITHM)


def verify_token(secret: str, token: str) -> Claims:
    """The claims of a token for the alert stream; `InvalidTokenError` if its signature, audience or expiry is wrong."""
    try:
        claims = jwt.decode(
            token,
            secret,
            algorithms=[ALGORITHM],
            audience=AUDIENCE,
            options={"require": ["sub", "exp", "aud"]},
        )
        expires_at = datetime.fromtimestamp(claims["exp"], UTC)
    except jwt.ExpiredSignatureError:
        msg = "the token has expired"
        raise InvalidTokenError(msg) from None
    except (jwt.InvalidTokenError, ArithmeticError, ValueError, TypeError, OSError):  # an `exp` that is not a time
        msg = "the token is not valid for this server"
        raise InvalidTokenError(msg) from None
    return Claims(claims["sub"], expires_at)
