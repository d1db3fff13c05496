"""Models of the REST responses.

Times are ISO 8601, UTC; prices are decimal odds; probabilities and edges are fractions.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, Field

Probability = Annotated[float, Field(ge=0, le=1)]


class BetLeg(BaseModel):
    """One bet of an arbitrage."""

    outcome: str
    selection: str
    book: str
    book_title: str
    price: float
    stake_fraction: float = Field(description="share of the total stake placed on this bet")


class AlertMessage(BaseModel):
    """One step in the life of an alert, as in the live stream; `(alert_id, seq)` identifies it."""

    id: int = Field(description="the resume id of the live stream")
    alert_id: UUID
    seq: int = Field(description="0 when opened, then incremented with every step")
    kind: Literal["value", "arbitrage", "likely_error"]
    state: Literal["opened", "updated", "closed"]
    reason: str | None = Field(description="why it was closed")
    sport: str
    event_id: int
    event: str = Field(description="the feed's key of the event")
    home_team: str | None
    away_team: str | None
    commence_at: datetime
    market: str
    outcome: str | None
    selection: str | None
    point: float | None = Field(description="handicap or total as the book shows it")
    book: str | None
    book_title: str | None
    price: float | None
    fair_probability: Probability | None
    implied_probability: Probability | None = Field(description="1 / price, after an exchange's commission")
    edge: float | None = Field(description="fair minus implied probability")
    standard_error: float | None = Field(
        description="of the fair probability: spread of books and de-vig methods, staleness, distance between points"
    )
    expected_value: float = Field(description="expected profit per unit stake; for an arbitrage, the guaranteed return")
    expected_value_low: float | None = Field(description="lower end of the 90% interval; bets are ranked by it")
    expected_value_high: float | None = Field(description="upper end of the 90% interval")
    probability_positive: Probability | None = Field(description="probability that the expected value is positive")
    push_probability: Probability | None = Field(description="expected share of the stake that is returned (push)")
    kelly_fraction: float | None = Field(description="Kelly fraction of the bankroll, capped by MAX_KELLY_FRACTION")
    stake_fraction: float | None = Field(description="share of the bankroll to stake, after the risk controls")
    confidence: float | None = Field(ge=0, le=100)
    books: int = Field(description="books in the consensus")
    price_age_s: float | None = Field(description="seconds since the book confirmed the price, as of `observed_at`")
    method_spread: float | None = Field(description="largest difference between the de-vig methods")
    market_width: float | None = Field(description="overround of the tightest book in the consensus")
    hold: float | None = Field(description="overround of the best prices across books; negative for an arbitrage")
    error_probability: Probability | None = Field(description="probability of a pricing error, which the book may void")
    rules: Literal["same", "differ", "unknown"] | None = Field(
        description="arbitrage: whether the settlement rules of its books agree, as far as known"
    )
    detection_latency_ms: float | None = Field(description="from receipt of the payload to publication of the alert")
    late_s: float | None = Field(
        description="the same in seconds if the alert was published late, as after an outage: check the price first; "
        "null: on time"
    )
    observed_at: datetime = Field(description="the feed's clock")
    published_at: datetime | None
    poll_id: int
    tick_poll_id: int | None = Field(description="the poll that delivered the price")
    run_id: str | None
    feed: str
    legs: list[BetLeg] | None


class OpenAlerts(BaseModel):
    """Open alerts, the best first."""

    last_id: int = Field(description="pass it to the live stream as `after` to miss nothing")
    feed: str | None
    count: int = Field(description="matching alerts, before the limit")
    alerts: list[AlertMessage]


class BookPrice(BaseModel):
    """The price of one book."""

    book: str
    book_title: str
    price: float
    edge: float | None
    age_s: float | None = Field(
        description="seconds since the book confirmed it, as of `observed_at`; null if never confirmed"
    )
    stale: bool = Field(description="too old to count in the consensus or to alert on")


class OutcomePrices(BaseModel):
    """One outcome of a line, at every book that offers it, the best price first.

    Fair probabilities are those of the scorer's alerts; null where there are none, or until it has scored the poll.
    """

    outcome: str
    selection: str
    point: float | None
    fair_probability: Probability | None
    fair_price: float | None
    standard_error: float | None = Field(
        description="of the consensus: disagreement of books, staleness; an alert's also leaves out its own book and "
        "allows for the de-vig method"
    )
    prices: list[BookPrice]


class LinePrices(BaseModel):
    """A market at one point: mutually exclusive outcomes, complete except for a push."""

    market: str
    point: float | None = Field(description="the home side's handicap, or the total")
    books: int = Field(description="books in the consensus")
    outcomes: list[OutcomePrices]


class EventInfo(BaseModel):
    """An event as the feed lists it."""

    event_id: int
    event: str
    home_team: str | None
    away_team: str | None
    commence_at: datetime


class EventLines(EventInfo):
    """One event with all its lines."""

    lines: list[LinePrices]


class SportOdds(BaseModel):
    """All prices of a sport as of its latest poll."""

    sport: str
    title: str
    feed: str | None
    poll_id: int | None = Field(description="null: not polled yet")
    observed_at: datetime | None = Field(description="time of the latest poll, by the feed's clock")
    stale_after_seconds: float
    events: list[EventLines]


class MiddleLeg(BetLeg):
    """One bet of a middle."""

    point: float = Field(description="handicap or total as the book shows it")


class OfferedMiddle(EventInfo):
    """Two bets at different points that both win if the result falls between them; profits per unit of total stake."""

    market: str
    rules: Literal["same", "differ", "unknown"] = Field(
        description="whether the settlement rules of the books agree, as far as known"
    )
    legs: list[MiddleLeg]
    expected_value: float
    guaranteed_return: float = Field(description="profit in the worst case; negative: the cost of the middle")
    best_return: float = Field(description="profit if both bets win")
    middle_probability: Probability = Field(description="probability that both win, or one wins and the other pushes")
    break_even: Probability = Field(description="break-even probability of the middle")


class Middles(BaseModel):
    """The middles of a sport at its latest poll, the highest expected value first."""

    sport: str
    feed: str | None
    observed_at: datetime | None
    count: int = Field(description="matching middles, before the limit")
    middles: list[OfferedMiddle]


class HealthProblem(BaseModel):
    """A problem, what it means and what to do."""

    kind: str
    subject: str = Field(description="a sport, a service or a job; empty: the whole product")
    severity: Literal["error", "warning", "note"] = Field(
        description="error: alerts are missing or wrong; warning: some are, or soon will be; note: no fault"
    )
    since: datetime | None
    detail: str
    meaning: str
    what_to_do: str


class Credits(BaseModel):
    """Credits of a metered feed; forecasts assume the usage of the last day."""

    remaining: int | None = Field(description="null: unknown")
    stated_at: datetime | None
    used_today: int = Field(description="since midnight, UTC")
    by_sport_today: dict[str, int] = Field(description="credits used today by sport; `results`: requests for results")
    left_at_month_end: int | None = Field(description="at the current pace; negative: shortfall")
    lasts_until: datetime | None = Field(description="when they run out, if before the end of the month")
    month_ends: datetime


class SportConfirmation(BaseModel):
    """How long ago a sport's open bets were last confirmed."""

    age_s: float = Field(description="seconds since they were last confirmed: polled and scored")
    allowed_s: float = Field(description="when older than this, they may no longer be available")


class HealthReport(BaseModel):
    """Whether the product works."""

    status: Literal["ok", "degraded", "down"] = Field(
        description="down (503): alerts are missing or wrong; degraded: some are, or soon will be"
    )
    headline: str = Field(description="the worst problem in one sentence")
    problems: list[HealthProblem] = Field(description="the worst first, including notes")
    version: str
    feed: str | None
    database: bool
    redis: bool
    scorer_lag_polls: int | None = Field(
        description="committed polls that the scorer has not finished (at most 100 each)"
    )
    scorer_failing: list[str] = Field(description="sports that currently cannot be scored; reasons in /api/status")
    last_poll_at: datetime | None = Field(description="wall clock")
    credits: Credits | None = Field(description="of a metered feed")
    confirmations: dict[str, SportConfirmation] | None = Field(
        description="by sport; empty for a recording; null: database unavailable, earlier values keep ageing"
    )
    stream_clients: int
    stream_read_s: float = Field(description="seconds since the live stream was last read; normally at most 2")
    stream_foreign_entries: int = Field(description="entries that were not alerts, ignored since the start")


class Readiness(BaseModel):
    """Whether this process can answer requests."""

    ready: bool
    reason: str = Field(description="why not")
    status: Literal["ok", "degraded", "down"] | None = Field(
        description="of the product, as in /healthz; null: not known within a second"
    )
    headline: str | None = Field(description="the worst problem in one sentence")
    problems: list[HealthProblem] = Field(description="the worst first, with what to do")


class Session(BaseModel):
    """A short-lived token for the board of a local demo."""

    token: str
    expires_in: int = Field(description="seconds")


class ErrorResponse(BaseModel):
    """Why a request was refused."""

    detail: str
    known: list[str] | None = None


class Latency(BaseModel):
    """Milliseconds from receipt of the payload to publication of the alert, over the last hour."""

    p50: float | None
    p95: float | None
    p99: float | None


class FailingSport(BaseModel):
    """A sport that currently cannot be scored, so has no new alerts; other sports continue. Times are wall clock."""

    sport: str
    failures: int = Field(description="consecutive")
    failing_since: datetime
    failed_at: datetime
    retry_at: datetime
    error: str


class Status(BaseModel):
    """Counts since this database was created."""

    version: str
    feed: str | None
    local: bool = Field(description="a demo on this machine: the board gets its token automatically")
    payloads: int
    quotes_seen: int
    ticks: int
    withdrawals: int
    alerts_opened: int
    alerts_open: int
    last_observed_at: datetime | None = Field(description="the feed's clock")
    rejected: dict[str, int] = Field(description="quotes that could not be stored, by reason")
    suppressed: dict[str, int] = Field(description="candidates that did not become alerts, by reason")
    failing: list[FailingSport] = Field(description="sports that currently cannot be scored")
    contradicted_results: int = Field(description="events whose sources contradict each other; they are not settled")
    latency_ms: Latency


class SportInfo(BaseModel):
    """A sport that has been polled."""

    key: str
    title: str
    aliases: list[str]
