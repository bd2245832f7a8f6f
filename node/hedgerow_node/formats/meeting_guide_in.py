"""Rows of a Meeting Guide feed, from JSON or from a table, read leniently.

The rules are those of the programs that read such feeds (code4recovery's web page and WordPress plugin), so that a
feed means here what it means there. Source: code4recovery/spec.
"""

import re
from dataclasses import replace
from typing import Final
from unicodedata import normalize

from hedgerow_node.formats import vocabulary
from hedgerow_node.formats.meeting_guide_dates import read_date, read_monthly, read_stamp
from hedgerow_node.formats.meeting_guide_fields import named_fields
from hedgerow_node.formats.meeting_guide_online import derived_attendance
from hedgerow_node.formats.meeting_guide_place import read_online, read_place
from hedgerow_node.formats.meeting_guide_types import read_types
from hedgerow_node.formats.meeting_guide_when import read_days, read_time, read_times
from hedgerow_node.formats.report import Tally
from hedgerow_node.formats.row_reading import RowReader, as_text, merged_extras
from hedgerow_node.formats.source_row import SourceRow
from hedgerow_node.formats.text_repair import folded, line
from hedgerow_node.formats.time_zone import ZoneFinder
from hedgerow_protocol import limits
from hedgerow_protocol.content import Attendance, Contact, Meeting, Online, Place, Standing

LISTING_EXTRAS: Final = [
    "venmo",
    "square",
    "paypal",
    "homegroup_online",
    "district_id",
    "sub_district",
    "feedback_emails",
    "feedback_url",
    "mailing_address",
    "entity_email",
    "entity_location",
    "entity_logo",
    "entity_phone",
    "entity_url",
    "entity_website_url",
]
"""Fields without a place of their own that describe the group, not one of its meetings."""

_NAME_FALLBACKS: Final = (("name", ""), ("group", "name_from_group"), ("location", "name_from_location"))
_SLUG_FALLBACKS: Final = ("slug", "id", "name", "group", "location")
_SLUG_UNWANTED: Final = re.compile(r"[^\w.~@-]+")  # with "@", so that screening knows an e-mail address in it
_OWN_ID: Final = re.compile(r"[a-z2-7]{32}")


def read_meeting_guide_row(
    raw: object, *, number: int, program: str, zones: ZoneFinder, tally: Tally
) -> list[SourceRow]:
    """The meetings of one row: none (and the tally says why), one, or one for each of its days."""
    if not isinstance(raw, dict):
        tally.drop(number, "This row is not an object with fields.")
        return []
    fields, unknown = named_fields({str(key): value for key, value in raw.items()}, tally)
    reader = RowReader("tsml", {**unknown, **fields}, tally)
    name = _name(reader, tally)
    if not name:
        tally.drop(number, "This row has no name, and neither group nor location to name it by.")
        return []
    tally.keep()
    return _Row(reader, name, program, zones, tally).rows()


def _name(reader: RowReader, tally: Tally) -> str:
    for field, repair in _NAME_FALLBACKS:
        name = line(as_text(reader.raw(field)), tally, limits.NAME_CHARACTERS_MAX)
        if name:
            if repair:
                tally.repair(repair)
            return name
    return ""


class _Row:
    """One row on its way to meetings."""

    def __init__(self, reader: RowReader, name: str, program: str, zones: ZoneFinder, tally: Tally) -> None:
        self.reader = reader
        self.name = name
        self.program = program
        self.zones = zones
        self.tally = tally
        self.meeting_extras: list[tuple[str, str]] = []

    def rows(self) -> list[SourceRow]:
        """One :class:`SourceRow` for each day of this row."""
        group = self.reader.line("group", limits.NAME_CHARACTERS_MAX)
        district = self.reader.line("district")
        group_id = as_text(self.reader.raw("group_id"))
        if group and district and (folded(group) or group) == (folded(district) or district):
            # Some bodies file all meetings of a district under one "group" of its name: that is no group.
            self.tally.repair("group_is_district")
            self.meeting_extras += self.reader.further("group_id")
            group, group_id = "", ""
        if _OWN_ID.fullmatch(group_id):
            self.reader.raw("group_id")  # a listing's id in an export like ours: whoever imports it gives it a new one
        listing_extras = [pair for field in LISTING_EXTRAS for pair in self.reader.further(field)]
        if group_id and not _OWN_ID.fullmatch(group_id):
            listing_extras += self.reader.further("group_id")
        shared = {
            "name": self.name,
            "listing_id": line(group_id, Tally()),
            "listing_name": group,
            "district": district,
            "body": self.reader.line("entity"),
            "url": self.reader.web_address("website"),
            "links": tuple(filter(None, [self.reader.web_address("website_2")])),
            "group_notes": self.reader.text("group_notes"),
            "confirmed": self._confirmed(),
            "contacts": self._contacts(),
        }
        meetings = self._meetings()
        extras = merged_extras(listing_extras, self.tally)
        return [SourceRow(meeting=meeting, extras=extras, **shared) for meeting in meetings]  # type: ignore[arg-type]

    def _confirmed(self) -> str:
        confirmed = read_date(self.reader.raw("last_contact"))
        if not confirmed:
            self.reader.keep("last_contact")
        return confirmed

    def _contacts(self) -> tuple[Contact, ...]:
        own = Contact(phone=self.reader.line("phone"), email=self.reader.line("email"))
        named = [
            Contact(
                name=self.reader.line(f"contact_{number}_name"),
                phone=self.reader.line(f"contact_{number}_phone"),
                email=self.reader.line(f"contact_{number}_email"),
            )
            for number in (1, 2, 3)
        ]
        return tuple(contact for contact in (own, *named) if contact != Contact())

    def _meetings(self) -> list[Meeting]:
        types, unknown = read_types(self.reader.raw("types"), self.program, self.tally)
        if unknown:
            self.meeting_extras += [("tsml:types", line(", ".join(unknown), self.tally, limits.TEXT_CHARACTERS_MAX))]
        place, online = read_place(self.reader, self.tally), read_online(self.reader)
        closed = "in-person-closed" in types.features
        attendance, standing = self._attendance(place, online, closed)
        days, start, duration = self._when()
        rrule, first = self._monthly(start)
        tz = ""
        declared = line(as_text(self.reader.raw("timezone")), Tally())
        if start is not None or declared:
            tz = self.zones.find(declared, place)
            if declared and folded(declared) != folded(tz):
                self.reader.keep("timezone")
        slug = self._slug()
        meeting = Meeting(
            slug=slug,
            rrule=rrule,
            first=first,
            start=start,
            duration_min=duration,
            tz=tz,
            attendance=attendance,
            standing=standing,
            place=place,
            online=online,
            notes=self.reader.text("notes"),
            facets=types,
            updated=self._updated(),
            url=self.reader.web_address("url"),
        )
        self.reader.raw("time_formatted")  # the time once more, for people
        if slug == as_text(self.reader.peek("id")):
            self.reader.raw("id")
        return self._on_days(meeting, days)

    def _on_days(self, meeting: Meeting, days: tuple[int, ...]) -> list[Meeting]:
        extras = merged_extras([*self.meeting_extras, *self.reader.left_over()], self.tally)
        meeting = replace(meeting, extras=extras)
        if not days:
            return [meeting]
        if len(days) == 1:
            return [replace(meeting, weekday=days[0])]
        self.tally.repair("row_on_several_days")
        stem = meeting.slug[: limits.SLUG_CHARACTERS_MAX - 2]
        return [replace(meeting, weekday=day, slug=f"{stem}-{day}") for day in days]

    def _updated(self) -> int:
        updated = read_stamp(self.reader.raw("updated"), self.tally)
        if not updated:
            self.reader.keep("updated")
        return updated

    def _slug(self) -> str:
        for field in _SLUG_FALLBACKS:
            value = as_text(self.reader.raw(field) if field == "slug" else self.reader.peek(field))
            slug = _SLUG_UNWANTED.sub("-", line(value, Tally(), limits.TEXT_CHARACTERS_MAX)).strip("-")
            if slug:
                if field != "slug":
                    self.tally.repair("slug_made")
                    slug = normalize("NFC", slug.lower())
                elif slug != value:
                    self.tally.repair("slug_cleaned")
                return slug[: limits.SLUG_CHARACTERS_MAX]
        self.tally.repair("slug_made")
        return "meeting"

    def _when(self) -> tuple[tuple[int, ...], int | None, int | None]:
        """Days, start and duration; a meeting with a time but no day is by appointment."""
        monthly = read_monthly(self.reader.peek("day")) is not None
        days = () if monthly else read_days(self.reader.raw("day"), self.tally)
        if days is None:
            self.tally.repair("day_not_understood")
            self.reader.keep("day")
            days = ()
        time = self.reader.raw("time")
        start, end = read_times(time, self.tally)
        if start is None and as_text(time):
            self.tally.repair("time_not_understood")
            self.reader.keep("time")
        end_time = self.reader.raw("end_time")
        said_end = read_time(end_time, self.tally)
        end = end if said_end is None else said_end
        if said_end is None and as_text(end_time):
            self.tally.repair("time_not_understood")
            self.reader.keep("end_time")
        if monthly and start is not None:
            self.reader.raw("day")
            self.tally.repair("day_of_the_month")
            return (), start, self._duration(start, end)
        if not days:
            if start is not None:
                self.tally.repair("time_without_day")
                self.reader.keep("time")
                self.reader.keep("end_time")
            return (), None, None
        if start is None:
            self.tally.repair("day_without_time")
            self.reader.keep("end_time")
            return days, None, None
        return days, start, self._duration(start, end)

    def _monthly(self, start: int | None) -> tuple[str, str]:
        """The rule and first date of a meeting whose day is "2nd Tuesday"."""
        monthly = read_monthly(self.reader.peek("day")) if start is not None else None
        return monthly or ("", "")

    def _duration(self, start: int, end: int | None) -> int | None:
        if end is None:
            return None
        if end == start:
            self.tally.repair("end_equals_start")
            return None
        if end < start:
            self.tally.repair("end_before_start")
        return (end - start) % 1440

    def _attendance(self, place: Place | None, online: Online | None, closed: bool) -> tuple[Attendance, Standing]:
        derived = derived_attendance(place, online, place_closed=closed)
        standing = Standing.PAUSED if closed and derived is Attendance.UNKNOWN else Standing.ACTIVE
        for field in ("attendance_option", "venue_type"):
            said = folded(as_text(self.reader.raw(field)))
            if said == "inactive":
                return derived, Standing.PAUSED
            if said in _ATTENDANCE:
                return _ATTENDANCE[said], Standing.ACTIVE
            if said:
                self.tally.repair("attendance_not_understood")
                self.reader.keep(field)
        self.tally.repair("attendance_derived")
        return derived, standing


_ATTENDANCE: Final = {
    "inperson": Attendance.IN_PERSON,
    "online": Attendance.ONLINE,
    "virtual": Attendance.ONLINE,
    "hybrid": Attendance.HYBRID,
}

assert vocabulary.facet_of("in-person-closed") == "features"  # noqa: S101 - the tag that TC means
