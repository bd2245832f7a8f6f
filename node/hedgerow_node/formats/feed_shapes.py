"""Which format a JSON value is: told by its shape and by the names of its fields, since feeds do not say."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from hedgerow_node.formats.meeting_guide_fields import field_name
from hedgerow_node.formats.report import FormatError, Tally
from hedgerow_node.formats.table import read_sheet, under_headings


@dataclass(frozen=True, slots=True)
class MeetingGuide:
    """Rows of a Meeting Guide feed, and the zone the feed as a whole gives (or empty)."""

    rows: Sequence[object]
    zone: str = ""


@dataclass(frozen=True, slots=True)
class BmltMeetings:
    """GetSearchResults."""

    rows: Sequence[object]


@dataclass(frozen=True, slots=True)
class BmltFormats:
    """GetFormats."""

    rows: Sequence[object]


@dataclass(frozen=True, slots=True)
class BmltServiceBodies:
    """GetServiceBodies."""

    rows: Sequence[object]


@dataclass(frozen=True, slots=True)
class HumanServices:
    """HSDS: one service, organization or location, or a page of them."""

    value: object


Shape: TypeAlias = MeetingGuide | BmltMeetings | BmltFormats | BmltServiceBodies | HumanServices

_WRAPPERS: Final = ("meetings", "data", "items", "results", "records", "rows", "feed", "listings", "value", "contents")
_ZONE_FIELDS: Final = ("timezone", "time_zone", "timeZone", "tz")
_SAMPLED: Final = 20
"""Rows. How many of a list's first rows are looked at."""


def shapes_of(name: str, value: object, tally: Tally) -> list[Shape]:
    """What a file's JSON holds. Raises :class:`FormatError` when it is nothing known."""
    if isinstance(value, list):
        return [_of_list(name, value, tally)]
    if isinstance(value, dict):
        return _of_object(name, value, tally)
    raise FormatError(f"{name} holds a single value, not a list of meetings.")


def _of_list(name: str, value: list[object], tally: Tally) -> Shape:
    sample = [row for row in value[:_SAMPLED] if isinstance(row, dict)]
    keys = {str(key) for row in sample for key in row}
    if not sample and any(isinstance(row, list) for row in value[:_SAMPLED]):
        rows = [row if isinstance(row, list) else [] for row in value]
        return MeetingGuide(under_headings(name, rows, tally))
    if keys & {"id_bigint", "weekday_tinyint", "service_body_bigint"}:
        return BmltMeetings(value)
    if {"key_string", "name_string"} <= keys:
        return BmltFormats(value)
    if {"parent_id", "name", "type"} <= keys and not keys & {"day", "time", "slug"}:
        return BmltServiceBodies(value)
    if _is_human_services(keys):
        return HumanServices(value)
    if not value or _names_meetings(keys):
        return MeetingGuide(value)
    if not sample:
        raise FormatError(f"{name} is a list of single values, not of meetings.")
    raise FormatError(f"{name} is a list, but not of meetings: its entries have neither names nor days nor times.")


def _names_meetings(keys: set[str]) -> bool:
    known = {field_name(key) for key in keys}
    return bool(known & {"name", "slug", "group", "day", "time", "location"})


def _is_human_services(keys: set[str]) -> bool:
    if keys & {"service_at_locations", "services", "organization", "organization_id", "location_type"}:
        return not keys & {"day", "slug"}
    return {"schedules", "name"} <= keys or {"eligibility_description", "status"} <= keys


def _is_page_of_services(value: dict[str, object]) -> bool:
    """One page of an HSDS interface: what it lists stands under ``contents``, beside the number of pages."""
    contents = value.get("contents")
    if not isinstance(contents, list):
        return False
    listed = {str(key) for row in contents[:_SAMPLED] if isinstance(row, dict) for key in row}
    return "total_pages" in value or _is_human_services(listed)


def _of_object(name: str, value: dict[str, object], tally: Tally) -> list[Shape]:
    keys = set(value)
    if _is_human_services(keys) or _is_page_of_services(value):
        return [HumanServices(value)]
    sheet = read_sheet(name, value, tally)
    if sheet is not None:
        return [MeetingGuide(sheet)]
    for wrapper in _WRAPPERS:
        inner = value.get(wrapper)
        if isinstance(inner, list) and (not inner or isinstance(inner[0], dict | list)):
            tally.repair("feed_wrapped")
            return _wrapped(name, value, inner, tally)
        if isinstance(inner, dict) and inner:
            tally.repair("feed_wrapped")
            return _of_object(name, inner, tally)
    if "name" in keys and _names_meetings(keys - {"name"}):
        tally.repair("feed_of_one_object")
        return [MeetingGuide([value])]
    if value and all(isinstance(row, dict) for row in value.values()):
        # {"123": {…}, "124": {…}}: rows under their ids.
        tally.repair("feed_wrapped")
        return [_of_list(name, list(value.values()), tally)]
    raise FormatError(f"{name} is JSON, but holds no list of meetings. Is it the feed's own address?")


def _wrapped(name: str, value: dict[str, object], inner: list[object], tally: Tally) -> list[Shape]:
    shape = _of_list(name, inner, tally)
    shapes: list[Shape] = []
    if isinstance(shape, BmltMeetings) and isinstance(value.get("formats"), list):
        formats = value["formats"]
        shapes.append(BmltFormats(formats if isinstance(formats, list) else []))
    if isinstance(shape, MeetingGuide) and not shape.zone:
        zones = [value.get(field) for field in _ZONE_FIELDS]
        shape = MeetingGuide(shape.rows, next((zone for zone in zones if isinstance(zone, str) and zone), ""))
    return [*shapes, shape]
