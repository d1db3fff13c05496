"""What each kind of problem means and what to do about it: the one table that every surface quotes."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple

from edge_assets.store.health.problems import ProblemKind


class Severity(StrEnum):
    """`ERROR`: alerts are missing or wrong; `WARNING`: some are, or soon will be; `NOTE`: good to know."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


class Remedy(NamedTuple):
    """What a problem means for the alerts, and what a person can do about it."""

    severity: Severity
    meaning: str
    action: str


REMEDIES = {
    ProblemKind.KEY_REFUSED: Remedy(
        Severity.ERROR,
        "the feed refuses the key: no new prices",
        "check ODDS_API_KEY (.env or the environment), then `edge down` and `edge up`",
    ),
    ProblemKind.OUT_OF_CREDITS: Remedy(
        Severity.ERROR,
        "the feed's credits are used up: no new prices until they are renewed",
        "wait for the 1st of the month or buy a larger plan; fewer sports, regions or markets cost less",
    ),
    ProblemKind.CREDITS_SHORT: Remedy(
        Severity.WARNING,
        "the known credits allow far fewer polls than the sports need: alerts are late or missing",
        "poll fewer sports, regions or markets, or buy a larger plan; if the feed does not say how many credits are "
        "left, check that no proxy removes its x-requests-remaining header",
    ),
    ProblemKind.FEED_UNREACHABLE: Remedy(
        Severity.ERROR,
        "the feed does not answer: prices go stale",
        "check the internet connection and the provider's status page; polling resumes by itself",
    ),
    ProblemKind.FEED_ANSWER_UNUSABLE: Remedy(
        Severity.WARNING,
        "the feed's responses cannot be read: the sport has no new prices",
        "polling retries by itself, less and less often; if it persists, report it to the provider",
    ),
    ProblemKind.ANSWER_PARTS_REJECTED: Remedy(
        Severity.WARNING,
        "parts of the feed's last response were rejected; the rest is used",
        "nothing, unless a book is missing: `edge status` counts the reasons",
    ),
    ProblemKind.POLL_NOT_STORED: Remedy(
        Severity.ERROR,
        "a response of the feed could not be stored",
        "see logs/code-ingest.log in EDGE_HOME; check that the disk has room",
    ),
    ProblemKind.POLL_OVERDUE: Remedy(
        Severity.ERROR,
        "a poll is overdue: open alerts may be stale",
        "`edge doctor`; check the runs in Dagster; `edge down` and `edge up` restart everything",
    ),
    ProblemKind.RUN_FAILED: Remedy(
        Severity.WARNING,
        "the last run of this job failed",
        "open the run in Dagster for the reason; the next one starts by itself",
    ),
    ProblemKind.CLOCK_CHANGED: Remedy(
        Severity.WARNING,
        "the clock jumped, or a timestamp is in the future: ages and latencies from then are wrong",
        "synchronise the clock with NTP; polling continues by itself",
    ),
    ProblemKind.SCORER_BEHIND: Remedy(
        Severity.ERROR,
        "stored prices have not been scored yet: alerts are late",
        "wait if it catches up; otherwise see logs/scorer.log in EDGE_HOME",
    ),
    ProblemKind.SCORING_FAILS: Remedy(
        Severity.WARNING,
        "scoring this sport fails: it has no new alerts; other sports are not affected",
        "scoring retries by itself; if it persists, report it with logs/scorer.log from EDGE_HOME",
    ),
    ProblemKind.ALERTS_NOT_PUBLISHED: Remedy(
        Severity.ERROR,
        "alerts are raised but not published",
        "check Redis; when it is back they are published and marked late",
    ),
    ProblemKind.SERVICE_DOWN: Remedy(
        Severity.ERROR,
        "a service keeps stopping",
        "it restarts by itself; see its log in EDGE_HOME/logs for the reason",
    ),
    ProblemKind.SERVICE_HANGS: Remedy(
        Severity.ERROR,
        "a service is running but not responding",
        "it is restarted within minutes; if that does not help, `edge down` and `edge up`",
    ),
    ProblemKind.DATABASE_UNREACHABLE: Remedy(
        Severity.ERROR,
        "the database does not answer: nothing is stored, scored or shown",
        "check that it runs and that the disk has room (logs/postgres.log in EDGE_HOME, or DATABASE_URL)",
    ),
    ProblemKind.REDIS_UNREACHABLE: Remedy(
        Severity.ERROR,
        "Redis does not answer: alerts are published late",
        "check that it runs (logs/valkey.log in EDGE_HOME, or REDIS_URL)",
    ),
    ProblemKind.REDIS_REFUSES_WRITES: Remedy(
        Severity.ERROR,
        "Redis refuses writes: alerts are published late",
        "give it more memory (maxmemory) or disk; writing retries by itself",
    ),
    ProblemKind.DISK_LOW: Remedy(
        Severity.WARNING,
        "the disk is almost full; once it is full, nothing can be stored",
        "free some space, set KEEP_TICKS_DAYS and KEEP_PAYLOADS_DAYS, or move EDGE_HOME",
    ),
    ProblemKind.DISK_FULL: Remedy(
        Severity.ERROR,
        "the disk is full: paid responses cannot be stored",
        "free some space now; polls that were lost are reported once there is room",
    ),
    ProblemKind.MEMORY_LOW: Remedy(
        Severity.WARNING,
        "memory is low: the system may kill services",
        "close other programs; `edge status` shows what each service uses",
    ),
    ProblemKind.WAREHOUSE_BLOCKED: Remedy(
        Severity.WARNING,
        "a finding of the quality gate keeps new data out of the warehouse; live alerts continue",
        "`edge quality show ID`, then `edge quality accept ID` or `edge quality exclude ID`",
    ),
    ProblemKind.RECORDING_ENDED: Remedy(
        Severity.NOTE,
        "the recording has been played completely: no new prices will come",
        "`edge down`; `edge up --feed replay --replay PATH --fresh` plays another",
    ),
}
UNKNOWN_REMEDY = Remedy(Severity.WARNING, "something is wrong", "see the logs in EDGE_HOME")


def find_remedy(kind: str) -> Remedy:
    """The remedy of a kind; a generic one for a kind that only a newer version knows."""
    return REMEDIES.get(ProblemKind(kind), UNKNOWN_REMEDY) if kind in set(ProblemKind) else UNKNOWN_REMEDY
