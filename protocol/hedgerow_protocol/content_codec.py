"""The wire form of :class:`~hedgerow_protocol.content.ListingContent`: arrays in a fixed field order.

Each class has one row of fields; a field is its name and a reader that returns the value or refuses it with a
sentence. Decoding ignores further fields at the end of an array, so that a later minor version may add some.
Spec: docs/protocol/records.md.
"""

import re
from collections.abc import Callable
from datetime import date
from enum import IntEnum
from itertools import pairwise
from typing import Any, NoReturn

from hedgerow_protocol import limits, rules
from hedgerow_protocol.content import (
    Attendance,
    Change,
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
from hedgerow_protocol.errors import Code, RemoteError
from hedgerow_protocol.wire import Value

Reader = Callable[[Any], Any]


def _bad(reason: str) -> NoReturn:
    raise RemoteError(Code.BAD_FIELD, reason)


def text(characters_max: int) -> Reader:
    """Text without control characters other than new line and tab."""

    def read(value: Any) -> str:
        if type(value) is not str:
            _bad("A text field holds something else.")
        if len(value) > characters_max:
            _bad(f"A text is longer than {characters_max} characters.")
        if not value.isprintable():
            _check_control(value)
        return value

    return read


def _check_control(value: str) -> None:
    # New line and tab are the only control characters a person means. The others, and the invisible characters that
    # turn the direction of writing round, can make a page show something else than it says.
    for character in value:
        if character < " " and character not in "\n\t":
            _bad("A text holds a control character.")
        if character == "\x7f" or "\x80" <= character <= "\x9f" or "\u202a" <= character <= "\u202e":
            _bad("A text holds a control character.")
        if "\u2066" <= character <= "\u2069":
            _bad("A text holds a character that changes the direction of writing.")


def number(low: int, high: int) -> Reader:
    """A whole number within bounds."""

    def read(value: Any) -> int:
        if type(value) is not int or not low <= value <= high:
            _bad(f"A number is not between {low} and {high}.")
        return value

    return read


def optional(reader: Reader) -> Reader:
    """That, or nothing."""

    def read(value: Any) -> Any:
        return None if value is None else reader(value)

    return read


def flag(value: Any) -> bool:
    """True or false."""
    if type(value) is not bool:
        _bad("A yes-or-no field holds something else.")
    return value


def choice(kind: type[IntEnum]) -> Reader:
    """One of an enumeration's numbers."""
    by_number = {int(member): member for member in kind}

    def read(value: Any) -> IntEnum:
        if type(value) is not int or value not in by_number:
            _bad(f"A {kind.__name__.lower()} is not one of those known.")
        return by_number[value]

    return read


def many(reader: Reader, count_max: int) -> Reader:
    """An array of those."""

    def read(value: Any) -> tuple[Any, ...]:
        if value == ():
            return ()
        if type(value) is not tuple:
            _bad("A list field holds something else.")
        if len(value) > count_max:
            _bad(f"A list is longer than {count_max}.")
        return tuple([reader(item) for item in value])

    return read


def ascending(reader: Reader, count_max: int) -> Reader:
    """An array of those in strictly ascending order: a set with one form."""
    read_many = many(reader, count_max)

    def read(value: Any) -> tuple[Any, ...]:
        items: tuple[Any, ...] = read_many(value)
        if len(items) > 1 and any(left >= right for left, right in pairwise(items)):
            _bad("A list is not sorted, or says something twice.")
        return items

    return read


def web_address(value: Any) -> str:
    """An http(s) address or nothing."""
    if value == "" and type(value) is str:
        return ""
    if type(value) is not str or len(value) > limits.URL_CHARACTERS_MAX:
        _bad("A web address is too long.")
    lower = value[:8].lower()
    if not (lower.startswith(("https://", "http://"))):
        _bad("A web address begins with https:// or http://.")
    if " " in value or not value.isprintable():
        _bad("A web address holds a space or a control character.")
    return value


def tag(value: Any) -> str:
    """A lower-case name of letters, digits, hyphen, slash or dot."""
    if type(value) is not str or not 0 < len(value) <= limits.TAG_CHARACTERS_MAX:
        _bad(f"A tag has 1 to {limits.TAG_CHARACTERS_MAX} characters.")
    if value.isascii() and value.replace("-", "").isalnum() and value == value.lower():
        return value
    if value != value.lower() or any(c <= " " or c in "\"'<>&," for c in value) or not value.isprintable():
        _bad("A tag is in lower case and holds no spaces, quotes, commas or brackets.")
    return value


def language(value: Any) -> str:
    """A BCP 47 language tag's shape (RFC 5646): letters and digits in parts of 1 to 8, joined by hyphens."""
    if type(value) is not str or not 2 <= len(value) <= limits.TAG_CHARACTERS_MAX:
        _bad("A language tag has at least two letters.")
    parts = value.split("-")
    if not parts[0].isalpha() or not all(part.isascii() and part.isalnum() and len(part) <= 8 for part in parts):
        _bad("A language tag is letters and digits joined by hyphens.")
    return value


def iso_date(value: Any) -> str:
    """A date as YYYY-MM-DD, or nothing."""
    if value == "" and type(value) is str:
        return ""
    return real_date(value)


def real_date(value: Any) -> str:
    """A date as YYYY-MM-DD."""
    if type(value) is not str or len(value) != 10:
        _bad("A date is written YYYY-MM-DD.")
    try:
        date.fromisoformat(value)
    except ValueError:
        _bad("A date is written YYYY-MM-DD.")
    return value


def zone(value: Any) -> str:
    """An IANA zone name's shape, or nothing. Whether the zone exists is for those who hold the zone data."""
    if value == "" and type(value) is str:
        return ""
    if type(value) is not str or len(value) > limits.TAG_CHARACTERS_MAX:
        _bad("A time zone's name is too long.")
    if _ZONE_NAME.fullmatch(value) is None:
        _bad("This is not the name of a time zone.")
    return value


_ZONE_NAME = re.compile(r"(?!/)(?=.*[A-Za-z0-9])[A-Za-z0-9/_+\-]+(?<!/)")
"""Letters, digits and four marks, at least one letter or digit, no slash at either end."""


def rule(value: Any) -> str:
    """A canonical recurrence rule, or nothing."""
    if value == "" and type(value) is str:
        return ""
    if type(value) is not str:
        _bad("A recurrence rule is text.")
    return rules.check(value)


def pair(value: Any) -> tuple[str, str]:
    """A further field of the source: its name and its text."""
    if type(value) is not tuple or len(value) != 2:
        _bad("A further field is a name and a text.")
    return _EXTRA_KEY(value[0]), _LONG(value[1])


_LONG = text(limits.TEXT_CHARACTERS_MAX)
_SHORT = text(limits.SHORT_CHARACTERS_MAX)
_NAME = text(limits.NAME_CHARACTERS_MAX)
_SLUG = text(limits.SLUG_CHARACTERS_MAX)
_EXTRA_KEY = text(limits.EXTRA_KEY_CHARACTERS_MAX)
_TAGS = ascending(tag, limits.TAGS_MAX)
_EXTRAS = ascending(pair, limits.EXTRAS_MAX)
_MINUTE = number(0, 1439)
_DURATION = optional(number(0, limits.DURATION_MINUTES_MAX))
_TIME = number(0, limits.TIMESTAMP_MAX)


def _unrolled(
    cls: type, required: int, names: tuple[str, ...], defaults: tuple[Any, ...], readers: tuple[Reader | None, ...]
) -> Reader:
    """A function from an array to an instance, written out field by field, as ``dataclasses`` writes ``__init__``.

    After the signature this is most of what a listing costs, and a loop over the fields takes twice as long. Each
    field goes through its reader, or is taken as it is where that is ``None``. Most fields of most records say
    nothing, and "nothing" is one object in CPython: those are not read.
    """
    known: dict[str, Any] = {"cls": cls, "new": object.__new__, "short": _short, "pad": tuple(map(_wire, defaults))}
    fields = range(len(names))
    lines = [
        "def read(value):",
        f"    if type(value) is not tuple or len(value) < {required}: short(cls, {required})",
        f"    if len(value) != {len(names)}: value = value[:{len(names)}] + pad[len(value):]",
        f"    {', '.join(f'v{i}' for i in fields)}, = value",
        "    made = new(cls)",
    ]
    for i in fields:
        known |= {f"read{i}": readers[i], f"set{i}": getattr(cls, names[i]).__set__, f"nothing{i}": defaults[i]}
        unread = f"v{i} if v{i} is nothing{i} else " if defaults[i] in ("", (), None) else ""
        lines.append(f"    set{i}(made, v{i})" if readers[i] is None else f"    set{i}(made, {unread}read{i}(v{i}))")
    exec("\n".join([*lines, "    return made"]), known)  # noqa: S102 - nothing in it comes from outside this module
    return known["read"]  # type: ignore[no-any-return]


def _short(cls: type, required: int) -> NoReturn:
    _bad(f"A {cls.__name__.lower()} has at least {required} fields.")


def _wire(default: Any) -> Any:
    """A default as the wire would say it."""
    return int(default) if isinstance(default, IntEnum) else default


def _restorer(inner: "_Struct | None", default: Any) -> Reader | None:
    """How a field is read back from a stored array: through its class, its enumeration, or as it is."""
    if inner is not None:
        restore = inner.restore
        if default == ():
            return lambda value: tuple([restore(item) for item in value])
        return lambda value: None if value is None else restore(value)
    return {int(member): member for member in type(default)}.__getitem__ if isinstance(default, IntEnum) else None


class _Struct:
    """One class's row of fields, and both directions."""

    def __init__(self, cls: type, required: int, **fields: Reader | tuple[Reader, "_Struct | None"]) -> None:
        self.cls = cls
        self.required = required
        self.names = tuple(fields)
        self.inner = tuple(f[1] if isinstance(f, tuple) else None for f in fields.values())
        readers = tuple(f[0] if isinstance(f, tuple) else f for f in fields.values())
        defaults = tuple(cls.__dataclass_fields__[name].default for name in self.names)  # type: ignore[attr-defined]
        self.decode: Reader = _unrolled(cls, required, self.names, defaults, readers)
        """Read and check an array. Fields beyond the known ones are ignored."""
        self.restore: Reader = _unrolled(
            cls, required, self.names, defaults, tuple(map(_restorer, self.inner, defaults))
        )
        """Read an array that :attr:`decode` has accepted before, without checking it again."""

    def encode(self, instance: Any) -> tuple[Value, ...]:
        row: list[Value] = []
        for name, inner in zip(self.names, self.inner, strict=True):
            value = getattr(instance, name)
            if inner is None or value is None:
                row.append(int(value) if isinstance(value, IntEnum) else value)
            elif isinstance(value, tuple):
                row.append(tuple(inner.encode(item) for item in value))
            else:
                row.append(inner.encode(value))
        return tuple(row)


_FACETS = _Struct(
    Facets,
    5,
    openness=choice(Openness),
    formats=_TAGS,
    features=_TAGS,
    communities=_TAGS,
    languages=ascending(language, limits.TAGS_MAX),
)

_PLACE = _Struct(
    Place,
    12,
    name=_SHORT,
    formatted=text(limits.TEXT_CHARACTERS_MAX),
    street=_SHORT,
    city=_SHORT,
    state=_SHORT,
    postal_code=_SHORT,
    country=_SHORT,
    regions=many(_SHORT, limits.REGIONS_MAX),
    notes=_LONG,
    latitude_e7=optional(number(-900_000_000, 900_000_000)),
    longitude_e7=optional(number(-1_800_000_000, 1_800_000_000)),
    approximate=flag,
)

_ONLINE = _Struct(Online, 5, url=web_address, url_notes=_LONG, phone=_SHORT, phone_notes=_LONG, password_hint=_LONG)

_CHANGE = _Struct(Change, 4, date=real_date, to_date=real_date, start=_MINUTE, duration_min=_DURATION)

_MEETING = _Struct(
    Meeting,
    21,
    slug=_SLUG,
    name=_NAME,
    weekday=optional(number(0, 6)),
    rrule=rule,
    first=iso_date,
    until=iso_date,
    start=optional(_MINUTE),
    duration_min=_DURATION,
    tz=zone,
    cancelled=ascending(real_date, limits.DATES_MAX),
    added=ascending(real_date, limits.DATES_MAX),
    changes=(many(_CHANGE.decode, limits.CHANGES_MAX), _CHANGE),
    attendance=choice(Attendance),
    standing=choice(Standing),
    place=(optional(_PLACE.decode), _PLACE),
    online=(optional(_ONLINE.decode), _ONLINE),
    notes=_LONG,
    facets=(_FACETS.decode, _FACETS),
    updated=_TIME,
    url=web_address,
    extras=_EXTRAS,
)

_CONTACT = _Struct(Contact, 3, name=_SHORT, phone=_SHORT, email=_SHORT)


def _meeting(value: Any) -> Meeting:
    meeting: Meeting = _MEETING.decode(value)
    if not meeting.slug:
        _bad("A meeting has a slug.")
    if meeting.weekday is not None and meeting.rrule:
        _bad("A meeting is weekly or has a rule, not both.")
    if meeting.rrule and not meeting.first:
        _bad("A meeting with a rule has a first date.")
    if meeting.start is None and (meeting.rrule or meeting.changes):
        _bad("A meeting with a rule has a time.")
    place = meeting.place
    if place is not None and (place.latitude_e7 is None) != (place.longitude_e7 is None):
        _bad("A place has both a latitude and a longitude, or neither.")
    return meeting


_CONTENT = _Struct(
    ListingContent,
    17,
    name=_NAME,
    summary=_LONG,
    experiences=_TAGS,
    program=_SHORT,
    facets=(_FACETS.decode, _FACETS),
    meetings=(many(_meeting, limits.MEETINGS_MAX), _MEETING),
    joining=choice(Joining),
    how_to_join=_LONG,
    eligibility=_LONG,
    url=web_address,
    links=many(web_address, limits.LINKS_MAX),
    contacts=(many(_CONTACT.decode, limits.CONTACTS_MAX), _CONTACT),
    district=_SHORT,
    body=_SHORT,
    group_notes=_LONG,
    confirmed=iso_date,
    source=_SHORT,
    extras=_EXTRAS,
)


def content_to_value(content: ListingContent) -> tuple[Value, ...]:
    """The array that stands for this content."""
    return _CONTENT.encode(content)


def content_from_value(value: Value) -> ListingContent:
    """Read and check an array. Raises only :class:`RemoteError`."""
    content: ListingContent = _CONTENT.decode(value)
    if not content.name.strip():
        _bad("A listing has a name.")
    slugs = {meeting.slug for meeting in content.meetings}
    if len(slugs) != len(content.meetings):
        _bad("Two meetings of a listing have the same slug.")
    return content


def content_from_stored(value: Value) -> ListingContent:
    """The content of an array that :func:`content_from_value` has accepted before; for what a store kept since."""
    content: ListingContent = _CONTENT.restore(value)
    return content
