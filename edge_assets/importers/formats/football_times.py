"""When football-data.co.uk collected its prices, as far as it is documented.

"Betting odds for weekend games are collected Friday afternoons, and on Tuesday afternoons for midweek games"; closing
odds are "the last odds before the match starts" (https://www.football-data.co.uk/notes.txt). So, in UK time:

- pre-match prices of a match from Friday to Monday: that Friday 17:00; from Tuesday to Thursday: that Tuesday 17:00;
  at the latest one hour before the kick-off
- closing prices: a second before the kick-off
- an unstated kick-off (before 2019/20): 15:00 at weekends, 19:45 on other days
"""

from __future__ import annotations

import re
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple
from zoneinfo import ZoneInfo

from edge_assets.core.clock import to_micros
from edge_assets.importers.formats.timestamps import MAX_YEAR, MIN_YEAR
from ml.quotes import Micros

if TYPE_CHECKING:
    from collections.abc import Iterable

LONDON = ZoneInfo("Europe/London")
COLLECTION_TIME = time(17)
USUAL_KICK_OFF, WEEKEND_KICK_OFF = time(19, 45), time(15)
MONDAY, TUESDAY, FRIDAY, SATURDAY = 0, 1, 4, 5
MIN_COLLECTION_LEAD = timedelta(hours=1)
CLOSING_LEAD = timedelta(seconds=1)
DAY_PATTERN = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{2}|\d{4})", re.ASCII)
ISO_DAY_PATTERN = re.compile(r"(\d{4})-(\d{2})-(\d{2})", re.ASCII)
PADDED_DAY_PATTERN = re.compile(r"\d\d/\d\d/(\d{2}|\d{4})", re.ASCII)
CLOCK_PATTERN = re.compile(r"(\d{1,2})[:.](\d{2})(?::\d{2})?(?: ?([AP])\.?M\.?)?", re.ASCII | re.IGNORECASE)
NOON_HOUR = MONTHS_PER_YEAR = 12
TWO_DIGIT_YEAR_PIVOT = 69
"""Two-digit years from here on are in the last century, as in strptime; the files begin in 1993."""


class MatchTimes(NamedTuple):
    """Kick-off, and when the pre-match and the closing prices were seen."""

    start: Micros
    pre_match: Micros
    closing: Micros
    start_assumed: bool


@lru_cache(maxsize=65_536)
def parse_match_times(day: str, clock: str) -> MatchTimes:
    """The times of a match from its columns `Date` (`_parse_date`) and `Time` (`19:45`, `19:45:00`, `7:45 PM`, may be
    empty).

    Of an hour that occurs twice, when clocks go back, the first is taken, so that no in-play price counts as
    pre-match.

    Raises:
        ValueError: the text is not a date or not a time.
    """
    on = _parse_date(day)
    at = _parse_clock(clock) if clock else None
    usual = WEEKEND_KICK_OFF if on.weekday() >= SATURDAY else USUAL_KICK_OFF
    start = datetime.combine(on, at or usual, LONDON)
    seen = min(
        datetime.combine(_collection_day(on), COLLECTION_TIME, LONDON), _subtract_elapsed(start, MIN_COLLECTION_LEAD)
    )
    return MatchTimes(to_micros(start), to_micros(seen), to_micros(_subtract_elapsed(start, CLOSING_LEAD)), at is None)


@lru_cache(maxsize=65_536)
def normalize_day(day: str) -> str:
    """A day in the site's notation, which is part of a match's key."""
    return day if PADDED_DAY_PATTERN.fullmatch(day) else f"{_parse_date(day):%d/%m/%Y}"


def is_month_first(days: Iterable[str]) -> bool:
    """Whether dates are month first: some are valid only so, and none only day first."""
    pairs = [(int(found[1]), int(found[2])) for day in days if (found := DAY_PATTERN.fullmatch(day))]
    month_first, day_first = (
        any(of_month > MONTHS_PER_YEAR >= month for of_month, month in written)
        for written in ([(b, a) for a, b in pairs], pairs)
    )
    return month_first and not day_first


def _parse_date(day: str) -> date:
    """Parse a day-first date with a year of two or four digits, or an ISO date.

    strptime is ten times slower.
    """
    try:
        if found := DAY_PATTERN.fullmatch(day):
            of_month, month, year = map(int, found.groups())
            if len(found[3]) == len("99"):
                year += 2000 if year < TWO_DIGIT_YEAR_PIVOT else 1900
        elif found := ISO_DAY_PATTERN.fullmatch(day):
            year, month, of_month = map(int, found.groups())
        else:
            raise ValueError("expected a date like 31/12/2025")
        return _check_year(date(year, month, of_month))
    except ValueError as error:
        msg = f"{day!r} is not a date: {error}"
        raise ValueError(msg) from error


def _check_year(day: date) -> date:
    if not MIN_YEAR <= day.year <= MAX_YEAR:
        msg = f"the year is not between {MIN_YEAR} and {MAX_YEAR}"
        raise ValueError(msg)
    return day


def _parse_clock(clock: str) -> time:
    found = CLOCK_PATTERN.fullmatch(clock)
    if not found:
        msg = f"{clock!r} is not a time"
        raise ValueError(msg)
    hour, minute = int(found[1]), int(found[2])
    if found[3]:
        if not 1 <= hour <= NOON_HOUR:
            msg = f"{clock!r} is not a time"
            raise ValueError(msg)
        hour = hour % NOON_HOUR + NOON_HOUR * (found[3].upper() == "P")
    return time(hour, minute)


def _collection_day(on: date) -> date:
    weekday = on.weekday()
    if TUESDAY <= weekday < FRIDAY:
        return on - timedelta(days=weekday - TUESDAY)
    return on - timedelta(days=(weekday - FRIDAY) % 7)


def _subtract_elapsed(start: datetime, by: timedelta) -> datetime:
    """Subtract elapsed time: wall-clock differences are wrong when clocks change."""
    return (start.astimezone(ZoneInfo("UTC")) - by).astimezone(LONDON)
