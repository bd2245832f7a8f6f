"""The drawing of the neighbourhood: where each leaf of the hedge stands. Numbers only; the template draws them.

We stand in the middle. Every peer is a leaf on a twig: those that hear of new records at once on the inner ring, the
others on rings around it. What a leaf means is in its shape and its place, never in its colour alone.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

LEAVES_MAX: Final = 60
"""Leaves. Beyond it their numbers would be too small to read on a phone; the table has everybody."""

NAMED_MAX: Final = 6
"""Leaves. So few have room for a name beside each."""

NAME_CHARACTERS: Final = 14
"""Characters. Of a name below a leaf."""

BUSH: Final = 40.0
"""Units. The radius of what stands in the middle."""

LEAF: Final = 19.0
"""Units. Half the length of a leaf, and the radius of a flower."""

_FIRST: Final = 82.0
_STEP: Final = 39.0
_APART: Final = 35.0
_MARGIN: Final = 24.0
_NAMED_RINGS: Final = (88.0, 128.0)
_WIDTH_MIN: Final = 260.0
_NAME_WIDTH: Final = 52.0
_NAME_HEIGHT: Final = 48.0
_TURN: Final = 2.399963
"""Radians. The golden angle: leaves of neighbouring rings do not stand in one line."""


@dataclass(frozen=True, slots=True)
class Leaf:
    """One peer, as far as a drawing tells of it."""

    number: int
    """Its line in the table."""
    name: str
    title: str
    chosen: bool
    inner: bool
    outbound: bool
    relayed: bool


def drawing(leaves: Sequence[Leaf]) -> dict[str, Any]:
    """Where everything stands, around a middle at 0, 0.

    ``box`` is the part that is shown, for ``viewBox``; ``more`` is how many peers are left out.
    """
    shown = sorted(leaves, key=lambda leaf: (not leaf.inner, not leaf.chosen, leaf.number))[:LEAVES_MAX]
    shown.sort(key=lambda leaf: leaf.number)
    named = len(shown) <= NAMED_MAX
    placed = _few(shown) if named else _rings(shown)
    drawn = [_drawn(leaf, radius, angle, named) for leaf, radius, angle in placed]
    side, above = (_NAME_WIDTH, _NAME_HEIGHT) if named else (_MARGIN, _MARGIN)
    half = max((_WIDTH_MIN / 2, *(abs(each["x"]) + side for each in drawn)))
    top = min((-BUSH - _MARGIN / 2, *(each["y"] - above for each in drawn)))
    bottom = max((BUSH + _MARGIN / 2, *(each["y"] + above for each in drawn)))
    return {
        "box": f"{-half:.0f} {top:.0f} {2 * half:.0f} {bottom - top:.0f}",
        "named": named,
        "bush": scallops(14, BUSH - 4.0),
        "leaves": drawn,
        "more": len(leaves) - len(shown),
    }


_Placed = tuple[Leaf, float, float]


def _few(leaves: Sequence[Leaf]) -> list[_Placed]:
    """Evenly around the middle, the near ones nearer: so there is room for names between them."""
    near, far = _NAMED_RINGS
    return [(leaf, near if leaf.inner else far, angle) for leaf, _, angle in _ring(leaves, far, 0.0)]


def _ring(leaves: Sequence[Leaf], radius: float, shift: float) -> list[_Placed]:
    """Leaves evenly around the middle, the first at the top; ``shift`` in parts of their distance."""
    many = max(1, len(leaves))
    return [(leaf, radius, math.tau * (place + shift) / many - math.pi / 2) for place, leaf in enumerate(leaves)]


def _rings(leaves: Sequence[Leaf]) -> list[_Placed]:
    """As many rings as are needed, each filled in proportion to its room; the innermost is for those that are near."""
    placed: list[_Placed] = []
    ring = 0
    for near in (True, False):
        several = [leaf for leaf in leaves if leaf.inner is near]
        ring = ring if near else max(ring, 1)
        radii: list[float] = []
        while sum(map(_room, radii)) < len(several):
            radii.append(_FIRST + _STEP * ring)
            ring += 1
        rooms = [_room(radius) for radius in radii]
        start = 0
        for place, radius in enumerate(radii):
            left, room_left = len(several) - start, sum(rooms[place:])
            many = min(rooms[place], -(-left * rooms[place] // room_left))
            # Not quite evenly begun, so that twigs of the outer rings pass between the leaves of the inner ones.
            placed += _ring(several[start : start + many], radius, _TURN * len(placed) / math.tau)
            start += many
    return placed


def _room(radius: float) -> int:
    return int(math.tau * radius / _APART)


def _drawn(leaf: Leaf, radius: float, angle: float, named: bool) -> dict[str, Any]:
    x, y = radius * math.cos(angle), radius * math.sin(angle)
    return {
        "number": leaf.number,
        "title": leaf.title,
        "name": _shortened(leaf.name) if named else "",
        "name_y": -26 if y < -1.0 else 31,
        "flower": leaf.chosen,
        "outlined": not leaf.outbound,
        "dashed": leaf.relayed,
        "twig": _twig(radius, angle),
        "x": round(x, 1),
        "y": round(y, 1),
        "turn": round(math.degrees(angle), 1),
    }


def _twig(radius: float, angle: float) -> str:
    """A slightly bent line from the middle to a leaf."""
    middle, bend = (BUSH + radius) / 2, 0.06
    points = ((BUSH - 4.0, angle), (middle, angle + bend), (radius - 8.0, angle))
    (x0, y0), (x1, y1), (x2, y2) = ((far * math.cos(turn), far * math.sin(turn)) for far, turn in points)
    return f"M{x0:.1f} {y0:.1f}Q{x1:.1f} {y1:.1f} {x2:.1f} {y2:.1f}"


def scallops(many: int, radius: float) -> str:
    """The outline of a flower (few petals) or a bush (many): arcs that bulge outwards, as an SVG path around 0, 0."""
    corners = [
        (radius * math.sin(math.tau * each / many), -radius * math.cos(math.tau * each / many)) for each in range(many)
    ]
    bulge = radius * math.sin(math.pi / many) * 1.08
    start = f"M{corners[0][0]:.1f} {corners[0][1]:.1f}"
    arcs = "".join(f"A{bulge:.1f} {bulge:.1f} 0 0 1 {x:.1f} {y:.1f}" for x, y in (*corners[1:], corners[0]))
    return f"{start}{arcs}Z"


FLOWER: Final = scallops(5, 12.5)
"""The shape of a peer that the keeper chose."""

LEAF_PATH: Final = "M-19 0C-10-14 8-13 19 0C8 13-10 14-19 0Z"
"""The shape of any other; it points along its twig."""


def _shortened(name: str) -> str:
    return name if len(name) <= NAME_CHARACTERS else f"{name[: NAME_CHARACTERS - 1]}…"
