"""A life of rooms with marked words, and then a search for the marks wherever the node's keeper or a thief could look.

Everything a person can say to the program carries one mark: letters that cannot be anywhere by chance. Four devices
live through rooms, links, files, a removal, a second device, an archive and a kept copy, on plain http, which hides
nothing on the way. Then the mark is looked for in the data folder, a backup, the log, the traffic and the node's own
memory. What the node is meant to know, the community's title and a public listing, carries another mark: that one is
found in each of these places by the same search, else the search itself would be blind.

Two kinds of secrets are looked for as well. Those that a node must never have (the account's secret and its 24 words,
the words that link a device, those of the kept copy, the secret in a member's invitation) may be nowhere. Device tokens
go to the node with each request, by design; at rest there may be only their hashes, so they may be neither in the data
folder nor in a backup nor in the log, while traffic and memory have them. The secret of the keeper's own invitation is
made in the node, shown once and not kept: it may be in no file either.
"""

import base64
import http.client
import re
import socket
import subprocess
import sys
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from headless_clients import Community, Headless
from hedgerow_node import fingerprint
from marked_text import (
    MemoryForbidden,
    Search,
    dresses_of_text,
    memory_of,
    new_mark,
    parts_of,
    raw,
    secret_of_words,
    unpack,
)
from recording_wire import Wire, recording
from running_node import RunningNode, environment, running_node

LISTED = (Path(fingerprint.__file__).with_name("fingerprint_words.txt")).read_text(encoding="ascii").split()
BEARER = re.compile(rb"(?i)authorization: bearer ([\w-]{43})")
Parts = list[tuple[str, bytes]]


@dataclass
class Life:
    """What is left of one: every place to look at, and what to look for."""

    mark: str
    known: str
    """The mark of what the node is meant to know."""
    thrown: str
    """The mark of what somebody throws at it."""
    links: list[str] = field(default_factory=list)
    """Invitations that members made."""
    keepers: list[str] = field(default_factory=list)
    words: list[str] = field(default_factory=list)
    """Secrets as words: the sheet's, the linking code's, the kept copy's."""
    places: dict[str, Parts] = field(default_factory=dict)
    forbidden: str = ""
    """Why memory could not be read."""

    @property
    def tokens(self) -> set[str]:
        """Of every device, and of the entries that the archive and the kept copy have among them."""
        return {token.decode() for _, data in self.places["traffic"] for token in BEARER.findall(data)}

    def secrets(self) -> Search:
        """What a node must never have."""
        search = Search()
        for place, words in enumerate(self.words):
            search.bytes(f"words {place}", words.encode())
            several = words.split()
            if len(several) in (12, 24):
                search.bytes(f"the secret of words {place}", secret_of_words(several, LISTED))
        for place, link in enumerate(self.links):
            search.bytes(f"the secret of link {place}", raw(link.partition("#")[2].partition(".")[0]))
        return search

    def look(self, search: Search, *places: str) -> list[str]:
        """Where any of it is."""
        return [line for place in places for name, data in self.places[place] for line in search.inside(data, name)]

    def marked(self, mark: str, place: str) -> list[str]:
        """Where a mark is in one place."""
        search = Search()
        search.text("the mark", mark)
        return self.look(search, place)


class Watched(Community):
    """People whose every word to the node goes over a cable that is listened to."""

    def __init__(self, node: RunningNode, data: Path, scratch: Path, wire: Wire, life: Life) -> None:
        super().__init__(RunningNode(node.process, wire.url), data, scratch)
        self._behind = node.url.rstrip("/")
        self.life = life

    def link(self, uses: int = 1) -> str:
        """The keeper's invitation."""
        link = super().link(uses)
        assert link.startswith(self._behind)
        self.life.keepers.append(link)
        return link.replace(self._behind, self.url)

    def named(self, name: str) -> Headless:
        """Somebody whose name carries the mark."""
        return self.person(f"{self.life.mark} {name}")


def port_of(node: RunningNode) -> int:
    """Where it listens."""
    return int(node.url.rstrip("/").rpartition(":")[2])


def command(*arguments: str | Path) -> None:
    """One command of the node's."""
    run = [sys.executable, "-m", "hedgerow_node", *map(str, arguments)]
    subprocess.run(run, capture_output=True, text=True, env=environment(), check=True)


@pytest.fixture(scope="module")
def life(tmp_path_factory: pytest.TempPathFactory) -> Life:
    scratch = tmp_path_factory.mktemp("marked")
    data, log, backup = scratch / "node", scratch / "log", scratch / "backup.tar"
    made = Life(new_mark(), new_mark(), new_mark())
    command("setup", "--no-questions", "--title", f"Circle {made.known}", "--data", data)
    command("publish", "draft", "--directory", "--set", f"name=Evening {made.known}", "--data", data)
    into_log = ("sh", "-c", 'exec "$@" 2>"$0"', str(log))
    with running_node(data, "--log", "debug", within=into_log) as node, recording(port_of(node)) as wire:
        with closing(Watched(node, data, scratch, wire, made)) as people:
            live(people, made)
            node_memory(node, made, "memory amid life")
            leave_and_lose(people, made)
            RunningNode(node.process, wire.url).get("/api/v1/listings?limit=50")
            throw(node, made)
        node_memory(node, made, "memory at the end")
        command("backup", backup, "--data", data)
        # Beside the running node: what is written lies in the write-ahead logs still.
        made.places["data while running"] = list(parts_of(data))
        assert node.stop() == 0
        made.places["traffic"] = traffic(wire)
    made.places["data at rest"] = list(parts_of(data))
    unpack(backup, scratch / "backup")
    made.places["backup"] = list(parts_of(scratch / "backup"))
    made.places["log"] = [("log", log.read_bytes())]
    return made


def node_memory(node: RunningNode, made: Life, name: str) -> None:
    """Take what the node's process holds now."""
    try:
        made.places[name] = list(memory_of(node.process.pid))
    except MemoryForbidden as error:
        made.forbidden = str(error)


def traffic(wire: Wire) -> Parts:
    """Each conversation in both directions, and its frames unmasked."""
    found: Parts = []
    for number, each in enumerate(wire.conversations):
        found.append((f"conversation {number}, asked", bytes(each.asked)))
        found.append((f"conversation {number}, answered", bytes(each.answered)))
        found.append((f"conversation {number}, frames", each.unmasked()))
    return found


def throw(node: RunningNode, made: Life) -> None:
    """What no client of ours sends: words in the wrong places, past the cable. The node sees them and keeps nothing."""
    port = port_of(node)
    headers = {"Authorization": f"Bearer {made.thrown}", "User-Agent": made.thrown, "Content-Type": "application/json"}
    for path in ("/api/v1/accounts", f"/api/v1/rooms/{made.thrown}/log", f"/api/v1/{made.thrown}?q={made.thrown}"):
        with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=20)) as client:
            client.request("POST", path, f'{{"name": "{made.thrown}"}}', headers)
            assert 400 <= client.getresponse().status < 500
    with socket.create_connection(("127.0.0.1", port), timeout=20) as line:
        line.sendall(f"{made.thrown} no http at all\r\n\r\n".encode())
        while line.recv(65_536):
            pass


def live(people: Watched, made: Life) -> None:
    """Names, titles, words, answers, changes, files, notes: whatever can be said is said, with the mark in it."""
    mark = made.mark
    ann, ben, cleo = people.named("Ann"), people.named("Ben"), people.named("Cleo")
    room = ann.call("createRoom", title=f"{mark} walks", name=ann.name)["room"]
    for number, newcomer in enumerate((ben, cleo)):
        link = ann.call("makeInvite", room=room, name=ann.name, words=f"{mark} come along", uses=2)["link"]
        made.links.append(link)
        assert newcomer.call("openInvite", link=link)["words"] == f"{mark} come along"
        newcomer.call("ask", link=link, name=newcomer.name, words=f"{mark} let me in")
        for each in (ann, ben)[: number + 1]:
            each.until(lambda each=each: each.room(room)["asks"] != [], "an ask")  # type: ignore[misc]
            each.call("approve", room=room, ask=each.room(room)["asks"][0]["ask"])
        newcomer.until(lambda newcomer=newcomer: newcomer.standing(room) == "in", "let in")  # type: ignore[misc]

    first = ann.call("send", room=room, text=f"{mark} good morning")["id"]
    ben.sees(room, f"{mark} good morning")
    ben.call("send", room=room, text=f"{mark} to you, too", replyTo=first)
    ann.call("edit", room=room, id=first, text=f"{mark} good evening")
    unsaid = ann.call("send", room=room, text=f"{mark} unsaid")["id"]
    ann.call("delete", room=room, id=unsaid)
    content = (f"{mark} a poem\n" * 200).encode() + bytes(range(256)) * 300 + mark.encode("utf-16")
    poem = {"base64": base64.b64encode(content).decode()}
    attached = ann.call("attach", room=room, name=f"{mark}.txt", type="text/plain", bytes=poem)["attachment"]
    sent = ann.call("send", room=room, text=f"{mark} read this", attachments=[attached])["id"]
    ben.until(lambda: ben.texts(room)[-1:] == [f"{mark} read this"], "the file's message")
    assert ben.call("openAttachment", room=room, message=sent, index=0)["bytes"] == poem

    ann.call("setTitle", room=room, title=f"{mark} long walks")
    ben.call("setName", room=room, name=f"{mark} Benjamin")
    cleo.call("draft", room=room, text=f"{mark} half a thought")
    cleo.call("setPassphrase", passphrase=f"{mark} passphrase")
    assert len(ben.call("search", text=mark)) >= 3
    ann.call("renameDevice", device=ann.state()["account"]["device"], name=f"{mark} phone")
    made.links.append(ann.call("makeInvite", name=ann.name, words=f"{mark} come in")["link"])

    # A one-on-one with somebody of the room, who says yes.
    target = next(each["member"] for each in ann.room(room)["members"] if "Ben" in each["name"])
    asked = {"with": {"room": room, "member": target}}
    pair = ann.call("startPair", name=ann.name, words=f"{mark} a word?", **asked)
    made.links.append(pair["link"])
    ben.until(lambda: ben.room(room)["pairInvites"] != [], "invited")
    ben.call("ask", link=pair["link"], name=ben.name)
    ben.until(lambda: ben.standing(pair["room"]) == "in", "let in")
    ben.call("send", room=pair["room"], text=f"{mark} just us")
    ann.sees(pair["room"], f"{mark} just us")

    # Part with Cleo: a vote of both others.
    gone = next(each["member"] for each in ann.room(room)["members"] if "Cleo" in each["name"])
    for each in (ann, ben):
        each.call("voteRemoval", room=room, member=gone)
    cleo.until(lambda: cleo.standing(room) == "removed", "removed")
    ann.call("send", room=room, text=f"{mark} without Cleo")
    ben.until(lambda: ben.texts(room)[-1:] == [f"{mark} without Cleo"], "the last words")


def leave_and_lose(people: Watched, made: Life) -> None:
    """Archive, kept copy, sheet; a second device, and the first one taken out."""
    ann, ben, _ = people.devices
    room = next(each["room"] for each in ann.state()["rooms"] if each["kind"] == "room")
    ann.call("setArchive", room=room, on=True)
    made.words.append(ann.call("keepOnNode", keep=True)["words"])
    made.words += [" ".join(each.call("sheetWords")["words"]) for each in people.devices]
    assert ann.call("settle", seconds=30)

    second = people.device(ann.name)
    code = second.call("linkNew")
    made.words.append(code["words"])
    ann.call("linkOld", code=code["code"])
    ann.until(lambda: ann.state()["linking"]["step"] == "comparing", "words to compare")
    made.words.append(ann.state()["linking"]["compare"])
    ann.call("linkConfirm", match=True)
    second.until(lambda: second.standing(room) == "in", "let in")
    second.until(lambda: f"{made.mark} good evening" in second.texts(room), "the archive's words")
    second.call("send", room=room, text=f"{made.mark} from the second")
    ben.until(lambda: ben.texts(room)[-1:] == [f"{made.mark} from the second"], "the last words")
    second.call("revokeDevice", device=ann.state()["account"]["device"])
    ann.until(lambda: ann.state()["account"]["revoked"], "told that it is out")
    assert second.call("settle", seconds=30)
    assert ben.call("settle", seconds=30)


# ---------------------------------------------------------------- the search itself


@pytest.mark.parametrize("dress", sorted(dresses_of_text("a" * 24)))
def test_the_search_sees_through_every_dress(dress: str) -> None:
    mark = new_mark()
    search = Search()
    search.text("the mark", mark)
    assert search.inside(b"\0before " + dresses_of_text(mark)[dress] + b" after\xff", "here") != []
    assert search.inside(b"\0before " + dresses_of_text(new_mark())[dress] + b" after\xff", "here") == []


def test_what_the_node_may_know_is_found_everywhere(life: Life) -> None:
    """Else the search is blind there."""
    for place in life.places.keys() - {"log"}:
        assert life.marked(life.known, place) != [], place
    names = {name for name, _ in life.places["data while running"]}
    assert {"private.db", "private.db-wal", "private.db, value by value", "public.db"} <= names
    assert any(name.startswith("blobs/") for name in names)
    assert any(name.startswith("sealed/") for name in names)
    names = {name for name, _ in life.places["backup"]}
    assert {"private.db", "private-files.tar"} <= names
    assert any("/blobs/" in name for name in names)
    assert b" debug hedgerow_node" in life.places["log"][0][1]


def test_traffic_could_be_read(life: Life) -> None:
    """Nothing was compressed or cut in pieces on the way, and frames were unmasked."""
    everything = b"".join(data for _, data in life.places["traffic"]).lower()
    answered = b"".join(data for name, data in life.places["traffic"] if name.endswith("answered")).lower()
    for header in (b"\r\ncontent-encoding:", b"\r\ntransfer-encoding:", b"\r\nsec-websocket-extensions: permessage"):
        assert header not in answered
    frames = b"".join(data for name, data in life.places["traffic"] if name.endswith("frames"))
    assert everything.count(b"/api/v1/rooms/") + frames.count(b'{"submit":') > 30
    assert frames.count(b'{"submit":') > 5
    assert any(token.encode() in frames for token in life.tokens)


# ---------------------------------------------------------------- what must not be found


@pytest.mark.parametrize("place", ["data while running", "data at rest", "backup", "log", "traffic"])
def test_nothing_that_members_say_is_readable(life: Life, place: str) -> None:
    assert life.marked(life.mark, place) == []


@pytest.mark.parametrize("place", ["data while running", "data at rest", "backup", "log"])
def test_nothing_that_somebody_throws_is_kept(life: Life, place: str) -> None:
    assert life.marked(life.thrown, place) == []


@pytest.mark.parametrize("moment", ["memory amid life", "memory at the end"])
def test_nothing_is_readable_in_memory(life: Life, moment: str) -> None:
    if life.forbidden:
        pytest.skip(f"The kernel lets nobody read the node's memory, so it was not searched: {life.forbidden}")
    assert life.marked(life.mark, moment) == []


def test_secrets_of_members_are_nowhere(life: Life) -> None:
    search = life.secrets()
    assert len(life.words) == 6
    assert len(life.links) == 4
    assert life.look(search, *life.places) == []


def test_tokens_and_the_keepers_invitations_are_in_no_file(life: Life) -> None:
    search = Search()
    # Four devices, the archive's entry and the kept copy's.
    assert len(life.tokens) == 6
    for place, token in enumerate(sorted(life.tokens)):
        search.bytes(f"token {place}", raw(token))
        search.bytes(f"token {place} as text", token.encode())
    for place, link in enumerate(life.keepers):
        search.bytes(f"the keeper's link {place}", raw(link.partition("#")[2].partition(".")[0]))
    assert life.look(search, "data while running", "data at rest", "backup", "log") == []
    assert life.look(search, "traffic") != []
