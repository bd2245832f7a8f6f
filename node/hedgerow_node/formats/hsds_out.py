"""Open Referral HSDS 3.0 out: one service for each listing, its places as services at locations.

Entries have UUIDv5 ids, so two nodes export the same. Required fields are always there; an address is given in parts
only where its country's two-letter code is known, as HSDS asks, else as words.
"""

from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime
from functools import lru_cache

from hedgerow_node.formats import vocabulary
from hedgerow_node.formats.hsds_schedule_out import attribute, entry_id, facet_attributes, schedule_of
from hedgerow_node.formats.ical_event_out import place_in_one_line
from hedgerow_protocol.content import ListingContent, Place, Standing
from hedgerow_protocol.ids import to_text
from hedgerow_protocol.ports import Timestamp
from hedgerow_protocol.state import ShownListing

Entry = dict[str, object]

_STATUS = {Standing.ACTIVE: "active", Standing.PAUSED: "temporarily closed", Standing.ENDED: "defunct"}


def export_hsds(listings: Iterable[ShownListing], *, now: Timestamp) -> tuple[Entry, dict[str, int]]:
    """One page of services, and what it does not hold as kind → count.

    ``now`` decides which offset from UTC is given for zones whose clocks change.
    """
    losses: Counter[str] = Counter()
    services: list[Entry] = []
    for shown in listings:
        if shown.content is None:
            losses["listing_in_dispute"] += 1
        else:
            services.append(_service(shown, shown.content, now, losses))
    page: Entry = {
        "total_items": len(services),
        "total_pages": 1,
        "page_number": 1,
        "size": len(services),
        "first_page": True,
        "last_page": True,
        "empty": not services,
        "contents": services,
    }
    return page, {kind: count for kind, count in sorted(losses.items()) if count}


def _service(shown: ShownListing, content: ListingContent, now: Timestamp, losses: Counter[str]) -> Entry:
    sid = entry_id("service", to_text(shown.id))
    standings = {meeting.standing for meeting in content.meetings} or {Standing.ACTIVE}
    losses["standing_of_one_meeting"] += len(standings) > 1
    service: Entry = {"id": sid, "name": content.name, "status": _STATUS[min(standings)]}
    for field, value in (
        ("description", content.summary),
        ("url", content.url),
        ("application_process", content.how_to_join),
        ("eligibility_description", content.eligibility),
        ("assured_date", content.confirmed),
        ("last_modified", datetime.fromtimestamp(shown.slot.issued, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")),
    ):
        if value:
            service[field] = value
    if content.body:
        oid = entry_id("organization", content.body)
        service["organization"] = {"id": oid, "name": content.body, "description": content.body}
    if content.facets.languages:
        service["languages"] = [_language(sid, tag) for tag in content.facets.languages]
    if content.contacts:
        service["contacts"] = [_contact(sid, index, shown) for index in range(len(content.contacts))]
    attributes = [attribute(sid, "experience", tag) for tag in content.experiences]
    attributes += facet_attributes(sid, content.facets)
    if content.program:
        attributes.append(attribute(sid, "field", "program", content.program))
    if attributes:
        service["attributes"] = attributes
    _add_schedules(service, sid, content, now, losses)
    _count(content, losses)
    return service


def _add_schedules(service: Entry, sid: str, content: ListingContent, now: Timestamp, losses: Counter[str]) -> None:
    """Meetings at a place stand below that place, the others directly below the service."""
    direct: list[Entry] = []
    placed: dict[Place, list[Entry]] = {}
    for meeting in content.meetings:
        schedule = schedule_of(sid, meeting, now, losses)
        if meeting.place is None:
            direct.append(schedule)
        else:
            placed.setdefault(meeting.place, []).append(schedule)
    if direct:
        service["schedules"] = direct
    if placed:
        service["service_at_locations"] = [
            {
                "id": entry_id("service_at_location", sid, repr(place)),
                "location": _location(place, _features_at(place, content)),
                "schedules": schedules,
            }
            for place, schedules in placed.items()
        ]


def _features_at(place: Place, content: ListingContent) -> list[str]:
    tags = set(content.facets.features)
    for meeting in content.meetings:
        if meeting.place == place:
            tags.update(meeting.facets.features)
    return sorted(tags & set(vocabulary.ACCESS_NEEDS))


def _location(place: Place, needs: list[str]) -> Entry:
    lid = entry_id("location", repr(place))
    location: Entry = {"id": lid, "location_type": "physical"}
    if place.name:
        location["name"] = place.name
    if place.notes:
        location["transportation"] = place.notes
    if place.latitude_e7 is not None and place.longitude_e7 is not None:
        location["latitude"] = place.latitude_e7 / 1e7
        location["longitude"] = place.longitude_e7 / 1e7
    country = _country_code(place.country)
    if country and (place.street or place.city or place.formatted):
        location["addresses"] = [
            {
                "id": entry_id("address", lid),
                "address_1": place.street or place.formatted,
                "city": place.city,
                "state_province": place.state,
                "postal_code": place.postal_code,
                "country": country,
                "address_type": "physical",
            }
        ]
        if place.regions:
            location["addresses"][0]["region"] = " > ".join(place.regions)  # type: ignore[index]
    elif words := place_in_one_line(Place(**{**_parts(place), "name": ""})):  # type: ignore[arg-type]
        location["description"] = words
    if needs:
        location["accessibility"] = [
            {"id": entry_id("accessibility", lid, tag), "description": vocabulary.label_of_tag(tag)} for tag in needs
        ]
    if place.approximate:
        location["attributes"] = [attribute(lid, "field", "approximate", "yes")]
    return location


def _parts(place: Place) -> dict[str, object]:
    return {name: getattr(place, name) for name in Place.__dataclass_fields__}


@lru_cache(maxsize=256)
def _country_code(country: str) -> str:
    """A country's two-letter code, from the code or its English name."""
    if len(country) == 2 and country.isalpha() and country.isascii():
        return country.upper()
    if not country:
        return ""
    from babel import Locale

    names = {str(name).casefold(): code for code, name in Locale("en").territories.items() if len(code) == 2}
    return str({"usa": "US", "uk": "GB", **names}.get(country.casefold(), ""))


def _language(owner: str, tag: str) -> Entry:
    return {"id": entry_id("language", owner, tag), "name": vocabulary.label_of_tag(tag), "code": tag}


def _contact(owner: str, index: int, shown: ShownListing) -> Entry:
    assert shown.content is not None  # noqa: S101 - the caller has looked
    contact = shown.content.contacts[index]
    cid = entry_id("contact", owner, str(index))
    entry: Entry = {"id": cid}
    if contact.name:
        entry["name"] = contact.name
    if contact.email:
        entry["email"] = contact.email
    if contact.phone:
        entry["phones"] = [{"id": entry_id("phone", cid), "number": contact.phone}]
    return entry


def _count(content: ListingContent, losses: Counter[str]) -> None:
    losses["how_people_join"] += bool(content.joining)
    losses["links"] += bool(content.links)
    losses["district"] += bool(content.district)
    losses["group_notes"] += bool(content.group_notes)
    losses["further_fields"] += bool(content.extras)
    for place in {meeting.place for meeting in content.meetings if meeting.place is not None}:
        in_parts = bool(_country_code(place.country))
        losses["address_in_words"] += not in_parts and bool(place.street or place.city)
        losses["whole_address"] += in_parts and bool(place.street and place.formatted)
