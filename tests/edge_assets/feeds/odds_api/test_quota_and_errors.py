from __future__ import annotations

import pytest

from edge_assets.feeds.odds_api import errors
from edge_assets.feeds.odds_api.errors import error_from_response
from edge_assets.feeds.odds_api.quota import Quota


def quota_headers(last: str, used: str, remaining: str) -> dict[str, str]:
    return {"x-requests-last": last, "x-requests-used": used, "x-requests-remaining": remaining}


@pytest.mark.parametrize(
    ("headers", "quota", "exhausted"),
    [
        (quota_headers("3", "10", "490"), Quota(3, 10, 490), False),
        (quota_headers("3", "560", "-60"), Quota(3, 560, -60), True),
        (quota_headers("0", "500", "0"), Quota(0, 500, 0), True),
        ({}, Quota(None, None, None), False),
        (quota_headers("", "many", "1.5"), Quota(None, None, None), False),
    ],
)
def test_credits_are_read_from_the_headers_or_unknown(headers: dict[str, str], quota: Quota, exhausted: bool) -> None:
    assert Quota.from_headers(headers) == quota
    assert quota.is_exhausted is exhausted


@pytest.mark.parametrize(
    ("status", "body", "remaining", "kind"),
    [
        (401, b'{"message": "new", "error_code": "NEW"}', 0, errors.OutOfCreditsError),
        (401, b'{"message": "new"}', -772, errors.OutOfCreditsError),
        (401, b'{"message": "new"}', 5, errors.InvalidApiKeyError),
        (401, b"", None, errors.InvalidApiKeyError),
        (401, b'{"message": "x", "error_code": "INVALID_KEY"}', 0, errors.InvalidApiKeyError),
        (401, b'{"message": "x", "error_code": "OUT_OF_USAGE_CREDITS"}', 5, errors.OutOfCreditsError),
        (429, b"<html>slow down</html>", None, errors.RateLimitedError),
        (503, b'{"message": "x", "error_code": "INVALID_KEY"}', None, errors.ServerError),
        (418, b"[]", None, errors.InvalidRequestError),
    ],
)
def test_an_error_is_typed_by_code_then_by_credits(
    status: int, body: bytes, remaining: int | None, kind: type[Exception]
) -> None:
    assert type(error_from_response(status, body, Quota(remaining=remaining))) is kind
