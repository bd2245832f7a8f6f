"""Meetings of a BMLT server (GetSearchResults), with its formats and service bodies where they were given.

Every value is text; weekdays count from 1 = Sunday; a duration of nothing means the server's usual one. A row that the
server has not published is kept as a paused meeting. Source: bmlt-enabled/bmlt-server.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from hedgerow_node.formats import vocabulary
from hedgerow_node.formats.bmlt_formats import BmltFormatTable
from hedgerow_node.formats.meeting_guide_online import derived_attendance
from hedgerow_node.formats.meeting_guide_types import facets_of
from hedgerow_node.formats.meeting_guide_when import read_time
from hedgerow_node.formats.report import Tally
from hedgerow_node.formats.row_reading import RowReader, as_text, merged_extras, read_point
from hedgerow_node.formats.source_row import SourceRow
from hedgerow_node.formats.text_repair import line, shorten, web_address
from hedgerow_node.formats.time_zone import ZoneFinder
from hedgerow_protocol import limits
from hedgerow_protocol.content import Attendance, Contact, Facets, Meeting, Online, Place, Standing

_LABEL: Final = "#@-@#"
"""Stands between a field's label and its value in what older servers give out."""

_VENUES: Final = {"1": Attendance.IN_PERSON, "2": Attendance.ONLINE, "3": Attendance.HYBRID}
_VENUE_OF_FORMAT: Final = {"VM": Attendance.ONLINE, "HYBR": Attendance.HYBRID, "HYBRID": Attendance.HYBRID}
_DERIVED: Final = ("distance_in_km", "distance_in_miles")


@dataclass(slots=True)
class BmltSupport:
    """What the other files of the call say of formats and service bodies."""

    formats: BmltFormatTable = field(default_factory=BmltFormatTable)
    bodies: dict[str, dict[str, str]] = field(default_factory=dict)

    def add_formats(self, rows: Sequence[object]) -> None:
        """Take in GetFormats."""
        self.formats.add(rows)

    def add_service_bodies(self, rows: Sequence[object]) -> None:
        """Take in GetServiceBodies."""
        for row in rows:
            if isinstance(row, dict):
                body = {str(key): line(as_text(value), Tally()) for key, value in row.items()}
                self.bodies[body.get("id", "")] = body


def read_bmlt_row(
    raw: object, *, number: int, support: BmltSupport, zones: ZoneFinder, tally: Tally
) -> list[SourceRow]:
    """The meeting of one row, or nothing, and then the tally says why."""
    if not isinstance(raw, dict):
        tally.drop(number, "This row is not an object with fields.")
        return []
    fields: dict[str, object] = {}
    for key, value in raw.items():
        if isinstance(value, str) and _LABEL in value:
            tally.repair("field_label_cut")
            value = value.rsplit(_LABEL, 1)[1]
        fields[str(key)] = value
    reader = RowReader("bmlt", fields, tally)
    name = reader.line("meeting_name", limits.NAME_CHARACTERS_MAX)
    if not name:
        name = reader.line("location_text", limits.NAME_CHARACTERS_MAX)
        if not name:
            tally.drop(number, "This meeting has no name, and no place to name it by.")
            return []
        tally.repair("name_from_location")
    tally.keep()
    return [_BmltRow(reader, support, zones, tally).row(name)]


class _BmltRow:
    """One row on its way to a meeting."""

    def __init__(self, reader: RowReader, support: BmltSupport, zones: ZoneFinder, tally: Tally) -> None:
        self.reader = reader
        self.support = support
        self.zones = zones
        self.tally = tally
        self.extras: list[tuple[str, str]] = []
        self.world_ids: set[str] = set()

    def row(self, name: str) -> SourceRow:
        """The meeting with what the row says of its listing."""
        server = self.reader.line("root_server_id")
        slug = self.reader.line("id_bigint", 60)
        listing_id = self.reader.line("shared_group_id_bigint", 60)
        body, links, listing_extras = self._body()
        meeting = self._meeting("-".join(filter(None, [server, slug])) or "meeting", server)
        for derived in _DERIVED:
            self.reader.raw(derived)
        listing_extras += [*self.reader.further("root_server_uri"), *self.reader.further("service_body_bigint")]
        contacts = self._contacts()
        extras = merged_extras([*self.extras, *self.reader.left_over()], self.tally)
        return SourceRow(
            name=name,
            listing_id="-".join(filter(None, [server, listing_id])) if listing_id not in ("", "0") else "",
            meeting=replace(meeting, extras=extras),
            body=body,
            links=links,
            contacts=contacts,
            extras=merged_extras(listing_extras, self.tally),
        )

    def _meeting(self, slug: str, server: str) -> Meeting:
        facets = self._facets(server)
        venue = _VENUES.get(self.reader.line("venue_type"))
        place, online = self._place(venue), self._online()
        attendance = venue
        if attendance is None:
            said = [_VENUE_OF_FORMAT[each] for each in sorted(self.world_ids) if each in _VENUE_OF_FORMAT]
            closed = "in-person-closed" in facets.features
            attendance = said[0] if said else derived_attendance(place, online, place_closed=closed)
            self.tally.repair("attendance_derived")
        weekday, start, duration = self._when()
        declared = self.reader.line("time_zone")
        tz = self.zones.find(declared, place) if start is not None or declared else ""
        if declared and not tz:
            self.reader.keep("time_zone")
        return Meeting(
            slug=slug,
            weekday=weekday,
            start=start,
            duration_min=duration,
            tz=tz,
            attendance=attendance,
            standing=self._standing(),
            place=place,
            online=online,
            notes=self.reader.text("comments"),
            facets=facets,
        )

    def _standing(self) -> Standing:
        if self.reader.line("published") == "0":
            # The server's people have not put it before the public: it is kept, and nobody is sent there.
            self.tally.repair("unpublished_as_paused")
            self.extras.append(("bmlt:published", "0"))
            return Standing.PAUSED
        return Standing.ACTIVE

    def _when(self) -> tuple[int | None, int | None, int | None]:
        day = self.reader.line("weekday_tinyint")
        weekday = int(day) - 1 if day in ("1", "2", "3", "4", "5", "6", "7") else None
        if weekday is None:
            if day:
                self.tally.repair("day_not_understood")
            for name in ("weekday_tinyint", "start_time", "duration_time"):
                self.reader.raw(name)
                self.reader.keep(name)
            return None, None, None
        start = read_time(self.reader.raw("start_time"), Tally())
        if start is None:
            self.tally.repair("day_without_time")
            self.reader.keep("start_time")
        return weekday, start, self._duration(start)

    def _duration(self, start: int | None) -> int | None:
        parts = self.reader.line("duration_time").split(":")
        if len(parts) < 2 or not all(part.isdecimal() and len(part) <= 2 for part in parts) or start is None:
            if any(parts):
                self.reader.keep("duration_time")
            return None
        minutes = int(parts[0]) * 60 + int(parts[1])
        if minutes == 0 or int(parts[1]) > 59:
            self.tally.repair("duration_not_said")
            return None
        return min(minutes, limits.DURATION_MINUTES_MAX)

    def _facets(self, server: str) -> Facets:
        keys = [key.strip() for key in as_text(self.reader.raw("formats")).split(",")]
        ids = [each.strip() for each in as_text(self.reader.raw("format_shared_id_list")).split(",")]
        paired = ids if len(ids) == len(keys) else [""] * len(keys)
        says: list[vocabulary.TypeTag] = []
        unknown: list[str] = []
        for key, format_id in zip(keys, paired, strict=True):
            if not key and not format_id:
                continue
            meaning = self.support.formats.meaning(server, format_id, key, self.tally)
            if meaning is None or not (meaning.tags or meaning.world_id):
                self.tally.repair("format_unknown")
                unknown.append(key or format_id)
            else:
                says.extend(meaning.tags)
                self.world_ids.add(meaning.world_id)
        if unknown:
            self.extras.append(("bmlt:formats", line(", ".join(sorted(unknown)), self.tally)))
        return facets_of([*says, *self._language(says)])

    def _language(self, says: list[vocabulary.TypeTag]) -> list[vocabulary.TypeTag]:
        """The language of the record, where no format names the language of the meeting."""
        code = self.reader.line("lang_enum")
        if any(each.facet == "languages" for each in says):
            if vocabulary.TypeTag("languages", code) not in says:
                self.reader.keep("lang_enum")
            return []
        if code.isascii() and code.isalpha() and 2 <= len(code) <= 3:
            return [vocabulary.TypeTag("languages", code.lower())]
        self.reader.keep("lang_enum")
        return []

    def _place(self, venue: Attendance | None) -> Place | None:
        point = read_point(self.reader.raw("latitude"), self.reader.raw("longitude"), Tally())
        town, part = self.reader.line("location_municipality"), self.reader.line("location_city_subsection")
        regions = (self.reader.line("location_sub_province"), part, self.reader.line("location_neighborhood"))
        ways = [self.reader.text(name) for name in ("location_info", "train_lines", "bus_lines")]
        street = self.reader.line("location_street")
        place = Place(
            name=self.reader.line("location_text"),
            street=street,
            city=town or part,
            state=self.reader.line("location_province"),
            postal_code=self.reader.line("location_postal_code_1"),
            country=self.reader.line("location_nation"),
            regions=tuple(dict.fromkeys(region for region in regions if region)),
            notes=shorten("\n".join(way for way in ways if way), limits.TEXT_CHARACTERS_MAX, self.tally),
            latitude_e7=point[0] if point else None,
            longitude_e7=point[1] if point else None,
        )
        if place == Place():
            return None
        return replace(place, approximate=venue is Attendance.ONLINE or not street)

    def _online(self) -> Online | None:
        online = Online(
            url=self.reader.web_address("virtual_meeting_link"),
            url_notes=self.reader.text("virtual_meeting_additional_info"),
            phone=self.reader.line("phone_meeting_number"),
        )
        return None if online == Online() else online

    def _contacts(self) -> tuple[Contact, ...]:
        contacts = [Contact(email=self.reader.line("email_contact"))]
        for number in (1, 2):
            parts = {part: self.reader.line(f"contact_{part}_{number}") for part in ("name", "phone", "email")}
            contacts.append(Contact(**parts))
        return tuple(contact for contact in contacts if contact != Contact())

    def _body(self) -> tuple[str, tuple[str, ...], list[tuple[str, str]]]:
        """The service body's name, its page, and its public helpline and parent body as further fields."""
        body = self.support.bodies.get(self.reader.line("service_body_bigint"), {})
        name = self.reader.line("service_body_name") or body.get("name", "")
        link = web_address(body.get("url", ""), Tally())
        parent = self.support.bodies.get(body.get("parent_id", ""), {}).get("name", "")
        extras = [
            (f"bmlt:service_body_{part}", value)
            for part, value in (
                ("helpline", body.get("helpline", "")),
                ("contact_email", body.get("contact_email", "")),
                ("parent", parent),
            )
            if value
        ]
        return name, (link,) if link else (), extras
