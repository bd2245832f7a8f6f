"""Times of a calendar: from values with all kinds of zones to dates and minutes by one meeting's wall clock."""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

from hedgerow_node.formats.ical_lines import Calendars
from hedgerow_node.formats.report import Tally
from hedgerow_node.schedule.zones import find_zone

_INSIDE: Final = re.compile(r"[A-Z][A-Za-z]+(?:/[A-Za-z0-9_+-]+){1,2}$")


@dataclass(frozen=True, slots=True)
class WallTime:
    """A time by a wall clock."""

    day: date
    minute: int | None
    """Minutes after midnight; ``None`` for a whole day."""
    zone: str = ""
    """IANA name; empty when the time floats."""
    utc: bool = False
    """It was written in UTC."""

    @property
    def naive(self) -> datetime:
        """Day and time without a zone."""
        return datetime.combine(self.day, datetime.min.time()) + timedelta(minutes=self.minute or 0)

    def at(self, zone: str) -> "WallTime":
        """The same moment by another zone's clock; itself where either is not known, or for a whole day."""
        theirs, ours = find_zone(self.zone), find_zone(zone)
        if self.minute is None or theirs is None or ours is None or zone == self.zone:
            return self
        try:
            moment = self.naive.replace(tzinfo=theirs).astimezone(ours)
        except OverflowError:
            return self
        return WallTime(moment.date(), moment.hour * 60 + moment.minute, zone, self.utc)


class ZoneNames:
    """From the zone names that calendars use to IANA names, remembered for one file."""

    def __init__(self, calendars: Calendars, tally: Tally) -> None:
        self._places = calendars.zone_places
        self._tally = tally
        self._known: dict[str, str] = {}

    def find(self, tzid: str) -> str:
        """The IANA name a TZID stands for; empty when nobody can tell. Each repaired name is counted once a use."""
        tzid = tzid.strip().strip('"')
        if not tzid:
            return ""
        if tzid not in self._known:
            self._known[tzid] = self._search(tzid)
        name = self._known[tzid]
        if name != tzid:
            self._tally.repair("time_zone_respelled" if name else "time_zone_not_a_zone")
        return name

    def _search(self, tzid: str) -> str:
        from icalendar.timezone.windows_to_olson import WINDOWS_TO_OLSON

        inside = _INSIDE.search(tzid)
        ending = _INSIDE.search("/".join(tzid.split("/")[-2:]))
        candidates = [
            tzid,
            self._places.get(tzid, ""),
            WINDOWS_TO_OLSON.get(tzid, ""),
            inside.group() if inside else "",
            ending.group() if ending else "",
            tzid.replace(" ", "_"),
        ]
        return next((name for name in candidates if name and find_zone(name) is not None), "")


def wall_time(value: Any, zones: ZoneNames) -> WallTime | None:
    """A parsed property's value as a wall time; ``None`` for what is no date."""
    moment = getattr(value, "dt", value)
    if isinstance(moment, datetime):
        params = getattr(value, "params", {})
        tzid = str(params.get("TZID", ""))
        in_utc = moment.tzinfo is not None and (not tzid or tzid.upper() in ("UTC", "ETC/UTC", "GMT"))
        minute = moment.hour * 60 + moment.minute
        if in_utc:
            moment = moment.astimezone(UTC)
            return WallTime(moment.date(), moment.hour * 60 + moment.minute, "UTC", utc=True)
        return WallTime(moment.date(), minute, zones.find(tzid))
    if isinstance(moment, date):
        return WallTime(moment, None)
    return None


def wall_times(values: Any, zones: ZoneNames) -> list[tuple[WallTime, int | None]]:
    """The times of an EXDATE or RDATE property, which may stand several times; with the minutes of a PERIOD."""
    found: list[tuple[WallTime, int | None]] = []
    for each in values if isinstance(values, list) else [values]:
        params = getattr(each, "params", {})
        for item in getattr(each, "dts", [each]):
            moment = getattr(item, "dt", item)
            minutes: int | None = None
            if isinstance(moment, tuple) and len(moment) == 2:
                begin, end = moment
                length = end if isinstance(end, timedelta) else _difference(begin, end)
                minutes = round(length.total_seconds() / 60)
                moment = begin
            time = wall_time(_Dated(moment, params), zones)
            if time is not None:
                found.append((time, minutes))
    return found


@dataclass(frozen=True, slots=True)
class _Dated:
    dt: Any
    params: Any


def _difference(begin: Any, end: Any) -> timedelta:
    try:
        length: timedelta = end - begin
    except TypeError:
        return timedelta()
    return length
