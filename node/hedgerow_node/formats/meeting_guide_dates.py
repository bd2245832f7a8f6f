"""Dates, moments and days of the month as feeds write them."""

import re
from datetime import UTC, date, datetime, timedelta
from typing import Final

from hedgerow_node.formats.meeting_guide_when import DAY_SEPARATORS, day_name, read_time
from hedgerow_node.formats.report import Tally
from hedgerow_protocol import limits, rules

_ORDINALS: Final = {
    **dict.fromkeys(("first", "1st", "1"), 1),
    **dict.fromkeys(("second", "2nd", "2"), 2),
    **dict.fromkeys(("third", "3rd", "3"), 3),
    **dict.fromkeys(("fourth", "4th", "4"), 4),
    **dict.fromkeys(("fifth", "5th", "5"), 5),
    "last": -1,
}
_FILLERS: Final = frozenset(("", "of", "the", "each", "every", "month", "in", "a", "monthly"))
_EARLIEST: Final = date(2024, 1, 1)
"""From when on a rule of which no first date is said is counted: any date before today serves."""


def read_monthly(value: object) -> tuple[str, str] | None:
    """The rule and first date of "2nd Tuesday" or "first and third Monday of the month"; ``None`` for others."""
    if not isinstance(value, str):
        return None
    words = [word.strip("\"' .()").casefold() for word in DAY_SEPARATORS.split(value[:200])]
    said = [word for word in words if word not in _FILLERS]
    if len(said) < 2:
        return None
    day, ordinals = day_name(said[-1]), {_ORDINALS.get(word) for word in said[:-1]}
    if day is None or None in ordinals:
        return None
    counted = tuple(sorted((ordinal, day) for ordinal in ordinals if ordinal is not None))
    first = min(_nth_weekday(ordinal, day) for ordinal, day in counted)
    return rules.spell(rules.Rule(freq="MONTHLY", byday=counted)), first.isoformat()


def _nth_weekday(ordinal: int, day: int) -> date:
    """The first date from :data:`_EARLIEST` on that is the nth such weekday of its month; its month has 31 days."""
    days = [_EARLIEST + timedelta(days=offset) for offset in range(31)]
    matching = [each for each in days if each.isoweekday() % 7 == day]
    if ordinal == 5 and len(matching) < 5:
        return _nth_weekday_later(day)
    return matching[-1] if ordinal == -1 else matching[ordinal - 1]


def _nth_weekday_later(day: int) -> date:
    # A fifth Thursday, Friday … : the first one of the year.
    at = _EARLIEST
    while at.isoweekday() % 7 != day or at.day < 29:
        at += timedelta(days=1)
    return at


_DATE: Final = re.compile(r"^(\d{4})-(\d{1,2})-(\d{1,2})")
_SLASHES: Final = re.compile(r"^(\d{1,2})/(\d{1,2})/(\d{4})")


def read_date(value: object) -> str:
    """A date as YYYY-MM-DD; empty for none. Month before day where slashes are used, as the sheet template does."""
    if not isinstance(value, str):
        return ""
    text = value.strip()
    match = _DATE.match(text)
    parts = match.groups() if match else None
    if parts is None:
        match = _SLASHES.match(text)
        if match is None:
            return ""
        parts = (match[3], match[1], match[2])
        if int(match[1]) > 12:
            parts = (match[3], match[2], match[1])
    try:
        return date(int(parts[0]), int(parts[1]), int(parts[2])).isoformat()
    except ValueError:
        return ""


def read_stamp(value: object, tally: Tally) -> int:
    """A moment as Unix seconds; 0 for none. A time without a zone is UTC, as Meeting Guide says."""
    if isinstance(value, int) and not isinstance(value, bool):
        if value > 10**11:
            value //= 1000  # milliseconds
        return value if 0 < value < limits.TIMESTAMP_MAX else 0
    if not isinstance(value, str) or not value.strip():
        return 0
    text = value.strip()
    if len(text) == 19 and text[10] == " ":
        moment = _iso(text)
    else:
        day = read_date(text)
        rest = text.partition("T" if "T" in text else " ")[2].strip()
        moment = _iso(text) if _DATE.match(text) else None
        if moment is None and day:
            minutes = read_time(rest, Tally()) or 0
            moment = datetime.fromisoformat(day).replace(tzinfo=UTC) + timedelta(minutes=minutes)
        if moment is not None:
            tally.repair("updated_other_form")
    if moment is None:
        return 0
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    seconds = (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(seconds=1)
    return seconds if 0 < seconds < limits.TIMESTAMP_MAX else 0


def _iso(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None
