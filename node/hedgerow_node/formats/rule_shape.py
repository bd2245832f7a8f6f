"""From another format's recurrence rule to one of our shapes: weekly, by rule, or single dates.

What stands outside the rules a record may hold (weeks of the year, days of the year) is spelled out as dates, as many
as a meeting can have, and counted.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from itertools import islice
from typing import Final

from hedgerow_node.formats.report import Tally
from hedgerow_node.schedule.rule_dates import rule_ordinals
from hedgerow_protocol import limits
from hedgerow_protocol.errors import RemoteError
from hedgerow_protocol.rules import FREQUENCIES, Rule, parse, spell

_SPELLED_OUT_YEARS: Final = 60
"""Years. How far a rule outside our part is followed; a yearly one then still gives dates for a lifetime."""

_TIME_PARTS: Final = ("BYHOUR", "BYMINUTE", "BYSECOND")


@dataclass(frozen=True, slots=True)
class RuleShape:
    """What a rule makes of a meeting."""

    weekday: int | None = None
    rrule: str = ""
    until: str = ""
    added: tuple[str, ...] = ()
    """Further dates beside the first; for a meeting with a rule, dates the rule does not name."""


ONCE: Final = RuleShape()


def shape_of(
    parts: Mapping[str, str], first: date, start: int | None, tally: Tally, *, first_is_one: bool = True
) -> RuleShape:
    """The shape of a rule given as NAME → VALUE (upper case) with its first date and minute of the day.

    UNTIL must already be a date, YYYYMMDD, by the meeting's own wall clock. ``first_is_one`` says whether the first
    date is an occurrence also where the rule does not name it, as in iCalendar.
    """
    cleaned = _cleaned(dict(parts), start, tally)
    if cleaned.get("FREQ", "") not in FREQUENCIES:
        tally.repair("rule_not_understood")
        return ONCE
    try:
        rule = parse(";".join(f"{name}={value}" for name, value in cleaned.items()))
    except RemoteError:
        return _spelled_out(cleaned, first, tally)
    return _shaped(_simpler(rule), first, tally, first_is_one=first_is_one)


def _cleaned(parts: dict[str, str], start: int | None, tally: Tally) -> dict[str, str]:
    for name in ("RSCALE", "SKIP"):
        parts.pop(name, None)
    if start is not None:
        own = {"BYHOUR": str(start // 60), "BYMINUTE": str(start % 60), "BYSECOND": "0"}
        for name in _TIME_PARTS:
            value = parts.pop(name, None)
            if value is not None and value.lstrip("0") != own[name].lstrip("0"):
                tally.repair("rule_times_left_out")
    if "UNTIL" in parts and "COUNT" in parts:
        tally.repair("rule_with_two_ends")
        del parts["COUNT"]
    if parts.get("FREQ") in ("DAILY", "WEEKLY") and any(c.isdigit() for c in parts.get("BYDAY", "")):
        tally.repair("rule_counts_days_of_a_week")
        parts["BYDAY"] = ",".join(day[-2:] for day in parts["BYDAY"].split(","))
    count = parts.get("COUNT", "")
    if count.isdecimal() and (len(count) > 6 or int(count) > limits.RULE_COUNT_MAX):
        tally.repair("rule_cut_short")
        parts["COUNT"] = str(limits.RULE_COUNT_MAX)
    return {name: value for name, value in parts.items() if value}


def _simpler(rule: Rule) -> Rule:
    """The same rule in the words people use: "second Thursday" instead of "of all Thursdays the second"."""
    one_day = len(rule.byday) == 1 and rule.byday[0][0] == 0
    one_place = len(rule.bysetpos) == 1 and abs(rule.bysetpos[0]) <= 5
    if rule.freq == "MONTHLY" and one_day and one_place and not rule.bymonthday:
        return replace(rule, byday=((rule.bysetpos[0], rule.byday[0][1]),), bysetpos=())
    return rule


def _shaped(rule: Rule, first: date, tally: Tally, *, first_is_one: bool) -> RuleShape:
    """The shape; a DTSTART that its rule does not name is a further date, and counts as one."""
    added: tuple[str, ...] = ()
    text = spell(rule)
    if first_is_one and not any(rule_ordinals(text, first, first.toordinal(), first.toordinal())):
        tally.repair("first_date_outside_rule")
        added = (first.isoformat(),)
        if rule.count is not None:
            if rule.count == 1:
                return ONCE
            text = spell(replace(rule, count=rule.count - 1))
            rule = parse(text)
    plain = replace(rule, freq="DAILY", until="", byday=(), wkst=1) == Rule(freq="DAILY")
    if rule.freq == "WEEKLY" and plain and len(rule.byday) < 2:
        weekday = rule.byday[0][1] if rule.byday else first.toordinal() % 7
        return RuleShape(weekday=weekday, until=rule.until, added=added)
    return RuleShape(rrule=text, added=added)


def _spelled_out(parts: dict[str, str], first: date, tally: Tally) -> RuleShape:
    """Single dates of a rule that a record cannot hold."""
    from dateutil.rrule import rrulestr

    start = datetime.combine(first, time())
    end = datetime.combine(min(first, date(9900, 1, 1)) + timedelta(days=366 * _SPELLED_OUT_YEARS), time())
    until = parts.pop("UNTIL", "")
    count = int(parts.pop("COUNT")) if parts.get("COUNT", "").isdecimal() else limits.DATES_MAX + 1
    text = ";".join(f"{name}={value}" for name, value in parts.items())
    last = min(until or "99991231", f"{end:%Y%m%d}")
    try:
        rule = rrulestr(f"{text};UNTIL={last}", dtstart=start)
        dates = [moment.date() for moment in islice(rule, min(count, limits.DATES_MAX + 1))]
    except (ValueError, TypeError, KeyError, IndexError, OverflowError, AttributeError, ZeroDivisionError):
        tally.repair("rule_not_understood")
        return ONCE
    tally.repair("rule_spelled_out")
    further = sorted({day.isoformat() for day in dates if day != first})
    if len(further) > limits.DATES_MAX:
        tally.repair("rule_cut_short")
    return RuleShape(added=tuple(further[: limits.DATES_MAX]))
