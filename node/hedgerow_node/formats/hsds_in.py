"""Open Referral HSDS 3.0 in, leniently: one service becomes one listing, each of its schedules a meeting.

Roots may be a service, an organization with its services, a list of either, or a page of an interface (``contents``).
A schedule that stands in several places (the service, its locations) is one meeting, at the most exact place.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, Final

from hedgerow_node.formats import bounds, vocabulary
from hedgerow_node.formats.hsds_attributes import attributes_of, entries
from hedgerow_node.formats.hsds_place_in import accessibility_tags, read_location
from hedgerow_node.formats.hsds_schedule_in import ScheduleReader
from hedgerow_node.formats.listing_size import fitted, is_too_large
from hedgerow_node.formats.report import Draft, Tally
from hedgerow_node.formats.row_reading import RowReader, as_text, merged_extras
from hedgerow_node.formats.text_repair import line, paragraph
from hedgerow_node.formats.time_zone import ZoneFinder
from hedgerow_protocol import limits
from hedgerow_protocol.content import Attendance, Contact, Facets, ListingContent, Meeting, Openness, Place, Standing

_LISTS: Final = ("contents", "services", "items", "results", "data")
_STANDING: Final = {
    "active": Standing.ACTIVE,
    "inactive": Standing.PAUSED,
    "temporarily closed": Standing.PAUSED,
    "defunct": Standing.ENDED,
}
_FACETS: Final = {"format": "formats", "feature": "features", "community": "communities"}
_DEPTH_MAX: Final = 4


def read_hsds(value: object, *, tz: str, tally: Tally) -> list[Draft]:
    """Drafts of the listings in a JSON value, sorted by key.

    ``tz`` is the IANA zone of schedules, since HSDS gives only offsets; empty: our own attribute, else the place's,
    else unknown. Any value gives a list.
    """
    drafts: list[Draft] = []
    zones = ZoneFinder(feed="", argument=tz, tally=tally)
    for service, organization in _services(value, {}, 0):
        number = tally.row()
        if number > bounds.ROWS_MAX:
            tally.drop(number, f"Only the first {bounds.ROWS_MAX} services are read.")
            break
        if "name" not in service or "location_type" in service:
            tally.drop(number, "The entry is not a service: it has no name, or is a location alone.")
            continue
        draft = _Service(service, organization, zones, tally).draft(number)
        if draft is not None:
            drafts.append(draft)
            tally.keep()
    return sorted(drafts, key=lambda draft: draft.key)


def _services(
    value: object, organization: Mapping[str, Any], depth: int
) -> Iterator[tuple[dict[str, Any], Mapping[str, Any]]]:
    """Every service with its organization, wherever it stands."""
    if depth > _DEPTH_MAX:
        return
    if isinstance(value, list):
        for item in value:
            yield from _services(item, organization, depth + 1)
    elif isinstance(value, dict):
        lists = [name for name in _LISTS if isinstance(value.get(name), list)]
        if not lists:
            own = value.get("organization")
            yield value, own if isinstance(own, dict) else organization
        for name in lists:
            inner = value if name == "services" and "name" in value else organization
            yield from _services(value[name], inner, depth + 1)


class _Service:
    """One service while it is read."""

    def __init__(
        self, service: dict[str, Any], organization: Mapping[str, Any], zones: ZoneFinder, tally: Tally
    ) -> None:
        self._row = RowReader("hsds", service, tally)
        self._organization = organization
        self._zones = zones
        self._tally = tally
        self._facets: dict[str, set[str]] = {name: set() for name in (*_FACETS.values(), "languages", "experiences")}
        self._openness = Openness.UNKNOWN
        self._program = ""
        self._other: list[str] = []

    def draft(self, number: int) -> Draft | None:
        """The listing; ``None`` when the service has no name a person can read."""
        row, tally = self._row, self._tally
        name = row.line("name", limits.NAME_CHARACTERS_MAX)
        if not name:
            tally.drop(number, "The service has no name.")
            return None
        key = row.line("id") or name
        self._read_attributes(row.raw("attributes"))
        self._read_languages(row.raw("languages"))
        standing = _STANDING.get(row.line("status").lower(), Standing.ACTIVE)
        meetings = self._meetings(standing)
        row.raw("organization")
        row.raw("last_modified")
        eligibility = [row.text("eligibility_description"), self._ages()]
        contacts = self._contacts()
        content = ListingContent(
            name=name,
            summary=row.text("description"),
            experiences=tuple(sorted(self._facets["experiences"]))[: limits.TAGS_MAX],
            program=self._program,
            facets=Facets(
                openness=self._openness,
                **{each: tuple(sorted(self._facets[each]))[: limits.TAGS_MAX] for each in _FACET_NAMES},
            ),
            meetings=meetings,
            how_to_join=row.text("application_process"),
            eligibility=paragraph("\n".join(part for part in eligibility if part), tally),
            url=row.web_address("url"),
            contacts=contacts,
            body=line(as_text(self._organization.get("name")), tally),
            confirmed=_date(row.line("assured_date")),
        )
        extras = [*row.left_over(), *(("hsds:attribute", text) for text in self._other)]
        content = replace(content, extras=merged_extras(extras, tally))
        return Draft(f"hsds:{key}"[:200], fitted(content, tally) if is_too_large(content) else content)

    def _read_attributes(self, value: object) -> None:
        for kind, code, text, name in attributes_of(value):
            if kind == "experience":
                self._facets["experiences"].add(code)
            elif kind in _FACETS:
                self._facets[_FACETS[kind]].add(code)
            elif kind == "openness" and code in ("open", "closed"):
                self._openness = Openness.OPEN if code == "open" else Openness.CLOSED
            elif (kind, code) == ("field", "program"):
                found = vocabulary.find_program(text)
                self._program = found.code if found is not None else ""
            else:
                self._foreign(name or code, text)

    def _foreign(self, name: str, text: str) -> None:
        """A term of another taxonomy: one of our tags where it has the same words, else kept as it is."""
        tag = "-".join("".join(c if c.isalnum() else " " for c in name.lower()).split())
        facet = vocabulary.facet_of(tag)
        if tag in vocabulary.EXPERIENCES:
            self._facets["experiences"].add(tag)
        elif facet in self._facets:
            self._facets[str(facet)].add(tag)
        elif name:
            shown = line(f"{name}: {text}" if text and text != name else name, self._tally)
            self._other.append(shown)

    def _read_languages(self, value: object) -> None:
        for entry in entries(value):
            code = as_text(entry.get("code")).strip()
            says = vocabulary.tag_of_type("", as_text(entry.get("name")))
            if _is_language(code):
                self._facets["languages"].add(code)
            elif says is not None and says.facet == "languages":
                self._facets["languages"].add(says.tag)
            else:
                self._tally.repair("language_unknown")

    def _ages(self) -> str:
        low, high = self._row.line("minimum_age"), self._row.line("maximum_age")
        if low and high:
            return f"{low}–{high}"
        return f"{low}+" if low else f"–{high}" if high else ""

    def _contacts(self) -> tuple[Contact, ...]:
        tally = self._tally
        contacts = []
        for entry in entries(self._row.raw("contacts")):
            phones = [line(as_text(each.get("number")), tally).strip('"') for each in entries(entry.get("phones"))]
            contacts.append(
                Contact(
                    name=line(as_text(entry.get("name")), tally),
                    phone=phones[0] if phones else "",
                    email=line(as_text(entry.get("email")), tally),
                )
            )
        contacts += [
            Contact(phone=line(as_text(each.get("number")), tally).strip('"'))
            for each in entries(self._row.raw("phones"))
        ]
        if email := self._row.line("email"):
            contacts.append(Contact(email=email))
        unique = dict.fromkeys(each for each in contacts if each != Contact())
        return tuple(unique)[: limits.CONTACTS_MAX]

    def _meetings(self, standing: Standing) -> tuple[Meeting, ...]:
        found: dict[str, tuple[dict[str, Any], Place | None, bool]] = {}
        places: list[Place] = []
        virtual = False
        for at in entries(self._row.raw("service_at_locations")):
            location = at.get("location")
            location = location if isinstance(location, dict) else {}
            place, is_virtual = read_location(location, self._tally)
            self._facets["features"].update(accessibility_tags(location))
            virtual = virtual or is_virtual
            places += [place] if place is not None else []
            for schedule in [*entries(at.get("schedules")), *entries(location.get("schedules"))]:
                found.setdefault(_schedule_key(schedule), (schedule, place, is_virtual))
        for schedule in entries(self._row.raw("schedules")):
            found.setdefault(_schedule_key(schedule), (schedule, None, False))
        reader = ScheduleReader(self._zones, self._tally)
        meetings = [
            meeting
            for schedule, place, online in found.values()
            for meeting in reader.meetings(schedule, place, online)
        ]
        if not meetings:
            self._tally.repair("schedule_missing")
            attendance = Attendance.IN_PERSON if places else Attendance.ONLINE if virtual else Attendance.UNKNOWN
            meetings = [Meeting(slug="by-appointment", place=places[0] if places else None, attendance=attendance)]
        if len(meetings) > limits.MEETINGS_MAX:
            self._tally.repair("meetings_left_out", len(meetings) - limits.MEETINGS_MAX)
        return tuple(replace(each, standing=standing) for each in _own_slugs(meetings[: limits.MEETINGS_MAX]))


_FACET_NAMES: Final = ("formats", "features", "communities", "languages")


def _is_language(code: str) -> bool:
    parts = code.split("-")
    return (
        2 <= len(code) <= limits.TAG_CHARACTERS_MAX
        and 2 <= len(parts[0]) <= 8
        and parts[0].isalpha()
        and all(part.isascii() and part.isalnum() and len(part) <= 8 for part in parts)
    )


def _schedule_key(schedule: Mapping[str, Any]) -> str:
    own = as_text(schedule.get("id"))
    return own or repr(sorted((name, as_text(value)) for name, value in schedule.items()))


def _own_slugs(meetings: list[Meeting]) -> Iterator[Meeting]:
    taken: set[str] = set()
    for meeting in meetings:
        slug, number = meeting.slug, 2
        while slug in taken:
            slug, number = f"{meeting.slug[: limits.SLUG_CHARACTERS_MAX - 8]}-{number}", number + 1
        taken.add(slug)
        yield replace(meeting, slug=slug)


def _date(text: str) -> str:
    from datetime import date

    try:
        return date.fromisoformat(text[:10]).isoformat()
    except ValueError:
        return ""
