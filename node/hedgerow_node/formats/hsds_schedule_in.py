"""HSDS schedules as meetings."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date
from typing import Any, Final

from hedgerow_node.formats.hsds_attributes import attributes_of
from hedgerow_node.formats.hsds_schedule_out import ATTENDING, ZONE_NOTE
from hedgerow_node.formats.meeting_guide_when import read_time
from hedgerow_node.formats.report import Tally
from hedgerow_node.formats.row_reading import RowReader, as_text, merged_extras
from hedgerow_node.formats.rule_shape import ONCE, shape_of
from hedgerow_node.formats.text_repair import line
from hedgerow_node.formats.time_zone import ZoneFinder
from hedgerow_protocol import limits
from hedgerow_protocol.content import Attendance, Facets, Meeting, Online, Openness, Place
from hedgerow_protocol.rules import WEEKDAYS

_NO_PHASE: Final = date(2000, 1, 1)
"""Where a rule needs a first date that nobody said: a Saturday long ago, so that nothing is before it."""

_BY_ATTENDING: Final = {words.lower(): attendance for attendance, words in ATTENDING.items()}
_ONLINE_WORDS: Final = ("online", "remote", "virtual", "video", "zoom")
_PERSON_WORDS: Final = ("person", "on site", "onsite", "face to face", "face-to-face")


class ScheduleReader:
    """Reads the schedules of services."""

    def __init__(self, zones: ZoneFinder, tally: Tally) -> None:
        self._zones = zones
        self._tally = tally

    def meetings(self, schedule: dict[str, Any], place: Place | None, virtual: bool) -> Iterator[Meeting]:
        """One meeting, or one for each weekday where several are named without a first date."""
        row = RowReader("hsds", schedule, self._tally)
        fields = self._fields(row)
        link = row.web_address("schedule_link")
        online = Online(url=link) if link else None
        start, end = read_time(row.raw("opens_at"), self._tally), read_time(row.raw("closes_at"), self._tally)
        first, until = self._date(row, "dtstart"), self._date(row, "until")
        valid_from, valid_to = self._date(row, "valid_from"), self._date(row, "valid_to")
        first, until = first or valid_from, until or valid_to
        zone = self._zone(row, fields, place, start)
        own_id = row.line("id", limits.SLUG_CHARACTERS_MAX)
        base = Meeting(
            slug=(fields.get("slug", "") or own_id)[: limits.SLUG_CHARACTERS_MAX],
            start=start,
            duration_min=None if start is None or end is None or start == end else (end - start) % 1440,
            tz=zone,
            attendance=self._attendance(row, place, online, virtual=virtual),
            place=place,
            online=online,
            facets=self._facets(schedule),
        )
        for shaped in self._shaped(row, base, first, until):
            notes = [row.text("description"), row.text("notes")]
            if zone and notes[1] == ZONE_NOTE.format(zone=zone):
                notes.pop()
            for name in ("service_id", "location_id", "service_at_location_id", "metadata"):
                row.raw(name)
            yield replace(
                shaped,
                slug=shaped.slug or "schedule",
                notes="\n".join(part for part in notes if part)[: limits.TEXT_CHARACTERS_MAX],
                extras=merged_extras(row.left_over(), self._tally),
            )

    def _fields(self, row: RowReader) -> dict[str, str]:
        found = attributes_of(row.raw("attributes"))
        return {code: line(text, self._tally) for kind, code, text, _ in found if kind == "field"}

    def _date(self, row: RowReader, name: str) -> str:
        text = row.line(name)
        if not text:
            return ""
        try:
            return date.fromisoformat(text[:10]).isoformat()
        except ValueError:
            self._tally.repair("date_not_understood")
            return ""

    def _zone(self, row: RowReader, fields: Mapping[str, str], place: Place | None, start: int | None) -> str:
        offset = as_text(row.raw("timezone"))
        if start is None and not fields.get("time-zone"):
            return ""
        zone = self._zones.find(fields.get("time-zone", ""), place)
        if offset and not zone:
            row.keep("timezone")  # an offset alone does not tell what the clocks do in summer
        return zone

    def _attendance(self, row: RowReader, place: Place | None, online: Online | None, *, virtual: bool) -> Attendance:
        words = row.line("attending_type").lower()
        if words in _BY_ATTENDING:
            return _BY_ATTENDING[words]
        from_afar = any(word in words for word in _ONLINE_WORDS)
        in_person = any(word in words for word in _PERSON_WORDS)
        if words and not (from_afar or in_person):
            row.keep("attending_type")
        if from_afar or in_person:
            both = from_afar and in_person
            return Attendance.HYBRID if both else Attendance.ONLINE if from_afar else Attendance.IN_PERSON
        if virtual:
            return Attendance.ONLINE
        return Attendance.IN_PERSON if place is not None else Attendance.UNKNOWN

    def _facets(self, schedule: Mapping[str, Any]) -> Facets:
        tags: dict[str, set[str]] = {"format": set(), "feature": set(), "community": set(), "openness": set()}
        for kind, code, _, _ in attributes_of(schedule.get("attributes")):
            if kind in tags:
                tags[kind].add(code)
        openness = {"open": Openness.OPEN, "closed": Openness.CLOSED}
        return Facets(
            openness=openness.get(next(iter(sorted(tags["openness"])), ""), Openness.UNKNOWN),
            formats=tuple(sorted(tags["format"]))[: limits.TAGS_MAX],
            features=tuple(sorted(tags["feature"]))[: limits.TAGS_MAX],
            communities=tuple(sorted(tags["community"]))[: limits.TAGS_MAX],
        )

    def _shaped(self, row: RowReader, base: Meeting, first: str, until: str) -> Iterator[Meeting]:
        freq, count = row.line("freq").upper(), row.line("count")
        byday = ",".join(row.line("byday").upper().replace(" ", "").split(","))
        names = ("interval", "wkst", "bymonthday")
        parts = {name.upper(): row.line(name).upper().replace(" ", "") for name in names}
        if row.raw("byweekno") or row.raw("byyearday"):
            self._tally.repair("rule_parts_left_out")
        if not freq and byday:
            freq = "WEEKLY"
        if not freq:
            yield replace(base, first=first)
            return
        parts = {"FREQ": freq, "BYDAY": byday, **parts}
        if freq == "WEEKLY":
            parts["BYMONTHDAY"] = ""  # HSDS has days of the month for monthly rules only
        parts = {name: value for name, value in parts.items() if value}
        if until:
            parts["UNTIL"] = until.replace("-", "")
        elif count and count != "0":
            parts["COUNT"] = count
        if parts.get("INTERVAL") == "0":
            del parts["INTERVAL"]
        yield from self._by_rule(row, parts, base, first, until)

    def _by_rule(
        self, row: RowReader, parts: dict[str, str], base: Meeting, first: str, until: str
    ) -> Iterator[Meeting]:
        days = parts.get("BYDAY", "").split(",")
        every_week = parts["FREQ"] == "WEEKLY" and parts.get("INTERVAL", "1") == "1" and "COUNT" not in parts
        plain = [day[-2:] for day in days if day[-2:] in WEEKDAYS]
        if every_week and len(plain) == 1:
            yield replace(base, weekday=WEEKDAYS.index(plain[0]), first=first, until=until)
        elif every_week and plain and not first:
            for day in dict.fromkeys(plain):
                slug = f"{base.slug[: limits.SLUG_CHARACTERS_MAX - 4]}-{day.lower()}"
                yield replace(base, slug=slug, weekday=WEEKDAYS.index(day), until=until)
        else:
            if not first:
                self._tally.repair("first_date_missing")
            begin = date.fromisoformat(first) if first else _NO_PHASE
            yield self._ruled(row, parts, base, begin, first)

    def _ruled(self, row: RowReader, parts: dict[str, str], base: Meeting, begin: date, first: str) -> Meeting:
        # HSDS gives a first date as the beginning of a span; it need not be one of the rule's own.
        shape = shape_of(parts, begin, base.start, self._tally, first_is_one=False)
        if shape == ONCE:
            return replace(base, first=first)
        if base.start is None and shape.rrule:
            self._tally.repair("time_missing")
            for name in ("freq", "interval", "byday", "bymonthday", "dtstart", "until"):
                row.keep(name)
            return base
        return replace(base, weekday=shape.weekday, rrule=shape.rrule, first=begin.isoformat(), until=shape.until)
