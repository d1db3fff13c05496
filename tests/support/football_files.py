"""Hand-written files of football-data, and what is in a database."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from edge_assets.store.postgres.database import connect

if TYPE_CHECKING:
    from pathlib import Path

HEAD = "Div,Date,Time,HomeTeam,AwayTeam,FTHG,FTAG,FTR,B365H,B365D,B365A,PSCH,PSCD,PSCA,MaxH,AvgCH,AHh,PAHH,PAHA"
MATCHES = (
    "E0,10/08/2019,12:30,Man United,Nott'm Forest,2,1,H,1.5,4.25,7,1.52,4.3,7.1,1.55,1.5,-1.25,1.95,1.96",
    "E0,11/08/2019,16:30,Leeds,Wolves,0,0,D,2.5,3.1,3,2.4,3.2,3.1,2.6,2.5,0,1.9,2",
    "E0,14/08/2019,20:00,Wolves,Man United,,,,4.5,3.6,1.8,,,,4.6,,0.75,1.9,2",
)
SEEN = """
SELECT e.home_team, e.away_team, b.key, m.key, o.name, t.point, t.price, p.feed, p.time_assumed, t.observed_at
FROM odds_ticks AS t
JOIN events AS e ON t.event_id = e.id JOIN books AS b ON t.book_id = b.id JOIN markets AS m ON t.market_id = m.id
JOIN outcomes AS o ON t.outcome_id = o.id JOIN polls AS p ON t.poll_id = p.id AND t.observed_at = p.observed_at
ORDER BY t.observed_at, 1, 3, 4, 5, 6
"""


def season(path: Path, *matches: str, head: str = HEAD) -> Path:
    """A file of the matches."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join([head, *matches]) + "\n")
    return path


def rows(url: str, query: str) -> list[tuple[Any, ...]]:
    """What a query finds."""
    with connect(url, "test") as conn:
        return conn.execute(query).fetchall()


def content(url: str) -> list[list[tuple[Any, ...]]]:
    """Everything that an import writes, under names rather than ids."""
    return [
        rows(url, SEEN),
        rows(url, "SELECT e.key, a.kind, a.point, a.price, a.observed_at FROM aggregate_ticks AS a "
                  "JOIN events AS e ON a.event_id = e.id ORDER BY 1, 2, 3, 5"),
        rows(url, "SELECT e.key, r.source, r.period, r.status, r.home_score, r.away_score FROM results AS r "
                  "JOIN events AS e ON r.event_id = e.id ORDER BY 1, 3"),
        rows(url, "SELECT observed_at, ticks, withdrawals FROM polls ORDER BY 1, 2"),
        rows(url, "SELECT key, home_team, away_team, commence_at, original_commence_at, first_seen_at FROM events "
                  "ORDER BY 1"),
    ]  # fmt: skip
