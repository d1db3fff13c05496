"""Shapes of the REST answers.

Times are ISO 8601, UTC; prices are decimal odds; probabilities and edges are fractions.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, Field

Probability = Annotated[float, Field(ge=0, le=1)]


class Leg(BaseModel):
    """One bet of an arbitrage."""

    outcome: str
    selection: str
    book: str
    book_title: str
    price: float
    stake_fraction: float = Field(description="share of the total stake that goes on this bet")


class Alert(BaseModel):
    """One step in the life of an alert, as in the live stream; `(alert_id, seq)` identifies it."""

    id: int = Field(description="the resume token of the live stream")
    alert_id: UUID
    seq: int = Field(description="0 when opened, then counting")
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
    point: float | None = Field(description="handicap or total as the book writes it")
    book: str | None
    book_title: str | None
    price: float | None
    fair_probability: Probability | None
    implied_probability: Probability | None = Field(description="1 / price, after an exchange's commission")
    edge: float | None = Field(description="fair minus implied probability")
    standard_error: float | None = Field(description="of the fair probability: books, methods, age, way between points")
    expected_value: float = Field(description="profit expected of a stake of one; an arbitrage's guaranteed return")
    expected_value_low: float | None = Field(description="lower end of the 90% interval; bets rank by it")
    expected_value_high: float | None = Field(description="upper end")
    probability_positive: Probability | None = Field(description="that the bet is worth more than nothing")
    push_probability: Probability | None = Field(description="that the stake comes back (its average share)")
    kelly_fraction: float | None = Field(description="Kelly's share of the bankroll, capped by MAX_KELLY_FRACTION")
    stake_fraction: float | None = Field(description="share of the bankroll to stake, after the risk controls")
    confidence: float | None = Field(ge=0, le=100)
    books: int = Field(description="books in the consensus")
    price_age_s: float | None = Field(
        description="seconds since the book confirmed the price, when the alert was raised"
    )
    method_spread: float | None = Field(description="widest difference between the de-vig methods")
    market_width: float | None = Field(description="overround of the tightest book in the consensus")
    hold: float | None = Field(description="of the best prices of all books; below 0 for an arbitrage")
    error_probability: Probability | None = Field(description="that the book has made a mistake, and may void the bet")
    rules: Literal["same", "differ", "unknown"] | None = Field(
        description="of an arbitrage: whether its books settle alike, as far as their rules are known"
    )
    detection_latency_ms: float | None = Field(description="from the payload's receipt to the alert's publication")
    late_s: float | None = Field(
        description="the same in seconds where it was announced late, as after an outage: look at the price first; "
        "null: in time"
    )
    observed_at: datetime = Field(description="the feed's clock")
    published_at: datetime | None
    poll_id: int
    tick_poll_id: int | None = Field(description="the poll that brought the price")
    run_id: str | None
    feed: str
    legs: list[Leg] | None


class OpenAlerts(BaseModel):
    """Alerts that are open now, the best first."""

    last_id: int = Field(description="start the live stream with this as `after` to miss nothing")
    feed: str | None
    count: int = Field(description="matching alerts, before the limit")
    alerts: list[Alert]


class BookPrice(BaseModel):
    """What one book offers."""

    book: str
    book_title: str
    price: float
    edge: float | None
    age_s: float | None = Field(
        description="seconds since the book confirmed it, at `observed_at`; null if it never said"
    )
    stale: bool = Field(description="too old to count in the consensus or to alert on")


class OutcomePrices(BaseModel):
    """One outcome of a line, at every book that offers it, the best price first."""

    outcome: str
    selection: str
    point: float | None
    fair_probability: Probability | None
    fair_price: float | None
    standard_error: float | None = Field(description="of the fair probability, between books and by age")
    prices: list[BookPrice]


class Line(BaseModel):
    """Outcomes that exhaust what can happen (but for a push): a market at one point."""

    market: str
    point: float | None = Field(description="the home side's handicap, or the total")
    books: int = Field(description="books in the consensus")
    outcomes: list[OutcomePrices]


class Event(BaseModel):
    """An event as the feed lists it."""

    event_id: int
    event: str
    home_team: str | None
    away_team: str | None
    commence_at: datetime


class EventOdds(Event):
    """One event with all its lines."""

    lines: list[Line]


class SportOdds(BaseModel):
    """All prices of a sport after its latest poll."""

    sport: str
    title: str
    feed: str | None
    poll_id: int | None = Field(description="null: not polled yet")
    observed_at: datetime | None = Field(description="when the feed was last looked at, by the feed's clock")
    stale_after_seconds: float
    events: list[EventOdds]


class MiddleLeg(Leg):
    """One bet of a middle."""

    point: float = Field(description="handicap or total as the book writes it")


class Middle(Event):
    """Two bets at different points that both win if the result falls between; profits are of a total stake of one."""

    market: str
    rules: Literal["same", "differ", "unknown"] = Field(
        description="whether the books settle alike, as far as their rules are known"
    )
    legs: list[MiddleLeg]
    expected_value: float
    guaranteed_return: float = Field(description="profit in the worst case, below 0: what the middle costs")
    best_return: float = Field(description="profit if both bets win")
    middle_probability: Probability = Field(description="that both win, or one does while the other pushes")
    break_even: Probability = Field(description="the probability of the middle at which it is worth nothing")


class Middles(BaseModel):
    """The middles of a sport at its latest poll, the highest expected value first."""

    sport: str
    feed: str | None
    observed_at: datetime | None
    count: int = Field(description="matching middles, before the limit")
    middles: list[Middle]


class HealthProblem(BaseModel):
    """Something that is wrong, what it means and what to do."""

    kind: str
    subject: str = Field(description="a sport, a service, a job; empty: the whole")
    severity: Literal["error", "warning", "note"] = Field(
        description="error: alerts are missing or wrong; warning: a part of them, or soon; note: no fault"
    )
    since: datetime | None
    detail: str
    meaning: str
    what_to_do: str


class Credits(BaseModel):
    """The credits of a metered feed, at the pace of the last day."""

    remaining: int | None = Field(description="null: the feed has not said")
    stated_at: datetime | None
    used_today: int = Field(description="since midnight, UTC")
    by_sport_today: dict[str, int] = Field(description="what they went to; `results`: asking for results")
    left_at_month_end: int | None = Field(description="at this pace; below 0: so many are missing")
    lasts_until: datetime | None = Field(description="when they run out before the month's end")
    month_ends: datetime


class Confirmation(BaseModel):
    """Until when a sport's open bets are known to hold."""

    age_s: float = Field(description="seconds since they were last found to hold: polled and scored")
    allowed_s: float = Field(description="when that is older, they may be gone")


class Health(BaseModel):
    """Whether the product works."""

    status: Literal["ok", "degraded", "down"] = Field(
        description="down (503): alerts are missing or wrong; degraded: a part of them, or soon"
    )
    headline: str = Field(description="the worst of it in a sentence")
    problems: list[HealthProblem] = Field(description="the worst first; notes are among them")
    version: str
    feed: str | None
    database: bool
    redis: bool
    scorer_lag_polls: int | None = Field(
        description="committed polls that the scorer has not finished (at most 100 each)"
    )
    scorer_failing: list[str] = Field(description="sports that cannot be scored at present: /api/status says why")
    last_poll_at: datetime | None = Field(description="wall clock")
    credits: Credits | None = Field(description="of a metered feed")
    confirmations: dict[str, Confirmation] | None = Field(
        description="by sport; none of a recording; null: the database does not answer, and what was known grows old"
    )
    stream_clients: int
    stream_read_s: float = Field(description="seconds since the live stream was last looked into; 2 at most, normally")
    stream_foreign_entries: int = Field(description="entries that were no alerts, passed over since the start")


class Readiness(BaseModel):
    """Whether this process can answer requests."""

    ready: bool
    reason: str = Field(description="why it cannot")
    status: Literal["ok", "degraded", "down"] | None = Field(
        description="of the product, as /healthz tells; null: not known within a second"
    )
    headline: str | None = Field(description="the worst of it in a sentence")
    problems: list[HealthProblem] = Field(description="the worst first, with what to do")


class Session(BaseModel):
    """A short-lived token for the board of a local demo."""

    token: str
    expires_in: int = Field(description="seconds")


class Problem(BaseModel):
    """Why a request was refused."""

    detail: str
    known: list[str] | None = None


class Latency(BaseModel):
    """From the payload's receipt to the alert's publication, milliseconds, of the last hour."""

    p50: float | None
    p95: float | None
    p99: float | None


class ScorerFailure(BaseModel):
    """A sport that is not scored at present, so has no new alerts; the others go on. Times are wall clock."""

    sport: str
    failures: int = Field(description="in a row")
    failing_since: datetime
    failed_at: datetime
    retry_at: datetime
    error: str


class Status(BaseModel):
    """Counts since this database began."""

    version: str
    feed: str | None
    local: bool = Field(description="a demo on this machine: the board gets its token by itself")
    payloads: int
    quotes_seen: int
    ticks: int
    withdrawals: int
    alerts_opened: int
    alerts_open: int
    last_observed_at: datetime | None = Field(description="the feed's clock")
    rejected: dict[str, int] = Field(description="quotes that could not be stored, by reason")
    suppressed: dict[str, int] = Field(description="candidates that became no alert, by reason")
    failing: list[ScorerFailure] = Field(description="sports that are not scored at present")
    contradicted_results: int = Field(description="events whose sources contradict each other: they settle nothing")
    latency_ms: Latency


class Sport(BaseModel):
    """A sport that has been looked at."""

    key: str
    title: str
    aliases: list[str]
