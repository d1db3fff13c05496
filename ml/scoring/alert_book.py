"""The open alerts and their life cycle: opened, updated when their metrics change, closed with a reason.

Prices and arbitrages share one life cycle. The book does not depend on the scorer; a ledger or a backtest can use it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

from ml.quotes import Micros
from ml.scoring.alerts import Alert, AlertKey, AlertMetrics, close_alert, open_alert, sort_key, update_alert


class Moment(NamedTuple):
    """The feed's time, and the newest poll at that time."""

    observed_at: Micros
    poll_id: int


class AlertBook:
    """Open alerts by key; at most one is open per key."""

    def __init__(self, open_alerts: Iterable[Alert] = ()) -> None:
        self.open_alerts: dict[AlertKey, Alert] = {alert.key: alert for alert in open_alerts}
        self._may_have_orphans = bool(self.open_alerts)

    def select_due(
        self, keys: Sequence[AlertKey], has_changed: Callable[[int, AlertMetrics], bool], *, max_opened: int
    ) -> tuple[list[int], list[int]]:
        """Positions of the `keys` whose alerts are due, and of those that wait because at most `max_opened` may open.

        `has_changed(i, metrics)`: whether the open alert of key i, last published with `metrics`, needs an update.
        Which keys wait depends on the keys alone, not on their order, which a restart may change.
        """
        due: list[int] = []
        new: list[int] = []
        for i, key in enumerate(keys):
            alert = self.open_alerts.get(key)
            if alert is None:
                new.append(i)
            elif has_changed(i, alert.metrics):
                due.append(i)
        if len(new) <= max_opened:
            return sorted([*due, *new]), []
        ranked = sorted(new, key=lambda i: sort_key(keys[i]))
        return sorted([*due, *ranked[:max_opened]]), sorted(ranked[max_opened:])

    def raise_alert(self, key: AlertKey, metrics: AlertMetrics, moment: Moment, tick_poll_id: int) -> Alert:
        """Open an alert, or update the open one; `tick_poll_id` is the poll that brought the price."""
        alert = self.open_alerts.get(key)
        if alert is None:
            step = open_alert(key, metrics, *moment, tick_poll_id)
        else:
            step = update_alert(alert, metrics, *moment, tick_poll_id)
        self.open_alerts[key] = step
        return step

    def close(self, key: AlertKey, reason_for: Callable[[Alert], str], moment: Moment) -> Alert | None:
        """Close the alert of `key`, if one is open, with the reason that `reason_for` returns."""
        alert = self.open_alerts.pop(key, None)
        return None if alert is None else close_alert(alert, reason_for(alert), *moment)

    def close_orphans(self, is_offered: Callable[[AlertKey], bool], moment: Moment) -> Iterator[Alert]:
        """Close alerts on lines that are no longer offered. Only a restart leaves any: later calls do nothing."""
        if not self._may_have_orphans:
            return
        for key in [key for key in self.open_alerts if not is_offered(key)]:
            yield close_alert(self.open_alerts.pop(key), "withdrawn", *moment)
        self._may_have_orphans = False
