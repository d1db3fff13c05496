"""`edge unreadable`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from edge_assets.store.polls.dimensions import IdRegistry
from edge_assets.store.polls.unreadable_responses import write_unreadable_response
from edge_assets.store.postgres.database import connect

if TYPE_CHECKING:
    from tests.support.edge_command import Edge

BODY = '{"message": "Ünder maintenance"}'


def test_a_response_is_listed_and_shown_as_received(edge: Edge, database_url: str) -> None:
    with connect(database_url, "test") as conn:
        sport = IdRegistry(conn).sport("icehockey_nhl")
        write_unreadable_response(conn, sport, "odds-api", "run-1", BODY.encode(), 0, "no list of events")

    [row] = json.loads(edge("unreadable", "list", "--sport", "nhl", "--json", DATABASE_URL=database_url).stdout)
    assert (row["reason"], row["times"], row["body_bytes"]) == (
        "no list of events",
        1,
        len(BODY.encode()),
    )
    assert edge("unreadable", "show", str(row["id"]), DATABASE_URL=database_url).stdout == BODY
    missing = edge("unreadable", "show", "999", DATABASE_URL=database_url)
    assert (missing.returncode, "there is no unreadable response 999" in missing.stderr) == (1, True)
