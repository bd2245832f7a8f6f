"""One listing in the JSON of the API: every field by its name, dates and times as people write them.

``place`` is where the first meeting that has a place is held; ``languages`` are those of the listing and of all its
meetings; ``facets`` what all meetings share. ``expires``, ``issued`` and ``updated`` are Unix seconds, as in records.
"""

from typing import Any

from hedgerow_protocol import base64url
from hedgerow_protocol.content import Change, Contact, Facets, Intake, ListingContent, Meeting, Online, Openness, Place
from hedgerow_protocol.ids import to_text
from hedgerow_protocol.state import ShownListing


def listing_json(shown: ShownListing) -> dict[str, Any]:
    """The JSON form of a listing; while it is contested it says its name and that it is in dispute, nothing else."""
    listing: dict[str, Any] = {
        "id": to_text(shown.id),
        "name": shown.name,
        "meetings": [],
        "languages": [],
        "facets": _facets(Facets()),
        "place": None,
        "issued": shown.slot.issued,
        "expires": shown.slot.expires,
        "version": shown.slot.seq,
        "in_dispute": shown.in_dispute,
        "contested": shown.contested,
        "two_versions": shown.two_versions,
        "stewards": shown.stewards,
        "threshold": shown.threshold,
        "hosts": [to_text(host) for host in shown.hosts],
    }
    if shown.content is not None:
        listing |= _content(shown.content)
    return listing


def _content(content: ListingContent) -> dict[str, Any]:
    languages = {*content.facets.languages}.union(*(meeting.facets.languages for meeting in content.meetings))
    places = [meeting.place for meeting in content.meetings if meeting.place is not None]
    return {
        "summary": content.summary,
        "experiences": list(content.experiences),
        "program": content.program,
        "facets": _facets(content.facets),
        "languages": sorted(languages),
        "place": _place(places[0]) if places else None,
        "meetings": [_meeting(meeting, content.facets) for meeting in content.meetings],
        "joining": content.joining.name.lower(),
        "how_to_join": content.how_to_join,
        "eligibility": content.eligibility,
        "url": content.url,
        "links": list(content.links),
        "contacts": [_contact(contact) for contact in content.contacts],
        "district": content.district,
        "body": content.body,
        "notes": content.group_notes,
        "confirmed": content.confirmed or None,
        "source": content.source,
        "extras": _extras(content.extras),
        "intake": None if content.intake is None else _intake(content.intake),
    }


def _intake(intake: Intake) -> dict[str, str]:
    """Where members' programs ask to join; in base64url, as all of their API."""
    parts = {"node": intake.node, "room": intake.room, "key": intake.key}
    return {name: base64url.encode(value) for name, value in parts.items()}


def _meeting(meeting: Meeting, shared: Facets) -> dict[str, Any]:
    """A meeting; its ``facets`` are complete: what all meetings of the listing share and its own."""
    return {
        "slug": meeting.slug,
        "name": meeting.name,
        "weekday": meeting.weekday,
        "rrule": meeting.rrule or None,
        "first": meeting.first or None,
        "until": meeting.until or None,
        "start": _clock(meeting.start),
        "duration_min": meeting.duration_min,
        "tz": meeting.tz or None,
        "cancelled": list(meeting.cancelled),
        "added": list(meeting.added),
        "changes": [_change(change) for change in meeting.changes],
        "attendance": meeting.attendance.name.lower(),
        "standing": meeting.standing.name.lower(),
        "place": None if meeting.place is None else _place(meeting.place),
        "online": None if meeting.online is None else _online(meeting.online),
        "notes": meeting.notes,
        "facets": _facets(_together(shared, meeting.facets)),
        "languages": sorted({*shared.languages, *meeting.facets.languages}),
        "updated": meeting.updated or None,
        "url": meeting.url,
        "extras": _extras(meeting.extras),
    }


def _together(shared: Facets, own: Facets) -> Facets:
    return Facets(
        openness=own.openness if own.openness is not Openness.UNKNOWN else shared.openness,
        formats=tuple(sorted({*shared.formats, *own.formats})),
        features=tuple(sorted({*shared.features, *own.features})),
        communities=tuple(sorted({*shared.communities, *own.communities})),
        languages=tuple(sorted({*shared.languages, *own.languages})),
    )


def _facets(facets: Facets) -> dict[str, Any]:
    return {
        "openness": facets.openness.name.lower(),
        "formats": list(facets.formats),
        "features": list(facets.features),
        "communities": list(facets.communities),
        "languages": list(facets.languages),
    }


def _place(place: Place) -> dict[str, Any]:
    return {
        "name": place.name,
        "formatted": place.formatted,
        "street": place.street,
        "city": place.city,
        "state": place.state,
        "postal_code": place.postal_code,
        "country": place.country,
        "regions": list(place.regions),
        "notes": place.notes,
        "latitude": None if place.latitude_e7 is None else place.latitude_e7 / 10_000_000,
        "longitude": None if place.longitude_e7 is None else place.longitude_e7 / 10_000_000,
        "approximate": place.approximate,
    }


def _online(online: Online) -> dict[str, Any]:
    return {
        "url": online.url,
        "url_notes": online.url_notes,
        "phone": online.phone,
        "phone_notes": online.phone_notes,
        "password_hint": online.password_hint,
    }


def _contact(contact: Contact) -> dict[str, Any]:
    return {"name": contact.name, "phone": contact.phone, "email": contact.email}


def _change(change: Change) -> dict[str, Any]:
    return {
        "date": change.date,
        "to_date": change.to_date,
        "start": _clock(change.start),
        "duration_min": change.duration_min,
    }


def _extras(extras: tuple[tuple[str, str], ...]) -> dict[str, str]:
    """Further fields by name; texts under one name stand on lines of their own."""
    named: dict[str, str] = {}
    for key, text in extras:
        named[key] = f"{named[key]}\n{text}" if key in named else text
    return named


def _clock(minutes: int | None) -> str | None:
    return None if minutes is None else f"{minutes // 60:02d}:{minutes % 60:02d}"
