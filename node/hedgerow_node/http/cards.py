"""What a template shows of a listing: dictionaries of ready words. The names are the templates' contract (webui)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from math import asin, cos, radians, sin, sqrt
from typing import Any
from urllib.parse import urlsplit

from hedgerow_node.formats.vocabulary import ACCESS_NEEDS, find_program
from hedgerow_node.http.rendering import View
from hedgerow_node.http.wording import Wording, place_line, place_lines
from hedgerow_node.schedule.now import Moment, Phase, look, shown_time
from hedgerow_node.schedule.occurrences import zone_of
from hedgerow_protocol.content import Attendance, Facets, ListingContent, Meeting, Openness, Place, Standing
from hedgerow_protocol.ids import to_text
from hedgerow_protocol.ports import Timestamp
from hedgerow_protocol.state import ShownListing

TIMES_ON_CARD = 4
TAGS_ON_CARD = 6
SUMMARY_CHARACTERS = 240
SOON_MINUTES = 120
EARTH_KM = 6371.0

_ATTENDANCE = {
    Attendance.UNKNOWN: "unknown",
    Attendance.IN_PERSON: "in_person",
    Attendance.ONLINE: "online",
    Attendance.HYBRID: "hybrid",
}
_FROM_AFAR = (Attendance.ONLINE, Attendance.HYBRID)


@dataclass(frozen=True, slots=True)
class Beholder:
    """Who looks, and when: everything a card's words depend on beside the listing."""

    view: View
    wording: Wording
    now: Timestamp
    zone: tzinfo | None = None
    """The visitor's zone; ``None`` when it is not known, which is usual without JavaScript."""
    near: tuple[float, float] | None = None
    """Latitude and longitude, degrees."""


def card(by: Beholder, shown: ShownListing) -> dict[str, Any]:
    """One listing in a list."""
    content = shown.content
    base = _base(by, shown)
    if content is None:
        return base
    facets = all_facets(content)
    meetings = held(content)
    times = same_times(meetings)
    moment = next_moment(by, content.meetings)
    tags = [*facets.formats, *facets.communities]
    return base | {
        "summary": shorten(content.summary, SUMMARY_CHARACTERS),
        "experiences": by.wording.tags(content.experiences),
        "languages": [by.wording.language_name(tag) for tag in facets.languages],
        "tags": by.wording.tags(tags[:TAGS_ON_CARD]),
        "access": by.wording.tags(tag for tag in facets.features if tag in ACCESS_NEEDS),
        "attendance": _ATTENDANCE[listing_attendance(content)],
        "place": next((place_line(meeting.place) for meeting in meetings if meeting.place is not None), ""),
        "distance": _distance(by, content),
        "when": [_when_together(by, each) for each in times[:TIMES_ON_CARD]],
        "more_times": max(0, len(times) - TIMES_ON_CARD),
        "next": None if moment is None else _next(by, *moment),
        "state": "" if moment is None else _state(moment[1]),
    }


def listing_page(by: Beholder, shown: ShownListing) -> dict[str, Any]:
    """Everything of one listing, for its own page."""
    content = shown.content
    base = card(by, shown) | {
        "expires": by.wording.timestamp(shown.slot.expires),
        "signers": {"threshold": shown.threshold, "stewards": shown.stewards},
    }
    if content is None:
        return base | dict.fromkeys(("description", "links", "contacts", "notes", "facts", "meetings"), ()) | {
            "openness": "unknown", "eligibility": "", "joining": "come", "ask_url": "", "how_to_join": "", "body": "",
            "district": "", "confirmed": "", "source_url": "",
        }  # fmt: skip
    program = find_program(content.program) if content.program else None
    facets = all_facets(content)
    urls = [url for url in (content.url, *content.links) if is_web_address(url)]
    return base | {
        "description": paragraphs(content.summary),
        "openness": _openness(facets),
        "eligibility": content.eligibility,
        "joining": content.joining.name.lower(),
        "ask_url": "" if content.intake is None else f"{by.view.url('/app')}#/ask/{base['id']}",
        "how_to_join": content.how_to_join,
        "links": urls,
        "contacts": [
            {"name": each.name, "phone": each.phone, "phone_href": phone_href(each.phone), "email": each.email}
            for each in content.contacts
        ],
        "body": content.body or (program.name if program else ""),
        "district": content.district,
        "notes": paragraphs(content.group_notes),
        "confirmed": by.wording.iso_date(content.confirmed),
        "facts": [],
        "source_url": next((each.url for each in content.meetings if is_web_address(each.url)), ""),
        "meetings": [_meeting(by, content, meeting) for meeting in content.meetings],
        "tags": by.wording.tags([*facets.formats, *facets.communities]),
    }


def held(content: ListingContent) -> Sequence[Meeting]:
    """The meetings worth telling of: not the ended ones, unless there are no others."""
    return [meeting for meeting in content.meetings if meeting.standing is not Standing.ENDED] or content.meetings


def same_times(meetings: Iterable[Meeting]) -> list[list[Meeting]]:
    """Meetings in the order given; weekly ones that differ in nothing but the day and the place stand together."""
    together: dict[object, list[Meeting]] = {}
    for number, meeting in enumerate(meetings):
        alike: object = number
        if meeting.weekday is not None and meeting.standing is Standing.ACTIVE and not meeting.until:
            from_afar = meeting.attendance in _FROM_AFAR
            alike = (meeting.start, meeting.duration_min, meeting.tz, meeting.first, from_afar)
        together.setdefault(alike, []).append(meeting)
    return list(together.values())


def next_moment(by: Beholder, meetings: Iterable[Meeting]) -> tuple[Meeting, Moment] | None:
    """The meeting that is on or comes first, and when."""
    found: list[tuple[int, int, Meeting, Moment]] = []
    for place, meeting in enumerate(meetings):
        moment = look(meeting, by.now, zone=by.zone or UTC, soon_minutes=SOON_MINUTES)
        if moment is not None:
            found.append((moment.begins, place, meeting, moment))
    if not found:
        return None
    _, _, meeting, moment = min(found, key=lambda each: each[:2])
    return meeting, moment


def all_facets(content: ListingContent) -> Facets:
    """What is true of the listing or of at least one of its meetings: what a search finds it by."""
    parts = [content.facets, *(meeting.facets for meeting in content.meetings)]
    openness = {each.openness for each in parts if each.openness is not Openness.UNKNOWN}
    return Facets(
        openness=openness.pop() if len(openness) == 1 else Openness.UNKNOWN,
        formats=tuple(sorted({tag for each in parts for tag in each.formats})),
        features=tuple(sorted({tag for each in parts for tag in each.features})),
        communities=tuple(sorted({tag for each in parts for tag in each.communities})),
        languages=tuple(sorted({tag for each in parts for tag in each.languages})),
    )


def listing_attendance(content: ListingContent) -> Attendance:
    """One word for all meetings: hybrid also when some are online and others in person."""
    kinds = {meeting.attendance for meeting in content.meetings} - {Attendance.UNKNOWN}
    if len(kinds) > 1:
        return Attendance.HYBRID
    return next(iter(kinds), Attendance.UNKNOWN)


def paragraphs(text: str) -> list[str]:
    """Text at its line breaks."""
    return [line.strip() for line in text.splitlines() if line.strip()]


def shorten(text: str, characters: int) -> str:
    """The beginning of a text in one line, cut at a word."""
    line = " ".join(text.split())
    if len(line) <= characters:
        return line
    return line[:characters].rsplit(" ", 1)[0].rstrip(",.;:") + "…"


def phone_href(phone: str) -> str:
    """A ``tel:`` address; pauses and codes of a public dial-in number stay."""
    digits = "".join(character for character in phone if character in "+0123456789,;#*")
    return f"tel:{digits.replace('#', '%23')}" if any(each.isdigit() for each in digits) else ""


def is_web_address(url: str) -> bool:
    """Whether a link may stand on a page: only http and https, whatever a record says."""
    try:
        return urlsplit(url).scheme in ("http", "https") if url else False
    except ValueError:
        return False  # "https://[": it leads nowhere


def distance_km(latitude: float, longitude: float, place: Place) -> float | None:
    """Kilometres along the earth (haversine); ``None`` when the place has no point."""
    if place.latitude_e7 is None or place.longitude_e7 is None:
        return None
    lat1, lon1 = radians(latitude), radians(longitude)
    lat2, lon2 = radians(place.latitude_e7 / 1e7), radians(place.longitude_e7 / 1e7)
    half = sin((lat2 - lat1) / 2) ** 2 + cos(lat1) * cos(lat2) * sin((lon2 - lon1) / 2) ** 2
    return 2 * EARTH_KM * asin(min(1.0, sqrt(half)))


def _base(by: Beholder, shown: ShownListing) -> dict[str, Any]:
    listing = to_text(shown.id)
    return {
        "id": listing,
        "name": shown.name,
        "url": by.view.url(f"/listings/{listing}"),
        "summary": "",
        "experiences": [],
        "languages": [],
        "tags": [],
        "access": [],
        "attendance": "unknown",
        "place": "",
        "distance": "",
        "when": [],
        "more_times": 0,
        "next": None,
        "state": "",
        "disputed": shown.in_dispute,
        "one_signer": shown.one_signer,
    }


def _when(by: Beholder, meeting: Meeting) -> dict[str, str]:
    return {
        "text": by.wording.when(meeting),
        "zone": by.wording.zone_of_meeting(meeting),
        "note": by.wording.note(meeting),
    }


def _when_together(by: Beholder, meetings: list[Meeting]) -> dict[str, str]:
    """Every Monday and Thursday, 7:00 PM."""
    first = _when(by, meetings[0])
    days = sorted({(meeting.weekday or 0) for meeting in meetings}, key=lambda day: (day + 6) % 7)
    if len(days) > 1:
        first["text"] = by.wording.weekly(days, meetings[0])
    return first


def _next(by: Beholder, meeting: Meeting, moment: Moment) -> dict[str, Any]:
    place = zone_of(meeting)
    visitor = by.zone if meeting.attendance in _FROM_AFAR else None
    time = shown_time(moment.occurrence, meeting.attendance, place=place, visitor=visitor)
    text = by.wording.moment(time.start)
    if place is None or meeting.attendance in _FROM_AFAR:
        text += f" ({by.wording.zone_label(time)})"
    return {
        "text": text,
        "iso": "" if place is None else _iso(moment.begins),
        "end_iso": "" if place is None or moment.occurrence.end is None else _iso(moment.ends),
        "online": meeting.attendance in _FROM_AFAR,
        "zone_id": "" if place is None else meeting.tz,
    }


def _iso(moment: Timestamp) -> str:
    return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _state(moment: Moment) -> str:
    if moment.assumed_zone:
        return ""
    return moment.phase.value if moment.phase in (Phase.NOW, Phase.SOON) else ""


def _distance(by: Beholder, content: ListingContent) -> str:
    if by.near is None:
        return ""
    found = [
        km
        for meeting in content.meetings
        if meeting.place is not None and (km := distance_km(*by.near, meeting.place)) is not None
    ]
    return by.wording.distance(min(found)) if found else ""


def _openness(facets: Facets) -> str:
    return facets.openness.name.lower()


def _meeting(by: Beholder, content: ListingContent, meeting: Meeting) -> dict[str, Any]:
    facets = meeting.facets
    moment = next_moment(by, [meeting])
    online = meeting.online
    return {
        "name": meeting.name,
        **{key: value for key, value in _when(by, meeting).items() if key == "zone"},
        "when": by.wording.when(meeting) + (f" – {note}" if (note := by.wording.note(meeting)) else ""),
        "next": None if moment is None else _next(by, *moment),
        "state": "" if moment is None else _state(moment[1]),
        "changes": by.wording.changes(meeting),
        "attendance": _ATTENDANCE[meeting.attendance],
        "standing": meeting.standing.name.lower(),
        "place": None if meeting.place is None else _place(meeting.place),
        "online": None if online is None else {
            "url": online.url if is_web_address(online.url) else "",
            "url_notes": online.url_notes,
            "phone": online.phone,
            "phone_href": phone_href(online.phone),
            "phone_notes": online.phone_notes,
            "password_hint": online.password_hint,
        },
        "notes": paragraphs(meeting.notes),
        "tags": by.wording.tags([*facets.formats, *facets.communities]),
        "access": by.wording.tags(tag for tag in facets.features if tag in ACCESS_NEEDS),
        "languages": [by.wording.language_name(tag) for tag in facets.languages],
    }  # fmt: skip


def _place(place: Place) -> dict[str, Any]:
    point = place.latitude_e7 is not None and place.longitude_e7 is not None and not place.approximate
    return {
        "name": place.name,
        "lines": place_lines(place),
        "notes": place.notes,
        "map_url": f"geo:{(place.latitude_e7 or 0) / 1e7:.5f},{(place.longitude_e7 or 0) / 1e7:.5f}" if point else "",
        "approximate": place.approximate,
    }
