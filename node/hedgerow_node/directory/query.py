"""What somebody asks of the directory, and how a request's parameters become it.

One meaning for the JSON API, the pages' forms and ``hedgerow search``: they all hand their (name, value) pairs to
:func:`query_from_params`. A field that is empty counts as not given, because that is how forms send it.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import blake2b
from typing import Final

from hedgerow_node.schedule.zones import find_zone
from hedgerow_protocol import limits
from hedgerow_protocol.content import Attendance

QUERY_CHARACTERS_MAX: Final = 200
"""Characters. A search is a few words; a longer one is a text pasted by mistake."""

CURSOR_CHARACTERS_MAX: Final = 120
"""Characters. Ours are below 60."""

PAGE_LISTINGS_MAX: Final = 200
"""Listings. One answer; about 300 KB of JSON at most sizes."""

PAGE_LISTINGS_DEFAULT: Final = 50
"""Listings. What a page shows when nothing is said."""

ACCESS_TAGS_MAX: Final = 8
"""Tags. Access needs asked for at once."""

NEAR_KM_MAX: Final = 20_040
"""Kilometres. Half of the way round the world: nothing is farther."""

ATTENDANCES: Final = {
    "in_person": Attendance.IN_PERSON,
    "online": Attendance.ONLINE,
    "hybrid": Attendance.HYBRID,
}


class QueryError(Exception):
    """A search that cannot be understood. ``field`` is the parameter, ``str()`` a sentence for the person."""

    def __init__(self, field: str, sentence: str) -> None:
        super().__init__(sentence)
        self.field = field
        self.sentence = sentence


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """One search. Empty text, an empty tuple or ``None`` means "not asked".

    Weekday, time and attendance, language, access and distance must all hold for one and the same meeting of a
    listing. ``ONLINE`` and ``IN_PERSON`` also find hybrid meetings, because one can come to those in that way.
    """

    q: str = ""
    """Words; accents and case do not matter, all must occur, the last may be the beginning of a word."""
    experience: str = ""
    program: str = ""
    weekdays: tuple[int, ...] = ()
    """0 = Sunday … 6 = Saturday, ascending; in ``tz`` where that is given, else as the meeting says."""
    from_min: int | None = None
    """Minutes after midnight; the meeting begins at or after it."""
    until_min: int | None = None
    """Minutes after midnight; the meeting begins at or before it. Earlier than ``from_min``: past midnight."""
    tz: str = ""
    """IANA zone of the person who asks."""
    attendance: Attendance | None = None
    near: tuple[float, float, float] | None = None
    """Latitude, longitude in degrees, radius in km."""
    language: str = ""
    """BCP 47, lower case; "de" also finds "de-at"."""
    access: tuple[str, ...] = ()
    """Feature tags that must all be there: ``wheelchair``."""
    limit: int = PAGE_LISTINGS_DEFAULT
    cursor: str = ""
    """Where a former page ended; only with the same other fields."""

    @property
    def filtered(self) -> bool:
        """Whether anything narrows the search."""
        return self.fingerprint() != _EVERYTHING

    @property
    def of_meetings(self) -> bool:
        """Whether a single meeting must be found that satisfies something."""
        return bool(
            self.weekdays
            or self.from_min is not None
            or self.until_min is not None
            or self.attendance is not None
            or self.near is not None
            or self.language
            or self.access
        )

    def fingerprint(self) -> bytes:
        """4 bytes that differ (nearly always) between searches for different things; ties a cursor to its search."""
        fields = (
            self.q, self.experience, self.program, self.weekdays, self.from_min, self.until_min, self.tz,
            self.attendance, self.near, self.language, self.access,
        )  # fmt: skip
        return blake2b(repr(fields).encode("utf-8", "surrogatepass"), digest_size=4).digest()


_EVERYTHING = Query().fingerprint()

PARAMETERS: Final = (
    "q", "experience", "program", "weekday", "from", "until", "tz", "attendance", "near", "language", "access",
    "limit", "cursor",
)  # fmt: skip
"""The names a request may use. ``weekday`` and ``access`` may stand there several times."""

_REPEATABLE = frozenset(("weekday", "access"))


def query_from_params(pairs: Iterable[tuple[str, str]]) -> Query:
    """Read a request's parameters. Raises :class:`QueryError`, which names the parameter and says what it expects."""
    given: dict[str, list[str]] = {}
    for name, value in pairs:
        if name not in PARAMETERS:
            raise QueryError(name[:40], f"There is no filter called “{name[:40]}”. There are: {', '.join(PARAMETERS)}.")
        value = value.strip()
        if value:
            given.setdefault(name, []).append(value)
    for name, values in given.items():
        if len(values) > 1 and name not in _REPEATABLE:
            raise QueryError(name, f"“{name}” is given more than once.")

    def one(name: str) -> str:
        return given[name][0] if name in given else ""

    return Query(
        q=_words(one("q")),
        experience=_tag("experience", one("experience")),
        program=_tag("program", one("program")),
        weekdays=tuple(sorted({_weekday(value) for value in given.get("weekday", ())})),
        from_min=_minute("from", one("from")),
        until_min=_minute("until", one("until")),
        tz=_zone(one("tz")),
        attendance=_attendance(one("attendance")),
        near=_near(one("near")),
        language=_tag("language", one("language").replace("_", "-")),
        access=_access(given.get("access", [])),
        limit=_limit(one("limit")),
        cursor=_cursor(one("cursor")),
    )


def _words(text: str) -> str:
    if len(text) > QUERY_CHARACTERS_MAX:
        raise QueryError("q", f"A search has at most {QUERY_CHARACTERS_MAX} characters: a few words are enough.")
    return text


def _tag(field: str, text: str) -> str:
    text = text.lower()
    if len(text) > limits.TAG_CHARACTERS_MAX or not text.isprintable():
        raise QueryError(field, f"“{field}” has at most {limits.TAG_CHARACTERS_MAX} characters.")
    return text


def _weekday(text: str) -> int:
    if len(text) != 1 or text not in "0123456":
        raise QueryError("weekday", "“weekday” is a number from 0 (Sunday) to 6 (Saturday).")
    return int(text)


def _minute(field: str, text: str) -> int | None:
    if not text:
        return None
    hours, colon, minutes = text.partition(":")
    if not (colon and len(minutes) == 2 and 1 <= len(hours) <= 2 and (hours + minutes).isascii()):
        raise QueryError(field, f"“{field}” is a time such as 18:30.")
    if not (hours.isdigit() and minutes.isdigit() and int(hours) < 24 and int(minutes) < 60):
        raise QueryError(field, f"“{field}” is a time between 00:00 and 23:59.")
    return int(hours) * 60 + int(minutes)


def _zone(text: str) -> str:
    if text and (len(text) > limits.TAG_CHARACTERS_MAX or find_zone(text) is None):
        raise QueryError("tz", "“tz” is the name of a time zone, such as Europe/Berlin.")
    return text


def _attendance(text: str) -> Attendance | None:
    if not text:
        return None
    found = ATTENDANCES.get(text.lower().replace("-", "_"))
    if found is None:
        raise QueryError("attendance", "“attendance” is in_person, online or hybrid.")
    return found


def _near(text: str) -> tuple[float, float, float] | None:
    if not text:
        return None
    parts = text.split(",")
    try:
        latitude, longitude, km = (_number(part) for part in parts)
    except ValueError:
        raise QueryError("near", "“near” is latitude, longitude and kilometres: 52.52,13.40,10.") from None
    if not (-90 <= latitude <= 90 and -180 <= longitude <= 180):
        raise QueryError("near", "“near” begins with a latitude up to 90 and a longitude up to 180 degrees.")
    if not 0 < km <= NEAR_KM_MAX:
        raise QueryError("near", f"“near” ends with a distance above 0 and up to {NEAR_KM_MAX} km.")
    return latitude, longitude, km


def _number(text: str) -> float:
    if len(text) > 24:
        raise ValueError
    value = float(text)
    if not math.isfinite(value):
        raise ValueError
    return value


def _access(values: list[str]) -> tuple[str, ...]:
    # A form's checkboxes repeat the name; a person who writes an address by hand joins with commas.
    tags = sorted({_tag("access", part.strip()) for value in values for part in value.split(",") if part.strip()})
    if len(tags) > ACCESS_TAGS_MAX:
        raise QueryError("access", f"At most {ACCESS_TAGS_MAX} access needs can be asked for at once.")
    return tuple(tags)


def _limit(text: str) -> int:
    if not text:
        return PAGE_LISTINGS_DEFAULT
    if not (text.isascii() and text.isdigit() and len(text) <= 4 and 1 <= int(text) <= PAGE_LISTINGS_MAX):
        raise QueryError("limit", f"“limit” is a number from 1 to {PAGE_LISTINGS_MAX}.")
    return int(text)


def _cursor(text: str) -> str:
    if len(text) > CURSOR_CHARACTERS_MAX:
        raise bad_cursor()
    return text


def bad_cursor() -> QueryError:
    """The answer to a cursor that this search did not give out."""
    return QueryError("cursor", "This cursor does not belong to this search. Begin again without one.")
