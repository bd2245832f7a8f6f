"""The fields of a Meeting Guide row that say where a meeting is held and how one joins it from afar."""

from dataclasses import replace
from typing import Final

from hedgerow_node.formats.report import Tally
from hedgerow_node.formats.row_reading import RowReader, as_text, read_point
from hedgerow_node.formats.text_repair import folded, line
from hedgerow_protocol import limits
from hedgerow_protocol.content import Online, Place

_YES: Final = frozenset({"yes", "true", "1", "y"})
_NO: Final = frozenset({"no", "false", "0", "n"})


def read_place(reader: RowReader, tally: Tally) -> Place | None:
    """Where a row says its meeting is held."""
    coordinates = as_text(reader.raw("coordinates")).partition(",")
    latitude, longitude = reader.raw("latitude"), reader.raw("longitude")
    if as_text(latitude) == "" and as_text(longitude) == "" and coordinates[1]:
        latitude, longitude = coordinates[0], coordinates[2]
    point = read_point(latitude, longitude, tally)
    if point is None and (as_text(latitude) or as_text(longitude)):
        reader.keep("latitude")
        reader.keep("longitude")
    regions = _regions(reader, tally)
    formatted = line(as_text(reader.raw("formatted_address")), tally, limits.TEXT_CHARACTERS_MAX)
    place = Place(
        name=reader.line("location"),
        formatted=formatted,
        street=reader.line("address"),
        city=reader.line("city"),
        state=reader.line("state"),
        postal_code=reader.line("postal_code"),
        country=reader.line("country"),
        regions=regions,
        notes=reader.text("location_notes"),
        latitude_e7=point[0] if point else None,
        longitude_e7=point[1] if point else None,
    )
    told = folded(as_text(reader.raw("approximate")))
    if place == Place():
        return None
    return replace(place, approximate=_approximate(place, told, tally))


def _approximate(place: Place, told: str, tally: Tally) -> bool:
    if told in _YES:
        return True
    if told in _NO:
        return False
    tally.repair("approximate_derived")
    if place.street:
        return False
    # An exact address has street, city, state with code, and country.
    return len([part for part in place.formatted.split(",") if part.strip()]) < 4


def _regions(reader: RowReader, tally: Tally) -> tuple[str, ...]:
    regions = reader.raw("regions")
    parts: list[str] = []
    if isinstance(regions, list):
        parts = [line(as_text(item), tally) for item in regions]
    elif isinstance(regions, str):
        parts = [line(item, tally) for item in regions.split(">")]
    single = [reader.raw(field) for field in ("region", "sub_region", "sub_sub_region")]
    if not any(parts):
        parts = [line(item, tally) for value in single for item in as_text(value).split(">")]
    else:
        for field, value in zip(("region", "sub_region", "sub_sub_region"), single, strict=True):
            if line(as_text(value), Tally()) not in ("", *parts):
                reader.keep(field)
    return tuple(part for part in parts if part)[: limits.REGIONS_MAX]


def read_online(reader: RowReader) -> Online | None:
    """How a row says one joins from afar."""
    online = Online(
        url=reader.web_address("conference_url"),
        url_notes=reader.text("conference_url_notes"),
        phone=reader.line("conference_phone"),
        phone_notes=reader.text("conference_phone_notes"),
    )
    return None if online == Online() else online
