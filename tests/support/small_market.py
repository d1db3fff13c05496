"""A little market to play with: one sport's state as plain dictionaries, polled into `PollChanges`."""

from __future__ import annotations

from ml.quotes import MICROS_PER_SECOND, EventStarts, Market, MarketConfirmations, Outcome, PollChanges, QuoteBatch

SECOND = MICROS_PER_SECOND
NAN = float("nan")

Quote = tuple[int, int, Market, Outcome, float]


class TinyMarket:
    """Prices by (event, book, market, outcome, point); `poll` yields what changed since the last one."""

    def __init__(self) -> None:
        self.now = 1_000 * SECOND
        self.poll_id = 0
        self.prices: dict[Quote, float] = {}
        self.starts: dict[int, int] = {}
        self.frozen: dict[tuple[int, int, int], int] = {}
        self._sent: dict[Quote, float] = {}

    def offer(self, book: int, home: float, away: float, event: int = 1) -> None:
        """Let a book offer a two-way moneyline."""
        self.starts.setdefault(event, self.now + 3_600 * SECOND)
        for outcome, price in ((Outcome.HOME, home), (Outcome.AWAY, away)):
            self.prices[event, book, Market.H2H, outcome, NAN] = price

    def withdraw(self, book: int, event: int = 1) -> None:
        """Let a book take its prices down."""
        self.prices = {k: v for k, v in self.prices.items() if k[:2] != (event, book)}

    def freeze(self, book: int, event: int = 1) -> None:
        """Let a book stop confirming its prices."""
        self.frozen[event, book, Market.H2H] = self.now

    def poll(self, seconds: int = 20) -> PollChanges:
        """Let time pass and poll."""
        self.now += seconds * SECOND
        self.poll_id += 1
        changed = {k: v for k, v in self.prices.items() if self._sent.get(k) != v}
        changed |= {k: NAN for k in self._sent if k not in self.prices}
        self._sent = dict(self.prices)
        return PollChanges(
            self.poll_id, "test", self.now, self.now, "run",
            QuoteBatch.from_rows([(*k, v, self.now) for k, v in changed.items()]),
            self.times(),
            EventStarts.from_rows(self.starts.items()),
        )  # fmt: skip

    def times(self) -> MarketConfirmations:
        """When each market was last confirmed."""
        markets = {k[:3] for k in self.prices}
        return MarketConfirmations.from_rows([(*m, self.frozen.get(m, self.now)) for m in sorted(markets)])

    def quotes(self) -> QuoteBatch:
        """All that is on offer."""
        return QuoteBatch.from_rows([(*k, v, self.now) for k, v in self.prices.items()])


def fair_market(books: int = 5) -> TinyMarket:
    """Books that agree on evens, at 1.95."""
    market = TinyMarket()
    for book in range(1, books + 1):
        market.offer(book, 1.95, 1.95)
    return market
