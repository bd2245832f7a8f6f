"""Members of three communities move their room: with the node that keeps it there, and with its machine destroyed."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from headless_clients import CallFailed, Headless, Neighbour, neighbours, walks

pytestmark = pytest.mark.slow


@pytest.fixture
def three(tmp_path: Path) -> Iterator[list[Neighbour]]:
    with neighbours(tmp_path, "Ash", "Beech", "Cedar") as made:
        yield made


def a_room(three: list[Neighbour]) -> tuple[str, Headless, Headless, Headless]:
    """The walks, once everybody knows of everybody."""
    room, ann, ben, cleo = walks(three)
    for each in (ann, ben, cleo):
        each.has(room, "Ann", "Ben", "Cleo")
        each.call("settle", seconds=60)
    return room, ann, ben, cleo


def node_id(device: Headless, room: str) -> str:
    """The node that keeps a room, by the choices of somebody whose own it is not."""
    own: str = next(each["node"] for each in device.call("places", room=room)["choices"] if each["here"])
    return own


def kept_at(device: Headless, room: str, *, here: bool) -> None:
    """Wait until a device has gone along."""

    def went() -> bool:
        return ("moved", []) in device.notices(room) and device.call("places", room=room)["here"] is here

    device.until(went, "the room has moved", 90)


def no_trouble(*people: Headless) -> None:
    """Nobody's device had to refuse anything, and nothing waits."""
    for each in people:
        assert each.call("settle", seconds=90), each.name
        state = each.state()
        assert state["trouble"] == [], each.name
        assert state["outbox"] == {"waiting": 0, "failed": 0}, each.name


def test_a_room_is_rescued_when_its_machine_is_destroyed(three: list[Neighbour]) -> None:
    ash, beech, _ = three
    room, ann, ben, cleo = a_room(three)
    ben.call("send", room=room, text="Ben was here")
    for each in (ann, cleo):
        each.sees(room, "Ben was here")
    # In the middle of what is being said the machine is gone, with all that is on it.
    answers = []
    for number in range(20):
        for each in (ann, cleo):
            answers.append(each.begin("send", room=room, text=f"{each.name} {number}"))
        if number == 10:
            beech.switch_off()
            shutil.rmtree(beech.data)
    for answer in answers:
        answer()
    sent = {
        each.name: [m["text"] for m in each.room(room)["timeline"] if m.get("status") == "sent"] for each in (ann, cleo)
    }

    # One of three moves nothing.
    to = node_id(ann, room)
    ann.call("moveRoom", room=room, node=to)
    cleo.until(lambda: len(cleo.call("places", room=room)["moves"]) == 1, "Ann's wish")
    (wish,) = cleo.call("places", room=room)["moves"]
    assert (wish["names"], wish["needed"], wish["mine"], wish["decided"]) == (["Ann"], 2, False, False)
    assert ("moved", []) not in ann.notices(room)
    with pytest.raises(CallFailed):
        cleo.call("moveRoom", room=room, node="nowhere")

    cleo.call("moveRoom", room=room, node=wish["node"])
    kept_at(ann, room, here=True)
    kept_at(cleo, room, here=False)
    for each in (ann, cleo):
        each.until(lambda each=each: len(each.texts(room)) == 41, "every word once", 120)  # type: ignore[misc]
        no_trouble(each)
    texts = ann.texts(room)
    assert cleo.texts(room) == texts
    assert len(set(texts)) == 41
    for who, told in sent.items():
        assert [text for text in texts if text in told] == told, f"what {who} saw as sent stands in that order"
    for name in ("Ann", "Cleo"):
        own = [text for text in texts if text.startswith(name)]
        assert own == [f"{name} {number}" for number in range(20)]

    # It goes on: words, a vote, somebody new.
    cleo.call("send", room=room, text="We are here now")
    ann.sees(room, *texts, "We are here now")
    dora = ash.person("Dora")
    ash.let_in(room, dora, [ann, cleo])
    dora.call("send", room=room, text="Hello")
    for each in (ann, cleo):
        each.sees(room, *texts, "We are here now", "Hello")
    no_trouble(ann, cleo, dora)


def test_a_room_moves_while_its_node_is_there(three: list[Neighbour]) -> None:
    room, ann, ben, cleo = a_room(three)
    to = node_id(cleo, room)
    for number in range(5):
        for each in (ann, ben, cleo):
            each.begin("send", room=room, text=f"{each.name} {number}")
    ben.call("moveRoom", room=room, node=to)
    cleo.call("moveRoom", room=room, node=to)
    for number in range(5, 10):
        for each in (ann, ben, cleo):
            each.begin("send", room=room, text=f"{each.name} {number}")
    for each in (ann, ben, cleo):
        kept_at(each, room, here=each is cleo)
        each.until(lambda each=each: len(each.texts(room)) == 30, "every word", 120)  # type: ignore[misc]
    no_trouble(ann, ben, cleo)
    assert ann.texts(room) == ben.texts(room) == cleo.texts(room)
    assert len(set(ann.texts(room))) == 30
    ann.call("send", room=room, text="Here, then")
    for each in (ben, cleo):
        each.until(lambda each=each: each.texts(room)[-1] == "Here, then", "it goes on")  # type: ignore[misc]
    # And back again, by others.
    back = node_id(ben, room)
    for each in (ann, ben):
        each.call("moveRoom", room=room, node=back)
    for each in (ann, ben, cleo):
        each.until(lambda each=each: each.call("places", room=room)["here"] is (each is ben), "back", 90)  # type: ignore[misc]
    cleo.call("send", room=room, text="And back")
    for each in (ann, ben):
        each.until(lambda each=each: each.texts(room)[-1] == "And back", "it goes on")  # type: ignore[misc]
    no_trouble(ann, ben, cleo)
