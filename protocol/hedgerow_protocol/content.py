"""What a listing says: the text and the meetings of one peer-support group, as values.

These classes hold everything the known formats can say (Meeting Guide, BMLT, HSDS, iCalendar), in our own words.
Empty text, an empty tuple or ``None`` means "not said". Numbers are whole: places in 1e-7 degrees, times in minutes
after midnight by the wall clock of ``tz``, dates as ``YYYY-MM-DD``. The wire form is in
:mod:`hedgerow_protocol.content_codec`. Spec: docs/protocol/records.md.
"""

from dataclasses import dataclass, field
from enum import IntEnum


class Attendance(IntEnum):
    """How people come together."""

    UNKNOWN = 0
    IN_PERSON = 1
    ONLINE = 2
    HYBRID = 3


class Standing(IntEnum):
    """Whether a meeting is held at present."""

    ACTIVE = 0
    PAUSED = 1
    ENDED = 2


class Openness(IntEnum):
    """Who may come."""

    UNKNOWN = 0
    OPEN = 1
    CLOSED = 2


class Joining(IntEnum):
    """How somebody joins the group behind a listing."""

    COME = 0
    ASK = 1
    INVITATION = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Facets:
    """Five independent ways to narrow a search, from code4recovery/oiaa-direct.

    ``formats``, ``features`` and ``communities`` are lower-case tags (``speaker``, ``wheelchair``, ``women``);
    ``languages`` are BCP 47 tags. Each is sorted and without repetition.
    """

    openness: Openness = Openness.UNKNOWN
    formats: tuple[str, ...] = ()
    features: tuple[str, ...] = ()
    communities: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()


NO_FACETS = Facets()


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a meeting is held."""

    name: str = ""
    """The venue: "Example Library, Room 14"."""
    formatted: str = ""
    """The whole address in one line, where a source gives it so."""
    street: str = ""
    city: str = ""
    state: str = ""
    postal_code: str = ""
    country: str = ""
    regions: tuple[str, ...] = ()
    """Names from general to specific."""
    notes: str = ""
    """How to find the door; transport."""
    latitude_e7: int | None = None
    longitude_e7: int | None = None
    """Ten-millionths of a degree, WGS 84; both or neither."""
    approximate: bool = False
    """The place is a town or an area, not a door."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Online:
    """How to join from afar, without any secret."""

    url: str = ""
    url_notes: str = ""
    phone: str = ""
    """A public dial-in number with its codes."""
    phone_notes: str = ""
    password_hint: str = ""
    """How to ask for the password, where one is needed. Never the password."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One occurrence that is held at another time than its rule says (iCalendar's RECURRENCE-ID)."""

    date: str
    """The date on which the rule would have put it."""
    to_date: str
    start: int
    """Minutes after midnight on ``to_date``."""
    duration_min: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Meeting:
    """One recurring or single time.

    Exactly one of these shapes: weekly (``weekday`` set, ``rrule`` empty), by rule (``rrule`` and ``first`` set), once
    (``first`` set alone), by appointment (none of them). ``until`` and, for a weekly meeting, ``first`` bound a season.
    """

    slug: str
    """Unique within its source and stable over edits."""
    name: str = ""
    """Where it differs from the listing's."""
    weekday: int | None = None
    """0 = Sunday … 6 = Saturday."""
    rrule: str = ""
    """A canonical RFC 5545 rule without COUNT-breaking extras, e.g. ``FREQ=MONTHLY;BYDAY=2TH``. See ``rules``."""
    first: str = ""
    """First date (DTSTART) or, for a weekly meeting, the date from which it is held."""
    until: str = ""
    """Last date on which it may be held."""
    start: int | None = None
    """Minutes after midnight; ``None`` when not said."""
    duration_min: int | None = None
    """``None`` when not said; readers then show no end and count an hour."""
    tz: str = ""
    """IANA zone; empty when unknown: the time is then the place's own."""
    cancelled: tuple[str, ...] = ()
    """Dates on which it is not held (EXDATE)."""
    added: tuple[str, ...] = ()
    """Further dates, at the same time of day (RDATE)."""
    changes: tuple[Change, ...] = ()
    attendance: Attendance = Attendance.UNKNOWN
    standing: Standing = Standing.ACTIVE
    place: Place | None = None
    online: Online | None = None
    notes: str = ""
    facets: Facets = NO_FACETS
    """What is true of this meeting beyond what is true of the whole listing."""
    updated: int = 0
    """Unix seconds of the last change at the source; 0 when not said."""
    url: str = ""
    """This meeting's page at its source."""
    extras: tuple[tuple[str, str], ...] = ()
    """Fields of the source with no place above, as (``format:field``, text), sorted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Contact:
    """A public contact of the group; private people are withheld before signing."""

    name: str = ""
    phone: str = ""
    email: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Intake:
    """Where one asks to join the group behind a listing: see :mod:`hedgerow_protocol.intake`."""

    node: bytes
    """32 bytes: the node that takes the asks."""
    room: bytes
    """32 bytes: whoever asks makes the keys for this room. To outsiders the number opens nothing."""
    key: bytes
    """32 bytes, X25519: what is asked is sealed for its secret half, which the members hold."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ListingContent:
    """Everything a listing says in words."""

    name: str
    summary: str = ""
    experiences: tuple[str, ...] = ()
    """Tags of shared experience: ``alcohol``, ``bereavement``, ``parenting``."""
    program: str = ""
    """The code of the program whose words the source used (``aa``, ``al-anon``); empty when none."""
    facets: Facets = NO_FACETS
    """What is true of every meeting."""
    meetings: tuple[Meeting, ...] = ()
    joining: Joining = Joining.COME
    how_to_join: str = ""
    eligibility: str = ""
    """Whom it is for, in words; ages."""
    url: str = ""
    """The group's own page, or its page at the source."""
    links: tuple[str, ...] = ()
    contacts: tuple[Contact, ...] = ()
    district: str = ""
    body: str = ""
    """The service body or organisation responsible for the listing."""
    group_notes: str = ""
    confirmed: str = ""
    """The date on which the group last confirmed it."""
    source: str = ""
    """The id of the feed it was imported from; empty when it was written here."""
    extras: tuple[tuple[str, str], ...] = field(default=())
    intake: Intake | None = None
    """Only where ``joining`` is ``ASK``."""
