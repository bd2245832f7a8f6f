"""Reading what a program sent: JSON within bounds, and its fields by name, size and range.

Whatever is wrong becomes a :class:`Problem` that names the field and says what belongs there.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final, NoReturn

from hedgerow_node.http import bounds
from hedgerow_node.http.problems import Problem
from hedgerow_protocol import base64url
from hedgerow_protocol.ids import NODE_ID_BYTES, NodeId


def parse_json(body: bytes) -> Any:
    """The value of a JSON text. Raises Problem.

    What it may unfold into is judged before it is parsed: each value beside the first needs a comma, and each level a
    bracket, so counting both bounds the memory. (Those inside of texts count, too; this API's texts are base64url.)
    """
    many = bounds.JSON_VALUES_MAX
    if len(body) > many and body.count(b",") + body.count(b"[") + body.count(b"{") > many:
        raise Problem(400, "This JSON holds more values than any request here needs.")
    try:
        return _DECODER.decode(body.decode())
    except (ValueError, RecursionError) as error:
        raise Problem(400, "This is not JSON. Send one JSON value in UTF-8.") from error


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON.")


_DECODER: Final = json.JSONDecoder(parse_constant=_no_constant)
"""Made once: ``json.loads`` with an argument makes a new one for each text."""


def parse_object(body: bytes) -> "Fields":
    """The fields of a JSON object. Raises Problem."""
    value = parse_json(body)
    if not isinstance(value, dict):
        raise Problem(400, "This address takes a JSON object.")
    return Fields(value)


def parse_objects(body: bytes, many_max: int) -> "list[Fields]":
    """The fields of each object in a JSON array. Raises Problem."""
    value = parse_json(body)
    if not isinstance(value, list) or len(value) > many_max:
        raise Problem(400, f"This address takes a JSON array of at most {many_max} objects.")
    return _objects(value, "")


def _objects(values: Iterable[Any], path: str) -> "list[Fields]":
    found = []
    for number, each in enumerate(values):
        where = f"{path}[{number}]"
        if not isinstance(each, dict):
            raise wrong(where, "is an object")
        found.append(Fields(each, f"{where}."))
    return found


def wrong(field: str, what: str) -> Problem:
    """The answer for one field that does not hold what it should; ``what`` ends the sentence."""
    return Problem(400, f"“{field[:80]}” {what}.", field=field[:80])


def bytes_of(text: object, field: str, size: int) -> bytes:
    """A text of base64url that stands for exactly ``size`` bytes. Raises Problem."""
    if isinstance(text, str) and len(text) == base64url.length_of(size):
        try:
            return base64url.decode(text)
        except ValueError:
            pass
    raise wrong(field, f"is {size} bytes in base64url without padding ({base64url.length_of(size)} letters)")


@dataclass(frozen=True, slots=True)
class Fields:
    """One JSON object. Each reader raises Problem; fields nobody asks for are passed over."""

    values: dict[str, Any]
    path: str = ""
    """What stands before a field's name in a sentence: ``device.``."""

    def has(self, name: str) -> bool:
        """Whether the field is there and not null."""
        return self.values.get(name) is not None

    def fixed(self, name: str, size: int) -> bytes:
        """Exactly ``size`` bytes."""
        return bytes_of(self.values.get(name), self.path + name, size)

    def sized(self, name: str, size_max: int, *, size_min: int = 0) -> bytes:
        """From ``size_min`` to ``size_max`` bytes."""
        text = self.values.get(name)
        if isinstance(text, str) and len(text) <= base64url.length_of(size_max):
            try:
                value = base64url.decode(text)
            except ValueError:
                pass
            else:
                if len(value) >= size_min:
                    return value
        raise wrong(self.path + name, f"is {size_min} to {size_max} bytes in base64url without padding")

    def node(self, name: str) -> NodeId | None:
        """A node's id; ``None`` when the field is not there."""
        return NodeId(self.fixed(name, NODE_ID_BYTES)) if self.has(name) else None

    def whole(self, name: str, low: int, high: int) -> int:
        """A whole number within bounds."""
        value = self.values.get(name)
        if type(value) is not int or not low <= value <= high:
            raise wrong(self.path + name, f"is a whole number from {low} to {high}")
        return value

    def choice(self, name: str, *allowed: str) -> str:
        """One of these words."""
        value = self.values.get(name)
        if not isinstance(value, str) or value not in allowed:
            raise wrong(self.path + name, f"is one of {', '.join(allowed)}")
        return value

    def inside(self, name: str) -> "Fields":
        """An object in the object."""
        value = self.values.get(name)
        if not isinstance(value, dict):
            raise wrong(self.path + name, "is an object")
        return Fields(value, f"{self.path}{name}.")

    def items(self, name: str, many_max: int) -> list[Any]:
        """An array of anything; an absent one is empty."""
        value = self.values.get(name)
        if value is None:
            return []
        if not isinstance(value, list) or len(value) > many_max:
            raise wrong(self.path + name, f"is an array of at most {many_max}")
        return value

    def objects(self, name: str, many_max: int) -> "list[Fields]":
        """An array of objects; an absent one is empty."""
        return _objects(self.items(name, many_max), self.path + name)

    def each_fixed(self, name: str, size: int, many_max: int) -> list[bytes]:
        """An array of byte strings of one size; an absent one is empty."""
        items = self.items(name, many_max)
        return [bytes_of(each, f"{self.path}{name}[{number}]", size) for number, each in enumerate(items)]
