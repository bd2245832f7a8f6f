"""The drawing of the neighbourhood: everybody has a place of their own, and the places mean what the legend says."""

import itertools
import math
import xml.etree.ElementTree as ET
from typing import Any

import pytest

from hedgerow_node.http.keeper.drawing import BUSH, FLOWER, LEAF, LEAF_PATH, LEAVES_MAX, NAMED_MAX, Leaf, drawing


def leaves(many: int, inner: int) -> list[Leaf]:
    return [
        Leaf(
            number=number,
            name=f"circle-{number}.example.org",
            title=f"{number}.",
            chosen=number % 5 == 1,
            inner=number <= inner,
            outbound=number % 2 == 0,
            relayed=number % 3 == 0,
        )
        for number in range(1, many + 1)
    ]


def far(drawn: dict[str, Any]) -> float:
    return math.hypot(drawn["x"], drawn["y"])


@pytest.mark.parametrize("inner", [0, 1, 6, 16])
@pytest.mark.parametrize("many", [0, 1, 2, 5, 6, 7, 20, 60, 136])
def test_no_leaf_touches_another_or_the_bush_or_the_edge(many: int, inner: int) -> None:
    picture = drawing(leaves(many, min(inner, many)))
    left, top, width, height = map(float, picture["box"].split())
    assert width > 0
    assert height > 0
    for one in picture["leaves"]:
        assert far(one) - LEAF > BUSH
        assert left + LEAF < one["x"] < left + width - LEAF
        assert top + LEAF < one["y"] < top + height - LEAF
    for one, other in itertools.combinations(picture["leaves"], 2):
        apart = math.hypot(one["x"] - other["x"], one["y"] - other["y"])
        assert apart > 24, (one["number"], other["number"], apart)


@pytest.mark.parametrize("many", [3, 30, 60])
def test_nearer_means_in_the_mesh(many: int) -> None:
    drawn = drawing(leaves(many, 3))["leaves"]
    assert max(far(each) for each in drawn if each["number"] <= 3) < min(
        (far(each) for each in drawn if each["number"] > 3), default=math.inf
    )


def test_everybody_up_to_the_bound_is_drawn_once_and_the_near_ones_first() -> None:
    several = [*leaves(LEAVES_MAX + 40, 0), *(Leaf(900, "n", "n", False, True, True, False),)]
    picture = drawing(several)
    numbers = [each["number"] for each in picture["leaves"]]
    assert len(set(numbers)) == len(numbers) == LEAVES_MAX
    assert picture["more"] == 41
    assert 900 in numbers
    assert {1, 6, 11, 96} <= set(numbers), "the chosen ones come before others"


def test_names_only_where_there_is_room() -> None:
    assert all(each["name"] for each in drawing(leaves(NAMED_MAX, 2))["leaves"])
    assert not any(each["name"] for each in drawing(leaves(NAMED_MAX + 1, 2))["leaves"])
    (long,) = drawing([Leaf(1, "a" * 56 + ".onion", "", False, False, True, False)])["leaves"]
    assert long["name"] == "a" * 13 + "…"


def test_marks_say_what_a_peer_is() -> None:
    drawn_ones = sorted(drawing(leaves(12, 4))["leaves"], key=lambda each: each["number"])
    for leaf, drawn in zip(leaves(12, 4), drawn_ones, strict=True):
        assert (drawn["flower"], drawn["outlined"], drawn["dashed"]) == (leaf.chosen, not leaf.outbound, leaf.relayed)


def test_paths_are_well_formed() -> None:
    picture = drawing(leaves(9, 3))
    for path in (FLOWER, LEAF_PATH, picture["bush"], *(each["twig"] for each in picture["leaves"])):
        assert set(path) <= set("MQACZ0123456789.- "), path
    ET.fromstring(f'<svg viewBox="{picture["box"]}"/>')
