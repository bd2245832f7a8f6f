"""Finding zones by name and by place."""

import json

import pytest

from hedgerow_node.schedule.zones import find_zone, zone_at
from shared import needs_shared, shared


@pytest.mark.parametrize("name", ["Europe/Berlin", "America/Argentina/Buenos_Aires", "UTC", "Etc/GMT+3", "EST5EDT"])
def test_a_known_zone_is_found(name: str) -> None:
    zone = find_zone(name)
    assert zone is not None
    assert zone.key == name


@pytest.mark.parametrize(
    "name",
    [
        "", "Mars/Olympus", "America", "../etc/passwd", "/etc/passwd", "Europe/../Europe/Berlin", "localtime",
        "right/Europe/Berlin", "posix/UTC", "zone.tab", "zone1970.tab", "tzdata.zi", "Europe/Berlin\x00", "é", "A" * 65,
        "leapseconds", "Factory",
    ],
)  # fmt: skip
def test_what_is_no_zone_is_not_found(name: str) -> None:
    assert find_zone(name) is None


@pytest.mark.parametrize(
    ("latitude", "longitude", "expected"),
    [
        (52.52, 13.405, "Europe/Berlin"),
        (33.6846, -117.8265, "America/Los_Angeles"),
        (-31.5553, 159.0821, "Australia/Lord_Howe"),
        (27.7172, 85.324, "Asia/Kathmandu"),
    ],
)
def test_a_point_has_its_zone(latitude: float, longitude: float, expected: str) -> None:
    assert zone_at(round(latitude * 1e7), round(longitude * 1e7)) == expected


def test_a_point_in_the_ocean_has_a_zone_we_know_or_none() -> None:
    name = zone_at(0, -1_400_000_000)
    assert name == "" or find_zone(name) is not None


@needs_shared
def test_zones_named_in_a_feed_are_those_of_its_places() -> None:
    rows = json.loads(shared("data/tsml/san-francisco-marin-aa.json").read_bytes())
    placed = [row for row in rows if row.get("timezone") and row.get("latitude")]
    assert len(placed) > 100
    for row in placed:
        at = zone_at(round(float(row["latitude"]) * 1e7), round(float(row["longitude"]) * 1e7))
        assert at == row["timezone"]
