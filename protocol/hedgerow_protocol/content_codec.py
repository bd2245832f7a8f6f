"""The wire form of :class:`~hedgerow_protocol.content.ListingContent`: arrays in a fixed field order.

Each class has one row of fields; a field is its name and a reader. Decoding ignores further fields at the end of an
array, so that a later minor version may add some. Spec: docs/protocol/records.md.
"""

from typing import Any

from hedgerow_protocol import limits
from hedgerow_protocol.content import (
    Attendance,
    Change,
    Contact,
    Facets,
    Intake,
    Joining,
    ListingContent,
    Meeting,
    Online,
    Openness,
    Place,
    Standing,
)
from hedgerow_protocol.field_readers import (
    DURATION,
    EXTRAS,
    LONG,
    MINUTE,
    NAME,
    SHORT,
    SLUG,
    TAGS,
    TIME,
    ascending,
    bad,
    choice,
    flag,
    iso_date,
    language,
    many,
    number,
    octets,
    optional,
    real_date,
    rule,
    web_address,
    zone,
)
from hedgerow_protocol.structs import Struct
from hedgerow_protocol.wire import Value


def _facets(depth: int) -> Struct:
    return Struct(
        Facets,
        5,
        depth,
        openness=choice(Openness),
        formats=TAGS,
        features=TAGS,
        communities=TAGS,
        languages=ascending(language, limits.TAGS_MAX),
    )


# The depth of each: a record's body is 1, its content 2, the list of meetings 3, a meeting 4, its place 5.
_FACETS = _facets(3)
_MEETING_FACETS = _facets(5)

_PLACE = Struct(
    Place,
    12,
    5,
    name=SHORT,
    formatted=LONG,
    street=SHORT,
    city=SHORT,
    state=SHORT,
    postal_code=SHORT,
    country=SHORT,
    regions=many(SHORT, limits.REGIONS_MAX),
    notes=LONG,
    latitude_e7=optional(number(-900_000_000, 900_000_000)),
    longitude_e7=optional(number(-1_800_000_000, 1_800_000_000)),
    approximate=flag,
)

_ONLINE = Struct(Online, 5, 5, url=web_address, url_notes=LONG, phone=SHORT, phone_notes=LONG, password_hint=LONG)

_CHANGE = Struct(Change, 4, 6, date=real_date, to_date=real_date, start=MINUTE, duration_min=DURATION)

_MEETING = Struct(
    Meeting,
    21,
    4,
    slug=SLUG,
    name=NAME,
    weekday=optional(number(0, 6)),
    rrule=rule,
    first=iso_date,
    until=iso_date,
    start=optional(MINUTE),
    duration_min=DURATION,
    tz=zone,
    cancelled=ascending(real_date, limits.DATES_MAX),
    added=ascending(real_date, limits.DATES_MAX),
    changes=(many(_CHANGE.decode, limits.CHANGES_MAX), _CHANGE),
    attendance=choice(Attendance),
    standing=choice(Standing),
    place=(optional(_PLACE.decode), _PLACE),
    online=(optional(_ONLINE.decode), _ONLINE),
    notes=LONG,
    facets=(_MEETING_FACETS.decode, _MEETING_FACETS),
    updated=TIME,
    url=web_address,
    extras=EXTRAS,
)

_CONTACT = Struct(Contact, 3, 4, name=SHORT, phone=SHORT, email=SHORT)

_INTAKE = Struct(Intake, 3, 3, node=octets(32), room=octets(32), key=octets(32))


def _meeting(value: Any) -> Meeting:
    meeting: Meeting = _MEETING.decode(value)
    if not meeting.slug:
        bad("A meeting has a slug.")
    if meeting.weekday is not None and meeting.rrule:
        bad("A meeting is weekly or has a rule, not both.")
    if meeting.rrule and not meeting.first:
        bad("A meeting with a rule has a first date.")
    if meeting.start is None and (meeting.rrule or meeting.changes):
        bad("A meeting with a rule has a time.")
    place = meeting.place
    if place is not None and (place.latitude_e7 is None) != (place.longitude_e7 is None):
        bad("A place has both a latitude and a longitude, or neither.")
    return meeting


_CONTENT = Struct(
    ListingContent,
    18,
    2,
    name=NAME,
    summary=LONG,
    experiences=TAGS,
    program=SHORT,
    facets=(_FACETS.decode, _FACETS),
    meetings=(many(_meeting, limits.MEETINGS_MAX), _MEETING),
    joining=choice(Joining),
    how_to_join=LONG,
    eligibility=LONG,
    url=web_address,
    links=many(web_address, limits.LINKS_MAX),
    contacts=(many(_CONTACT.decode, limits.CONTACTS_MAX), _CONTACT),
    district=SHORT,
    body=SHORT,
    group_notes=LONG,
    confirmed=iso_date,
    source=SHORT,
    extras=EXTRAS,
    # Left out where there is none: then the array has the 18 fields of the first version.
    intake=(optional(_INTAKE.decode), _INTAKE),
)


def content_to_value(content: ListingContent) -> tuple[Value, ...]:
    """The array that stands for this content."""
    return _CONTENT.encode(content)


def content_from_value(value: Value) -> ListingContent:
    """Read and check an array. Raises only :class:`RemoteError`."""
    content: ListingContent = _CONTENT.decode(value)
    if not content.name.strip():
        bad("A listing has a name.")
    slugs = {meeting.slug for meeting in content.meetings}
    if len(slugs) != len(content.meetings):
        bad("Two meetings of a listing have the same slug.")
    if content.intake is not None and content.joining is not Joining.ASK:
        bad("Only a listing that says to ask first says where to ask.")
    return content


def content_from_stored(value: Value) -> ListingContent:
    """The content of an array that :func:`content_from_value` has accepted before; for what a store kept since."""
    content: ListingContent = _CONTENT.restore(value)
    return content
