"""One meeting as a VEVENT, with one further VEVENT for each changed occurrence."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Final
from urllib.parse import quote
from uuid import UUID, uuid5

from hedgerow_node.formats.ical_text import (
    date_value,
    duration_value,
    local_value,
    parameter_value,
    text_value,
    utc_value,
)
from hedgerow_node.schedule.occurrences import (
    at_wall_clock,
    first_occurrence_date,
    last_possible_date,
    occurs_on,
    zone_of,
)
from hedgerow_protocol.content import Attendance, Change, ListingContent, Meeting, Openness, Place, Standing
from hedgerow_protocol.ids import to_text
from hedgerow_protocol.rules import Rule, parse, spell
from hedgerow_protocol.state import ShownListing

UID_NAMESPACE: Final = UUID("c2b9a0de-6a1b-5d0e-9f5e-5d1f3a7c4e21")
"""Names our events: UUIDv5 over listing id and slug, so an event keeps its UID through every edit, on every node."""

_SEQUENCE_MAX: Final = 2**31 - 1


def event_uid(shown: ShownListing, slug: str) -> str:
    """The UID of a meeting's event."""
    return str(uuid5(UID_NAMESPACE, f"{to_text(shown.id)}/{slug}"))


class EventWriter:
    """Writes one meeting. ``dates`` are those its lines name; empty when it cannot stand in a calendar."""

    __slots__ = ("_content", "_discreet", "_meeting", "_shown", "dates", "first", "zone")

    def __init__(self, shown: ShownListing, content: ListingContent, meeting: Meeting, discreet: str) -> None:
        self._shown = shown
        self._content = content
        self._meeting = meeting
        self._discreet = discreet
        self.zone = zone_of(meeting)
        issued = datetime.fromtimestamp(shown.slot.issued, self.zone or UTC).date()
        # A weekly meeting of any season begins, in a calendar, in the week in which its record was signed.
        since = date.fromisoformat(meeting.first) if meeting.first else issued
        self.first = first_occurrence_date(meeting, since)
        self.dates = [date.fromisoformat(text) for text in self._added()]
        if self.first is not None:
            self.dates.append(self.first)
        repeats = meeting.weekday is not None or meeting.rrule
        if self.dates and not (repeats and self.first is not None):
            # Without a rule every date is as good as another: begin with the earliest.
            self.first = min(self.dates)

    def lines(self) -> list[str]:
        """The content lines, not yet folded."""
        lines = [*self._begin(), *self._dated("DTSTART", self._first), *self._length(self._meeting.duration_min)]
        lines += self._recurrence()
        lines += self._words()
        lines.append("END:VEVENT")
        for change in self._meeting.changes:
            if change.date not in self._meeting.cancelled and self._meeting.start is not None:
                lines += self._changed(change)
        return lines

    def all_dates(self) -> list[date]:
        """The dates of the lines and of changed occurrences: what the zone's description must reach back to."""
        return [*self.dates, *(date.fromisoformat(change.to_date) for change in self._meeting.changes)]

    @property
    def _first(self) -> date:
        assert self.first is not None  # noqa: S101 - the caller looks at dates first
        return self.first

    def _added(self) -> list[str]:
        """Added dates, and those of changes that the rule does not name: a change needs an occurrence to change."""
        meeting = self._meeting
        of_changes = [
            change.date
            for change in meeting.changes
            if change.date not in meeting.cancelled and not occurs_on(meeting, date.fromisoformat(change.date))
        ]
        return sorted({*meeting.added, *of_changes}) if meeting.start is not None or not of_changes else []

    def _begin(self) -> list[str]:
        slot = self._shown.slot
        return [
            "BEGIN:VEVENT",
            f"UID:{event_uid(self._shown, self._meeting.slug)}",
            f"DTSTAMP:{utc_value(datetime.fromtimestamp(slot.issued, UTC))}",
            f"SEQUENCE:{min(slot.seq, _SEQUENCE_MAX)}",
        ]

    def _moment(self, day: date, minute: int) -> str:
        """A time as it stands behind a property's name: with its zone, in UTC, or floating."""
        text = local_value(datetime.combine(day, datetime.min.time()) + timedelta(minutes=minute))
        key = getattr(self.zone, "key", "")
        if not key:
            return f":{text}"
        return f":{text}Z" if key == "UTC" else f";TZID={key}:{text}"

    def _dated(self, name: str, *days: date) -> list[str]:
        start = self._meeting.start
        if not days:
            return []
        if start is None:
            return [f"{name};VALUE=DATE:{','.join(map(date_value, days))}"]
        head = self._moment(days[0], start)
        return [f"{name}{head}" + "".join(f",{self._moment(day, start).rpartition(':')[2]}" for day in days[1:])]

    def _length(self, minutes: int | None) -> list[str]:
        if minutes is None or (self._meeting.start is None and minutes < 1440):
            return []
        if self._meeting.start is None:
            minutes -= minutes % 1440
        return [f"DURATION:{duration_value(minutes)}"]

    def _recurrence(self) -> list[str]:
        meeting = self._meeting
        lines: list[str] = []
        repeats = meeting.weekday is not None or meeting.rrule
        further = set(self.dates)
        if repeats and first_occurrence_date(meeting, self._first) == self._first:
            lines.append(f"RRULE:{self._rule()}")
            further.discard(self._first)
        elif len(further) == 1 and not meeting.changes:
            further.clear()
        # Where dates are all there is, DTSTART's stands among them too: ical.js looks nowhere else then.
        lines += self._dated("RDATE", *sorted(further))
        # Only dates that would be held: an EXDATE of no occurrence makes ical.js pass over the one that follows it.
        held = replace(meeting, cancelled=())
        cancelled = map(date.fromisoformat, meeting.cancelled)
        lines += self._dated("EXDATE", *(day for day in cancelled if occurs_on(held, day)))
        if not self._discreet and meeting.first != self._first.isoformat():
            lines.append(f"X-HEDGEROW-FIRST:{meeting.first or 'NONE'}")
        return lines

    def _rule(self) -> str:
        meeting = self._meeting
        weekly = Rule(freq="WEEKLY", byday=((0, meeting.weekday or 0),))
        rule = parse(meeting.rrule) if meeting.rrule else weekly
        if rule.count is not None and not meeting.until:
            return spell(rule)
        last = last_possible_date(meeting)
        text = spell(Rule(**{name: getattr(rule, name) for name in _KEPT_PARTS}))
        return text if last is None else f"{text};UNTIL={self._until(last)}"

    def _until(self, last: date) -> str:
        """The last possible start: in UTC where DTSTART has a zone, a date where it is one (RFC 5545, 3.3.10)."""
        if self._meeting.start is None:
            return date_value(last)
        moment = at_wall_clock(last, self._meeting.start, self.zone)
        return local_value(moment) if self.zone is None else utc_value(moment)

    def _changed(self, change: Change) -> list[str]:
        duration = self._meeting.duration_min if change.duration_min is None else change.duration_min
        return [
            *self._begin(),
            *self._dated("RECURRENCE-ID", date.fromisoformat(change.date)),
            f"DTSTART{self._moment(date.fromisoformat(change.to_date), change.start)}",
            *self._length(duration),
            *self._words(),
            "END:VEVENT",
        ]

    def _words(self) -> list[str]:
        if self._discreet:
            return [f"SUMMARY:{text_value(self._discreet)}", "STATUS:CONFIRMED", "CLASS:PRIVATE"]
        content, meeting = self._content, self._meeting
        paused = meeting.standing is Standing.PAUSED
        lines = [
            f"SUMMARY:{text_value(meeting.name or content.name)}",
            f"STATUS:{'CANCELLED' if paused else 'CONFIRMED'}",
            "CLASS:PUBLIC",
        ]
        if description := self._description():
            lines.append(f"DESCRIPTION:{text_value(description)}")
        lines += self._where()
        if address := meeting.url or content.url:
            lines.append(f"URL:{address}")
        if categories := self._categories():
            lines.append(f"CATEGORIES:{','.join(map(text_value, categories))}")
        if meeting.updated:
            lines.append(f"LAST-MODIFIED:{utc_value(datetime.fromtimestamp(min(meeting.updated, _LATEST), UTC))}")
        lines.append(f"X-HEDGEROW-LISTING;X-ID={to_text(self._shown.id)}:{text_value(content.name)}")
        lines.append(f"X-HEDGEROW-SLUG:{text_value(meeting.slug)}")
        return lines

    def _description(self) -> str:
        content, meeting = self._content, self._meeting
        online, place = meeting.online, meeting.place
        parts = [
            meeting.notes,
            content.summary,
            content.how_to_join,
            content.eligibility,
            content.group_notes,
            place.notes if place is not None else "",
            online.password_hint if online is not None else "",
        ]
        return "\n\n".join(dict.fromkeys(part for part in parts if part))

    def _where(self) -> list[str]:
        meeting = self._meeting
        place, online = meeting.place, meeting.online
        lines: list[str] = []
        if place is not None and meeting.attendance is not Attendance.ONLINE:
            if words := place_in_one_line(place):
                lines.append(f"LOCATION:{text_value(words)}")
            if place.latitude_e7 is not None and place.longitude_e7 is not None:
                lines.append(f"GEO:{_degrees(place.latitude_e7)};{_degrees(place.longitude_e7)}")
        if online is not None:
            if online.url:
                lines.append(_conference("VIDEO", online.url_notes, online.url))
            if online.phone:
                lines.append(_conference("PHONE", online.phone_notes, "tel:" + quote(online.phone, safe="+,*;=-.()")))
        return lines

    def _categories(self) -> list[str]:
        every = [self._content.facets, self._meeting.facets]
        tags = [*self._content.experiences]
        for facets in every:
            tags += [*facets.formats, *facets.features, *facets.communities]
        openness = self._meeting.facets.openness or self._content.facets.openness
        if openness is not Openness.UNKNOWN:
            tags.append(openness.name.lower())
        for key, value in (*self._content.extras, *self._meeting.extras):
            if key == "ics:CATEGORIES":  # those of another calendar that are no tags of ours
                tags += value.split(", ")
        return sorted(set(tags))


_KEPT_PARTS: Final = ("freq", "interval", "bymonth", "bymonthday", "byday", "bysetpos", "wkst")

_LATEST: Final = 253_402_300_799  # the last second of the year 9999


def place_in_one_line(place: Place) -> str:
    """A place's name and address as one line."""
    region = " ".join(part for part in (place.state, place.postal_code) if part)
    address = place.formatted or ", ".join(part for part in (place.street, place.city, region, place.country) if part)
    if place.name and address and not address.startswith(place.name):
        return f"{place.name}, {address}"
    return address or place.name or ", ".join(place.regions)


def _conference(feature: str, label: str, address: str) -> str:
    shown = f";LABEL={parameter_value(label)}" if label else ""
    return f"CONFERENCE;VALUE=URI;FEATURE={feature}{shown}:{address}"


def _degrees(e7: int) -> str:
    sign = "-" if e7 < 0 else ""
    return f"{sign}{abs(e7) // 10_000_000}.{abs(e7) % 10_000_000:07}"
