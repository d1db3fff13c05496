"""What each kind of problem means and what helps: the one table that every surface quotes."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple

from edge_assets.store.health.problems import ProblemKind


class Severity(StrEnum):
    """How bad: `ERROR`: alerts are missing or wrong; `WARNING`: a part is, or soon will be; `NOTE`: worth knowing."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


class Remedy(NamedTuple):
    """What a problem means for the alerts, and what a person can do."""

    severity: Severity
    meaning: str
    action: str


REMEDIES = {
    ProblemKind.KEY_REFUSED: Remedy(
        Severity.ERROR,
        "the feed refuses the key: nothing new comes in",
        "check ODDS_API_KEY (.env or the environment), then `edge down` and `edge up`",
    ),
    ProblemKind.OUT_OF_CREDITS: Remedy(
        Severity.ERROR,
        "the feed's credits are used up: nothing new comes in until they are renewed",
        "wait for the 1st of the month or buy a larger plan; fewer sports, regions or markets cost less",
    ),
    ProblemKind.CREDITS_SHORT: Remedy(
        Severity.WARNING,
        "the credits that are known of allow far fewer polls than the sports want: alerts come late or not at all",
        "poll fewer sports, regions or markets, or buy a larger plan; if the feed does not say how many credits are "
        "left, check that no proxy removes its x-requests-remaining header",
    ),
    ProblemKind.FEED_UNREACHABLE: Remedy(
        Severity.ERROR,
        "the feed does not answer: prices grow old",
        "check the internet connection and the provider's status page; polling goes on by itself",
    ),
    ProblemKind.FEED_ANSWER_UNUSABLE: Remedy(
        Severity.WARNING,
        "the feed's answers cannot be used: the sport has no new prices",
        "it is asked again by itself, less and less often; if it lasts, tell the provider",
    ),
    ProblemKind.ANSWER_PARTS_REJECTED: Remedy(
        Severity.WARNING,
        "parts of the feed's last answer were left out; everything beside them is in use",
        "nothing, unless a book is missing: `edge status` counts the reasons",
    ),
    ProblemKind.POLL_NOT_STORED: Remedy(
        Severity.ERROR,
        "an answer of the feed could not be stored",
        "look into logs/code-ingest.log in EDGE_HOME; check that the disk has room",
    ),
    ProblemKind.POLL_OVERDUE: Remedy(
        Severity.ERROR,
        "the feed was not asked when it was due: open bets may be gone",
        "`edge doctor`; look at the runs in Dagster; `edge down` and `edge up` start everything anew",
    ),
    ProblemKind.RUN_FAILED: Remedy(
        Severity.WARNING,
        "the last run of this job failed",
        "open the run in Dagster, it says why; the next one is started by itself",
    ),
    ProblemKind.CLOCK_CHANGED: Remedy(
        Severity.WARNING,
        "the clock jumped, or a time is ahead of now: ages and latencies of that time are wrong",
        "set the clock by NTP; polling goes on by itself",
    ),
    ProblemKind.SCORER_BEHIND: Remedy(
        Severity.ERROR,
        "stored prices have not been scored yet: alerts are late",
        "wait if it catches up; otherwise look into logs/scorer.log in EDGE_HOME",
    ),
    ProblemKind.SCORING_FAILS: Remedy(
        Severity.WARNING,
        "scoring this sport fails: it has no new alerts, the others go on",
        "it is tried again by itself; if it lasts, report it with logs/scorer.log from EDGE_HOME",
    ),
    ProblemKind.ALERTS_NOT_PUBLISHED: Remedy(
        Severity.ERROR,
        "alerts are found and not announced",
        "check Redis; they are announced, marked late, when it is back",
    ),
    ProblemKind.SERVICE_DOWN: Remedy(
        Severity.ERROR,
        "a service does not stay up",
        "it is started again by itself; its log in EDGE_HOME/logs says why it ends",
    ),
    ProblemKind.SERVICE_HANGS: Remedy(
        Severity.ERROR,
        "a service runs and does nothing",
        "it is restarted within minutes; if that does not help, `edge down` and `edge up`",
    ),
    ProblemKind.DATABASE_UNREACHABLE: Remedy(
        Severity.ERROR,
        "the database does not answer: nothing is stored, scored or shown",
        "check that it runs and that the disk has room (logs/postgres.log in EDGE_HOME, or DATABASE_URL)",
    ),
    ProblemKind.REDIS_UNREACHABLE: Remedy(
        Severity.ERROR,
        "Redis does not answer: alerts are announced late",
        "check that it runs (logs/valkey.log in EDGE_HOME, or REDIS_URL)",
    ),
    ProblemKind.REDIS_REFUSES_WRITES: Remedy(
        Severity.ERROR,
        "Redis takes no writes: alerts are announced late",
        "give it more memory (maxmemory) or disk; it is tried again by itself",
    ),
    ProblemKind.DISK_LOW: Remedy(
        Severity.WARNING,
        "the disk is almost full; when it is, nothing can be stored",
        "make room, set KEEP_TICKS_DAYS and KEEP_PAYLOADS_DAYS, or move EDGE_HOME",
    ),
    ProblemKind.DISK_FULL: Remedy(
        Severity.ERROR,
        "the disk is full: answers that were paid for cannot be stored",
        "make room at once; what could not be stored is told when there is some",
    ),
    ProblemKind.MEMORY_LOW: Remedy(
        Severity.WARNING,
        "memory is short: the system may end services",
        "close other programs; `edge status` shows what each service takes",
    ),
    ProblemKind.WAREHOUSE_BLOCKED: Remedy(
        Severity.WARNING,
        "a finding of the quality gate keeps new data out of the warehouse; live alerts go on",
        "`edge quality show ID`, then `edge quality accept ID` or `edge quality exclude ID`",
    ),
    ProblemKind.RECORDING_ENDED: Remedy(
        Severity.NOTE,
        "the recording has been played to its end: nothing new will come",
        "`edge down`; `edge up --feed replay --replay PATH --fresh` plays another",
    ),
}
UNKNOWN_REMEDY = Remedy(Severity.WARNING, "something is wrong", "look into the logs in EDGE_HOME")


def find_remedy(kind: str) -> Remedy:
    """What is known of a kind; one that a newer version has reported is still told."""
    return REMEDIES.get(ProblemKind(kind), UNKNOWN_REMEDY) if kind in set(ProblemKind) else UNKNOWN_REMEDY
