"""When a meeting is held: its dates by the wall clock of its place, then moments in time.

A meeting at 19:00 is at 19:00 in winter and in summer. A local time that a clock change skips is moved forward by the
length of the gap; one that occurs twice means the first (RFC 5545, 3.3.5). Dates come first and zones last, so a
clock change never moves a date.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo

from hedgerow_node.schedule.rule_dates import last_date, rule_ordinals
from hedgerow_node.schedule.zones import find_zone
from hedgerow_protocol.content import Meeting, Standing
from hedgerow_protocol.ports import Timestamp
from hedgerow_protocol.rules import parse

OCCURRENCES_MAX = 4_000
"""Occurrences. One answer of :func:`occurrences`: ten years of days; whatever is asked, memory stays small."""

NEXT_DAYS_MAX = 3_000
"""Days. How far ahead :func:`next_occurrence` looks for a rule: a leap day can be eight years away."""

# Zones, and clocks of other programs, are well defined between these; nobody meets outside them.
_EARLIEST = date(1900, 1, 2).toordinal()
_LATEST = date(2399, 12, 30).toordinal()


@dataclass(frozen=True, slots=True)
class Occurrence:
    """One time a meeting is held. Aware times in the meeting's zone; naive ones when its zone is not known."""

    date: str
    """The date its rule gives it, YYYY-MM-DD; its name even when it was moved."""
    start: datetime
    end: datetime | None
    """``None`` when the meeting's length is not said."""
    changed: bool = False
    """It is held at another time than its rule says."""


def zone_of(meeting: Meeting) -> tzinfo | None:
    """The meeting's zone; ``None`` when it is not said or not known here."""
    return find_zone(meeting.tz) if meeting.tz else None


def at_wall_clock(day: date, minute: int, zone: tzinfo | None) -> datetime:
    """The moment at which the clocks of ``zone`` show ``minute`` of ``day``; naive without a zone.

    A time in the gap of a clock change moves forward by the gap; one that occurs twice is the first.
    """
    naive = datetime.combine(day, time(minute // 60, minute % 60))
    if zone is None:
        return naive
    # Through UTC and back: for a time in a gap, zoneinfo uses the offset before it, which is what RFC 5545 asks.
    try:
        return naive.replace(tzinfo=zone).astimezone(UTC).astimezone(zone)
    except OverflowError:
        return naive.replace(tzinfo=zone)  # in the year 1 or 9999, where UTC lies beyond what a date can say


def end_of(start: datetime, minutes: int) -> datetime:
    """When something ends that began at ``start``: whole days by the calendar, the rest by the clock (RFC 5545)."""
    days, rest = divmod(minutes, 1440)
    zone = start.tzinfo
    if zone is None:
        return start + timedelta(minutes=minutes)
    if days:
        start = at_wall_clock(start.date() + timedelta(days=days), start.hour * 60 + start.minute, zone)
    return (start.astimezone(UTC) + timedelta(minutes=rest)).astimezone(zone)


def occurrences(meeting: Meeting, start: datetime, end: datetime) -> list[Occurrence]:
    """The times the meeting begins from ``start`` up to, not including, ``end``; ascending, at most 4,000.

    ``start`` and ``end`` are both aware or both naive. Where the meeting's zone is known, naive bounds are its wall
    clock; where it is not, the wall clock of aware bounds is used. Empty for a meeting by appointment or without a
    time of day. Whether the meeting is paused or ended is the caller's to look at.
    """
    if meeting.start is None:
        return []
    zone = zone_of(meeting)
    local_low, local_high = _bound(start, zone), _bound(end, zone)
    low, high = _instant(local_low), _instant(local_high)
    found: list[Occurrence] = []
    # A gap or a shift of a zone's offset may carry a time over midnight, so look one day further on each side.
    for day in _dates(meeting, local_low.toordinal() - 1, local_high.toordinal() + 1):
        moment = at_wall_clock(day, meeting.start, zone)
        instant = _instant(moment)
        if instant >= high:
            break
        if instant >= low:
            found.append(_occurrence(day.isoformat(), moment, meeting.duration_min))
            if len(found) >= OCCURRENCES_MAX:
                break
    if meeting.changes:
        found += [each for each in _moved(meeting, zone) if low <= _instant(each.start) < high]
        found.sort(key=lambda each: (_instant(each.start), each.date))
    return found


def next_occurrence(meeting: Meeting, now: Timestamp, zone: tzinfo = UTC) -> Occurrence | None:
    """The first occurrence that begins at ``now`` or later; ``None`` when there is none, or it is not held now.

    ``zone`` is whose wall clock counts for a meeting whose own zone is not known.
    """
    if meeting.standing is not Standing.ACTIVE:
        return None
    moment = datetime.fromtimestamp(now, zone_of(meeting) or zone)
    if meeting.first and not meeting.rrule and meeting.weekday is None:
        found = occurrences(meeting, moment, datetime(2399, 12, 30, tzinfo=moment.tzinfo))
        return found[0] if found else None
    # Nearly every meeting is held within two weeks: try that before the far horizon.
    done = 0
    for days in (15, 400, NEXT_DAYS_MAX):
        found = occurrences(meeting, moment + timedelta(days=done), moment + timedelta(days=days))
        if found:
            return found[0]
        done = days
    return None


def occurs_on(meeting: Meeting, day: date) -> bool:
    """Whether the meeting's rule and its exceptions put an occurrence on this date (which may then be moved)."""
    low = high = day.toordinal()
    text = day.isoformat()
    if text in meeting.cancelled:
        return False
    return text in meeting.added or any(ordinal == low for ordinal in _ordinals(meeting, low, high))


def weekdays(meeting: Meeting) -> tuple[int, ...]:
    """The days of the week (0 = Sunday) it may fall on, ascending: for an index. Empty for one by appointment."""
    if meeting.weekday is not None:
        days = {meeting.weekday}
    elif not meeting.first:
        return ()
    elif not meeting.rrule:
        days = {_weekday(meeting.first)}
    else:
        rule = parse(meeting.rrule)
        days = {day for _, day in rule.byday}
        if not days:
            days = {_weekday(meeting.first)} if rule.freq == "WEEKLY" else set(range(7))
    days.update(map(_weekday, meeting.added))
    days.update(_weekday(change.to_date) for change in meeting.changes)
    return tuple(sorted(days))


def first_occurrence_date(meeting: Meeting, since: date) -> date | None:
    """The first date on or after ``since`` named by the meeting's shape alone, within some years; else ``None``."""
    low = since.toordinal()
    high = min(low + NEXT_DAYS_MAX, date.max.toordinal())
    return next((date.fromordinal(day) for day in _ordinals(meeting, low, high)), None)


def last_possible_date(meeting: Meeting) -> date | None:
    """The last date the meeting's shape can name; ``None`` when it goes on without end or has no dates."""
    ends = [date.fromisoformat(meeting.until)] if meeting.until else []
    if meeting.rrule:
        last = last_date(meeting.rrule, date.fromisoformat(meeting.first))
        ends += [] if last is None else [last]
    elif meeting.weekday is None and meeting.first:
        ends.append(date.fromisoformat(meeting.first))
    return min(ends, default=None)


def _weekday(text: str) -> int:
    return date.fromisoformat(text).toordinal() % 7


def _bound(moment: datetime, zone: tzinfo | None) -> datetime:
    if zone is None:
        return moment.replace(tzinfo=None)
    return moment.replace(tzinfo=zone) if moment.tzinfo is None else moment.astimezone(zone)


def _occurrence(name: str, moment: datetime, duration: int | None, *, changed: bool = False) -> Occurrence:
    return Occurrence(name, moment, None if duration is None else end_of(moment, duration), changed)


def _instant(moment: datetime) -> datetime:
    """Something to compare by: two times of one zone compare by their clocks, which is wrong in a repeated hour."""
    return moment if moment.tzinfo is None else moment.astimezone(UTC)


def _moved(meeting: Meeting, zone: tzinfo | None) -> Iterator[Occurrence]:
    for change in meeting.changes:
        to_date = date.fromisoformat(change.to_date)
        if change.date not in meeting.cancelled and _EARLIEST <= to_date.toordinal() <= _LATEST:
            duration = meeting.duration_min if change.duration_min is None else change.duration_min
            yield _occurrence(change.date, at_wall_clock(to_date, change.start, zone), duration, changed=True)


def _dates(meeting: Meeting, low: int, high: int) -> Iterator[date]:
    """Dates of rule and exceptions between two ordinals, both included, ascending; moved ones left out."""
    low, high = max(low, _EARLIEST), min(high, _LATEST)
    without = set(meeting.cancelled)
    without.update(change.date for change in meeting.changes)
    ordinals = _ordinals(meeting, low, high)
    if not meeting.added and not without:
        yield from map(date.fromordinal, ordinals)
        return
    added = (date.fromisoformat(text).toordinal() for text in meeting.added)
    extra = [ordinal for ordinal in added if low <= ordinal <= high]
    if extra:
        bounded = [ordinal for ordinal, _ in zip(ordinals, range(OCCURRENCES_MAX), strict=False)]
        ordinals = iter(sorted({*bounded, *extra}))
    for ordinal in ordinals:
        day = date.fromordinal(ordinal)
        if not without or day.isoformat() not in without:
            yield day


def _ordinals(meeting: Meeting, low: int, high: int) -> Iterator[int]:
    """Ordinals named by the meeting's shape alone."""
    if meeting.until:
        high = min(high, date.fromisoformat(meeting.until).toordinal())
    if meeting.rrule:
        yield from rule_ordinals(meeting.rrule, date.fromisoformat(meeting.first), low, high)
        return
    first = date.fromisoformat(meeting.first).toordinal() if meeting.first else 0
    if meeting.weekday is not None:
        low = max(low, first)
        yield from range(low + (meeting.weekday - low) % 7, high + 1, 7)
    elif low <= first <= high:
        yield first
