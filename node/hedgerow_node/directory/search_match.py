"""Whether a listing is an answer: the exact decision, on the facts that the index keeps.

All that is asked about a meeting must hold for one and the same meeting.
"""

import math
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any, Final

import msgpack

from hedgerow_node.directory.query import Query
from hedgerow_node.schedule.occurrences import at_wall_clock
from hedgerow_node.schedule.zones import find_zone
from hedgerow_node.store.rows import Candidate
from hedgerow_protocol.content import Attendance
from hedgerow_protocol.ports import Timestamp

EARTH_KM: Final = 6371.0088
"""Kilometres. Mean radius (IUGG)."""

_COMES_AS: Final = {
    Attendance.IN_PERSON: (int(Attendance.IN_PERSON), int(Attendance.HYBRID)),
    Attendance.ONLINE: (int(Attendance.ONLINE), int(Attendance.HYBRID)),
    Attendance.HYBRID: (int(Attendance.HYBRID),),
}


# A listing that names no meeting (a room one asks to join) is still found by its language or its access.
_NO_MEETING: Final = ((0, -1, "", 0, None, None, (), ()),)


def attendances_for(attendance: Attendance) -> tuple[int, ...]:
    """The kinds of meeting to which somebody can come in this way."""
    return _COMES_AS.get(attendance, (int(attendance),))


def distance_km(latitude: float, longitude: float, other_latitude: float, other_longitude: float) -> float:
    """Kilometres along the earth between two points in degrees (haversine)."""
    phi, other_phi = math.radians(latitude), math.radians(other_latitude)
    half_lat = math.sin((other_phi - phi) / 2)
    half_lon = math.sin(math.radians(other_longitude - longitude) / 2)
    chord = half_lat * half_lat + math.cos(phi) * math.cos(other_phi) * half_lon * half_lon
    return 2 * EARTH_KM * math.asin(math.sqrt(min(1.0, chord)))


class Matcher:
    """Decides for one search at one time; remembers the zones' offsets it has worked out."""

    def __init__(self, query: Query, terms: Sequence[str], now: Timestamp) -> None:
        self._query = query
        self._terms = terms
        self._now = now
        self._zone = find_zone(query.tz) if query.tz else None
        self._days = sum(1 << day for day in query.weekdays)
        self._attendances = () if query.attendance is None else attendances_for(query.attendance)
        self._timed = query.from_min is not None or query.until_min is not None
        self._when = bool(self._days) or self._timed
        self._moved: dict[tuple[int, int, str], tuple[int, int]] = {}
        self._narrowed = bool(query.experience or query.program or query.of_meetings)

    def matches(self, candidate: Candidate, *, check_words: bool = False) -> bool:
        """Whether this listing is an answer; distance is not looked at."""
        return self.places(candidate, check_words=check_words) is not None

    def places(self, candidate: Candidate, *, check_words: bool = False) -> list[tuple[int, int]] | None:
        """The points of the meetings that are answers, or ``None`` when the listing is none."""
        if candidate.contested and self._narrowed:
            return None  # only its name is shown, so only its name is searched
        if (check_words or candidate.contested) and not self._has_words(candidate):
            return None
        if not self._narrowed:
            return []
        general, meetings = msgpack.unpackb(candidate.facts, use_list=False)
        query = self._query
        if query.experience and query.experience not in general[0]:
            return None
        if query.program and query.program != general[1]:
            return None
        if not query.of_meetings:
            return []
        found = [meeting for meeting in meetings or _NO_MEETING if self._meeting_matches(general, meeting)]
        if not found:
            return None
        points: list[tuple[Any, Any]] = [(meeting[4], meeting[5]) for meeting in found]
        return [point for point in points if point[0] is not None]

    def _has_words(self, candidate: Candidate) -> bool:
        name, rest, _marks = candidate.words.split("|", 2)
        words = f" {name}" if candidate.contested else f" {name} {rest} "
        if any(f" {term} " not in words for term in self._terms[:-1]):
            return False
        return not self._terms or f" {self._terms[-1]}" in words

    def _meeting_matches(self, general: tuple[Any, ...], meeting: tuple[Any, ...]) -> bool:
        query = self._query
        if self._attendances and meeting[3] not in self._attendances:
            return False
        if any(tag not in general[2] and tag not in meeting[6] for tag in query.access):
            return False
        if query.language and not _speaks(query.language, (*general[3], *meeting[7])):
            return False
        return not self._when or self._held_when(meeting[0], meeting[1], meeting[2])

    def _held_when(self, days: int, start: int, tz: str) -> bool:
        if start < 0:
            return not self._timed and bool(days & self._days)
        for day in range(7):
            if days >> day & 1:
                shown_day, shown_start = self._shown(day, start, tz)
                if (not self._days or self._days >> shown_day & 1) and self._in_window(shown_start):
                    return True
        return False

    def _in_window(self, start: int) -> bool:
        low = 0 if self._query.from_min is None else self._query.from_min
        high = 1439 if self._query.until_min is None else self._query.until_min
        return low <= start <= high if low <= high else start >= low or start <= high

    def _shown(self, day: int, start: int, tz: str) -> tuple[int, int]:
        """Weekday and minute by the clock of the person who asks; unchanged where either zone is not known."""
        if self._zone is None or not tz or tz == self._query.tz:
            return day, start
        key = (day, start, tz)
        shown = self._moved.get(key)
        if shown is None:
            zone = find_zone(tz)
            shown = self._moved[key] = (day, start) if zone is None else self._move(day, start, zone, self._zone)
        return shown

    def _move(self, day: int, start: int, zone: tzinfo, asker: tzinfo) -> tuple[int, int]:
        # By the next time it is held, so that daylight saving counts as it will be then.
        today = datetime.fromtimestamp(self._now, UTC).astimezone(zone)
        date = today.date() + timedelta(days=(day - today.isoweekday()) % 7)
        if date == today.date() and start < today.hour * 60 + today.minute:
            date += timedelta(days=7)
        seen = at_wall_clock(date, start, zone).astimezone(asker)
        return seen.isoweekday() % 7, seen.hour * 60 + seen.minute


def _speaks(asked: str, spoken: Sequence[str]) -> bool:
    return any(language == asked or language.startswith(asked + "-") for language in spoken)
