"""From a listing to a room: the group shows a line for its listing, somebody who found it asks, the members decide."""

import asyncio
import json
import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from headless_clients import CallFailed, Community, Headless, Neighbour, asked, community, neighbours, patiently
from hedgerow_protocol import intake
from member_devices import Device, b64
from running_node import environment, running_node

pytestmark = pytest.mark.slow


@pytest.fixture
def people(tmp_path: Path) -> Iterator[Community]:
    data = tmp_path / "node"
    with running_node(data) as node, community(data, tmp_path, node) as made:
        yield made


def publish(data: Path, *fields: str) -> str:
    """A listing by the node's own directory key; its id."""
    settings = [word for field in fields for word in ("--set", field)]
    command = [sys.executable, "-m", "hedgerow_node", "publish", "draft", "--directory", "--json", "--data", str(data)]
    done = subprocess.run([*command, *settings], capture_output=True, text=True, env=environment(), check=False)
    assert done.returncode == 0, done.stderr
    listing: str = json.loads(done.stdout)["listings"][0]
    return listing


def code_of(member: Headless, room: str) -> str:
    """The line for the listing, once the room has an open intake."""
    member.until(lambda: member.call("intake", room=room) is not None, "an open intake")
    code: str = member.call("intake", room=room)["code"]
    return code


def agree(room: str, name: str, *members: Headless) -> None:
    """Each of them sees the ask and says yes."""
    for each in members:
        each.until(lambda each=each: asked(each, room, name), f"{name} asks")  # type: ignore[misc]
        for ask in each.room(room)["asks"]:
            if ask["name"] == name:
                each.call("approve", room=room, ask=ask["ask"])


def open_asks(device: Headless, room: str) -> list[dict[str, Any]]:
    asks: list[dict[str, Any]] = device.room(room)["asks"]
    return asks


def test_from_a_listing_to_a_room(people: Community) -> None:
    ana, ben, mia = (people.person(name) for name in ("Ana", "Ben", "Mia"))
    room = people.room("Thursday circle", ana, ben)
    assert ana.call("intake", room=room) is None
    ana.call("setIntake", room=room, to="open")
    code = code_of(ben, room)
    assert code == code_of(ana, room), "every member has the same line"
    listing = publish(people.data, "name=Parents after loss", "joining=ask", f"intake={code}")

    seen = mia.call("openListing", listing=listing)
    assert (seen["name"], seen["asks"], seen["known"], seen["room"]) == ("Parents after loss", True, True, "")
    assert mia.call("askListing", listing=listing, name="M.", words="A friend told me")["room"] == room
    assert mia.standing(room) == "asked"
    assert mia.call("openListing", listing=listing)["standing"] == "asked"

    agree(room, "M.", ana, ben)
    mia.until(lambda: mia.standing(room) == "in", "let in")
    for each in (ana, ben, mia):
        each.has(room, "Ana", "Ben", "M.")
    mia.call("send", room=room, text="Thank you")
    ana.sees(room, "Thank you")
    assert ("intake-opened", []) in ben.notices(room)
    # The newcomer holds the key, too, and nothing is left at the node.
    assert code_of(mia, room) == code
    for each in (ana, ben, mia):
        assert each.call("settle", seconds=60)
        assert each.state()["trouble"] == []


def test_an_ask_says_where_it_comes_from_and_is_shown_once(people: Community) -> None:
    ana, ben, mia = (people.person(name) for name in ("Ana", "Ben", "Mia"))
    room = people.room("Thursday circle", ana, ben)
    ana.call("setIntake", room=room, to="open")
    listing = publish(people.data, "name=Parents after loss", "joining=ask", f"intake={code_of(ben, room)}")
    mia.call("askListing", listing=listing, name="M.", words="A friend told me")
    for each in (ana, ben):
        each.until(lambda each=each: asked(each, room, "M."), "the ask")  # type: ignore[misc]
        (ask,) = open_asks(each, room)
        assert (ask["listing"], ask["invitedBy"], ask["words"]) == ("Parents after loss", "", "A friend told me")
        assert each.call("intake", room=room)["asks"] == 1
        assert each.call("settle", seconds=60)
    # Asking once more takes the place of the first ask.
    mia.call("askListing", listing=listing, name="Mia", words="It is me again")
    for each in (ana, ben):
        each.until(lambda each=each: [ask["name"] for ask in open_asks(each, room)] == ["Mia"], "one ask")  # type: ignore[misc]


def test_closed_it_answers_as_if_it_had_never_been(people: Community) -> None:
    ana, ben, mia = (people.person(name) for name in ("Ana", "Ben", "Mia"))
    room = people.room("Thursday circle", ana, ben)
    ana.call("setIntake", room=room, to="open")
    listing = publish(people.data, "name=Parents after loss", "joining=ask", f"intake={code_of(ben, room)}")
    ben.call("setIntake", room=room, to="closed")
    ana.until(lambda: ana.call("intake", room=room) is None, "closed")
    assert ana.room(room)["intake"]["open"] is False

    def refused() -> bool:
        try:
            mia.call("askListing", listing=listing, name="M.")
        except CallFailed as failed:
            return failed.code == "invite-gone"
        return False

    mia.until(refused, "the node knows of no such intake")


def test_who_left_can_read_no_more_asks_once_there_is_a_new_line(people: Community) -> None:
    ana, ben, cleo, mia = (people.person(name) for name in ("Ana", "Ben", "Cleo", "Mia"))
    room = people.room("Thursday circle", ana, ben, cleo)
    cleo.call("setIntake", room=room, to="open")
    before = code_of(ana, room)
    cleo.call("leave", room=room)
    ana.has(room, "Ana", "Ben")
    ana.until(lambda: ana.room(room)["intake"]["stale"], "a new line is wanted")
    assert ana.call("intake", room=room)["newCode"] is True
    ben.call("setIntake", room=room, to="renew")
    ana.until(lambda: not ana.room(room)["intake"]["stale"], "a new line")
    after = code_of(ana, room)
    assert after != before
    listing = publish(people.data, "name=Parents after loss", "joining=ask", f"intake={after}")
    mia.call("askListing", listing=listing, name="M.")
    agree(room, "M.", ana, ben)
    mia.until(lambda: mia.standing(room) == "in", "let in")
    # Where nobody left, going on keeps the line.
    ben.call("setIntake", room=room, to="renew")
    assert ben.call("settle", seconds=60)
    assert code_of(ben, room) == after


async def post_asks(link: str, base: str, code: str, bodies: list[bytes]) -> list[int]:
    """A program of somebody's own posts these to the intake of a listing; the statuses."""
    place = intake.from_code(code)
    async with aiohttp.ClientSession() as http:
        device = Device(http, f"{base}/api/v1")
        await device.register(link)
        path = f"/invites/{b64(intake.invite_id(place.key))}/asks"
        proof = b64(intake.proof(place.key))
        return [(await device.ask("POST", path, {"proof": proof, "ask": b64(body)})).status for body in bodies]


def kept_asks(data: Path) -> int:
    """How many asks wait at the node."""
    with closing(sqlite3.connect(f"file:{data / 'private.db'}?mode=ro", uri=True)) as store:
        (many,) = store.execute("SELECT count(*) FROM ask").fetchone()
    return int(many)


def test_what_is_no_ask_is_dropped_without_being_shown(people: Community) -> None:
    ana, ben = people.person("Ana"), people.person("Ben")
    room = people.room("Thursday circle", ana, ben)
    ana.call("setIntake", room=room, to="open")
    code = code_of(ben, room)
    bodies = [b"x", os.urandom(100), bytes(4140), os.urandom(4140), b"9" * 16_000]
    assert asyncio.run(post_asks(people.link(), people.url, code, bodies)) == [201] * len(bodies)
    ana.until(lambda: kept_asks(people.data) == 0, "nothing is left at the node")
    for each in (ana, ben):
        assert each.call("settle", seconds=60)
        assert open_asks(each, room) == []
        assert each.state()["trouble"] == []
    (link,) = ana.call("invites")
    assert "/join#" in link["link"], "the room's intake is no link of anybody"


def test_a_listing_can_say_that_nobody_is_asked(people: Community) -> None:
    mia = people.person("Mia")
    come = publish(people.data, "name=Open evening", "joining=come")
    invited = publish(people.data, "name=Small circle", "joining=invitation")
    words = publish(people.data, "name=Quiet circle", "joining=ask", "how_to_join=Write to the library.")
    seen = [mia.call("openListing", listing=each) for each in (come, invited, words)]
    assert [(each["joining"], each["asks"]) for each in seen] == [
        ("come", False),
        ("invitation", False),
        ("ask", False),
    ]
    assert seen[2]["howToJoin"] == "Write to the library."
    with pytest.raises(CallFailed) as failed:
        mia.call("askListing", listing=words, name="M.")
    assert failed.value.code == "invite-gone"
    with pytest.raises(CallFailed) as failed:
        mia.call("openListing", listing="a" * 32)
    assert failed.value.code == "unknown"
    # Looking takes no account.
    visitor = people.device("visitor")
    assert visitor.call("openListing", listing=come)["known"] is False


@pytest.fixture
def three(tmp_path: Path) -> Iterator[list[Neighbour]]:
    with neighbours(tmp_path, "Ash", "Beech", "Cedar") as made:
        yield made


def finds(person: Headless, listing: str) -> dict[str, Any]:
    """Wait until the listing has come to this person's node."""
    found: list[dict[str, Any]] = []

    def there() -> bool:
        try:
            found.append(person.call("openListing", listing=listing))
        except CallFailed as failed:
            if failed.code != "unknown":
                raise
        return bool(found)

    person.until(there, "the listing at this node")
    return found[-1]


@pytest.mark.parametrize("opener", ["Ben", "Ann"])
def test_somebody_of_another_community_finds_the_listing(three: list[Neighbour], opener: str) -> None:
    """The line is made at the room's hub (by Ben), or at the node of a member from elsewhere (Ann)."""
    ash, beech, cedar = three
    ann, ben, cleo = ash.person("Ann"), beech.person("Ben"), cedar.person("Cleo")
    room = beech.room("Thursday circle", ben, ann)
    by = {"Ann": ann, "Ben": ben}[opener]
    by.call("setIntake", room=room, to="open")
    code = code_of(ann, room)
    assert code_of(ben, room) == code
    assert by.call("intake", room=room)["here"] is True
    listing = publish(beech.data, "name=Parents after loss", "joining=ask", f"intake={code}")
    seen = finds(cleo, listing)
    assert (seen["name"], seen["asks"], seen["known"]) == ("Parents after loss", True, True)
    patiently(lambda: cleo.call("askListing", listing=listing, name="C.", words="From over there"))
    agree(room, "C.", ann, ben)
    for each in (ann, ben):
        assert [ask["listing"] for ask in open_asks(each, room)] in ([], ["Parents after loss"])
    cleo.until(lambda: cleo.standing(room) == "in", "let in")
    for each in (ann, ben, cleo):
        each.has(room, "Ann", "Ben", "C.")
    cleo.call("send", room=room, text="Good evening")
    for each in (ann, ben):
        each.sees(room, "Good evening")
    # Whoever is anywhere may close it; the node that took the asks hears of it from the room.
    cleo.call("setIntake", room=room, to="closed")
    dora = cedar.person("Dora")

    def refused() -> bool:
        try:
            dora.call("askListing", listing=listing, name="D.")
        except CallFailed as failed:
            return failed.code == "invite-gone"
        return False

    dora.until(refused, "no more asks")
    for each in (ann, ben, cleo):
        assert each.call("settle", seconds=60)
        assert each.state()["trouble"] == []
