"""One VEVENT as values: the words and the times of a meeting, whatever program wrote them."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Final
from urllib.parse import unquote

from hedgerow_node.formats import vocabulary
from hedgerow_node.formats.ical_times import WallTime, ZoneNames, wall_time, wall_times
from hedgerow_node.formats.report import Tally
from hedgerow_node.formats.row_reading import read_point
from hedgerow_node.formats.text_repair import line, paragraph, web_address
from hedgerow_protocol import limits
from hedgerow_protocol.content import Contact, Facets, Online, Openness, Place, Standing

_NOT_KEPT: Final = frozenset(
    (
        "DTSTAMP", "SEQUENCE", "CREATED", "CLASS", "TRANSP", "ATTENDEE", "ATTACH", "IMAGE", "REQUEST-STATUS",
        "X-ALT-DESC",
        "X-APPLE-STRUCTURED-LOCATION", "X-LIC-ERROR", "X-MICROSOFT-CDO-BUSYSTATUS", "X-MOZ-GENERATION", "X-MOZ-LASTACK",
    )
)  # fmt: skip
"""What belongs to somebody's calendar, or to people who come, not to the meeting."""

_LINK_FIELDS: Final = (
    "X-GOOGLE-CONFERENCE",
    "X-MICROSOFT-SKYPETEAMSMEETINGURL",
    "X-MICROSOFT-ONLINEMEETINGEXTERNALLINK",
)

_TAG: Final = re.compile(r"[^\w]+")


@dataclass(slots=True, kw_only=True)
class Words:
    """What an event says in words."""

    summary: str = ""
    notes: str = ""
    place: Place | None = None
    online: Online | None = None
    standing: Standing = Standing.ACTIVE
    url: str = ""
    facets: Facets = field(default_factory=Facets)
    experiences: tuple[str, ...] = ()
    contacts: tuple[Contact, ...] = ()
    updated: int = 0
    extras: list[tuple[str, str]] = field(default_factory=list)


class EventReader:
    """Reads the properties of one event, each once; the rest become further fields."""

    __slots__ = ("_left", "_tally", "zones")

    def __init__(self, properties: Mapping[str, Any], zones: ZoneNames, tally: Tally) -> None:
        self._left: dict[str, Any] = dict(properties)
        self._tally = tally
        self.zones = zones

    def has(self, name: str) -> bool:
        """Whether the property was said and not yet read."""
        return name in self._left

    def one(self, name: str) -> Any:
        """A property's value; the first where it was said several times; ``None`` where it was not."""
        value = self._left.pop(name, None)
        if isinstance(value, list) and not hasattr(value, "params"):
            self._tally.repair("property_said_twice")
            return value[0] if value else None
        return value

    def every(self, name: str) -> list[Any]:
        """All values of a property."""
        value = self._left.pop(name, None)
        if value is None:
            return []
        return list(value) if isinstance(value, list) and not hasattr(value, "params") else [value]

    def line(self, name: str, characters_max: int = limits.SHORT_CHARACTERS_MAX) -> str:
        """A property as one line."""
        value = self.one(name)
        return "" if value is None else line(str(value), self._tally, characters_max)

    def own(self, name: str) -> str:
        """One of our own properties (X-HEDGEROW-…), exactly as it was before it was written."""
        return property_text(self.one(name)).strip()

    def time(self, name: str) -> WallTime | None:
        """A property as a time."""
        value = self.one(name)
        return None if value is None else wall_time(value, self.zones)

    def times(self, name: str) -> list[tuple[WallTime, int | None]]:
        """A property as times, with the minutes of periods."""
        return [time for value in self.every(name) for time in wall_times(value, self.zones)]

    def words(self) -> Words:
        """Everything in words. Read the times first: what is left becomes further fields."""
        words = Words(summary=self.line("SUMMARY", limits.NAME_CHARACTERS_MAX))
        description = self.one("DESCRIPTION")
        if description is not None:
            words.notes = paragraph(str(description), self._tally)
        words.standing = self._standing(words)
        words.updated = self._updated()
        self._categories(words)
        self._where(words)
        words.url = self._address(self.one("URL"), words, "URL")
        words.contacts = self._contacts()
        words.extras += self._left_over()
        return words

    def _standing(self, words: Words) -> Standing:
        status = self.line("STATUS").upper()
        if status == "CANCELLED":
            return Standing.PAUSED
        if status and status != "CONFIRMED":
            words.extras.append(("ics:STATUS", status[:80]))
        return Standing.ACTIVE

    def _updated(self) -> int:
        value = self.one("LAST-MODIFIED")
        moment = getattr(value, "dt", None)
        if not isinstance(moment, datetime) or moment.tzinfo is None:
            return 0
        return max(0, int(moment.timestamp()))

    def _categories(self, words: Words) -> None:
        experiences: set[str] = set()
        facets: dict[str, set[str]] = {"formats": set(), "features": set(), "communities": set()}
        openness, other = Openness.UNKNOWN, []
        for value in self.every("CATEGORIES"):
            for category in _texts(getattr(value, "cats", [value])):
                tag = _TAG.sub("-", category.strip().lower()).strip("-")
                facet = vocabulary.facet_of(tag)
                if tag in vocabulary.EXPERIENCES:
                    experiences.add(tag)
                elif facet == "openness" and tag in ("open", "closed"):
                    openness = Openness.OPEN if tag == "open" else Openness.CLOSED
                elif facet in facets:
                    facets[str(facet)].add(tag)
                elif category.strip():
                    other.append(line(category, self._tally))
        words.experiences = tuple(sorted(experiences))[: limits.TAGS_MAX]
        words.facets = Facets(openness=openness, **{name: tuple(sorted(tags)) for name, tags in facets.items()})
        if other:
            words.extras.append(("ics:CATEGORIES", ", ".join(dict.fromkeys(other))[: limits.TEXT_CHARACTERS_MAX]))

    def _where(self, words: Words) -> None:
        location = self.line("LOCATION", limits.TEXT_CHARACTERS_MAX)
        url, url_notes, phone, phone_notes = "", "", "", ""
        if location.lower().startswith(("http://", "https://")) and " " not in location:
            url, location = self._address(location, words, "LOCATION"), ""
        for value in self.every("CONFERENCE"):
            address, label = str(value), str(getattr(value, "params", {}).get("LABEL", ""))
            if address.lower().startswith("tel:") and not phone:
                phone = line(unquote(address[4:]), self._tally)
                phone_notes = paragraph(label, self._tally)
            elif address.lower().startswith(("http://", "https://")) and not url:
                url = self._address(address, words, "CONFERENCE")
                url_notes = paragraph(label, self._tally)
            else:
                words.extras.append(
                    ("ics:CONFERENCE", paragraph(f"{label}: {address}" if label else address, self._tally))
                )
        for name in _LINK_FIELDS:
            address = self._address(self.one(name), words, name) if self.has(name) else ""
            url = url or address
        words.place = self._place(location)
        if url or phone:
            words.online = Online(url=url, url_notes=url_notes, phone=phone, phone_notes=phone_notes)

    def _place(self, location: str) -> Place | None:
        geo = self.one("GEO")
        point = None
        if geo is not None and hasattr(geo, "latitude"):
            point = read_point(geo.latitude, geo.longitude, self._tally)
        if not location and point is None:
            return None
        north, east = point or (None, None)
        return Place(formatted=location, latitude_e7=north, longitude_e7=east)

    def _address(self, value: Any, words: Words, name: str) -> str:
        text = "" if value is None else str(value).strip()
        if not text:
            return ""
        address = web_address(text, self._tally)
        if not address:
            self._tally.repair("web_address_not_usable")
            words.extras.append((f"ics:{name}", paragraph(text, self._tally)))
        return address

    def _contacts(self) -> tuple[Contact, ...]:
        if self.every("ATTENDEE"):
            self._tally.repair("attendees_left_out")
        contacts = []
        for value in self.every("ORGANIZER"):
            name = line(str(getattr(value, "params", {}).get("CN", "")), self._tally)
            address = str(value)
            email = line(unquote(address[7:]), self._tally) if address.lower().startswith("mailto:") else ""
            if name or email:
                contacts.append(Contact(name="" if name == email else name, email=email))
        return tuple(contacts[: limits.CONTACTS_MAX])

    def _left_over(self) -> Iterable[tuple[str, str]]:
        for name, value in sorted(self._left.items()):
            if name in _NOT_KEPT or name.startswith("X-HEDGEROW-"):
                continue
            values = value if isinstance(value, list) and not hasattr(value, "params") else [value]
            text = paragraph("\n".join(_texts(values)), self._tally)
            if text:
                yield f"ics:{name}"[: limits.EXTRA_KEY_CHARACTERS_MAX], text


def rule_parts(recur: Mapping[str, Any], zone: str, start: WallTime) -> dict[str, str]:
    """An RRULE's parts as text; its UNTIL as the last date by the meeting's own wall clock."""
    parts: dict[str, str] = {}
    for name, value in recur.items():
        values = value if isinstance(value, list) else [value]
        if str(name).upper() == "UNTIL":
            last = _last_date(values[0], zone, start)
            if last is not None:
                parts["UNTIL"] = f"{last:%Y%m%d}" if last.year >= 1000 else "10000101"
        elif values:
            parts[str(name).upper()] = ",".join(str(item).upper() for item in values)
    return parts


def _last_date(until: Any, zone: str, start: WallTime) -> date | None:
    if not isinstance(until, datetime):
        return until if isinstance(until, date) else None
    minute = until.hour * 60 + until.minute
    wall = WallTime(until.date(), minute, "UTC" if until.tzinfo is not None else zone).at(zone)
    if wall.minute is not None and start.minute is not None and wall.minute < start.minute:
        earlier = wall.day.toordinal() - 1  # that day's meeting would begin after the end
        return date.fromordinal(max(earlier, 1))
    return wall.day


def _texts(values: Iterable[Any]) -> list[str]:
    texts = []
    for value in values:
        moment = getattr(value, "dt", None)
        texts.append(moment.isoformat() if isinstance(moment, date) else property_text(value))
    return texts


def property_text(value: Any) -> str:
    """A property as text. The library leaves properties it does not know as they are written: still escaped."""
    text = "" if value is None else str(value)
    if type(value).__name__ != "vUnknown":
        return text
    return _ESCAPED.sub(lambda found: "\n" if found[1] in "nN" else found[1], text)


_ESCAPED: Final = re.compile(r"\\([\\;,nN])")
