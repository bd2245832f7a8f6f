"""Listings as a Meeting Guide feed, written strictly: one record a day, plain text, known type codes only.

Meeting Guide holds weekly meetings and meetings by appointment. What it cannot hold is left out and counted: kinds that
begin with ``left_out_`` are meetings (or listings) that are not in the feed, all others are details. Source:
code4recovery/spec.
"""

import re
from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime
from hashlib import blake2b
from typing import Any, Final

from hedgerow_node.formats import vocabulary
from hedgerow_node.formats.report import Tally
from hedgerow_node.formats.text_repair import plain
from hedgerow_protocol import rules
from hedgerow_protocol.content import (
    Attendance,
    Contact,
    Facets,
    Joining,
    ListingContent,
    Meeting,
    Online,
    Openness,
    Place,
    Standing,
)
from hedgerow_protocol.ids import to_text
from hedgerow_protocol.state import ShownListing

SLUG_CHARACTERS_MAX: Final = 64
CONTACTS_MAX: Final = 3
_SLUG_UNWANTED: Final = re.compile(r"[^A-Za-z0-9._~-]+")
_EXTRA_FIELDS: Final = frozenset(
    [
        "venmo",
        "square",
        "paypal",
        "homegroup_online",
        "feedback_emails",
        "feedback_url",
        "entity_email",
        "entity_location",
        "entity_logo",
        "entity_phone",
        "entity_url",
        "entity_website_url",
    ]
)
"""Further fields that the specification names: the others belong to the program that once wrote them."""

_ATTENDANCE: Final = {Attendance.IN_PERSON: "in_person", Attendance.ONLINE: "online", Attendance.HYBRID: "hybrid"}


def export_meeting_guide(listings: Iterable[ShownListing]) -> tuple[list[dict[str, Any]], dict[str, int]]:
    """Records of a feed, and what it could not hold (kind → count)."""
    export = _Export()
    for shown in listings:
        if shown.content is None:
            export.losses["left_out_in_dispute"] += 1
        else:
            export.add(shown, shown.content)
    return export.rows, dict(sorted(export.losses.items()))


class _Export:
    """The feed so far."""

    def __init__(self) -> None:
        self.rows: list[dict[str, Any]] = []
        self.losses: Counter[str] = Counter()
        self.slugs: set[str] = set()

    def add(self, shown: ShownListing, content: ListingContent) -> None:
        """Add one listing's meetings."""
        shared = self._shared(content) | {"group": self._plain(content.name), "group_id": to_text(shown.id)}
        if not content.meetings:
            self.losses["left_out_no_meetings"] += 1
        for meeting in content.meetings:
            for day in self._days(meeting):
                row = self._row(content, meeting, day) | shared
                self.rows.append({name: value for name, value in row.items() if value not in ("", None, [])})

    def _days(self, meeting: Meeting) -> list[int | None]:
        """The days on which a meeting is held every week; ``[None]`` by appointment; nothing when it is left out."""
        if meeting.standing is Standing.ENDED:
            self.losses["left_out_ended"] += 1
            return []
        if meeting.until:
            self.losses["left_out_season"] += 1
            return []
        days: list[int | None]
        if meeting.rrule:
            days = list(_weekly_days(meeting.rrule))
            if not days:
                self.losses["left_out_rule"] += 1
                return []
        elif meeting.weekday is None:
            if meeting.first:
                self.losses["left_out_once"] += 1
                return []
            days = [None]
        else:
            days = [meeting.weekday]
        if days != [None] and meeting.start is None:
            self.losses["left_out_no_time"] += 1
            return []
        return days

    def _row(self, content: ListingContent, meeting: Meeting, day: int | None) -> dict[str, Any]:
        weekly = day is not None
        for lost, kind in (
            (meeting.first, "first_date"),
            (meeting.cancelled, "cancelled_dates"),
            (meeting.added, "added_dates"),
            (meeting.changes, "changed_dates"),
            (weekly and not meeting.tz, "time_zone_unknown"),
        ):
            if lost:
                self.losses[kind] += 1
        start = meeting.start if weekly else None
        row: dict[str, Any] = {
            "slug": self._slug(meeting.slug, day if meeting.rrule else None),
            "name": self._plain(meeting.name or content.name),
            "day": day,
            "time": None if start is None else _clock(start),
            "end_time": self._end(start, meeting.duration_min),
            "timezone": meeting.tz,
            "types": self._types(content, meeting),
            "notes": self._plain(meeting.notes),
            "url": meeting.url,
            "updated": _stamp(meeting.updated),
            "attendance_option": self._attendance(meeting),
        }
        return row | self._place(meeting.place) | self._online(meeting.online) | self._extras(meeting.extras)

    def _end(self, start: int | None, duration: int | None) -> str:
        if start is None or duration is None:
            return ""
        if not 0 < duration < 1440:
            self.losses["duration"] += 1
            return ""
        return _clock((start + duration) % 1440)

    def _attendance(self, meeting: Meeting) -> str:
        if meeting.standing is Standing.PAUSED:
            return "inactive"
        return _ATTENDANCE.get(meeting.attendance, "")

    def _slug(self, slug: str, day: int | None) -> str:
        wanted = slug if day is None else f"{slug}-{day}"
        clean = _SLUG_UNWANTED.sub("-", wanted).strip("-") or "meeting"
        if len(clean) > SLUG_CHARACTERS_MAX:
            digest = blake2b(clean.encode(), digest_size=4).hexdigest()
            clean = f"{clean[: SLUG_CHARACTERS_MAX - 9]}-{digest}"
        if clean != wanted:
            self.losses["slug"] += 1
        unique, number = clean, 2
        while unique in self.slugs:
            unique = f"{clean[: SLUG_CHARACTERS_MAX - 7]}-{number}"
            number += 1
        if unique != clean:
            self.losses["slug"] += 1
        self.slugs.add(unique)
        return unique

    def _types(self, content: ListingContent, meeting: Meeting) -> list[str]:
        codes: set[str] = set()
        ours, own = content.facets, meeting.facets
        openness = own.openness or ours.openness
        if openness is not Openness.UNKNOWN:
            self._add_type(codes, content.program, "openness", "open" if openness is Openness.OPEN else "closed")
        languages = {*ours.languages, *own.languages}
        for facet in ("formats", "features", "communities", "languages"):
            for tag in sorted({*_tags(ours, facet), *_tags(own, facet)}):
                if tag == "sign-language" and languages & vocabulary.SIGN_LANGUAGES:
                    continue  # the code of the language says it
                self._add_type(codes, content.program, facet, tag)
        return sorted(codes)

    def _add_type(self, codes: set[str], program: str, facet: str, tag: str) -> None:
        code = vocabulary.code_of(program, facet, tag)
        if code is None:
            self.losses[f"types_{facet}"] += 1
        else:
            codes.add(code)

    def _place(self, place: Place | None) -> dict[str, Any]:
        if place is None:
            return {}
        row: dict[str, Any] = {
            "location": self._plain(place.name),
            "formatted_address": self._plain(place.formatted),
            "address": self._plain(place.street),
            "city": self._plain(place.city),
            "state": self._plain(place.state),
            "postal_code": self._plain(place.postal_code),
            "country": self._plain(place.country),
            "regions": [self._plain(region) for region in place.regions],
            "location_notes": self._plain(place.notes),
            "approximate": "yes" if place.approximate else "no",
        }
        if place.latitude_e7 is not None and place.longitude_e7 is not None:
            row |= {"latitude": place.latitude_e7 / 10_000_000, "longitude": place.longitude_e7 / 10_000_000}
        return row

    def _online(self, online: Online | None) -> dict[str, Any]:
        if online is None:
            return {}
        notes = [self._plain(online.url_notes)]
        if online.password_hint:
            self.losses["password_hint_in_notes"] += 1
            notes.append(self._plain(online.password_hint))
        return {
            "conference_url": online.url,
            "conference_url_notes": "\n".join(note for note in notes if note),
            "conference_phone": online.phone,
            "conference_phone_notes": self._plain(online.phone_notes),
        }

    def _shared(self, content: ListingContent) -> dict[str, Any]:
        """What every record of a listing says alike."""
        program = vocabulary.find_program(content.program)
        for lost, kind in (
            (content.summary, "summary"),
            (set(content.experiences) - set(program.experiences if program else ()), "experiences"),
            (content.joining is not Joining.COME, "joining"),
            (content.how_to_join, "how_to_join"),
            (content.eligibility, "eligibility"),
            (content.links[1:], "links"),
        ):
            if lost:
                self.losses[kind] += 1
        return {
            "website": content.url,
            "website_2": content.links[0] if content.links else "",
            "district": self._plain(content.district),
            "entity": self._plain(content.body),
            "group_notes": self._plain(content.group_notes),
            "last_contact": content.confirmed,
            **self._contacts(content.contacts),
            **self._extras(content.extras),
        }

    def _contacts(self, contacts: tuple[Contact, ...]) -> dict[str, str]:
        row: dict[str, str] = {}
        if contacts and not contacts[0].name:
            row |= {"email": contacts[0].email, "phone": contacts[0].phone}
            contacts = contacts[1:]
        for number, contact in enumerate(contacts[:CONTACTS_MAX], start=1):
            row[f"contact_{number}_name"] = self._plain(contact.name)
            row[f"contact_{number}_email"] = contact.email
            row[f"contact_{number}_phone"] = contact.phone
        if len(contacts) > CONTACTS_MAX:
            self.losses["contacts"] += len(contacts) - CONTACTS_MAX
        return row

    def _extras(self, extras: tuple[tuple[str, str], ...]) -> dict[str, Any]:
        row: dict[str, Any] = {}
        for key, value in extras:
            field = key.removeprefix("tsml:")
            if field == key or field not in _EXTRA_FIELDS or field in row:
                self.losses["further_fields"] += 1
            elif field == "feedback_emails":
                row[field] = [part.strip() for part in value.split(",") if part.strip()]
            else:
                row[field] = self._plain(value)
        return row

    def _plain(self, text: str) -> str:
        """Text without HTML; text of ours that only looks like it is rare, and is cut alike."""
        if "<" not in text:
            return text
        clean = plain(text, Tally())
        if clean != text:
            self.losses["html"] += 1
        return clean


def _tags(facets: Facets, facet: str) -> tuple[str, ...]:
    tags: tuple[str, ...] = getattr(facets, facet)
    return tags


def _weekly_days(rrule: str) -> tuple[int, ...]:
    """The weekdays of a rule that means nothing but "every week on these days"."""
    rule = rules.parse(rrule)
    plain_rule = rules.Rule(freq=rule.freq, byday=rule.byday, wkst=rule.wkst)
    if rule != plain_rule or any(ordinal for ordinal, _ in rule.byday):
        return ()
    if rule.freq == "WEEKLY":
        return tuple(sorted({day for _, day in rule.byday}))
    return (0, 1, 2, 3, 4, 5, 6) if rule.freq == "DAILY" and not rule.byday else ()


def _clock(minutes: int) -> str:
    return f"{minutes // 60:02d}:{minutes % 60:02d}"


def _stamp(seconds: int) -> str:
    # Beyond year 9999 the calendar ends, and no source was updated there.
    if not 0 < seconds < 253_402_300_800:
        return ""
    return datetime.fromtimestamp(seconds, tz=UTC).strftime("%Y-%m-%d %H:%M:%S")
