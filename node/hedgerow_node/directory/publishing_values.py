"""Reading single fields of a form: text in, checked values out, sentences collected for what is wrong."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from hedgerow_protocol import field_readers, limits
from hedgerow_protocol.errors import RemoteError

Fields = Mapping[str, str | list[str]]

_Value = TypeVar("_Value")

LIST_TEXT_CHARACTERS_MAX = 8_000
"""Characters. A list written as one text with commas."""


class FieldErrors(Exception):  # noqa: N818 - it holds several errors
    """What is wrong, by field: each a sentence."""

    def __init__(self, fields: dict[str, str]) -> None:
        super().__init__(" ".join(f"{name}: {sentence}" for name, sentence in fields.items()))
        self.fields = fields


@dataclass(slots=True)
class Reader:
    """Reads the fields of one form and collects what is wrong with them."""

    fields: Fields
    errors: dict[str, str] = field(default_factory=dict)

    def refuse(self, name: str, sentence: str) -> None:
        """Note what is wrong with a field; the first word stands."""
        self.errors.setdefault(name, sentence)

    def items(self, name: str) -> list[str]:
        """The values of a field, trimmed, without empty ones. One text is split at commas and lines."""
        value = self.fields.get(name, "")
        if isinstance(value, str):
            value = value[:LIST_TEXT_CHARACTERS_MAX].replace("\n", ",").split(",")
        return [each.strip() for each in value if each.strip()]

    def _one(self, name: str) -> str:
        value = self.fields.get(name, "")
        if not isinstance(value, str):
            value = next((each for each in value if each.strip()), "")
        return _normal(value)

    def line(self, name: str, characters_max: int = limits.SHORT_CHARACTERS_MAX) -> str:
        """One line of text."""
        return self._read(name, " ".join(self._one(name).split()), field_readers.text(characters_max), "")

    def text(self, name: str) -> str:
        """Text of several lines."""
        value = self._one(name).replace("\r\n", "\n").replace("\r", "\n").strip()
        return self._read(name, value, field_readers.text(limits.TEXT_CHARACTERS_MAX), "")

    def tags(self, name: str) -> tuple[str, ...]:
        """A sorted set of lower-case tags; spaces become hyphens."""
        tags = sorted({"-".join(_normal(each).lower().split()) for each in self.items(name)})
        return self._read(name, tuple(tags), field_readers.ascending(field_readers.tag, limits.TAGS_MAX), ())

    def languages(self, name: str) -> tuple[str, ...]:
        """A sorted set of language tags."""
        tags = sorted(set(self.items(name)))
        return self._read(name, tuple(tags), field_readers.ascending(field_readers.language, limits.TAGS_MAX), ())

    def one_of(self, name: str, choices: Mapping[str, _Value]) -> _Value:
        """One of these words."""
        said = self._one(name).lower().replace(" ", "_")
        if said not in choices:
            known = ", ".join(each for each in choices if each)
            self.refuse(name, f"Choose one of: {known}.")
            return next(iter(choices.values()))
        return choices[said]

    def web_address(self, name: str) -> str:
        """An http(s) address; one without a scheme is taken for https."""
        return self._address(name, self._one(name))

    def web_addresses(self, name: str, count_max: int) -> list[str]:
        """Several of them."""
        items = self.items(name)
        if len(items) > count_max:
            self.refuse(name, f"At most {count_max}.")
        return [self._address(name, each) for each in items[:count_max]]

    def _address(self, name: str, value: str) -> str:
        value = value.strip()
        if value and "://" not in value and "." in value:
            value = f"https://{value}"
        return self._read(name, value, field_readers.web_address, "")

    def date(self, name: str) -> str:
        """YYYY-MM-DD or nothing."""
        return self._read(name, self._one(name), field_readers.iso_date, "")

    def dates(self, name: str) -> tuple[str, ...]:
        """A sorted set of dates."""
        dates = tuple(sorted(set(self.items(name))))
        return self._read(name, dates, field_readers.ascending(field_readers.real_date, limits.DATES_MAX), ())

    def time(self, name: str) -> int | None:
        """HH:MM as minutes after midnight."""
        said = self._one(name)
        if not said:
            return None
        hours, colon, minutes = said.partition(":")
        if not (colon and hours.isdecimal() and minutes[:2].isdecimal() and len(hours) <= 2 and len(minutes) == 2):
            self.refuse(name, "Write the time as HH:MM, such as 19:30.")
            return None
        if int(hours) > 23 or int(minutes) > 59:
            self.refuse(name, "There is no such time of day. Write it as HH:MM, such as 19:30.")
            return None
        return int(hours) * 60 + int(minutes)

    def number(self, name: str, low: int, high: int) -> int | None:
        """A whole number or nothing."""
        said = self._one(name)
        if not said:
            return None
        digits = said.removeprefix("-")
        if not (digits.isascii() and digits.isdecimal()) or len(digits) > 9 or not low <= int(said) <= high:
            self.refuse(name, f"Write a whole number from {low} to {high}.")
            return None
        return int(said)

    def degrees_e7(self, name: str, limit: int) -> int | None:
        """Degrees as ten-millionths."""
        said = self._one(name).replace(",", ".")
        if not said:
            return None
        from decimal import Decimal, InvalidOperation

        try:
            value = Decimal(said) if len(said) <= 24 else Decimal("nan")
            if not value.is_finite() or abs(value) > limit:
                raise InvalidOperation
        except InvalidOperation:
            self.refuse(name, f"Write degrees from -{limit} to {limit}, such as 52.5.")
            return None
        return round(value * 10_000_000)

    def flag(self, name: str) -> bool:
        """Ticked or not."""
        return self._one(name).lower() not in ("", "no", "false", "0", "off")

    def _read(self, name: str, value: _Value, reader: Callable[[Any], Any], fallback: _Value) -> _Value:
        try:
            read: _Value = reader(value)
        except RemoteError as error:
            self.refuse(name, str(error))
            return fallback
        return read

    def finish(self, known: Iterable[str], is_other: Callable[[str], bool]) -> None:
        """Refuse unknown fields, then raise :class:`FieldErrors` if anything was wrong."""
        names = list(known)
        for name in self.fields:
            if name not in names and not is_other(name):
                from difflib import get_close_matches

                near = get_close_matches(name, names, n=1)
                self.refuse(name, f"There is no such field.{f' Did you mean {near[0]}?' if near else ''}")
        if self.errors:
            raise FieldErrors(self.errors)


def _normal(value: str) -> str:
    from unicodedata import normalize

    return normalize("NFC", value).strip()
