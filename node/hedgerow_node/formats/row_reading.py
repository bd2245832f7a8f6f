"""Reading one row's fields: texts, numbers, points, and what is left over.

A :class:`RowReader` gives each field out once and remembers which were asked for, so that whatever nobody asked for
can be kept as a further field of the source, and nothing is lost.
"""

import json
import re
from typing import Final

from hedgerow_node.formats import bounds
from hedgerow_node.formats.report import Tally
from hedgerow_node.formats.text_repair import line, paragraph, plain, web_address
from hedgerow_protocol import limits

_KEY_CHARACTERS: Final = re.compile(r"[^A-Za-z0-9_.-]+")


class RowReader:
    """The fields of one row."""

    __slots__ = ("_fields", "_left", "_prefix", "_tally")

    def __init__(self, prefix: str, fields: dict[str, object], tally: Tally) -> None:
        self._prefix = prefix
        self._fields = fields
        self._left = dict(fields)
        self._tally = tally

    def raw(self, field: str) -> object:
        """The value as it is; the field counts as read."""
        self._left.pop(field, None)
        return self._fields.get(field)

    def peek(self, field: str) -> object:
        """The value as it is, without counting the field as read."""
        return self._fields.get(field)

    def keep(self, field: str) -> None:
        """Put a field back among what is left over, because it could not be used."""
        if field in self._fields:
            self._left[field] = self._fields[field]

    def text(self, field: str) -> str:
        """A field as text of several lines."""
        return paragraph(as_text(self.raw(field)), self._tally)

    def line(self, field: str, characters_max: int = limits.SHORT_CHARACTERS_MAX) -> str:
        """A field as one line."""
        return line(as_text(self.raw(field)), self._tally, characters_max)

    def web_address(self, field: str) -> str:
        """A field as an address; one that cannot be used stays among what is left over."""
        value = as_text(self.raw(field))
        if not value:
            return ""
        address = web_address(value, self._tally)
        if not address and plain(value, Tally()):
            self._tally.repair("web_address_not_usable")
            self.keep(field)
        return address

    def further(self, field: str) -> tuple[tuple[str, str], ...]:
        """A field as a further field of the source: one pair, or none."""
        return _pair(f"{self._prefix}:{field}", self.raw(field), self._tally)

    def left_over(self) -> list[tuple[str, str]]:
        """Everything that was not read, as further fields of the source."""
        pairs: list[tuple[str, str]] = []
        for field, value in list(self._left.items())[: bounds.CELLS_MAX]:
            pairs.extend(_pair(f"{self._prefix}:{field}", value, self._tally))
        return pairs


def _pair(key: str, value: object, tally: Tally) -> tuple[tuple[str, str], ...]:
    if value is None or value == "":
        return ()
    text = paragraph(as_text(value), tally)
    if not text:
        return ()
    prefix, _, field = key.partition(":")
    name = _KEY_CHARACTERS.sub("_", field).strip("_") or "field"
    return ((f"{prefix}:{name}"[: limits.EXTRA_KEY_CHARACTERS_MAX], text),)


def as_text(value: object) -> str:
    """A JSON value as text: numbers as written, lists of texts joined, whatever else as JSON; nothing for nothing."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value if len(value) <= bounds.CELL_CHARACTERS_MAX else value[: bounds.CELL_CHARACTERS_MAX]
    if value is False or value == [] or value == {}:
        return ""
    if value is True:
        return "yes"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 2**53 else repr(value)
    if isinstance(value, int):
        return str(value)
    if isinstance(value, list) and all(isinstance(item, str | int) for item in value):
        return ", ".join(str(item) for item in value)[: bounds.CELL_CHARACTERS_MAX]
    return json.dumps(value, ensure_ascii=False, sort_keys=True)[: bounds.CELL_CHARACTERS_MAX]


def merged_extras(pairs: "list[tuple[str, str]] | tuple[tuple[str, str], ...]", tally: Tally) -> "Extras":
    """Further fields in the one form the wire has: sorted, none twice, not too many."""
    unique = sorted(set(pairs))
    if len(unique) > limits.EXTRAS_MAX:
        tally.repair("further_fields_left_out", len(unique) - limits.EXTRAS_MAX)
        unique = unique[: limits.EXTRAS_MAX]
    return tuple(unique)


Extras = tuple[tuple[str, str], ...]


def read_number(value: object, tally: Tally) -> float | None:
    """A number that may be written as text, with a decimal point or comma."""
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, int | float):
        return float(value) if abs(value) < 1e9 else None
    if not isinstance(value, str) or not value.strip():
        return None
    text = value.strip()[:40]
    if text.count(",") == 1 and "." not in text:
        text = text.replace(",", ".")
    try:
        number = float(text)
    except ValueError:
        return None
    tally.repair("number_as_text")
    return number if abs(number) < 1e9 else None


def read_point(latitude: object, longitude: object, tally: Tally) -> tuple[int, int] | None:
    """A point in ten-millionths of a degree; ``None`` when either is missing, out of range, or both are zero."""
    north, east = read_number(latitude, tally), read_number(longitude, tally)
    if north is None or east is None:
        if north is not None or east is not None:
            tally.repair("point_incomplete")
        return None
    if abs(north) > 90 or abs(east) > 180:
        tally.repair("point_out_of_range")
        return None
    if north == 0 and east == 0:
        tally.repair("point_zero")
        return None
    return round(north * 10_000_000), round(east * 10_000_000)
