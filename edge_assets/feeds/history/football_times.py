"""When football-data.co.uk saw its prices, as far as it says so.

"Betting odds for weekend games are collected Friday afternoons, and on Tuesday afternoons for midweek games"; closing
odds are "the last odds before the match starts" (https://www.football-data.co.uk/notes.txt). So, in UK time:

- pre-match prices of a match from Friday to Monday: that Friday 17:00; from Tuesday to Thursday: that Tuesday 17:00;
  but an hour before the kick-off at the latest
- closing prices: a second before the kick-off
- a kick-off that is not stated (before 2019/20): 15:00 at weekends, 19:45 on other days
"""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from functools import lru_cache
from typing import NamedTuple
from zoneinfo import ZoneInfo

from edge_assets.clock import micros
from ml.quotes import Micros

LONDON = ZoneInfo("Europe/London")
COLLECTED = time(17)
USUAL_KICK_OFF, WEEKEND_KICK_OFF = time(19, 45), time(15)
MONDAY, TUESDAY, FRIDAY, SATURDAY = 0, 1, 4, 5
LATEST_COLLECTION = timedelta(hours=1)
CLOSE_BEFORE = timedelta(seconds=1)
SHORT = len("31/12/99")
PIVOT = 69
"""Two digits from here on are of the last century, as in strptime; the files begin in 1993."""


class MatchTimes(NamedTuple):
    """Kick-off, and when the pre-match and the closing prices were seen."""

    start: Micros
    pre_match: Micros
    closing: Micros
    start_assumed: bool


@lru_cache(maxsize=65_536)
def match_times(day: str, clock: str) -> MatchTimes:
    """The times of a match by its columns `Date` (a year of two digits or of four) and `Time` (may be empty).

    Raises:
        ValueError: the text is no date, or no time.
    """
    on = _date(day)
    at = datetime.strptime(clock, "%H:%M").time() if clock else None
    usual = WEEKEND_KICK_OFF if on.weekday() >= SATURDAY else USUAL_KICK_OFF
    start = datetime.combine(on, at or usual, LONDON)
    seen = min(datetime.combine(_collection_day(on), COLLECTED, LONDON), _before(start, LATEST_COLLECTION))
    return MatchTimes(micros(start), micros(seen), micros(_before(start, CLOSE_BEFORE)), at is None)


def _date(day: str) -> date:
    """strptime takes ten times as long, a twelfth of a file's time."""
    try:
        of_month, month, year = map(int, day.split("/"))
        century = 0 if len(day) != SHORT else 2000 if year < PIVOT else 1900
        return date(century + year, month, of_month)
    except ValueError as error:
        msg = f"{day!r} is no date: {error}"
        raise ValueError(msg) from error


def _collection_day(on: date) -> date:
    weekday = on.weekday()
    if TUESDAY <= weekday < FRIDAY:
        return on - timedelta(days=weekday - TUESDAY)
    return on - timedelta(days=(weekday - FRIDAY) % 7)


def _before(start: datetime, by: timedelta) -> datetime:
    """Elapsed time: wall times differ from it when clocks change."""
    return (start.astimezone(ZoneInfo("UTC")) - by).astimezone(LONDON)
