"""Whether a listing fits into one record, and how to make a listing of one meeting fit."""

from dataclasses import fields, is_dataclass, replace
from typing import Any, Final, TypeVar

from hedgerow_node.formats.report import Tally
from hedgerow_node.formats.row_reading import merged_extras
from hedgerow_protocol import limits, wire
from hedgerow_protocol.content import ListingContent
from hedgerow_protocol.content_codec import content_to_value

CONTENT_BYTES_MAX: Final = limits.BODY_BYTES_MAX - 4 * 1024
"""Bytes. One listing's content: room is left for the rest of the record (charter, hosts) and for the words that
screening puts in the place of what it withholds."""

_CUTS: Final = (2_000, 1_000, 500, 250, limits.SLUG_CHARACTERS_MAX)

_T = TypeVar("_T")


def is_too_large(content: ListingContent) -> bool:
    """Whether a content does not fit into one record."""
    return len(wire.encode(content_to_value(content))) > CONTENT_BYTES_MAX


def fitted(content: ListingContent, tally: Tally) -> ListingContent:
    """A content whose texts are cut evenly until it fits; its further fields go last of all."""
    for characters in _CUTS:
        content = _cut(content, characters)
        meetings = tuple(replace(each, extras=merged_extras(each.extras, tally)) for each in content.meetings)
        content = replace(content, meetings=meetings, extras=merged_extras(content.extras, tally))
        if not is_too_large(content):
            break
    tally.repair("text_shortened")
    if is_too_large(content):
        tally.repair("further_fields_left_out")
        meetings = tuple(replace(meeting, extras=()) for meeting in content.meetings)
        content = replace(content, extras=(), meetings=meetings)
    return content


def _cut(value: _T, characters_max: int) -> _T:
    changed: Any = value
    if isinstance(value, str):
        is_link = value.lower().startswith(("http://", "https://"))
        if len(value) > characters_max and not is_link:
            changed = value[: characters_max - 1].rstrip() + "…"
    elif isinstance(value, tuple):
        changed = tuple(_cut(item, characters_max) for item in value)
    elif is_dataclass(value) and not isinstance(value, type):
        changed = replace(
            value, **{each.name: _cut(getattr(value, each.name), characters_max) for each in fields(value)}
        )
    return changed  # type: ignore[no-any-return]
