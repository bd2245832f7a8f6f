"""Now and next: which meetings are on, which begin soon, and whose clock a page shows.

A meeting is on from its start until its end; one whose length is not said counts an hour. A meeting whose zone is not
known is taken to be in the zone of whoever asks, and is marked so.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta, tzinfo
from enum import StrEnum
from typing import TypeVar

from hedgerow_node.schedule.occurrences import (
    Occurrence,
    at_wall_clock,
    end_of,
    next_occurrence,
    occurrences,
    zone_of,
)
from hedgerow_protocol.content import Attendance, Meeting, Standing
from hedgerow_protocol.ports import Timestamp

ASSUMED_MINUTES = 60
"""Minutes. The length of a meeting that does not say it (the rule of Meeting Guide)."""

SOON_MINUTES = 60
"""Minutes. What begins within them is soon."""

_WEEK_AHEAD = timedelta(days=8)

_Thing = TypeVar("_Thing")


class Phase(StrEnum):
    """Where a meeting stands in relation to now."""

    NOW = "now"
    SOON = "soon"
    LATER = "later"
    NEVER = "never"


class Whose(StrEnum):
    """Whose clock a shown time follows."""

    PLACE = "place"
    VISITOR = "visitor"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Moment:
    """One meeting's present or next occurrence, always with aware times."""

    phase: Phase
    occurrence: Occurrence
    begins: Timestamp
    ends: Timestamp
    """An hour after the start where the length is not said."""
    assumed_zone: bool
    """The meeting's zone is not known; the asker's was taken."""


@dataclass(frozen=True, slots=True)
class ShownTime:
    """A time as a page shows it: the clock times and whose they are."""

    start: datetime
    end: datetime | None
    whose: Whose
    zone: str
    """The IANA name of the zone shown; empty when unknown."""
    place_start: datetime | None = None
    """The same moment by the place's clock, where the visitor's is shown and the two differ."""


def look(
    meeting: Meeting, now: Timestamp, *, zone: tzinfo = UTC, soon_minutes: int = SOON_MINUTES, far: bool = True
) -> Moment | None:
    """The occurrence that is on, else the next one; ``None`` when there is none or the meeting is not held now.

    ``zone`` is the asker's. ``far=False`` looks only eight days ahead: enough for "now" and "soon", and quick.
    """
    if meeting.standing is not Standing.ACTIVE or meeting.start is None:
        return None
    assumed = zone_of(meeting) is None
    moment = datetime.fromtimestamp(now, UTC if not assumed else zone)
    for each in occurrences(meeting, moment - _longest(meeting), moment + _WEEK_AHEAD):
        judged = _judge(each, now, zone, soon_minutes, assumed=assumed)
        if judged.ends > now:
            return judged
    found = next_occurrence(meeting, now, zone) if far else None
    return None if found is None else _judge(found, now, zone, soon_minutes, assumed=assumed)


def happening(meeting: Meeting, now: Timestamp, *, zone: tzinfo = UTC, soon_minutes: int = SOON_MINUTES) -> Phase:
    """Whether the meeting is on now, begins soon, later, or never again."""
    moment = look(meeting, now, zone=zone, soon_minutes=soon_minutes)
    return Phase.NEVER if moment is None else moment.phase


def now_and_next(
    meetings: Iterable[tuple[_Thing, Meeting]],
    now: Timestamp,
    *,
    zone: tzinfo = UTC,
    soon_minutes: int = SOON_MINUTES,
    within_minutes: int | None = None,
) -> list[tuple[_Thing, Moment]]:
    """Meetings that are on, the latest begun first (the easiest to join), then the others by when they begin.

    Each meeting comes with whatever the caller wants back beside it. ``within_minutes`` leaves out what begins later
    than that; those that are never held again are always left out.
    """
    far = within_minutes is None or within_minutes > _WEEK_AHEAD.total_seconds() / 60
    found: list[tuple[_Thing, Moment]] = []
    for thing, meeting in meetings:
        moment = look(meeting, now, zone=zone, soon_minutes=soon_minutes, far=far)
        if moment is not None and (within_minutes is None or moment.begins <= now + 60 * within_minutes):
            found.append((thing, moment))
    found.sort(key=lambda each: _order(each[1]))
    return found


def shown_time(
    occurrence: Occurrence, attendance: Attendance, *, place: tzinfo | None, visitor: tzinfo | None
) -> ShownTime:
    """Which clock to show: for joining from afar the visitor's, for coming to a place the place's own.

    ``place`` is the meeting's zone (``None``: unknown), ``visitor`` the visitor's (``None``: not said). A hybrid
    meeting is shown by the visitor's clock with the place's beside it, since both kinds of people read it.
    """
    if place is None:
        return ShownTime(occurrence.start, occurrence.end, Whose.UNKNOWN, "")
    if visitor is None or attendance not in (Attendance.ONLINE, Attendance.HYBRID):
        return ShownTime(occurrence.start, occurrence.end, Whose.PLACE, _name(place))
    start = occurrence.start.astimezone(visitor)
    end = None if occurrence.end is None else occurrence.end.astimezone(visitor)
    differs = start.replace(tzinfo=None) != occurrence.start.replace(tzinfo=None)
    return ShownTime(start, end, Whose.VISITOR, _name(visitor), occurrence.start if differs else None)


def minute_of_week(meeting: Meeting) -> int | None:
    """Minutes from Sunday 00:00 by the meeting's own clock (0 to 10,079); ``None`` unless it is weekly with a time."""
    if meeting.weekday is None or meeting.start is None:
        return None
    return meeting.weekday * 1440 + meeting.start


def _longest(meeting: Meeting) -> timedelta:
    minutes = [ASSUMED_MINUTES if meeting.duration_min is None else meeting.duration_min]
    minutes += [change.duration_min or 0 for change in meeting.changes]
    return timedelta(minutes=max(minutes) + 120)  # two hours more: whole days may be longer than 24 hours


def _judge(each: Occurrence, now: Timestamp, zone: tzinfo, soon_minutes: int, *, assumed: bool) -> Moment:
    if assumed:
        start = at_wall_clock(each.start.date(), each.start.hour * 60 + each.start.minute, zone)
        minutes = None if each.end is None else round((each.end - each.start).total_seconds() / 60)
        each = replace(each, start=start, end=None if minutes is None else end_of(start, minutes))
    begins = int(each.start.timestamp())
    ends = begins + 60 * ASSUMED_MINUTES if each.end is None else int(each.end.timestamp())
    return Moment(_phase(begins, now, soon_minutes), each, Timestamp(begins), Timestamp(ends), assumed)


def _phase(begins: int, now: int, soon_minutes: int) -> Phase:
    if begins <= now:
        return Phase.NOW
    return Phase.SOON if begins <= now + 60 * soon_minutes else Phase.LATER


def _order(moment: Moment) -> tuple[bool, int]:
    on = moment.phase is Phase.NOW
    return (not on, -moment.begins if on else moment.begins)


def _name(zone: tzinfo) -> str:
    return str(getattr(zone, "key", "") or "UTC")
