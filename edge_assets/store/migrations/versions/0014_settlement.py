"""Decisions on results, what was known of them when and how it settles, and the rules of an arbitrage's books."""

from __future__ import annotations

from pathlib import Path

from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

AT_EVERY_MOMENT = {
    "moments": "result_moments",
    "of_results": "m.event_id = r.event_id AND",
    "of_decisions": "m.event_id = d.event_id AND",
}
"""At every moment at which something was stated or decided."""
AT_ONE_MOMENT = {"moments": "(SELECT at AS known_at)", "of_results": "", "of_decisions": ""}
"""At one moment, the function's argument, for any number of events: through the moments, conditions on events do not
reach the index, and to ask for a few took 0.2 s where 62,000 have results."""


def upgrade() -> None:
    """Apply."""
    here = Path(__file__)
    results_query = here.with_name("0014_event_results.sql").read_text(encoding="utf-8")
    script = here.with_suffix(".sql").read_text(encoding="utf-8")
    parts = {"{dated}": results_query.format(**AT_EVERY_MOMENT), "{at_once}": results_query.format(**AT_ONE_MOMENT)}
    for place, part in parts.items():
        script = script.replace(place, part)
    op.get_bind().exec_driver_sql(script)
