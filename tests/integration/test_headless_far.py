"""Members of three communities, each with a device that speaks to its own node only: rooms, one-on-ones, absences."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from headless_clients import CallFailed, Headless, Neighbour, asked, neighbours, patiently, walks

pytestmark = pytest.mark.slow


@pytest.fixture
def three(tmp_path: Path) -> Iterator[list[Neighbour]]:
    with neighbours(tmp_path, "Ash", "Beech", "Cedar") as made:
        yield made


def all_is_well(*people: Headless) -> None:
    """Nobody's device had to refuse anything, and nothing waits."""
    for each in people:
        assert each.call("settle", seconds=60), each.name
        state = each.state()
        assert state["trouble"] == [], each.name
        assert state["outbox"] == {"waiting": 0, "failed": 0}, each.name
        for room in state["rooms"]:
            assert not [code for code, _ in each.notices(room["room"]) if code == "skipped"], each.name


def test_people_of_three_communities_in_one_room(three: list[Neighbour]) -> None:
    room, ann, ben, cleo = walks(three)
    everybody = (ann, ben, cleo)
    for each in everybody:
        each.has(room, "Ann", "Ben", "Cleo")
    # Cleo asked by Ben's link, and it took the word of Ann, who is of another community, too.
    joined = next(each for each in ben.room(room)["members"] if each["name"] == "Cleo")
    assert len(joined["vouchedBy"]) == 2

    said = []
    for each in everybody:
        said.append(f"{each.name} is here")
        each.call("send", room=room, text=said[-1])
        for other in everybody:
            other.sees(room, *said)
    assert len({each.room(room)["stateWords"] for each in everybody}) == 1
    assert ben.room(room)["far"] is False
    assert ann.room(room)["far"] is cleo.room(room)["far"] is True

    # An invitation by somebody whose community does not keep the room works for anybody, here and there.
    ash, beech, _ = three
    dora, eli = ash.person("Dora"), beech.person("Eli")
    for newcomer, inside in ((dora, [ann, ben]), (eli, [cleo, ann])):
        ash.let_in(room, newcomer, inside)
    for each in (*everybody, dora, eli):
        each.has(room, "Ann", "Ben", "Cleo", "Dora", "Eli")
    dora.call("send", room=room, text="So many")
    for each in everybody:
        each.sees(room, *said, "So many")

    # Where it is kept is said in words, and who keeps a copy.
    here, there = ben.call("places", room=room), cleo.call("places", room=room)
    assert (here["here"], here["community"], here["others"]) == (True, "Beech", 2)
    assert (there["here"], there["community"]) == (False, "Beech")
    assert here["words"] == there["words"]
    assert here["proof"] == there["proof"] == ""

    # Parting: one leaves, one is voted out, by people of three communities.
    eli.call("leave", room=room)
    target = next(each["member"] for each in ann.room(room)["members"] if each["name"] == "Dora")
    for each in (ann, ben, cleo)[: ann.room(room)["removalVotes"]]:
        each.call("voteRemoval", room=room, member=target)
    dora.until(lambda: dora.standing(room) == "removed", "removed")
    for each in everybody:
        each.has(room, "Ann", "Ben", "Cleo")
    cleo.call("send", room=room, text="Only three")
    ann.until(lambda: ann.texts(room)[-1] == "Only three", "the last words")
    assert "Only three" not in dora.texts(room) + eli.texts(room)
    all_is_well(*everybody)


def test_one_on_ones_between_communities(three: list[Neighbour]) -> None:
    ash, _, cedar = three
    ann, cleo = ash.person("Ann"), cedar.person("Cleo")
    made = ann.call("startPair", name="Ann")
    patiently(lambda: cleo.call("openInvite", link=made["link"]))
    invite = cleo.call("openInvite", link=made["link"])
    assert (invite["community"], invite["known"], invite["far"], invite["from"]) == ("Ash", True, True, "Ann")
    cleo.call("ask", link=made["link"], name="Cleo")
    pair = made["room"]
    cleo.until(lambda: cleo.standing(pair) == "in", "let in")
    file = {"name": "leaves.txt", "type": "text/plain", "bytes": {"base64": "bGVhdmVz"}}
    attachment = cleo.call("attach", room=pair, **file)["attachment"]
    cleo.call("send", room=pair, text="Hello Ann", attachments=[attachment])
    ann.sees(pair, "Hello Ann")
    ann.call("send", room=pair, text="Hello Cleo")
    cleo.sees(pair, "Hello Ann", "Hello Cleo")
    message = next(each["id"] for each in ann.room(pair)["timeline"] if each.get("text") == "Hello Ann")
    opened: list[object] = []
    patiently(lambda: opened.append(ann.call("openAttachment", room=pair, message=message, index=0)))
    assert opened == [file]

    # The keeper's links name their node, too: who has an account elsewhere sees whose it is.
    keepers = cleo.call("openInvite", link=ash.link())
    assert (keepers["community"], keepers["known"], keepers["far"], keepers["room"]) == ("Ash", True, True, None)

    # A link of the old kind, without the node's name, works only where it was made.
    old = ann.call("makeInvite", room=pair)["link"].rpartition(".")[0]
    with pytest.raises(CallFailed) as refused:
        cleo.call("openInvite", link=old)
    assert refused.value.code == "other-node"
    all_is_well(ann, cleo)


def test_a_one_on_one_out_of_a_room(three: list[Neighbour]) -> None:
    room, ann, _, cleo = walks(three)
    cleo.has(room, "Ann", "Ben", "Cleo")
    ann.has(room, "Ann", "Ben", "Cleo")
    member = next(each["member"] for each in cleo.room(room)["members"] if each["name"] == "Ann")
    pair = cleo.call("startPair", name="C.", words="A word?", **{"with": {"room": room, "member": member}})["room"]
    ann.until(lambda: len(ann.room(room)["pairInvites"]) == 1, "the wish")
    (wish,) = ann.room(room)["pairInvites"]
    patiently(lambda: ann.call("ask", link=wish["link"], name="A."))
    ann.until(lambda: ann.standing(pair) == "in", "let in")
    ann.call("send", room=pair, text="Yes?")
    cleo.sees(pair, "Yes?")
    assert cleo.names(pair) == ["A.", "C."]
    assert ann.room(room)["pairInvites"] == []
    all_is_well(ann, cleo)


def test_nodes_that_are_away(three: list[Neighbour]) -> None:
    ash, beech, cedar = three
    room, ann, ben, cleo = walks(three)
    ben.call("send", room=room, text="one")
    for each in (ann, cleo):
        each.sees(room, "one")

    # Cedar is away: the others go on, and its people catch up.
    cedar.switch_off()
    ann.call("send", room=room, text="two")
    ben.sees(room, "one", "two")
    cleo.call("send", room=room, text="three")
    assert cleo.texts(room) == ["one", "three"]
    cedar.switch_on()
    for each in (ann, ben, cleo):
        each.sees(room, "one", "two", "three")

    # The node that keeps the room is away: what the others write waits at their own nodes, and arrives once.
    beech.switch_off()
    for number in range(5):
        ann.call("send", room=room, text=f"from Ann {number}")
    cleo.call("send", room=room, text="from Cleo")
    assert {each["status"] for each in ann.room(room)["timeline"] if each.get("text", "").startswith("from")} == {
        "waiting"
    }
    beech.switch_on()
    for each in (ann, ben, cleo):
        each.until(lambda each=each: len(each.texts(room)) == 9, "all words")  # type: ignore[misc]
    texts = ben.texts(room)
    assert [text for text in texts if text.startswith("from Ann")] == [f"from Ann {number}" for number in range(5)]
    assert sorted(texts) == sorted({*texts})
    for each in (ann, cleo):
        each.sees(room, *texts)

    # Somebody asks while the node that keeps the room is away.
    link = ben.call("makeInvite", room=room)["link"]
    dora = ash.person("Dora")
    beech.switch_off()
    with pytest.raises(CallFailed) as waits:
        dora.call("ask", link=link, name="Dora")
    assert waits.value.code == "waiting"
    beech.switch_on()
    patiently(lambda: dora.call("ask", link=link, name="Dora"))
    for each in (ann, cleo):
        each.until(lambda each=each: asked(each, room, "Dora"), "Dora asks")  # type: ignore[misc]
        for ask in each.room(room)["asks"]:
            each.call("approve", room=room, ask=ask["ask"])
    dora.until(lambda: dora.standing(room) == "in", "let in")
    all_is_well(ann, ben, cleo, dora)


def test_devices_of_somebody_far_away(three: list[Neighbour]) -> None:
    _, _, cedar = three
    room, ann, ben, cleo = walks(three)
    words = " ".join(cleo.call("sheetWords")["words"])
    cleo.call("settle", seconds=60)

    # A new device comes back with the sheet, and is let in by people of other communities.
    second = cedar.device("Cleo")
    second.call("recover", words=words)
    cleo.kill()
    second.until(lambda: second.standing(room) == "in", "let in again")
    second.has(room, "Ann", "Ben", "Cleo")
    ben.call("send", room=room, text="Welcome back")
    second.sees(room, "Welcome back")
    assert second.room(room)["far"] is True

    # The first is lost: it is taken out, everywhere.
    lost = next(each["device"] for each in second.call("devices") if not each["current"])
    second.call("revokeDevice", device=lost)
    for each in (ann, ben):
        each.until(
            lambda each=each: {m["name"]: m["devices"] for m in each.room(room)["members"]}["Cleo"] == 1,  # type: ignore[misc]
            "one device",
        )
    second.call("send", room=room, text="From the second")
    for each in (ann, ben):
        each.sees(room, "Welcome back", "From the second")
    all_is_well(ann, ben, second)
