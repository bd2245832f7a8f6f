"""Readers of single fields: each returns the value it was given or refuses it with a sentence.

The building blocks of :mod:`hedgerow_protocol.content_codec`. All raise only :class:`RemoteError`, and each lets only
through what the encoding allows: what was read field by field needs no :func:`~hedgerow_protocol.wire.check_allowed`.
"""

import re
from collections.abc import Callable
from datetime import date
from enum import IntEnum
from itertools import pairwise
from typing import Any, NoReturn

from hedgerow_protocol import limits, rules
from hedgerow_protocol.errors import Code, RemoteError
from hedgerow_protocol.wire import check_normal

Reader = Callable[[Any], Any]


def bad(reason: str) -> NoReturn:
    """Refuse a field with a sentence."""
    raise RemoteError(Code.BAD_FIELD, reason)


def text(characters_max: int) -> Reader:
    """Text without control characters other than new line and tab."""

    def read(value: Any) -> str:
        if type(value) is not str:
            bad("A text field holds something else.")
        if len(value) > characters_max:
            bad(f"A text is longer than {characters_max} characters.")
        if not value.isprintable():
            _check_control(value)
        if not value.isascii():
            check_normal(value)
        return value

    return read


def _check_control(value: str) -> None:
    # New line and tab are the only control characters a person means. The others, and the invisible characters that
    # turn the direction of writing round, can make a page show something else than it says.
    for character in value:
        if character < " " and character not in "\n\t":
            bad("A text holds a control character.")
        if character == "\x7f" or "\x80" <= character <= "\x9f" or "\u202a" <= character <= "\u202e":
            bad("A text holds a control character.")
        if "\u2066" <= character <= "\u2069":
            bad("A text holds a character that changes the direction of writing.")


def number(low: int, high: int) -> Reader:
    """A whole number within bounds."""

    def read(value: Any) -> int:
        if type(value) is not int or not low <= value <= high:
            bad(f"A number is not between {low} and {high}.")
        return value

    return read


def optional(reader: Reader) -> Reader:
    """That, or nothing."""

    def read(value: Any) -> Any:
        return None if value is None else reader(value)

    return read


def octets(size: int) -> Reader:
    """Exactly so many bytes."""

    def read(value: Any) -> bytes:
        if type(value) is not bytes or len(value) != size:
            bad(f"A field is not {size} bytes.")
        return value

    return read


def flag(value: Any) -> bool:
    """True or false."""
    if type(value) is not bool:
        bad("A yes-or-no field holds something else.")
    return value


def choice(kind: type[IntEnum]) -> Reader:
    """One of an enumeration's numbers."""
    by_number = {int(member): member for member in kind}

    def read(value: Any) -> IntEnum:
        if type(value) is not int or value not in by_number:
            bad(f"A {kind.__name__.lower()} is not one of those known.")
        return by_number[value]

    return read


def many(reader: Reader, count_max: int) -> Reader:
    """An array of those."""

    def read(value: Any) -> tuple[Any, ...]:
        if value == ():
            return ()
        if type(value) is not tuple:
            bad("A list field holds something else.")
        if len(value) > count_max:
            bad(f"A list is longer than {count_max}.")
        return tuple([reader(item) for item in value])

    return read


def ascending(reader: Reader, count_max: int) -> Reader:
    """An array of those in strictly ascending order: a set with one form."""
    read_many = many(reader, count_max)

    def read(value: Any) -> tuple[Any, ...]:
        items: tuple[Any, ...] = read_many(value)
        if len(items) > 1 and any(left >= right for left, right in pairwise(items)):
            bad("A list is not sorted, or says something twice.")
        return items

    return read


def web_address(value: Any) -> str:
    """An http(s) address or nothing."""
    if value == "" and type(value) is str:
        return ""
    if type(value) is not str or len(value) > limits.URL_CHARACTERS_MAX:
        bad("A web address is too long.")
    lower = value[:8].lower()
    if not (lower.startswith(("https://", "http://"))):
        bad("A web address begins with https:// or http://.")
    if " " in value or not is_visible(value):
        bad("A web address holds a space or a control character.")
    check_normal(value)
    return value


_INVISIBLE = re.compile(
    "[\x00-\x1f\x7f-\xa0\xad\u061c\u1680\u180e\u2000-\u200f\u2028-\u202f\u205f-\u206f\u3000\ufeff\ufff9-\ufffb]"
)


def is_visible(value: str) -> bool:
    """Whether a text holds no control character, no invisible one and no space but the usual one.

    A fixed list: what Unicode calls printable grows with every version, and then two nodes would differ.
    """
    return value.isprintable() if value.isascii() else _INVISIBLE.search(value) is None


def tag(value: Any) -> str:
    """A lower-case name of letters, digits, hyphen, slash or dot."""
    if type(value) is not str or not 0 < len(value) <= limits.TAG_CHARACTERS_MAX:
        bad(f"A tag has 1 to {limits.TAG_CHARACTERS_MAX} characters.")
    if value.isascii() and value.replace("-", "").isalnum() and value == value.lower():
        return value
    if _NOT_IN_A_TAG.search(value) is not None or not is_visible(value):
        bad("A tag is in lower case and holds no spaces, quotes, commas or brackets.")
    check_normal(value)
    return value


_NOT_IN_A_TAG = re.compile("[A-Z \"'<>&,]")


def language(value: Any) -> str:
    """A BCP 47 language tag's shape (RFC 5646): letters and digits in parts of 1 to 8, joined by hyphens."""
    if type(value) is not str or not 2 <= len(value) <= limits.TAG_CHARACTERS_MAX:
        bad("A language tag has at least two letters.")
    parts = value.split("-")
    if not parts[0].isalpha() or not all(part.isascii() and part.isalnum() and len(part) <= 8 for part in parts):
        bad("A language tag is letters and digits joined by hyphens.")
    return value


def iso_date(value: Any) -> str:
    """A date as YYYY-MM-DD, or nothing."""
    if value == "" and type(value) is str:
        return ""
    return real_date(value)


def real_date(value: Any) -> str:
    """A date as YYYY-MM-DD."""
    if type(value) is not str or _DATE.fullmatch(value) is None:  # Python also reads weeks: "2026-W05-1"
        bad("A date is written YYYY-MM-DD.")
    try:
        date.fromisoformat(value)
    except ValueError:
        bad("A date is written YYYY-MM-DD.")
    return value


_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def zone(value: Any) -> str:
    """An IANA zone name's shape, or nothing. Whether the zone exists is for those who hold the zone data."""
    if value == "" and type(value) is str:
        return ""
    if type(value) is not str or len(value) > limits.TAG_CHARACTERS_MAX:
        bad("A time zone's name is too long.")
    if _ZONE_NAME.fullmatch(value) is None:
        bad("This is not the name of a time zone.")
    return value


_ZONE_NAME = re.compile(r"(?!/)(?=.*[A-Za-z0-9])[A-Za-z0-9/_+\-]+(?<!/)")
"""Letters, digits and four marks, at least one letter or digit, no slash at either end."""


def rule(value: Any) -> str:
    """A canonical recurrence rule, or nothing."""
    if value == "" and type(value) is str:
        return ""
    if type(value) is not str:
        bad("A recurrence rule is text.")
    return rules.check(value)


def pair(value: Any) -> tuple[str, str]:
    """A further field of the source: its name and its text."""
    if type(value) is not tuple or len(value) != 2:
        bad("A further field is a name and a text.")
    return _EXTRA_KEY(value[0]), LONG(value[1])


LONG = text(limits.TEXT_CHARACTERS_MAX)
SHORT = text(limits.SHORT_CHARACTERS_MAX)
NAME = text(limits.NAME_CHARACTERS_MAX)
SLUG = text(limits.SLUG_CHARACTERS_MAX)
_EXTRA_KEY = text(limits.EXTRA_KEY_CHARACTERS_MAX)
TAGS = ascending(tag, limits.TAGS_MAX)
EXTRAS = ascending(pair, limits.EXTRAS_MAX)
MINUTE = number(0, 1439)
DURATION = optional(number(0, limits.DURATION_MINUTES_MAX))
TIME = number(0, limits.TIMESTAMP_MAX)
