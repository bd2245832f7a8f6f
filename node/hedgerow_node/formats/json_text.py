"""JSON from strangers: bounded before it is parsed, and never anything but a value or a :class:`FormatError`."""

import json
from typing import Any

from hedgerow_node.formats import bounds
from hedgerow_node.formats.report import FormatError, Tally


def read_json(name: str, text: str, tally: Tally) -> object:
    """The value of a JSON text; NaN and infinities become nothing, of a field said twice the last that says anything
    wins, and both are counted. Raises :class:`FormatError`."""
    if text.count("[") + text.count("{") > bounds.JSON_CONTAINERS_MAX:
        raise FormatError(f"{name} holds too many parts: more than {bounds.JSON_CONTAINERS_MAX} lists and objects.")

    if text.count(",") > bounds.JSON_VALUES_MAX:
        raise FormatError(f"{name} holds too many parts: more than {bounds.JSON_VALUES_MAX} values.")

    def pairs(items: list[tuple[str, Any]]) -> dict[str, Any]:
        fields = dict(items)
        if len(fields) != len(items):
            tally.repair("field_said_twice", len(items) - len(fields))
            for key, value in items:
                if fields[key] in (None, "") and value not in (None, ""):
                    fields[key] = value
        return fields

    def constant(_text: str) -> None:
        tally.repair("not_a_number")

    def whole(digits: str) -> int | str:
        # Longer numbers cost quadratic time and Python refuses them; as text they meet the bounds of texts.
        return int(digits) if len(digits) <= bounds.NUMBER_DIGITS_MAX else digits

    try:
        value: object = json.loads(text, object_pairs_hook=pairs, parse_constant=constant, parse_int=whole)
    except RecursionError:
        raise FormatError(f"{name} is nested too deep to be a feed.") from None
    except json.JSONDecodeError as error:
        raise FormatError(_mistake(name, text, error)) from None
    except ValueError:
        raise FormatError(f"{name} holds a number that cannot be read.") from None
    _check_depth(name, value)
    return value


def _mistake(name: str, text: str, error: json.JSONDecodeError) -> str:
    if not text.strip():
        return f"{name} is empty."
    if error.pos >= len(text.rstrip()) or "Unterminated string" in error.msg:
        return f"{name} is cut off: its JSON ends in the middle (line {error.lineno}). Fetch it again."
    return f"{name} is not valid JSON: there is a mistake at line {error.lineno}, column {error.colno}."


def _check_depth(name: str, value: object) -> None:
    level: list[object] = [value]
    for _ in range(bounds.JSON_DEPTH_MAX):
        deeper: list[object] = []
        for item in level:
            if isinstance(item, dict):
                deeper.extend(item.values())
            elif isinstance(item, list):
                deeper.extend(item)
        if not deeper:
            return
        level = [item for item in deeper if isinstance(item, dict | list)]
        if not level:
            return
    raise FormatError(f"{name} is nested too deep to be a feed: more than {bounds.JSON_DEPTH_MAX} levels.")
