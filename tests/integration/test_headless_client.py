"""The member app's client against a real node: two people, several devices, rooms with their rules."""

import random
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from headless_clients import CallFailed, Community, community
from running_node import running_node


@pytest.fixture
def people(tmp_path: Path) -> Iterator[Community]:
    data = tmp_path / "node"
    with running_node(data) as node, community(data, tmp_path, node) as made:
        yield made


def test_two_people_talk_and_come_back(people: Community) -> None:
    ann = people.person("Ann")
    room, ben = people.pair(ann, "Ben")

    ben.call("send", room=room, text="Good morning")
    ann.sees(room, "Good morning")
    ann.call("send", room=room, text="Good morning, Ben")
    ben.sees(room, "Good morning", "Good morning, Ben")
    assert ann.names(room) == ben.names(room) == ["Ann", "Ben"]
    assert ann.room(room)["stateWords"] == ben.room(room)["stateWords"] != ""

    # Away, and back: what was written meanwhile is there, and what was there is, too.
    ben.stop()
    ann.call("send", room=room, text="Are you there?")
    ben.start()
    ben.sees(room, "Good morning", "Good morning, Ben", "Are you there?")
    ben.call("send", room=room, text="Yes")
    ann.sees(room, "Good morning", "Good morning, Ben", "Are you there?", "Yes")


def test_edits_deletes_replies_names_and_unread(people: Community) -> None:
    ann = people.person("Ann")
    room, ben = people.pair(ann, "Ben")
    first = ann.call("send", room=room, text="Helo")["id"]
    ann.call("edit", room=room, id=first, text="Hello")
    ben.sees(room, "Hello")
    with pytest.raises(CallFailed) as refused:
        ben.call("delete", room=room, id=first)
    assert refused.value.code == "unknown"
    second = ben.call("send", room=room, text="Hello to you", replyTo=first)["id"]
    ann.sees(room, "Hello", "Hello to you")
    reply = ann.room(room)["timeline"][-1]
    assert reply["replyTo"] == {"id": first, "name": "Ann", "text": "Hello"}

    summary = next(each for each in ann.state()["rooms"] if each["room"] == room)
    assert (summary["unread"], summary["latest"], summary["latestBy"]) == (1, "Hello to you", "Ben")
    ann.call("markRead", room=room, seq=reply["seq"])
    assert next(each for each in ann.state()["rooms"] if each["room"] == room)["unread"] == 0

    ben.call("delete", room=room, id=second)
    ann.sees(room, "Hello", "")
    assert ann.room(room)["timeline"][-1]["deleted"] is True
    ann.call("setName", room=room, name="Anna")
    ben.has(room, "Anna", "Ben")
    hits = ben.call("search", text="HELLO")
    assert [(hit["message"], hit["name"]) for hit in hits] == [(first, "Anna")]


@contextmanager
def no_files_yet(data: Path) -> Iterator[None]:
    """As at a node to which a message came before its file."""
    moved = "UPDATE blob SET hash = CAST(substr(hash, 2) || substr(hash, 1, 1) AS BLOB)"
    back = "UPDATE blob SET hash = CAST(substr(hash, 32) || substr(hash, 1, 31) AS BLOB)"
    for change in (moved, back):
        with closing(sqlite3.connect(data / "private.db", timeout=10)) as connection, connection:
            assert connection.execute(change).rowcount > 0
        if change == moved:
            yield


def test_files_travel_sealed(people: Community) -> None:
    ann = people.person("Ann")
    room, ben = people.pair(ann, "Ben")
    picture = {"base64": "iVBORw0KGgo" + "A" * 1001}
    token = ann.call("attach", room=room, name="tree.png", type="image/png", bytes=picture)["attachment"]
    message = ann.call("send", room=room, text="", attachments=[token])["id"]
    ben.sees(room, "")
    [seen] = ben.room(room)["timeline"][-1]["attachments"]
    assert (seen["name"], seen["type"], seen["place"]) == ("tree.png", "image/png", "there")
    with no_files_yet(people.data):
        with pytest.raises(CallFailed) as refused:
            ben.call("openAttachment", room=room, message=message, index=0)
        assert refused.value.code == "waiting", "it may still be on its way from another node"
    opened = ben.call("openAttachment", room=room, message=message, index=0)
    assert opened["bytes"]["base64"].rstrip("=") == picture["base64"]
    assert ben.room(room)["timeline"][-1]["attachments"][0]["place"] == "here"


def test_offline_writing_waits_and_is_sent_once(people: Community) -> None:
    ann = people.person("Ann")
    room, ben = people.pair(ann, "Ben")
    ann.sees(room)
    people.node.stop()
    ann.until(lambda: ann.state()["connection"] != "online", "offline")
    for text in ("one", "two", "three"):
        ann.call("send", room=room, text=text)
    assert ann.texts(room) == ["one", "two", "three"]
    assert ann.state()["outbox"]["waiting"] == 3
    ann.kill()
    port = people.url.rsplit(":", 1)[1]
    with running_node(people.data, "--port", port):
        ann.start()
        ann.sees(room, "one", "two", "three")
        ben.call("wake")
        ben.sees(room, "one", "two", "three")


def test_a_second_device_is_linked_and_the_first_revoked(people: Community) -> None:
    ann = people.person("Ann")
    room, ben = people.pair(ann, "Ben")
    ann.call("send", room=room, text="from the first")
    ben.sees(room, "from the first")

    second = people.device("Ann")
    code = second.call("linkNew")
    ann.call("linkOld", code=code["words"])
    ann.until(lambda: ann.state()["linking"]["step"] == "comparing", "words to compare")
    second.until(lambda: second.state()["linking"]["step"] == "comparing", "words to compare")
    words = ann.state()["linking"]["compare"]
    assert words == second.state()["linking"]["compare"]
    assert len(words.split()) == 4
    ann.call("linkConfirm", match=True)
    second.until(lambda: second.standing(room) == "in", "let in")

    ben.call("send", room=room, text="to both")
    second.sees(room, "to both")
    ann.sees(room, "from the first", "to both")
    second.call("send", room=room, text="from the second")
    ann.sees(room, "from the first", "to both", "from the second")
    assert ("device-added", ["Ann"]) in ben.notices(room)
    assert ben.names(room) == ["Ann", "Ben"]

    first = ann.state()["account"]["device"]
    second.call("revokeDevice", device=first)
    ann.until(lambda: ann.state()["account"]["revoked"], "told that it is revoked")
    ben.until(lambda: ("device-removed", ["Ann"]) in ben.notices(room), "the device is out of the room")
    ben.call("send", room=room, text="after")
    second.sees(room, "to both", "from the second", "after")
    assert [each["current"] for each in second.call("devices")] == [True]


def test_words_that_differ_link_nothing(people: Community) -> None:
    ann = people.person("Ann")
    other = people.device("Ann")
    ann.call("linkOld", code=other.call("linkNew")["code"])
    ann.until(lambda: ann.state()["linking"]["step"] == "comparing", "words to compare")
    ann.call("linkConfirm", match=False)
    ann.until(lambda: ann.state()["linking"]["step"] == "failed", "given up")
    assert len(ann.call("devices")) == 1
    other.call("linkCancel")
    assert other.state()["account"] is None


def test_recovery_from_the_words(people: Community) -> None:
    ann = people.person("Ann")
    room, ben = people.pair(ann, "Ben")
    ann.sees(room)
    words = " ".join(ann.call("sheetWords")["words"])
    assert len(words.split()) == 24
    ann.call("settle", seconds=20)
    lost = ann.state()["account"]["device"]
    ann.kill()

    again = people.device("Ann")
    assert again.call("checkWords", words="abandon zzzz ")["unknown"] == ["zzzz"]
    for wrong in ("abandon " * 24, " ".join(reversed(words.split()))):
        with pytest.raises(CallFailed) as refused:
            again.call("recover", words=wrong)
        assert refused.value.code in {"wrong-words", "unknown-account"}
    assert again.call("recover", words=words)["rooms"] == 1
    again.until(lambda: again.standing(room) == "in", "let in again")
    again.call("revokeDevice", device=lost)
    ben.call("send", room=room, text="Welcome back")
    again.sees(room, "Welcome back")
    again.call("send", room=room, text="Thank you")
    ben.sees(room, "Welcome back", "Thank you")
    ben.until(lambda: [each["devices"] for each in ben.room(room)["members"]] == [1, 1], "one device each")
    assert ben.names(room) == ["Ann", "Ben"]


def test_a_room_of_three_with_approvals_a_removal_and_a_leave(people: Community) -> None:
    ann, ben, cleo = people.person("Ann"), people.person("Ben"), people.person("Cleo")
    room = people.room("Thursday walks", ann, ben, cleo)
    for each in (ann, ben, cleo):
        each.has(room, "Ann", "Ben", "Cleo")
        each.until(lambda each=each: each.room(room)["title"] == "Thursday walks", "the title")  # type: ignore[misc]
    who = {each["member"]: each["name"] for each in cleo.room(room)["members"]}
    vouched = next(each["vouchedBy"] for each in cleo.room(room)["members"] if each["name"] == "Cleo")
    assert sorted(who[each] for each in vouched) == ["Ann", "Ben"]

    # One vote of two others is not more than half; two are.
    dan = people.person("Dan")
    people.let_in(room, dan, [ann, ben])
    target = next(each["member"] for each in ann.room(room)["members"] if each["name"] == "Dan")
    ann.call("voteRemoval", room=room, member=target)
    ben.until(lambda: any(each["removal"] for each in ben.room(room)["members"]), "a vote")
    assert dan.standing(room) == "in"
    ben.call("voteRemoval", room=room, member=target)
    dan.until(lambda: dan.standing(room) == "removed", "removed")
    with pytest.raises(CallFailed) as refused:
        dan.call("send", room=room, text="still here?")
    assert refused.value.code == "not-in-room"

    cleo.call("leave", room=room)
    cleo.until(lambda: cleo.standing(room) == "left", "left")
    for each in (ann, ben):
        each.has(room, "Ann", "Ben")
        assert ("left", ["Cleo"]) in each.notices(room)
        assert ("removed", ["Dan"]) in each.notices(room)
    ann.call("send", room=room, text="Just us")
    ben.sees(room, "Just us")
    assert cleo.texts(room) == []


def test_a_one_on_one_out_of_a_room(people: Community) -> None:
    ann, ben, cleo = people.person("Ann"), people.person("Ben"), people.person("Cleo")
    room = people.room("Walks", ann, ben, cleo)
    target = next(each["member"] for each in ann.room(room)["members"] if each["name"] == "Ben")
    made = ann.call("startPair", name="Ann", words="A word?", **{"with": {"room": room, "member": target}})
    ben.until(lambda: ben.room(room)["pairInvites"] != [], "invited")
    [offered] = ben.room(room)["pairInvites"]
    assert (offered["name"], offered["words"], offered["link"]) == ("Ann", "A word?", made["link"])
    assert cleo.room(room)["pairInvites"] == []

    # The link alone does not let somebody else in.
    cleo.call("ask", link=made["link"], name="Cleo")
    ben.call("ask", link=offered["link"], name="Ben")
    ben.until(lambda: ben.standing(made["room"]) == "in", "let in")
    ann.has(made["room"], "Ann", "Ben")
    assert cleo.standing(made["room"]) == "asked"
    assert ben.room(room)["pairInvites"] == []


def test_passphrase_and_lock(people: Community) -> None:
    ann = people.person("Ann")
    room, ben = people.pair(ann, "Ben")
    with pytest.raises(CallFailed) as refused:
        ann.call("setPassphrase", passphrase="short")
    assert refused.value.code == "weak-passphrase"
    ann.call("setPassphrase", passphrase="a quiet garden")
    ann.call("lock")
    assert ann.state()["vault"]["phase"] == "locked"
    assert ann.state()["rooms"] == []
    ben.call("send", room=room, text="while locked")
    with pytest.raises(CallFailed) as refused:
        ann.call("unlock", passphrase="a quiet yarden")
    assert refused.value.code == "wrong-passphrase"
    ann.stop()
    ann.start()
    assert ann.state()["vault"]["phase"] == "locked"
    ann.call("unlock", passphrase="  a quiet garden ")
    ann.sees(room, "while locked")


def test_kill_between_any_two_steps_loses_and_doubles_nothing(people: Community) -> None:
    """What the client said it has kept arrives once and in order, wherever it was killed."""
    ann = people.person("Ann")
    room, ben = people.pair(ann, "Ben")
    seed = random.SystemRandom().randrange(2**32)
    chance = random.Random(seed)
    kept: list[str] = []
    wanted = 0
    for _ in range(8):
        asked = []
        for _ in range(4):
            asked.append((f"message {wanted}", ann.begin("send", room=room, text=f"message {wanted}")))
            wanted += 1
        ready = chance.randrange(5)
        for text, answer in asked[:ready]:
            answer()
            kept.append(text)
        # From the write to disk over the request to the answer it is some 30 ms here.
        time.sleep(chance.random() * 0.06)
        ann.kill()
        ann.start()
        ann.online()
    ann.until(lambda: ann.state()["outbox"] == {"waiting": 0, "failed": 0}, "all sent")
    last = ann.texts(room)
    ben.sees(room, *last)
    assert len(set(last)) == len(last), f"doubled; seed {seed}"
    assert set(kept) <= set(last), f"lost; seed {seed}"
    assert last == sorted(last, key=lambda text: int(text.split()[1])), f"out of order; seed {seed}"


def test_a_browser_that_forgets_comes_back_from_the_node(people: Community) -> None:
    ann = people.person("Ann")
    room, ben = people.pair(ann, "Ben")
    words = ann.call("keepOnNode", keep=True)["words"]
    assert len(words.split()) == 6
    assert [(each["copy"], each["current"]) for each in ann.call("devices")] == [(False, True), (True, False)]
    ann.call("send", room=room, text="before")
    ben.sees(room, "before")
    ann.call("settle", seconds=30)
    ann.kill()
    ben.call("send", room=room, text="meanwhile")

    back = people.device("Ann")
    with pytest.raises(CallFailed) as refused:
        back.call("returnFromNode", words="abandon ability able about above absent")
    assert refused.value.code == "wrong-words"
    back.call("returnFromNode", words=words)
    back.sees(room, "before", "meanwhile")
    back.call("send", room=room, text="after")
    ben.sees(room, "before", "meanwhile", "after")

    # The one that was thought lost must not go on beside it.
    back.call("settle", seconds=30)
    ann.start()
    ann.until(lambda: ann.state()["account"]["revoked"], "out of use")


def test_state_that_is_too_old_is_not_used(people: Community) -> None:
    """Something was sent after the copy was made: the device asks to be let in anew, and goes on."""
    ann = people.person("Ann")
    room, ben = people.pair(ann, "Ben")
    words = ann.call("keepOnNode", keep=True)["words"]
    ann.call("settle", seconds=30)
    ann.call("send", room=room, text="not in the copy")
    ben.sees(room, "not in the copy")
    ann.kill()

    back = people.device("Ann")
    back.call("returnFromNode", words=words)
    back.until(lambda: any(code == "device-added" for code, _ in ben.notices(room)), "let in anew", 30)
    back.until(lambda: back.standing(room) == "in", "let in anew")
    back.call("send", room=room, text="here again")
    ben.sees(room, "not in the copy", "here again")
    ben.until(lambda: [each["devices"] for each in ben.room(room)["members"]] == [1, 1], "the old leaf is out")


def test_the_archive_brings_words_back(people: Community) -> None:
    ann = people.person("Ann")
    room, ben = people.pair(ann, "Ben")
    ben.call("send", room=room, text="to keep")
    ann.sees(room, "to keep")
    ann.call("setArchive", room=room, on=True)
    assert ann.room(room)["archive"] is True
    assert len(ann.call("devices")) == 1
    words = " ".join(ann.call("sheetWords")["words"])
    ann.call("settle", seconds=30)
    ann.kill()

    again = people.device("Ann")
    again.call("recover", words=words)
    again.sees(room, "to keep")
    assert again.room(room)["timeline"][-1]["name"] == "Ben"
    again.call("setArchive", room=room, on=False)
    third = people.device("Ann")
    third.call("recover", words=words)
    third.until(lambda: third.standing(room) == "in", "let in")
    assert third.texts(room) == []
