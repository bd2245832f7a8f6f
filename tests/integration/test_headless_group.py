"""A group of twelve, each with a device of their own: asks, approvals, joins, words, a removal, a leave."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from headless_clients import Community, community
from running_node import running_node

pytestmark = pytest.mark.slow

MANY = 12


@pytest.fixture
def people(tmp_path: Path) -> Iterator[Community]:
    data = tmp_path / "node"
    with running_node(data) as node, community(data, tmp_path, node) as made:
        yield made


def test_a_group_of_twelve(people: Community) -> None:
    link = people.link(uses=MANY)
    everyone = [people.person(f"Person {number}", link) for number in range(MANY)]
    first, *others = everyone
    room = first.call("createRoom", title="Twelve", name=first.name)["room"]
    inside = [first]
    for each in others:
        needed = first.room(room)["approvals"]["now"]
        assert needed == min(len(inside), 2 if len(inside) <= 10 else 3)
        people.let_in(room, each, inside[:needed])
        inside.append(each)
    for each in everyone:
        each.has(room, *[other.name for other in everyone])
        assert each.call("settle", seconds=60)
    assert len({each.room(room)["stateWords"] for each in everyone}) == 1
    assert [each.state()["trouble"] for each in everyone] == [[]] * MANY

    # All write at once; all read the same in the same order.
    for answer in [each.begin("send", room=room, text=f"from {each.name}") for each in everyone]:
        answer()
    for each in everyone:
        each.until(lambda each=each: len(each.texts(room)) == MANY, "all words")  # type: ignore[misc]
    for each in everyone:
        each.call("settle", seconds=60)
    assert len({tuple(each.texts(room)) for each in everyone}) == 1

    everyone[-1].call("leave", room=room)
    gone = everyone[2]
    target = next(each["member"] for each in first.room(room)["members"] if each["name"] == gone.name)
    staying = [each for each in everyone[:-1] if each is not gone]
    votes = first.room(room)["removalVotes"]
    for each in staying[:votes]:
        each.call("voteRemoval", room=room, member=target)
    gone.until(lambda: gone.standing(room) == "removed", "removed")
    for each in staying:
        each.has(room, *[other.name for other in staying])
    first.call("send", room=room, text="We are ten")
    for each in staying[1:]:
        each.until(lambda each=each: each.texts(room)[-1:] == ["We are ten"], "the last words")  # type: ignore[misc]
    assert "We are ten" not in gone.texts(room) + everyone[-1].texts(room)
    # Nobody's device had to refuse anything.
    assert [notice for each in staying for notice in each.notices(room) if notice[0] == "skipped"] == []
