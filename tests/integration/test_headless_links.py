"""Links that lead nowhere any more: whoever opens one is told so at once, with or without an account."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from headless_clients import CallFailed, Community, Headless, community
from running_node import running_node


@pytest.fixture
def people(tmp_path: Path) -> Iterator[Community]:
    data = tmp_path / "node"
    with running_node(data) as node, community(data, tmp_path, node) as made:
        yield made


def gone(device: Headless, link: str) -> bool:
    """Whether the link is answered with a plain no."""
    try:
        device.call("openInvite", link=link)
    except CallFailed as refused:
        if refused.code != "invite-gone":
            raise
        return True
    return False


def test_a_one_on_one_that_is_full_lets_nobody_ask(people: Community) -> None:
    ann, cleo, stranger = people.person("Ann"), people.person("Cleo"), people.device("Dan")
    made = ann.call("startPair", name="Ann")
    assert not gone(cleo, made["link"])
    ben = people.person("Ben", made["link"])
    ben.until(lambda: ben.standing(made["room"]) == "in", "let in")

    for somebody in (cleo, stranger):
        somebody.until(lambda somebody=somebody: gone(somebody, made["link"]), "told that it is full")  # type: ignore[misc]
    with pytest.raises(CallFailed) as refused:
        cleo.call("ask", link=made["link"], name="Cleo")
    assert refused.value.code == "invite-gone"
    assert cleo.state()["rooms"] == []
    assert ann.call("invites") == []
    assert ann.state()["trouble"] == []
    # And the two go on talking.
    ann.call("send", room=made["room"], text="Just us")
    ben.sees(made["room"], "Just us")


def test_a_link_is_closed_by_a_device_that_was_away_when_the_second_person_came(people: Community) -> None:
    """One device of hers lets him in and ends before it can close the link; another one does it."""
    ann, cleo = people.person("Ann"), people.person("Cleo")
    made = ann.call("startPair", name="Ann")
    second = people.device("Ann")
    code = second.call("linkNew")
    ann.call("linkOld", code=code["code"])
    ann.until(lambda: ann.state()["linking"]["step"] == "comparing", "words to compare")
    ann.call("linkConfirm", match=True)
    second.until(lambda: second.standing(made["room"]) == "in", "let in")
    second.stop()
    ben = people.person("Ben", made["link"])
    ben.until(lambda: ben.standing(made["room"]) == "in", "let in")
    ann.kill()
    second.start()
    second.until(lambda: len(second.names(made["room"])) == 2, "both in it")
    cleo.until(lambda: gone(cleo, made["link"]), "told that it is full")


def test_a_link_that_was_taken_back(people: Community) -> None:
    ann, cleo, stranger = people.person("Ann"), people.person("Cleo"), people.device("Dan")
    room = ann.call("createRoom", title="Walks", name="Ann")["room"]
    for made in (ann.call("makeInvite", room=room, uses=3), ann.call("makeInvite", uses=3)):
        assert not gone(cleo, made["link"])
        assert not gone(stranger, made["link"])
        ann.call("withdrawInvite", invite=made["invite"])
        assert gone(cleo, made["link"])
        assert gone(stranger, made["link"])


def test_a_room_of_many_keeps_its_link(people: Community) -> None:
    """Only a one-on-one is ever full."""
    ann, ben, cleo = people.person("Ann"), people.person("Ben"), people.person("Cleo")
    room = people.room("Walks", ann, ben)
    link = ann.call("makeInvite", room=room)["link"]
    ann.call("settle", seconds=30)
    assert not gone(cleo, link)
    assert {each["link"] for each in ann.call("invites")} >= {link}


def test_two_who_use_one_link_at_once(people: Community) -> None:
    """One of them is let in; the other is told that it was refused, also when the app was closed meanwhile."""
    ann, ben, cleo = people.person("Ann"), people.person("Ben"), people.person("Cleo")
    made = ann.call("startPair", name="Ann")
    room = made["room"]
    # Both asks wait at the node before hers can answer.
    ann.kill()
    for one in (ben, cleo):
        one.call("ask", link=made["link"], name=one.name)
    assert [one.standing(room) for one in (ben, cleo)] == ["asked", "asked"]
    cleo.stop()
    ann.start()
    cleo.start()
    ben.until(lambda: "in" in (ben.standing(room), cleo.standing(room)), "one is let in")
    lucky, other = (ben, cleo) if ben.standing(room) == "in" else (cleo, ben)
    other.until(lambda: other.standing(room) == "refused", "told so")
    ann.has(room, "Ann", lucky.name)
    lucky.call("send", room=room, text="Just us")
    ann.sees(room, "Just us")
    other.call("forgetRoom", room=room)
    assert other.state()["rooms"] == []
