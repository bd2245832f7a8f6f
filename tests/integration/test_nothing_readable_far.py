"""One person in rooms of two other communities, and then a search of everything between the nodes for what was said.

Ann's home is Ash. She is in a room of Beech, which she found by its listing, and in one of Cedar, by an invitation. All
that people can say carries one mark. A cable keeps what goes over the wire between the nodes, and Ash writes down each
letter before the channel seals it: there nobody's encryption but the members' own hides anything. In all of it, in the
nodes' folders, logs and a backup, there may be no mark, no secret and no account; what Ash lets Beech know and what it
lets Cedar know may have nothing in common. Ids that letters do hold are found by the same search, else it were
blind.
"""

import base64
import json
import re
import sqlite3
import subprocess
import sys
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

import recording_node
from headless_clients import CallFailed, Community, Headless, asked, patiently
from hedgerow_node import fingerprint
from hedgerow_protocol.ids import NodeId, from_text
from letters_compared import Notes, alike_in_mls, lifetimes, shared, whole
from marked_text import Search, new_mark, parts_of, raw, secret_of_words, unpack
from recording_wire import Wire
from running_node import RunningNode, environment, running_node

LISTED = (Path(fingerprint.__file__).with_name("fingerprint_words.txt")).read_text(encoding="ascii").split()
BEARER = re.compile(rb"(?i)authorization: bearer ([\w-]{43})")
ACCOUNTS = re.compile(rb'"account_key": ?"([\w-]{43})"')
DEVICES = re.compile(rb'"device": ?\{"id": ?"([\w-]{22})"')
ARE_PEERS = re.compile(rb"(?i)^GET /peer[ ?]")
Parts = list[tuple[str, bytes]]

pytestmark = pytest.mark.timeout(300)


class Told(Community):
    """A community whose node writes down its letters, and whose cables are listened to."""

    def __init__(self, scratch: Path, title: str, peers: list["Told"]) -> None:
        scratch.mkdir()
        data, self.letters, self.log = scratch / "node", scratch / "letters", scratch / "log"
        within = ("sh", "-c", 'exec "$@" 2>"$0"', str(self.log), *recording_node.within(self.letters))
        calls = [word for each in peers for word in ("--peer", each.url)]
        settings = ("--title", title, "--fanout-ms", "0", "--log", "debug", *calls)
        self._running = ExitStack()
        node = self._running.enter_context(running_node(data, *settings, within=within))
        self._behind = node.url.rstrip("/")
        self.wire = Wire(int(self._behind.rpartition(":")[2]))
        super().__init__(RunningNode(node.process, self.wire.url), data, scratch)

    def link(self, uses: int = 1) -> str:
        """The keeper's invitation."""
        return super().link(uses).replace(self._behind, self.url)

    def close(self) -> None:
        """End everything."""
        super().close()
        self._running.close()
        self.wire.close()


@dataclass
class Life:
    """What is left of one: every place to look at, and what to look for."""

    mark: str
    known: str
    """The mark of what nodes may know: the listing that asks for Beech's room."""
    links: list[str] = field(default_factory=list)
    words: list[str] = field(default_factory=list)
    places: dict[str, Parts] = field(default_factory=dict)
    rooms: list[bytes] = field(default_factory=list)
    """Beech's and Cedar's."""
    mailboxes: list[list[bytes]] = field(default_factory=list)
    """Of Ann's devices in each of the two."""
    members: list[bytes] = field(default_factory=list)
    """Ann's identity in each of the two."""
    notes: list[Notes] = field(default_factory=list)
    """All that Ash let Beech know, and Cedar."""
    home: bytes = b""
    """Ash's node id."""

    def look(self, search: Search, *places: str) -> list[str]:
        """Where any of it is."""
        return [line for place in places for name, data in self.places[place] for line in search.inside(data, name)]

    def found(self, what: bytes, *places: str) -> list[str]:
        """Where these bytes are."""
        search = Search()
        search.bytes("it", what)
        return self.look(search, *places)

    def heard(self, pattern: re.Pattern[bytes]) -> set[bytes]:
        """What devices sent to their own nodes, of this form."""
        text = (data for name, data in self.places["homes"] if name.endswith("asked"))
        return {raw(found.decode()) for data in text for found in pattern.findall(data)}


def command(*arguments: str | Path) -> str:
    """One command of the node's; what it said."""
    run = [sys.executable, "-m", "hedgerow_node", *map(str, arguments)]
    return subprocess.run(run, capture_output=True, text=True, env=environment(), check=True).stdout


@pytest.fixture(scope="module")
def life(tmp_path_factory: pytest.TempPathFactory) -> Life:
    scratch = tmp_path_factory.mktemp("far")
    made = Life(new_mark(), new_mark())
    nodes: list[Told] = []
    with ExitStack() as stack:
        for title in ("Ash", "Beech", "Cedar"):
            nodes.append(Told(scratch / title, title, nodes))
            stack.callback(nodes[-1].close)
        ash, beech, cedar = nodes
        people = live(made, ash, beech, cedar)
        collect(made, people, ash, beech, cedar)
        backup = scratch / "backup.tar"
        command("backup", backup, "--data", ash.data)
        made.places["data"] = [part for each in nodes for part in parts_of(each.data)]
        for each in nodes:
            assert each.node.stop() == 0
    unpack(backup, scratch / "backup")
    made.places["backup"] = list(parts_of(scratch / "backup"))
    made.places["logs"] = [(str(each.log), each.log.read_bytes()) for each in nodes]
    return made


def live(made: Life, ash: Told, beech: Told, cedar: Told) -> list[Headless]:
    """Everything that reaches another node is done in both rooms alike: the same name, words and file."""
    mark = made.mark
    ann, ben, cleo = (at.person(f"{mark} {who}") for at, who in ((ash, "Ann"), (beech, "Ben"), (cedar, "Cleo")))
    hubs = [(beech, ben), (cedar, cleo)]
    rooms = [by.call("createRoom", title=f"{mark} walks", name=by.name)["room"] for _, by in hubs]
    made.rooms = [raw(room) for room in rooms]

    # Into one by its listing, into the other by an invitation.
    ben.call("setIntake", room=rooms[0], to="open")
    ben.until(lambda: ben.call("intake", room=rooms[0]) is not None, "an open intake")
    code = ben.call("intake", room=rooms[0])["code"]
    draft = ("publish", "draft", "--directory", "--json", "--set", f"name=Evening {made.known}", "--set", "joining=ask")
    listing = json.loads(command(*draft, "--set", f"intake={code}", "--data", beech.data))["listings"][0]
    made.links.append(cleo.call("makeInvite", room=rooms[1], name=cleo.name, words=f"{mark} come along")["link"])
    patiently(lambda: ann.call("openInvite", link=made.links[0]))
    ann.call("ask", link=made.links[0], name=ann.name, words=f"{mark} let me in")
    ann.until(lambda: has_come(ann, listing), "the listing")
    patiently(lambda: ann.call("askListing", listing=listing, name=ann.name, words=f"{mark} let me in"))
    for room, (_, by) in zip(rooms, hubs, strict=True):
        agree(room, ann, by)

    # Somebody else comes into each of them, and Ann's word is one of the two that it takes.
    for room, (at, by), who in zip(rooms, hubs, ("Bea", "Carl"), strict=True):
        newcomer = at.person(f"{mark} {who}")
        made.links.append(by.call("makeInvite", room=room, name=by.name)["link"])
        newcomer.call("ask", link=made.links[-1], name=newcomer.name)
        agree(room, newcomer, by, ann)
        for each in (ann, by, newcomer):
            each.has(room, ann.name, by.name, newcomer.name)

    content = f"{mark} a poem\n".encode() * 40 + bytes(range(256)) * 300
    for room, (_, by) in zip(rooms, hubs, strict=True):
        talk(made, room, ann, by, content)
    return [ann, *again(made, ash, ann, rooms, [by for _, by in hubs]), ben, cleo]


def has_come(device: Headless, listing: str) -> bool:
    """Whether a listing has come to a device's node."""
    try:
        device.call("openListing", listing=listing)
    except CallFailed as failed:
        if failed.code != "unknown":
            raise
        return False
    return True


def agree(room: str, newcomer: Headless, *members: Headless) -> None:
    """Each of them says yes to an ask."""
    for each in members:
        each.until(lambda each=each: asked(each, room, newcomer.name), f"{newcomer.name} asks")  # type: ignore[misc]
        for ask in each.room(room)["asks"]:
            each.call("approve", room=room, ask=ask["ask"])
    newcomer.until(lambda: newcomer.standing(room) == "in", "let in")


def opened(device: Headless, room: str, message: str) -> Any:
    """A message's file, as soon as it has come: its message may be there before it."""
    found: list[Any] = []

    def there() -> bool:
        try:
            found.append(device.call("openAttachment", room=room, message=message, index=0))
        except CallFailed as failed:
            if failed.code not in ("waiting", "gone"):
                raise
        return bool(found)

    device.until(there, "the file")
    return found[-1]["bytes"]


def talk(made: Life, room: str, ann: Headless, by: Headless, content: bytes) -> None:
    """Words, changes, a file, a title, a wish to move."""
    mark = made.mark
    first = ann.call("send", room=room, text=f"{mark} good morning")["id"]
    ann.call("edit", room=room, id=first, text=f"{mark} good evening")
    file = {"base64": base64.b64encode(content).decode()}
    attached = ann.call("attach", room=room, name=f"{mark}.txt", type="text/plain", bytes=file)["attachment"]
    sent = ann.call("send", room=room, text=f"{mark} read this", attachments=[attached])["id"]
    by.until(lambda: by.texts(room)[-1:] == [f"{mark} read this"], "the file's message")
    assert opened(by, room, sent) == file
    attached = by.call("attach", room=room, name=f"{mark}.txt", type="text/plain", bytes=file)["attachment"]
    sent = by.call("send", room=room, text=f"{mark} and this", attachments=[attached])["id"]
    ann.until(lambda: ann.texts(room)[-1:] == [f"{mark} and this"], "the file's message")
    assert opened(ann, room, sent) == file
    ann.call("setTitle", room=room, title=f"{mark} long walks")
    ann.call("setName", room=room, name=f"{mark} Anna")
    made.links.append(ann.call("makeInvite", room=room, name=ann.name, words=f"{mark} come, too")["link"])
    own = next(each["node"] for each in ann.call("places", room=room)["choices"] if each["here"])
    ann.call("moveRoom", room=room, node=own)
    by.until(lambda: len(by.call("places", room=room)["moves"]) == 1, "Ann's wish")
    assert ann.call("settle", seconds=60)


def again(made: Life, ash: Told, ann: Headless, rooms: list[str], hubs: list[Headless]) -> list[Headless]:
    """Ann's second device comes in by her sheet and takes the first one out."""
    made.words.append(" ".join(ann.call("sheetWords")["words"]))
    second = ash.device(f"{ann.name} again")
    second.call("recover", words=made.words[0])
    for room in rooms:
        second.until(lambda room=room: second.standing(room) == "in", "let in again")  # type: ignore[misc]
        second.until(lambda room=room: len(second.names(room)) == 3, "everybody")  # type: ignore[misc]
        second.call("send", room=room, text=f"{made.mark} here I am")
    lost = next(each["device"] for each in second.call("devices") if not each["current"])
    second.call("revokeDevice", device=lost)
    for room, by in zip(rooms, hubs, strict=True):
        by.until(lambda room=room, by=by: {m["devices"] for m in by.room(room)["members"]} == {1}, "one device")  # type: ignore[misc]
        assert by.texts(room)[-1] == f"{made.mark} here I am"
    for each in (second, *hubs):
        assert each.call("settle", seconds=60)
        assert each.state()["trouble"] == []
    return [second]


def collect(made: Life, people: list[Headless], ash: Told, beech: Told, cedar: Told) -> None:
    """What went over the wires, and what is known of it at the ends."""
    made.words += [" ".join(each.call("sheetWords")["words"]) for each in people[-2:]]
    second = people[1]
    for room in made.rooms:
        view = second.room(base64.urlsafe_b64encode(room).decode().rstrip("="))
        made.members += [raw(each["member"]) for each in view["members"] if each["me"]]
    query = "SELECT mailbox.name FROM mailbox JOIN room ON mailbox.room = room.id WHERE room.name = ?"
    with closing(sqlite3.connect(f"file:{ash.data / 'private.db'}?mode=ro", uri=True)) as store:
        made.mailboxes = [[name for (name,) in store.execute(query, (room,))] for room in made.rooms]

    made.places |= {"wire": [], "homes": []}
    for at in (ash, beech, cedar):
        for number, each in enumerate(at.wire.conversations):
            place = "wire" if ARE_PEERS.match(bytes(each.asked)) else "homes"
            name = f"{at.node.url}, {number}"
            made.places[place] += [(f"{name} asked", bytes(each.asked)), (f"{name} answered", bytes(each.answered))]
            made.places["homes"].append((f"{name} frames", b"" if place == "wire" else each.unmasked()))
    made.places["letters"] = []
    for at in (ash, beech, cedar):
        for sent in (True, False):
            for peer, frames in recording_node.read_letters(at.letters, sent=sent).items():
                made.places["letters"].append((f"{at.node.url}, {sent}, {peer.hex()}", b"\n".join(frames)))
    told = recording_node.read_letters(ash.letters, sent=True)
    made.home = node_id(ash)
    for at in (beech, cedar):
        hub = node_id(at)
        made.notes.append(Notes(whole(told[hub], hub)))


def node_id(at: Told) -> NodeId:
    """By which other nodes know it."""
    return NodeId(from_text(at.node.get("/api/v1/status")["node_id"], 32))


def marked(mark: str) -> Search:
    """A mark in any dress."""
    search = Search()
    search.text("the mark", mark)
    return search


# ---------------------------------------------------------------- the search itself


def test_what_letters_hold_is_found_in_them(life: Life) -> None:
    """Else the search is blind, or there was nothing to search."""
    for room, mailboxes in zip(life.rooms, life.mailboxes, strict=True):
        assert life.found(room, "letters") != []
        assert len(mailboxes) >= 1
        for mailbox in mailboxes:
            assert life.found(mailbox, "letters") != []
    names = {name for name, _ in life.places["data"]}
    assert {"private.db", "private.db-wal", "private.db, value by value"} <= names
    assert life.look(marked(life.known), "data", "backup", "homes") != []
    assert b" hedgerow_node." in b"".join(data for _, data in life.places["logs"])
    told = {
        "AskLetter",
        "Submit",
        "Follow",
        "Claimed",
        "Acknowledge",
        "RoomAsk",
        "BlobPut",
        "BlobGet",
        "Note",
        "Unfollow",
    }
    for notes in life.notes:
        assert told <= notes.kinds()


def test_the_wire_holds_what_the_letters_hold_and_hides_it(life: Life) -> None:
    assert len(life.places["wire"]) >= 6
    wire, letters = (sum(len(data) for _, data in life.places[place]) for place in ("wire", "letters"))
    assert wire >= letters / 2  # a letter is written down by both nodes
    for each in (*life.rooms, *life.members, *(mailbox for row in life.mailboxes for mailbox in row)):
        assert life.found(each, "wire") == []


# ---------------------------------------------------------------- what must not be found


@pytest.mark.parametrize("place", ["wire", "letters", "data", "backup", "logs", "homes"])
def test_nothing_that_members_say_is_readable(life: Life, place: str) -> None:
    assert life.look(marked(life.mark), place) == []


def test_secrets_of_members_are_nowhere(life: Life) -> None:
    search = Search()
    for place, words in enumerate(life.words):
        search.bytes(f"words {place}", words.encode())
        search.bytes(f"the secret of words {place}", secret_of_words(words.split(), LISTED))
    for place, link in enumerate(life.links):
        search.bytes(f"the secret of link {place}", raw(link.partition("#")[2].partition(".")[0]))
    assert (len(life.words), len(life.links)) == (3, 5)
    assert life.look(search, *life.places) == []


def test_no_other_node_is_told_of_accounts_devices_or_tokens(life: Life) -> None:
    search = Search()
    found = {"account": life.heard(ACCOUNTS), "device": life.heard(DEVICES), "token": life.heard(BEARER)}
    assert {name: len(each) >= 5 for name, each in found.items()} == dict.fromkeys(found, True)
    for name, several in found.items():
        for place, each in enumerate(sorted(several)):
            search.bytes(f"{name} {place}", each)
    assert life.look(search, "wire", "letters", "logs") == []
    assert life.look(search, "homes") != []


def allowed(life: Life) -> dict[str, list[bytes]]:
    """What both hubs may be told, by the reason."""
    home = base64.urlsafe_b64encode(life.home).rstrip(b"=")
    return {
        "Ash itself, which takes part in both": [life.home],
        "the second half of a room's id: a hash of its rules, which these two rooms have alike": [life.rooms[0][16:]],
        "names of fields in the ask of a second device, and Ash in it": [
            b'{"v":1,"ref":"', b'","consent":"', b'","home":"' + home + b'"}',
        ],
        **alike_in_mls(life.notes[0]),
    }  # fmt: skip


def test_what_two_hubs_were_told_has_nothing_in_common(life: Life) -> None:
    beech, cedar = life.notes
    assert shared(beech, cedar, allowed(life)) == []
    for notes in life.notes:
        assert {path for path, _ in notes.texts} <= {
            f"Answer.body.RefusalAnswer.{each}" for each in ("code", "sentence")
        }
        # Devices for several rooms are made together, as here after the recovery: a second would say which.
        assert {each % 86_400 for lifetime in lifetimes(notes) for each in lifetime} == {0}
    # The ids by their names: each where it belongs, and only there.
    for at in range(2):
        here, there = ([data for _, data in notes.bytes] for notes in (life.notes[at], life.notes[1 - at]))
        for each in (life.rooms[at], life.members[at], *life.mailboxes[at]):
            assert any(each in data for data in here)
            assert not any(each in data for data in there)


def test_what_would_be_in_common_is_seen(life: Life) -> None:
    """Some byte of one hub's letters in a letter of the other's: as a field, and in the middle of one."""
    beech, cedar = life.notes
    for data in (life.mailboxes[1][0], b"between" + life.members[1] + b"other things"):
        more = Notes(beech.letters)
        more.bytes.append(("more", data))
        assert shared(more, cedar, allowed(life)) != []
