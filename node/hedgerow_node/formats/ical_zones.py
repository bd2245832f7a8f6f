"""VTIMEZONE components made from the zone data: what the clocks of a zone do, from a date on and for good.

Where a zone's clock changes follow a yearly rule from some year on, that rule is written, so a weekly meeting is right
also in twenty years. Where they do not (Ramadan, single decisions), each change known for the next decades is listed.
"""

from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo

from hedgerow_node.formats.ical_text import local_value
from hedgerow_protocol.rules import WEEKDAYS

HORIZON_YEARS: Final = 40
"""Years. How far clock changes are looked at: a yearly rule must hold that long; others are listed that far."""

_STEP: Final = timedelta(days=6)  # shorter than any time a zone has kept an offset since 1970


@dataclass(frozen=True, slots=True)
class _Change:
    """One clock change, by the wall clock before it."""

    local: datetime
    before: timedelta
    after: timedelta
    name: str

    @property
    def kind(self) -> tuple[timedelta, timedelta, str]:
        return self.before, self.after, self.name


@lru_cache(maxsize=256)
def vtimezone(zone: ZoneInfo, since: int, this_year: int) -> tuple[str, ...]:
    """The content lines of a VTIMEZONE that holds from the beginning of the year ``since`` on."""
    until = max(since, this_year) + HORIZON_YEARS
    lines = ["BEGIN:VTIMEZONE", f"TZID:{zone.key}"]
    start = datetime(since, 1, 1)  # noqa: DTZ001 - a wall clock
    changes = _changes(zone, since, until)
    regular_from, rules = _yearly(changes, since, until)
    single = [change for change in changes if change.local.year < regular_from]
    offset = start.replace(tzinfo=zone).utcoffset() or timedelta()
    name = start.replace(tzinfo=zone).tzname() or zone.key
    # The state on the first day, written as a change of nothing: a reader needs one onset before every event.
    lines += _component(_Change(start, offset, offset, name), [])
    listed: dict[tuple[timedelta, timedelta, str], list[datetime]] = defaultdict(list)
    for change in single:
        listed[change.kind].append(change.local)
    for (before, after, name), moments in listed.items():
        further = [f"RDATE:{local_value(moment)}" for moment in moments[1:]]
        lines += _component(_Change(moments[0], before, after, name), further)
    for change, rule in rules:
        lines += _component(change, [f"RRULE:{rule}"])
    lines.append("END:VTIMEZONE")
    return tuple(lines)


def _component(change: _Change, further: list[str]) -> list[str]:
    kind = "DAYLIGHT" if change.after > change.before else "STANDARD"
    return [
        f"BEGIN:{kind}",
        f"DTSTART:{local_value(change.local)}",
        f"TZOFFSETFROM:{_offset(change.before)}",
        f"TZOFFSETTO:{_offset(change.after)}",
        f"TZNAME:{change.name}",
        *further,
        f"END:{kind}",
    ]


def _offset(offset: timedelta) -> str:
    seconds = round(offset.total_seconds())
    sign, seconds = ("-", -seconds) if seconds < 0 else ("+", seconds)
    hours, rest = divmod(seconds, 3600)
    minutes, rest = divmod(rest, 60)
    return f"{sign}{hours:02}{minutes:02}" + (f"{rest:02}" if rest else "")


def _changes(zone: ZoneInfo, first_year: int, last_year: int) -> list[_Change]:
    """Every change of offset in those years, both included, ascending."""
    found: list[_Change] = []
    moment, end = datetime(first_year, 1, 1, tzinfo=UTC) - _STEP, datetime(last_year + 1, 1, 2, tzinfo=UTC)
    before = _at(zone, moment)
    while moment < end:
        later = moment + _STEP
        after = _at(zone, later)
        if after != before:
            exact = _search(zone, moment, later, before)
            local = (exact + before).replace(tzinfo=None)
            if first_year <= local.year <= last_year:
                found.append(_Change(local, before, after, exact.astimezone(zone).tzname() or zone.key))
        moment, before = later, after
    return found


def _at(zone: ZoneInfo, moment: datetime) -> timedelta:
    return moment.astimezone(zone).utcoffset() or timedelta()


def _search(zone: ZoneInfo, low: datetime, high: datetime, before: timedelta) -> datetime:
    """The second from which another offset holds."""
    while high - low > timedelta(seconds=1):
        middle = low + timedelta(seconds=(high - low) // timedelta(seconds=2))
        low, high = (middle, high) if _at(zone, middle) == before else (low, middle)
    return high


def _yearly(changes: list[_Change], first_year: int, last_year: int) -> tuple[int, list[tuple[_Change, str]]]:
    """The first year from which the same rules hold every year, and those rules; the year after the last without."""
    by_year: dict[int, list[_Change]] = defaultdict(list)
    for change in changes:
        by_year[change.local.year].append(change)
    for year in range(first_year, last_year - 20):
        years = [by_year[each] for each in range(year, last_year + 1)]
        if not years[0]:
            if not any(years):
                return year, []
            continue
        rules = [_rule([each[index] for each in years if index < len(each)]) for index in range(len(years[0]))]
        if all(len(each) == len(rules) for each in years) and all(rules):
            return year, [(change, str(rule)) for change, rule in zip(years[0], rules, strict=True)]
    return last_year + 1, []


def _rule(changes: list[_Change]) -> str | None:
    """The yearly rule that names exactly these moments, one a year; ``None`` when there is none."""
    first = changes[0]
    days = [change.local.day for change in changes]
    same = {(change.kind, change.local.month, change.local.time(), change.local.weekday()) for change in changes}
    if len(same) != 1:
        return None
    prefix = f"FREQ=YEARLY;BYMONTH={first.local.month};"
    weekday = WEEKDAYS[(first.local.weekday() + 1) % 7]
    counted = {(day - 1) // 7 + 1 for day in days}
    if len(counted) == 1 and counted != {5}:
        return f"{prefix}BYDAY={counted.pop()}{weekday}"
    if all(_is_last(change.local) for change in changes):
        return f"{prefix}BYDAY=-1{weekday}"
    low, high = min(days), max(days)
    if high - low == 6:
        return f"{prefix}BYMONTHDAY={','.join(map(str, range(low, high + 1)))};BYDAY={weekday}"
    return None


def _is_last(moment: datetime) -> bool:
    return (moment.date() + timedelta(days=7)).month != moment.month


def first_year_needed(days: list[date]) -> int:
    """The year from which a VTIMEZONE must hold so that it covers these dates: the one before the earliest."""
    return max(1900, min(2300, min(days).year - 1))
