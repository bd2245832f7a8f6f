"""The times of one event, its rule and its exceptions, as a meeting."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date
from typing import Any

from hedgerow_node.formats.ical_event_in import rule_parts
from hedgerow_node.formats.ical_times import WallTime
from hedgerow_node.formats.report import Tally
from hedgerow_node.formats.rule_shape import ONCE, RuleShape, shape_of
from hedgerow_protocol import limits
from hedgerow_protocol.content import Attendance, Change, Meeting, Online, Place


class TimedEvent:
    """An event's start by the clock of its zone, and its length."""

    def __init__(self, start: WallTime, tz: str, minutes: int | None, tally: Tally) -> None:
        self._start = start
        self._tz = tz
        self._minutes = minutes
        self._tally = tally

    def meeting(
        self,
        slug: str,
        rules: list[Any],
        exdates: list[tuple[WallTime, int | None]],
        rdates: list[tuple[WallTime, int | None]],
        own_first: str,
    ) -> Meeting:
        """The meeting, times only. ``own_first`` is X-HEDGEROW-FIRST: a date, NONE, or empty."""
        shape = self._shape(rules)
        minute, minutes = self._start.minute, self._minutes
        if minute is None and (shape.rrule or rdates):
            self._tally.repair("whole_day")
            minute, minutes = 0, minutes or 1440
        further, moved = self._further(rdates, minute, minutes)
        repeats = bool(shape.rrule) or shape.weekday is not None
        first = self._start.day.isoformat()
        added = {*shape.added, *further}
        if own_first == "NONE" and shape.weekday is not None:
            first = ""
        elif _is_date(own_first):
            added |= set() if repeats else {first}
            first = own_first
        if not repeats:
            added.discard(first)
        meeting = Meeting(
            slug=slug,
            weekday=shape.weekday,
            rrule=shape.rrule,
            first=first,
            until=shape.until,
            start=minute,
            duration_min=minutes,
            tz=self._tz,
            cancelled=latest_dates([time.at(self._tz).day.isoformat() for time, _ in exdates], self._tally),
            added=latest_dates(added, self._tally),
        )
        return with_changes(meeting, moved, self._tally) if moved else meeting

    def _further(
        self, rdates: list[tuple[WallTime, int | None]], minute: int | None, minutes: int | None
    ) -> tuple[list[str], list[Change]]:
        """Further dates; those at another time or of another length are also changes."""
        days: list[str] = []
        moved: list[Change] = []
        for time, length in rdates:
            time = time.at(self._tz)
            day = time.day.isoformat()
            days.append(day)
            other_length = length if length is not None and 0 < length <= limits.DURATION_MINUTES_MAX else None
            if other_length == minutes:
                other_length = None
            start = minute if time.minute is None else time.minute
            if start is not None and (start != minute or other_length is not None):
                moved.append(Change(date=day, to_date=day, start=start, duration_min=other_length))
        return days, moved

    def _shape(self, rules: list[Any]) -> RuleShape:
        if not rules or not isinstance(rules[0], Mapping):
            return ONCE
        return shape_of(rule_parts(rules[0], self._tz, self._start), self._start.day, self._start.minute, self._tally)


def _is_date(text: str) -> bool:
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


def attendance_of(place: Place | None, online: Online | None) -> Attendance:
    """How people come together, as far as a place and a link tell it."""
    if place is not None:
        return Attendance.IN_PERSON if online is None else Attendance.HYBRID
    return Attendance.UNKNOWN if online is None else Attendance.ONLINE


def with_changes(meeting: Meeting, further: list[Change], tally: Tally) -> Meeting:
    """The meeting with further changed occurrences; where there are too many, the latest."""
    changes = {change.date: change for change in (*meeting.changes, *further)}
    ordered = [changes[day] for day in sorted(changes)]
    if len(ordered) > limits.CHANGES_MAX:
        tally.repair("dates_left_out", len(ordered) - limits.CHANGES_MAX)
    return replace(meeting, changes=tuple(ordered[-limits.CHANGES_MAX :]))


def latest_dates(days: Iterable[str], tally: Tally) -> tuple[str, ...]:
    """Dates sorted, each once; where there are too many, the latest."""
    unique = sorted(set(days))
    if len(unique) > limits.DATES_MAX:
        tally.repair("dates_left_out", len(unique) - limits.DATES_MAX)
    return tuple(unique[-limits.DATES_MAX :])
