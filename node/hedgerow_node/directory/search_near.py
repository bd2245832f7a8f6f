"""Nearest first: rings around a point, each wide enough to fill a page and narrow enough to be looked at whole."""

import math
from typing import Final

from hedgerow_node.directory.query import Query
from hedgerow_node.directory.search_cursor import Place
from hedgerow_node.directory.search_match import EARTH_KM, Matcher, distance_km
from hedgerow_node.store import finding
from hedgerow_node.store.database import Connection
from hedgerow_node.store.rows import Candidate
from hedgerow_protocol.ports import Timestamp

RING_PLACES_MAX: Final = 500
"""Places. More in one ring: it is made narrower. Where that does not help (so many in one house), the rest of that
ring is not shown."""

EXAMINED_MAX: Final = 1_000
"""Places. How many one request looks at to fill its page."""

FIRST_KM: Final = 2.0
"""Kilometres. The first ring; each following one is twice as wide, unless it would hold too much."""

NARROWEST_KM: Final = 0.05
"""Kilometres. Rings are not made narrower than that."""

_SLACK = 0.0002
"""Degrees. Boxes are made that much larger and holes smaller, so that rounding loses nothing."""

_E7 = 10_000_000
_MM = 1_000_000
_LAST = 2**62


def near(
    connection: Connection, query: Query, matcher: Matcher, place: Place | None, now: Timestamp
) -> tuple[list[int], Place | None]:
    """The numbers of a page's listings, nearest first, and where to go on."""
    assert query.near is not None  # noqa: S101 - the caller looked
    latitude, longitude, farthest = query.near
    rings = _Rings(connection, (latitude, longitude), now)
    # Everything up to (millimetres, number) has been shown.
    shown = (0, 0) if place is None else (place.top, place.skip)
    inner, examined = shown[0] / _MM, 0
    width = max(FIRST_KM, inner / 4)
    found: list[tuple[int, int]] = []
    while True:
        wanted = min(inner + width, farthest)
        outer, candidates, looked_at = rings.ring(inner, wanted)
        examined += looked_at
        found += _ordered(candidates, query.near, matcher, shown, math.floor(outer * _MM))
        if len(found) > query.limit:
            found = found[: query.limit]
            return [number for _distance, number in found], Place(*found[-1])
        if outer >= farthest:
            return [number for _distance, number in found], None
        shown = (math.floor(outer * _MM), _LAST)
        if examined >= EXAMINED_MAX:
            return [number for _distance, number in found], Place(*shown)
        width = (outer - inner) * (2 if outer == wanted else 1)
        inner = outer


def _ordered(
    candidates: dict[int, Candidate],
    point: tuple[float, float, float],
    matcher: Matcher,
    shown: tuple[int, int],
    outer_mm: int,
) -> list[tuple[int, int]]:
    """(millimetres, number) of those listings whose nearest fitting meeting lies in this ring, in order."""
    latitude, longitude, _farthest = point
    ordered = []
    for number, candidate in candidates.items():
        points = matcher.places(candidate, check_words=True)
        if not points:
            continue
        distance = min(distance_km(latitude, longitude, lat / _E7, lon / _E7) for lat, lon in points)
        key = (math.floor(distance * _MM), number)
        if shown < key <= (outer_mm, _LAST):
            ordered.append(key)
    return sorted(ordered)


class _Rings:
    """Reads what lies between two distances from a point."""

    def __init__(self, connection: Connection, point: tuple[float, float], now: Timestamp) -> None:
        self._connection = connection
        self._point = point
        self._now = now

    def ring(self, inner: float, outer: float) -> tuple[float, dict[int, Candidate], int]:
        """Candidates from ``inner`` to ``outer`` km, perhaps to less: how far it went, they, how many there were."""
        while True:
            boxes = _boxes(self._point, inner, outer)
            count = 0
            for box in boxes:
                count += finding.count_inside(self._connection, box, RING_PLACES_MAX + 1 - count)
            if count <= RING_PLACES_MAX or outer - inner <= NARROWEST_KM:
                break
            outer = inner + max((outer - inner) / 2, NARROWEST_KM)
        found = [each for box in boxes for each in finding.inside(self._connection, box, RING_PLACES_MAX, self._now)]
        return outer, {each.id: each for each in found}, count


def _boxes(point: tuple[float, float], inner: float, outer: float) -> list[finding.Box]:
    """Boxes that cover everything between two distances: the box around the ring without the square inside it."""
    latitude, longitude = point
    height = math.degrees(outer / EARTH_KM) + _SLACK
    south, north = max(-90.0, latitude - height), min(90.0, latitude + height)
    # A degree of longitude is shortest where the box comes nearest to a pole.
    shortest = math.cos(math.radians(max(abs(south), abs(north))))
    breadth = 180.0 if shortest * 180.0 <= height else height / shortest
    # The square has its corners within the inner circle: haversine of the corner is at most twice that of its side.
    hole = math.degrees(2 * math.asin(math.sin(min(inner / EARTH_KM / 2, math.pi / 2)) / math.sqrt(2))) - _SLACK
    if hole <= 0:
        return _wrapped(south, north, longitude - breadth, longitude + breadth)
    nearest_to_equator = max(0.0, abs(latitude) - hole)
    across = min(hole / math.cos(math.radians(nearest_to_equator)), breadth)
    low, high = max(-90.0, latitude - hole), min(90.0, latitude + hole)
    return [
        *_wrapped(high, north, longitude - breadth, longitude + breadth),
        *_wrapped(south, low, longitude - breadth, longitude + breadth),
        *_wrapped(low, high, longitude - breadth, longitude - across),
        *_wrapped(low, high, longitude + across, longitude + breadth),
    ]


def _wrapped(south: float, north: float, west: float, east: float) -> list[finding.Box]:
    """Boxes in 1e-7 degrees; two where the box crosses the date line."""
    if south > north or west > east:
        return []
    if east - west >= 360.0:
        spans = [(-180.0, 180.0)]
    elif west < -180.0 and east < -180.0:
        spans = [(west + 360.0, east + 360.0)]
    elif west > 180.0 and east > 180.0:
        spans = [(west - 360.0, east - 360.0)]
    elif west < -180.0:
        spans = [(west + 360.0, 180.0), (-180.0, east)]
    elif east > 180.0:
        spans = [(west, 180.0), (-180.0, east - 360.0)]
    else:
        spans = [(west, east)]
    return [
        (math.floor(south * _E7), math.ceil(north * _E7), math.floor(a * _E7), math.ceil(b * _E7)) for a, b in spans
    ]
