"""iCalendar in, leniently: each VEVENT becomes one meeting; events of one title become one listing.

Values are read by the ``icalendar`` library, one event at a time, so that a broken event costs only itself. Exceptions
of a series (RECURRENCE-ID) become changes and cancelled dates of their meeting. An event marked private is not taken:
somebody did not mean it for the public.
"""

import re
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from hashlib import blake2b
from typing import Any, Final

from hedgerow_node.formats.grouping import group_rows
from hedgerow_node.formats.ical_event_in import EventReader, Words, property_text
from hedgerow_node.formats.ical_lines import Calendars, read_calendars
from hedgerow_node.formats.ical_meeting import TimedEvent, attendance_of, latest_dates, with_changes
from hedgerow_node.formats.ical_times import WallTime, ZoneNames
from hedgerow_node.formats.report import Draft, Tally
from hedgerow_node.formats.row_reading import merged_extras
from hedgerow_node.formats.source_row import SourceRow
from hedgerow_node.formats.text_repair import line
from hedgerow_node.formats.time_zone import ZoneFinder
from hedgerow_protocol import limits
from hedgerow_protocol.content import Change, Meeting, Place, Standing

_FALLBACK_NAME: Final = "Meeting"

_VENDOR_ZONE: Final = re.compile(r";TZID=/+(?=[^:\"]*:)")

_TOKEN: Final = re.compile(r"[A-Za-z0-9_-]{1,100}")


def read_icalendar(data: bytes, *, tz: str, tally: Tally) -> list[Draft]:
    """Drafts of the listings a calendar holds, sorted by key.

    ``tz`` is the IANA zone of times that float; empty: the calendar's own, else the place's, else unknown. Any bytes
    give a list; raises :class:`FormatError` only for a file far larger than any calendar.
    """
    calendars = read_calendars(data, tally)
    reading = _Reading(calendars, tz, tally)
    for lines in calendars.events:
        number = tally.row()
        properties = _parsed(lines, tally)
        if properties is None:
            tally.drop(number, "The event cannot be read: its lines are broken.")
        else:
            reading.event(number, properties)
    return reading.drafts()


def _parsed(lines: list[str], tally: Tally) -> dict[str, Any] | None:
    """The properties of one event by upper-case name; broken ones are left out and counted."""
    from icalendar.cal import Event
    from icalendar.prop import vBroken

    repaired = []
    for each in lines:
        if ";;" in each.partition(":")[0] or ";:" in each:
            head, colon, value = each.partition(":")
            while ";;" in head:
                head = head.replace(";;", ";")
            each = head.rstrip(";") + colon + value
            tally.repair("line_broken")
        # The library guesses at vendors' zone names with a warning; without the slash it leaves them to us.
        repaired.append(_VENDOR_ZONE.sub(";TZID=", each.replace("\x00", ""), count=1))
    text = "\r\n".join(["BEGIN:VEVENT", *repaired, "END:VEVENT", ""])
    try:
        event = Event.from_ical(text.encode("utf-8", "replace"))
    except (ValueError, TypeError, KeyError, IndexError, AttributeError, AssertionError, ArithmeticError):
        return None
    if event.errors:
        tally.repair("property_broken", len(event.errors))
    properties: dict[str, Any] = {}
    for name, value in event.items():
        values = value if type(value) is list else [value]
        sound = [each for each in values if not isinstance(each, vBroken)]
        if sound:
            properties[str(name).upper()] = sound if type(value) is list else sound[0]
    return properties


@dataclass(frozen=True, slots=True)
class _Override:
    """A changed occurrence of a series, until its series is known."""

    row: int
    at: WallTime
    start: WallTime | None
    minutes: int | None
    cancelled: bool
    words: Words


@dataclass(slots=True)
class _Series:
    """A meeting and what is needed to add its changed occurrences."""

    row: SourceRow
    start: WallTime
    summary: str


class _Reading:
    def __init__(self, calendars: Calendars, tz: str, tally: Tally) -> None:
        self._tally = tally
        self._names = ZoneNames(calendars, tally)
        self._own_zone = tz or self._names.find(calendars.zone)
        self._zones = ZoneFinder(feed="" if tz else self._own_zone, argument=tz, tally=tally)
        self._name = line(calendars.name.replace("\\,", ",").replace("\\;", ";"), tally, limits.NAME_CHARACTERS_MAX)
        self._series: dict[str, _Series] = {}
        self._plain: list[SourceRow] = []
        self._overrides: dict[str, list[_Override]] = defaultdict(list)
        self._experiences: dict[str, tuple[str, ...]] = {}

    def event(self, number: int, properties: Mapping[str, Any]) -> None:
        """Take one event in."""
        reader = EventReader(properties, self._names, self._tally)
        if str(properties.get("CLASS", "PUBLIC")).upper() in ("PRIVATE", "CONFIDENTIAL"):
            self._tally.drop(number, "The event is marked private, so it is not published.")
            return
        uid = str(reader.one("UID") or "").strip()
        at, start = reader.time("RECURRENCE-ID"), reader.time("DTSTART")
        minutes = self._minutes(reader, start)
        if at is not None and uid:
            words = reader.words()
            cancelled = words.standing is not Standing.ACTIVE
            self._overrides[uid].append(_Override(number, at, start, minutes, cancelled, words))
            return
        if start is None and not reader.has("SUMMARY"):
            self._tally.drop(number, "The event has neither a name nor a time.")
            return
        self._meeting(uid, start, minutes, reader)
        self._tally.keep()

    def _minutes(self, reader: EventReader, start: WallTime | None) -> int | None:
        end, length = reader.time("DTEND"), getattr(reader.one("DURATION"), "dt", None)
        if start is None:
            return None
        minutes: int | None = None
        if end is not None:
            if end.zone and start.zone and end.zone != start.zone:
                end = end.at(start.zone)
            minutes = round((end.naive - start.naive).total_seconds() / 60)
        elif isinstance(length, timedelta):
            minutes = round(length.total_seconds() / 60)
        if minutes is None or minutes == 0 or (start.minute is None and minutes == 1440):
            return None
        if minutes < 0:
            self._tally.repair("end_before_start")
            return None
        if minutes > limits.DURATION_MINUTES_MAX:
            self._tally.repair("length_cut")
        return min(minutes, limits.DURATION_MINUTES_MAX)

    def _meeting(self, uid: str, start: WallTime | None, minutes: int | None, reader: EventReader) -> None:
        own_slug, own_first = reader.own("X-HEDGEROW-SLUG"), reader.own("X-HEDGEROW-FIRST")
        listing = reader.one("X-HEDGEROW-LISTING")
        rules, exdates, rdates = reader.every("RRULE"), reader.times("EXDATE"), reader.times("RDATE")
        if reader.every("EXRULE") or len(rules) > 1:
            self._tally.repair("rule_left_out")
        words = reader.words()
        name = words.summary or self._name or (words.place.formatted[:200] if words.place else "") or _FALLBACK_NAME
        if not words.summary:
            self._tally.repair("name_missing")
        slug = self._slug(own_slug, uid, name, start)
        meeting = Meeting(slug=slug)
        if start is None:
            self._tally.repair("start_missing")
        else:
            start, tz = self._zoned(start, words.place, repeats=bool(rules or rdates))
            meeting = TimedEvent(start, tz, minutes, self._tally).meeting(slug, rules, exdates, rdates, own_first)
        meeting = replace(
            meeting,
            attendance=attendance_of(words.place, words.online),
            standing=words.standing,
            place=words.place,
            online=words.online,
            notes=words.notes,
            facets=words.facets,
            updated=words.updated,
            url=words.url,
            extras=merged_extras(words.extras, self._tally),
        )
        row = SourceRow(
            name=name,
            listing_id=line(str(getattr(listing, "params", {}).get("X-ID", "")), self._tally)[:80],
            listing_name=line(property_text(listing), self._tally, limits.NAME_CHARACTERS_MAX) or name,
            meeting=meeting,
            contacts=words.contacts,
        )
        self._experiences[slug] = words.experiences
        if uid and start is not None:
            self._series[uid] = _Series(row, start, words.summary)
        else:
            self._plain.append(row)

    def _zoned(self, start: WallTime, place: Place | None, *, repeats: bool) -> tuple[WallTime, str]:
        """The start by the clock of the meeting's zone, and that zone's name."""
        if start.utc and self._own_zone and not repeats:
            # Programs write single events in UTC; the calendar says whose clock was meant.
            return start.at(self._own_zone), self._own_zone
        if start.zone:
            return start, start.zone
        return (start, "") if start.minute is None else (start, self._zones.find("", place))

    def _slug(self, own: str, uid: str, name: str, start: WallTime | None) -> str:
        """Our own slug, or one made from the UID: as it is where it is a plain token, else a hash of it, because many
        programs put somebody's address into it."""
        if own:
            slug = own
        elif uid:
            slug = uid if _TOKEN.fullmatch(uid) else f"uid-{blake2b(uid.encode(), digest_size=10).hexdigest()}"
        else:
            self._tally.repair("uid_missing")
            words = f"{name} {start.naive:%Y%m%dT%H%M}" if start is not None else name
            slug = "-".join("".join(c if c.isalnum() else " " for c in words.lower()).split())
        slug = slug[: limits.SLUG_CHARACTERS_MAX - 8] if len(slug) > limits.SLUG_CHARACTERS_MAX else slug or "meeting"
        if slug in self._experiences:
            self._tally.repair("slug_repeated")
            stem, number = slug[: limits.SLUG_CHARACTERS_MAX - 8], 2
            while f"{stem}-{number}" in self._experiences:
                number += 1
            slug = f"{stem}-{number}"
        return slug

    def drafts(self) -> list[Draft]:
        """All drafts, with changed occurrences put into their series."""
        for uid, overrides in self._overrides.items():
            for override in overrides:
                self._override(uid, override)
        rows = [*self._plain, *(each.row for each in self._series.values())]
        drafts = []
        for draft in group_rows(rows, prefix="ics", program=None, tally=self._tally):
            slugs = (meeting.slug for meeting in draft.content.meetings)
            experiences = sorted({tag for slug in slugs for tag in self._experiences.get(slug, ())})
            drafts.append(Draft(draft.key, replace(draft.content, experiences=tuple(experiences)[: limits.TAGS_MAX])))
        return drafts

    def _override(self, uid: str, override: _Override) -> None:
        series = self._series.get(uid)
        if series is None:
            if override.start is None:
                self._tally.drop(override.row, "The event changes a series that is not in the file.")
            else:
                self._tally.repair("series_missing")
                self._alone(uid, override)
                self._tally.keep()
            return
        self._tally.keep()
        if override.words.summary and override.words.summary != series.summary:
            self._tally.repair("words_of_one_date_left_out")
        series.row = replace(series.row, meeting=self._changed(series, override))

    def _alone(self, uid: str, override: _Override) -> None:
        """A changed occurrence whose series is missing: one single meeting."""
        assert override.start is not None  # noqa: S101 - the caller has looked
        start, tz = self._zoned(override.start, override.words.place, repeats=False)
        name = override.words.summary or self._name or _FALLBACK_NAME
        slug = self._slug("", f"{uid}-{override.at.day.isoformat()}", name, start)
        meeting = TimedEvent(start, tz, override.minutes, self._tally).meeting(slug, [], [], [], "")
        self._experiences[slug] = override.words.experiences
        self._plain.append(SourceRow(name=name, listing_name=name, meeting=meeting))

    def _changed(self, series: _Series, override: _Override) -> Meeting:
        meeting = series.row.meeting
        day = override.at.at(meeting.tz).day.isoformat()
        # In a paused series every event is cancelled; that says nothing of one date.
        if override.cancelled and meeting.standing is Standing.ACTIVE:
            return replace(meeting, cancelled=latest_dates([*meeting.cancelled, day], self._tally))
        start = None if override.start is None else override.start.at(meeting.tz)
        if start is None or start.minute is None or meeting.start is None:
            return meeting
        minutes = None if override.minutes == meeting.duration_min else override.minutes
        change = Change(date=day, to_date=start.day.isoformat(), start=start.minute, duration_min=minutes)
        if (change.to_date, change.start, change.duration_min) == (day, meeting.start, None):
            return meeting
        return with_changes(meeting, [change], self._tally)
