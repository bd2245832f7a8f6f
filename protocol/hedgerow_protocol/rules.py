"""Recurrence rules: the part of RFC 5545's RRULE that meetings need, in one canonical spelling.

Allowed: FREQ of DAILY, WEEKLY, MONTHLY or YEARLY; INTERVAL; COUNT or UNTIL (a date); BYMONTH; BYMONTHDAY; BYDAY with
ordinals; BYSETPOS; WKST. Parts stand in that order, lists are sorted, and defaults (INTERVAL=1, WKST=MO) are left
out, so that one rule has one text. Expanding a rule into dates needs a calendar and lives with the node.
"""

from dataclasses import dataclass
from datetime import date
from typing import NoReturn

from hedgerow_protocol import limits
from hedgerow_protocol.errors import Code, RemoteError

WEEKDAYS = ("SU", "MO", "TU", "WE", "TH", "FR", "SA")
"""RFC 5545 names; the index is our weekday number."""

FREQUENCIES = ("DAILY", "WEEKLY", "MONTHLY", "YEARLY")


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A recurrence rule's parts; ``byday`` holds (ordinal or 0, weekday with 0 = Sunday)."""

    freq: str
    interval: int = 1
    count: int | None = None
    until: str = ""
    """YYYY-MM-DD, the last possible date; empty without."""
    bymonth: tuple[int, ...] = ()
    bymonthday: tuple[int, ...] = ()
    byday: tuple[tuple[int, int], ...] = ()
    bysetpos: tuple[int, ...] = ()
    wkst: int = 1


def check(text: str) -> str:
    """Return the rule unchanged if it is canonical. Raises :class:`RemoteError`."""
    if text in _KNOWN_GOOD:
        return text
    if spell(parse(text)) != text:
        _bad("A recurrence rule is not in its canonical spelling.")
    return text


def parse(text: str) -> Rule:
    """Read a rule of the allowed part, in any order of its parts. Raises :class:`RemoteError`."""
    if len(text) > limits.RRULE_CHARACTERS_MAX:
        _bad("A recurrence rule is too long.")
    parts: dict[str, str] = {}
    for part in text.split(";"):
        name, equals, value = part.partition("=")
        if not equals or not value or name in parts or not text.isascii():
            _bad("A recurrence rule is NAME=VALUE parts joined by semicolons.")
        parts[name] = value
    freq = parts.pop("FREQ", "")
    if freq not in FREQUENCIES:
        _bad("A recurrence rule repeats daily, weekly, monthly or yearly.")
    if "COUNT" in parts and "UNTIL" in parts:
        _bad("A recurrence rule ends by a count or by a date, not by both.")
    count = parts.pop("COUNT", None)
    rule = Rule(
        freq=freq,
        interval=_whole(parts.pop("INTERVAL", "1"), 1, limits.RULE_INTERVAL_MAX),
        count=None if count is None else _whole(count, 1, limits.RULE_COUNT_MAX),
        until=_date(parts.pop("UNTIL", "")),
        bymonth=_numbers(parts.pop("BYMONTH", ""), 1, 12),
        bymonthday=_numbers(parts.pop("BYMONTHDAY", ""), -31, 31),
        byday=_days(parts.pop("BYDAY", ""), freq),
        bysetpos=_numbers(parts.pop("BYSETPOS", ""), -366, 366),
        wkst=_weekday(parts.pop("WKST", "MO")),
    )
    if parts:
        _bad(f"A recurrence rule with {next(iter(parts))[:20]} is not supported.")
    if rule.bysetpos and not (rule.byday or rule.bymonthday or rule.bymonth):
        _bad("BYSETPOS needs another BY part.")
    return rule


def spell(rule: Rule) -> str:
    """The canonical text of a rule."""
    parts = [f"FREQ={rule.freq}"]
    if rule.interval != 1:
        parts.append(f"INTERVAL={rule.interval}")
    if rule.count is not None:
        parts.append(f"COUNT={rule.count}")
    if rule.until:
        parts.append(f"UNTIL={rule.until.replace('-', '')}")
    for name, numbers in (("BYMONTH", rule.bymonth), ("BYMONTHDAY", rule.bymonthday)):
        if numbers:
            parts.append(f"{name}={','.join(map(str, sorted(set(numbers))))}")
    if rule.byday:
        days = (f"{ordinal or ''}{WEEKDAYS[day]}" for ordinal, day in sorted(set(rule.byday)))
        parts.append(f"BYDAY={','.join(days)}")
    if rule.bysetpos:
        parts.append(f"BYSETPOS={','.join(map(str, sorted(set(rule.bysetpos))))}")
    if rule.wkst != 1:
        parts.append(f"WKST={WEEKDAYS[rule.wkst]}")
    return ";".join(parts)


def _bad(reason: str) -> NoReturn:
    raise RemoteError(Code.BAD_FIELD, reason)


def _whole(text: str, low: int, high: int) -> int:
    digits = text.removeprefix("-").removeprefix("+")
    if not digits.isdecimal() or len(digits) > 6 or not low <= int(text) <= high:
        _bad(f"A number in a recurrence rule is not between {low} and {high}.")
    return int(text)


def _numbers(text: str, low: int, high: int) -> tuple[int, ...]:
    if not text:
        return ()
    numbers = tuple(_whole(part, low, high) for part in text.split(","))
    if 0 in numbers:
        _bad("A recurrence rule counts from 1 or from -1, not from 0.")
    return numbers


def _weekday(text: str) -> int:
    if text not in WEEKDAYS:
        _bad("A recurrence rule names a day that is not a weekday.")
    return WEEKDAYS.index(text)


def _days(text: str, freq: str) -> tuple[tuple[int, int], ...]:
    if not text:
        return ()
    days = []
    for part in text.split(","):
        ordinal = part[:-2]
        if ordinal and freq not in ("MONTHLY", "YEARLY"):
            _bad("Only a monthly or yearly rule counts weekdays.")
        bound = 5 if freq == "MONTHLY" else 53
        days.append((_whole(ordinal, -bound, bound) if ordinal else 0, _weekday(part[-2:])))
    return tuple(days)


def _date(text: str) -> str:
    if not text:
        return ""
    if len(text) != 8 or not text.isdecimal():
        _bad("UNTIL in a recurrence rule is a date, YYYYMMDD.")
    try:
        return date(int(text[:4]), int(text[4:6]), int(text[6:])).isoformat()
    except ValueError:
        _bad("UNTIL in a recurrence rule is not a real date.")


_KNOWN_GOOD = frozenset(
    spell(Rule(freq="MONTHLY", byday=((ordinal, day),))) for ordinal in (-1, 1, 2, 3, 4) for day in range(7)
)
