"""Which dates a recurrence rule names: RFC 5545, 3.3.10, for the rules :mod:`hedgerow_protocol.rules` allows.

Everything is counted in days (``date.toordinal``); the time of day plays no part, so daylight saving cannot disturb
it. A signed record may hold any canonical rule, also one that never matches, so the work is bounded: a rule without
COUNT is looked at only inside the window asked for, and COUNT is first turned into a last date within a fixed budget.
Tested against python-dateutil, which has no such bounds and would search such a rule to the year 9999.
"""

from calendar import monthrange
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from functools import lru_cache

from hedgerow_protocol.rules import Rule, parse

_LAST_ORDINAL = date.max.toordinal()

_COST = {"DAILY": 1, "WEEKLY": 4, "MONTHLY": 12, "YEARLY": 150}
"""Roughly how much dearer one period of each frequency is than a day."""

_COUNT_BUDGET = 6_000
"""Day-steps spent on finding the end of a rule with COUNT, some milliseconds. Daily rules with conditions are followed
for 16 years, others for 28 or more; plain daily and weekly rules, of any count, need no search."""


def rule_ordinals(rule_text: str, first: date, low: int, high: int) -> Iterator[int]:
    """The proleptic ordinals from ``low`` to ``high``, both included, on which the rule falls, ascending.

    ``first`` is DTSTART's date: it sets the phase and the defaults, and is itself counted only where the rule names
    it. ``rule_text`` is a canonical rule.
    """
    rule, last = _bounded(rule_text, first)
    low = max(low, first.toordinal())
    high = min(high, last)
    if low <= high:
        for ordinal in _ordinals(rule, first, low, high):
            if ordinal > high:
                return
            if ordinal >= low:
                yield ordinal


def last_date(rule_text: str, first: date) -> date | None:
    """The last date a rule may name, when it ends by UNTIL or COUNT; ``None`` for a rule without an end."""
    last = _bounded(rule_text, first)[1]
    return None if last == _LAST_ORDINAL else date.fromordinal(max(last, 1))


@lru_cache(maxsize=4096)
def _bounded(rule_text: str, first: date) -> tuple[Rule, int]:
    """The rule with its defaults filled in and without an end, and the last ordinal it may name."""
    rule = _with_defaults(parse(rule_text), first)
    endless = replace(rule, until="", count=None)
    if rule.until:
        return endless, date.fromisoformat(rule.until).toordinal()
    if rule.count is not None:
        return endless, _end_of_count(endless, rule.count, first)
    return endless, _LAST_ORDINAL


def _with_defaults(rule: Rule, first: date) -> Rule:
    """What a rule leaves unsaid it takes from its first date."""
    if rule.byday or rule.bymonthday:
        return rule
    match rule.freq:
        case "WEEKLY":
            return replace(rule, byday=((0, first.toordinal() % 7),))
        case "MONTHLY":
            return replace(rule, bymonthday=(first.day,))
        case "YEARLY":
            return replace(rule, bymonth=rule.bymonth or (first.month,), bymonthday=(first.day,))
        case _:
            return rule


def _end_of_count(rule: Rule, count: int, first: date) -> int:
    """The ordinal of the ``count``-th occurrence, or of where the budget for finding it ends."""
    start = first.toordinal()
    conditions = rule.bymonth or rule.bymonthday or rule.bysetpos
    if rule.freq == "DAILY" and not conditions and not rule.byday:
        return min(start + (count - 1) * rule.interval, _LAST_ORDINAL)
    if rule.freq == "WEEKLY" and not conditions:
        return _end_of_weeks(rule, count, start)
    left = count
    ordinal = start
    for step in range(_COUNT_BUDGET // _COST[rule.freq]):
        candidates = _period(rule, first, step)
        if candidates is None:
            break
        for ordinal in candidates:
            if ordinal >= start:
                left -= 1
                if left == 0:
                    return ordinal
    return ordinal


def _end_of_weeks(rule: Rule, count: int, start: int) -> int:
    offsets = sorted({(day - rule.wkst) % 7 for _, day in rule.byday})
    week = start - (start - rule.wkst) % 7
    in_first = sum(week + offset >= start for offset in offsets)
    if count <= in_first:
        return week + offsets[len(offsets) - in_first + count - 1]
    weeks, index = divmod(count - in_first - 1, len(offsets))
    return min(week + (weeks + 1) * 7 * rule.interval + offsets[index], _LAST_ORDINAL)


def _ordinals(rule: Rule, first: date, low: int, high: int) -> Iterator[int]:
    """Candidates in ascending order from the period that holds ``low`` on; the caller cuts both ends."""
    step = _step_before(rule, first, low)
    while True:
        candidates = _period(rule, first, step)
        if candidates is None:
            return
        yield from candidates
        step += 1
        if _period_start(rule, first, step) > high:
            return


def _step_before(rule: Rule, first: date, low: int) -> int:
    """The last step whose period begins on or before ``low``."""
    moment = date.fromordinal(low)
    match rule.freq:
        case "DAILY":
            passed = low - first.toordinal()
        case "WEEKLY":
            passed = (low - _week_start(rule, first)) // 7
        case "MONTHLY":
            passed = (moment.year - first.year) * 12 + moment.month - first.month
        case _:
            passed = moment.year - first.year
    return passed // rule.interval


def _week_start(rule: Rule, first: date) -> int:
    # Day 1 of the calendar was a Monday, so an ordinal's remainder by 7 is our weekday number (0 = Sunday).
    start = first.toordinal()
    return start - (start - rule.wkst) % 7


def _period_start(rule: Rule, first: date, step: int) -> int:
    """The ordinal on which the period of that step begins; beyond the calendar, a number beyond it."""
    match rule.freq:
        case "DAILY":
            return first.toordinal() + step * rule.interval
        case "WEEKLY":
            return _week_start(rule, first) + 7 * step * rule.interval
        case "MONTHLY":
            years, month = divmod(first.month - 1 + step * rule.interval, 12)
            year = first.year + years
            return date(year, month + 1, 1).toordinal() if year <= date.max.year else _LAST_ORDINAL + 1
        case _:
            year = first.year + step * rule.interval
            return date(year, 1, 1).toordinal() if year <= date.max.year else _LAST_ORDINAL + 1


def _period(rule: Rule, first: date, step: int) -> list[int] | None:
    """All candidates in the period of that step, ascending, BYSETPOS applied; ``None`` beyond the calendar."""
    start = _period_start(rule, first, step)
    if start > _LAST_ORDINAL - 366:
        return None
    match rule.freq:
        case "DAILY":
            days = [start] if _allowed(rule, start) else []
        case "WEEKLY":
            days = [day for day in range(max(start, 1), start + 7) if _allowed(rule, day)]
        case "MONTHLY":
            moment = date.fromordinal(start)
            days = _in_month(rule, moment.year, moment.month)
        case _:
            days = _in_year(rule, date.fromordinal(start).year)
    if rule.bysetpos and days:
        size = len(days)
        places = {place - 1 if place > 0 else size + place for place in rule.bysetpos}
        days = [days[place] for place in sorted(places) if 0 <= place < size]
    return days


def _allowed(rule: Rule, ordinal: int) -> bool:
    """BYDAY, BYMONTH and BYMONTHDAY as conditions on one day (daily and weekly rules)."""
    if rule.byday and (0, ordinal % 7) not in rule.byday:
        return False
    if not (rule.bymonth or rule.bymonthday):
        return True
    day = date.fromordinal(ordinal)
    if rule.bymonth and day.month not in rule.bymonth:
        return False
    if not rule.bymonthday or day.day in rule.bymonthday:
        return True
    return day.day - monthrange(day.year, day.month)[1] - 1 in rule.bymonthday


def _in_month(rule: Rule, year: int, month: int) -> list[int]:
    if rule.bymonth and month not in rule.bymonth:
        return []
    start = date(year, month, 1).toordinal()
    length = monthrange(year, month)[1]
    days: set[int] | None = None
    if rule.bymonthday:
        numbers = {day if day > 0 else length + 1 + day for day in rule.bymonthday}
        days = {start + number - 1 for number in numbers if 1 <= number <= length}
    if rule.byday:
        named = _named_days(rule, start, length)
        days = named if days is None else days & named
    return sorted(days or ())


def _in_year(rule: Rule, year: int) -> list[int]:
    if rule.bymonth:
        return [day for month in sorted(rule.bymonth) for day in _in_month(rule, year, month)]
    start = date(year, 1, 1).toordinal()
    length = date(year, 12, 31).toordinal() - start + 1
    days = _named_days(rule, start, length) if rule.byday else None
    if rule.bymonthday:
        plain = replace(rule, byday=())
        numbered = {day for month in range(1, 13) for day in _in_month(plain, year, month)}
        days = numbered if days is None else days & numbered
    return sorted(days or ())


def _named_days(rule: Rule, start: int, length: int) -> set[int]:
    """The weekdays BYDAY names among ``length`` days from ``start``: all of them, or the nth from either end."""
    days: set[int] = set()
    end = start + length - 1
    for ordinal, weekday in rule.byday:
        first = start + (weekday - start) % 7
        last = end - (end - weekday) % 7
        if ordinal == 0:
            days.update(range(first, end + 1, 7))
        else:
            day = first + 7 * (ordinal - 1) if ordinal > 0 else last + 7 * (ordinal + 1)
            if start <= day <= end:
                days.add(day)
    return days
