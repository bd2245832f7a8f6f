"""An HSDS location as one of our places."""

from collections.abc import Mapping
from typing import Any, Final

from hedgerow_node.formats import vocabulary
from hedgerow_node.formats.hsds_attributes import attributes_of, entries
from hedgerow_node.formats.hsds_schedule_out import entry_id
from hedgerow_node.formats.report import Tally
from hedgerow_node.formats.row_reading import as_text, read_point
from hedgerow_node.formats.text_repair import line, paragraph
from hedgerow_protocol import limits
from hedgerow_protocol.content import Place

_ADDRESS_WORDS_MAX: Final = 160
"""Characters. A location's description is its address when it has no other and is no longer than one."""

_WORDS_OF_NEEDS: Final = (
    ("wheelchair", "wheelchair"),
    ("induction loop", "hearing-loop"),
    ("hearing loop", "hearing-loop"),
    ("sign language", "sign-language"),
    ("large print", "large-print"),
    ("step-free", "step-free"),
)


def read_location(location: Mapping[str, Any], tally: Tally) -> tuple[Place | None, bool]:
    """The place, where there is one, and whether the location is a virtual one."""
    if as_text(location.get("location_type")).lower() == "virtual":
        return None, True
    address = _address(location.get("addresses"))
    parts = [line(as_text(address.get(name)), tally) for name in ("address_1", "address_2")]
    point = read_point(location.get("latitude"), location.get("longitude"), tally)
    north, east = point or (None, None)
    description = paragraph(as_text(location.get("description")), tally)
    formatted = ""
    if not address and description and len(description) <= _ADDRESS_WORDS_MAX and "\n" not in description:
        formatted, description = description, ""
    notes = "\n".join(part for part in (description, paragraph(as_text(location.get("transportation")), tally)) if part)
    regions = [line(part, tally) for part in as_text(address.get("region")).split(">")]
    place = Place(
        name=line(as_text(location.get("name")), tally),
        formatted=formatted,
        street=line(", ".join(part for part in parts if part), tally),
        city=line(as_text(address.get("city")), tally),
        state=line(as_text(address.get("state_province")), tally),
        postal_code=line(as_text(address.get("postal_code")), tally),
        country=line(as_text(address.get("country")), tally),
        regions=tuple(region for region in regions if region)[: limits.REGIONS_MAX],
        notes=paragraph(notes, tally),
        latitude_e7=north,
        longitude_e7=east,
        approximate=_is_approximate(location),
    )
    return (None if place == Place() else place), False


def accessibility_tags(location: Mapping[str, Any]) -> set[str]:
    """The access needs a location's own words mention, as feature tags."""
    tags: set[str] = set()
    own = {entry_id("accessibility", as_text(location.get("id")), tag) for tag in vocabulary.ACCESS_NEEDS}
    for item in entries(location.get("accessibility")):
        if as_text(item.get("id")) not in own:  # ours repeats what attributes already say
            words = f"{as_text(item.get('description'))} {as_text(item.get('details'))}".casefold()
            tags.update(tag for needle, tag in _WORDS_OF_NEEDS if needle in words and tag in vocabulary.FEATURES)
    return tags


def _address(value: object) -> Mapping[str, Any]:
    """The first physical address, else the first of any kind."""
    items = entries(value)
    physical = [item for item in items if as_text(item.get("address_type")).lower() == "physical"]
    return (physical or items or [{}])[0]


def _is_approximate(location: Mapping[str, Any]) -> bool:
    return any(
        (kind, code) == ("field", "approximate") for kind, code, _, _ in attributes_of(location.get("attributes"))
    )
