"""`python -m edge_assets.defs.daemon`: Dagster's daemon. Before it starts it resets timestamps from the future;
when it ends it ends the listed runs (`edge_assets.defs.run_termination`).

Dagster stores when it last evaluated each sensor and schedule, and evaluates it again an interval later. After a clock
that was ahead has been set back, the next evaluation is as far off as the clock was, and a restart does not change
that: nothing would be polled until then.
"""

from __future__ import annotations

import logging
import os
from typing import TYPE_CHECKING, Any

from dagster import DagsterInstance

from edge_assets.core.clock import WallClock
from edge_assets.core.settings import HomeSettings
from edge_assets.defs.run_termination import end_listed_runs
from edge_assets.private_interfaces.dagster_core import run_daemon

if TYPE_CHECKING:
    from datetime import datetime

    from edge_assets.private_interfaces.dagster_core import InstigatorState

TIMESTAMP_SUFFIX = "_timestamp"
"""The suffix of timestamps in Dagster's state of a sensor or schedule."""

log = logging.getLogger(__name__)


def reset_future_times(instance: DagsterInstance, now: datetime) -> list[str]:
    """Reset timestamps ahead of `now` to `now`; returns the sensors and schedules that had any."""
    states = instance.all_instigator_state()
    return sorted(state.name for state in states if _reset_state(instance, state, now.timestamp()))


def _reset_state(instance: DagsterInstance, state: InstigatorState, now: float) -> bool:
    """Reset the timestamps of a sensor or schedule and of its ticks: a schedule continues after its newest tick."""
    data = state.instigator_data
    times = {name: at for name, at in data._asdict().items() if name.endswith(TIMESTAMP_SUFFIX)} if data else {}
    ahead = {name: now for name, at in times.items() if at and at > now}
    if data and ahead:
        fields: dict[str, Any] = {**ahead}
        instance.update_instigator_state(state.with_data(data._replace(**fields)))
    ticks = instance.get_ticks(state.instigator_origin_id, state.selector_id, after=now)
    for tick in ticks:
        instance.update_tick(tick.with_status(tick.status, timestamp=now))
    return bool(ahead or ticks)


def main() -> None:
    """Run the daemon, with the options of `dagster-daemon`."""
    with DagsterInstance.get() as instance:
        if reset := reset_future_times(instance, WallClock().now()):
            log.warning("the clock was set back; reset future timestamps of: %s", ", ".join(reset))
    try:
        run_daemon()
    finally:
        with DagsterInstance.get() as instance:
            has_ended_runs = end_listed_runs(HomeSettings().ending_runs_path, instance)
        if has_ended_runs:  # the stack is being stopped, and Dagster's threads take seconds to end
            os._exit(0)


if __name__ == "__main__":
    main()
