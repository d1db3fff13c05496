"""`python -m edge_assets.defs.daemon`: Dagster's daemon, which before it begins forgets that a clock was ever ahead,
and ends the runs that end with it (`edge_assets.defs.ending`).

Dagster keeps in its database when each sensor and schedule was last looked at, and looks again an interval after it.
After a clock that was ahead has been set back that is as far off as the clock was, and a restart alone changes
nothing: for an hour nothing would be polled.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from dagster import DagsterInstance

from edge_assets.core.clock import WallClock
from edge_assets.core.settings import HomeSettings
from edge_assets.defs.ending import end_listed_runs
from edge_assets.private_interfaces.dagster_core import run_daemon

if TYPE_CHECKING:
    from datetime import datetime

    from edge_assets.private_interfaces.dagster_core import InstigatorState

TIMESTAMP_SUFFIX = "_timestamp"
"""How the names of times end in what Dagster keeps of a sensor or a schedule."""

log = logging.getLogger(__name__)


def reset_future_times(instance: DagsterInstance, now: datetime) -> list[str]:
    """Bring to `now` what is dated ahead of it; returns the sensors and schedules of which something was."""
    states = instance.all_instigator_state()
    return sorted(state.name for state in states if _reset_state(instance, state, now.timestamp()))


def _reset_state(instance: DagsterInstance, state: InstigatorState, now: float) -> bool:
    """The times of a sensor or schedule, and of its ticks: a schedule goes on after the newest of them."""
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
            log.warning("the clock was set back; what was ahead of now is taken for past: %s", ", ".join(reset))
    try:
        run_daemon()
    finally:
        with DagsterInstance.get() as instance:
            end_listed_runs(HomeSettings().ending_runs_path, instance)


if __name__ == "__main__":
    main()
