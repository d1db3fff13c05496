from __future__ import annotations

import math

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_assets.feeds.odds_api import errors
from edge_assets.ingestion.backoff import classify_failure, format_unexpected_rejections, is_client_error, retry_delay
from edge_assets.store.health.problems import ProblemKind

KEY = errors.InvalidApiKeyError(401, "INVALID_KEY", "not valid")
DOWN = errors.ServerError(503, "", "down")
TORN = errors.InvalidJsonError("ends early")
in_a_row = st.integers(1, 100)
intervals = st.floats(60, 86_400)


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (KEY, ProblemKind.KEY_REFUSED),
        (errors.OutOfCreditsError(401, "OUT_OF_USAGE_CREDITS", "none"), ProblemKind.OUT_OF_CREDITS),
        (DOWN, ProblemKind.FEED_UNREACHABLE),
        (errors.UnreachableError("refused"), ProblemKind.FEED_UNREACHABLE),
        (TORN, ProblemKind.FEED_ANSWER_UNUSABLE),
        (errors.UnknownSportError(404, "UNKNOWN_SPORT", "?"), ProblemKind.FEED_ANSWER_UNUSABLE),
        (psycopg.errors.DiskFull("no space"), ProblemKind.POLL_NOT_STORED),
        (OverflowError("unexpected"), ProblemKind.POLL_NOT_STORED),
    ],
)
def test_each_failure_maps_to_its_problem(error: Exception, kind: ProblemKind) -> None:
    assert classify_failure(error) is kind


@given(in_a_row, intervals, st.integers(1, 5))
def test_failing_costs_no_more_than_working(count: int, interval: float, answers: int) -> None:
    assert retry_delay(TORN, count, answers, interval) >= answers * interval


@given(in_a_row, intervals, st.sampled_from([KEY, DOWN]))
def test_free_requests_are_retried_within_an_interval_or_minutes(count: int, interval: float, error: Exception) -> None:
    assert retry_delay(error, count, 0, interval) <= min(max(interval, 60.0), 300.0)


@given(in_a_row, st.sampled_from([0.0, 60.0, 7_200.0]), st.sampled_from([KEY, DOWN, TORN]), st.integers(0, 2))
def test_the_delay_grows_with_failures(count: int, interval: float, error: Exception, answers: int) -> None:
    assert retry_delay(error, count, answers, interval) <= retry_delay(error, count + 1, answers, interval)


@pytest.mark.parametrize("error", [TORN, DOWN, errors.OutOfCreditsError(401, "OUT_OF_USAGE_CREDITS", "none")])
def test_without_credits_paid_requests_are_not_repeated(error: Exception) -> None:
    assert retry_delay(error, 1, 1, math.inf) == math.inf


def test_only_refused_requests_are_client_errors() -> None:
    assert is_client_error(KEY)
    assert not is_client_error(DOWN)
    assert not is_client_error(TORN)


def test_a_suspended_selection_is_expected() -> None:
    assert format_unexpected_rejections({"price_missing": 9, "price_not_above_one": 1}) == ""
    assert (
        format_unexpected_rejections({"price_missing": 9, "text_too_long": 2, "malformed_book": 1})
        == "1 malformed_book, 2 text_too_long"
    )
