"""The whole way across three communities: found, asked, let in, talking, and on when the machine that kept it is gone.

Each community is a node in a process of its own, with a host name of its own, and one of its people at a browser.
"""

import asyncio
import json
import re
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest
from playwright.async_api import Browser, expect

from browser.members import PHONE, Person, browsers
from browser.test_app_far import open_far
from browser.test_bars import AXE, hold_the_bars
from browser.watching import WEBUI, missing
from headless_clients import Neighbour
from integration.test_headless_intake import publish
from running_node import environment

pytestmark = [pytest.mark.browser, pytest.mark.slow]

GROUP = "Parents after loss"
ROOM = "Thursday circle"
FAR_MS = 90_000
"""Milliseconds. What passes through two or three nodes that may have to find each other first."""
SHUT_DOOR = Path(__file__).parents[1] / "shut_door.py"


@dataclass
class Walk:
    """Three communities; one person of each."""

    ash: Neighbour
    beech: Neighbour
    cedar: Neighbour
    ann: Person
    ben: Person
    cleo: Person
    relayed: str = ""
    """Cedar's name among nodes where Beech reaches it through Ash only."""

    async def is_relayed(self, *, rooms: bool = False) -> None:
        """Beech talks with Cedar through Ash and never otherwise; ``rooms``: for a conversation, too."""
        if not self.relayed:
            return
        links = [each for each in (await peers(self.beech))["links"] if each["peer"] == self.relayed]
        assert [each["relayed"] for each in links] == [True]
        assert links[0]["rooms"] or not rooms


def named(node: Neighbour, host: str) -> str:
    """The node's address under a host name of its own: a browser keeps them apart."""
    return f"http://{host}.localhost:{node.url.rpartition(':')[2]}"


def three_nodes(scratch: Path, stack: AsyncExitStack, *, dialable: bool) -> tuple[Neighbour, Neighbour, Neighbour]:
    """Beech is told to dial both others, and Ash dials nobody; Cedar may have a door that lets nobody in."""

    def start(name: str, *peers: Neighbour, within: tuple[str, ...] = ()) -> Neighbour:
        calls = [word for each in peers for word in ("--peer", each.url)]
        (scratch / name).mkdir()
        one = Neighbour(scratch / name / "node", scratch / name, "--title", name, *calls, within=within)
        stack.callback(one.close)
        return one

    ash = start("Ash")
    cedar = start("Cedar", ash, within=() if dialable else (sys.executable, str(SHUT_DOOR)))
    return ash, start("Beech", ash, cedar), cedar


async def peers(node: Neighbour) -> dict[str, Any]:
    """What its keeper sees of the network."""
    command = (sys.executable, "-m", "hedgerow_node", "peers", "list", "--json", "--data", str(node.data))
    done = await asyncio.to_thread(subprocess.run, command, capture_output=True, check=True, env=environment())
    status: dict[str, Any] = json.loads(done.stdout)
    return status


def dialled(node: Neighbour) -> int:
    """How its peer door answers somebody who dials: 101 opens a link."""
    asks = {
        "Upgrade": "websocket",
        "Connection": "Upgrade",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": 22 * "A" + "==",
    }
    try:
        with urlopen(Request(f"{node.url}/peer", headers=asks), timeout=30) as answer:
            return int(answer.status)
    except HTTPError as refused:
        return refused.code


async def through_a_relay(ash: Neighbour, beech: Neighbour, cedar: Neighbour) -> str:
    """Cedar's name, once Beech, who dials it in vain, talks with it through Ash."""
    assert await asyncio.to_thread(dialled, cedar) == 503
    async with asyncio.timeout(FAR_MS / 1000):
        while True:
            seen = await peers(beech)
            relayed = [each["peer"] for each in seen["links"] if each["relayed"]]
            refused = [each for each in seen["peers"] if each["problem"]]
            if relayed and refused:
                break
            await asyncio.sleep(0.3)
    assert [each["url"] for each in refused] == [cedar.url]
    (name,) = relayed
    assert name in {each["peer"] for each in (await peers(ash))["links"]}
    assert name not in {each["peer"] for each in seen["links"] if not each["relayed"]}
    return str(name)


@asynccontextmanager
async def walk(browser: Browser, scratch: Path, *, dialable: bool) -> AsyncIterator[Walk]:
    if not (WEBUI / "dist" / "assets.json").is_file():
        missing("The web UI is not built, so the browser tests do not run (python webui/build_hook.py).")
    async with AsyncExitStack() as stack:
        ash, beech, cedar = await asyncio.to_thread(three_nodes, scratch, stack, dialable=dialable)
        relayed = "" if dialable else await through_a_relay(ash, beech, cedar)
        people: list[Person] = []

        async def newcomer(name: str, node: Neighbour, host: str) -> Person:
            base = named(node, host)
            person = await browsers(browser, stack, base, people)(name)
            link = await asyncio.to_thread(node.link)
            await person.join(f"{base}/join#{link.partition('#')[2]}")
            return person

        ann, ben, cleo = [
            await newcomer(name, node, host)
            for name, node, host in (("Ann", ash, "a"), ("Ben", beech, "b"), ("Cleo", cedar, "c"))
        ]
        yield Walk(ash, beech, cedar, ann, ben, cleo, relayed)
        assert [line for person in people for line in person.complaints] == []


async def list_group(there: Walk) -> tuple[str, str]:
    """Ben opens a group and lets people ask; it stands in the listings. The ids of both."""
    ben = there.ben
    room = await ben.new_group(ROOM)
    await ben.page.get_by_role("link", name="About").click()
    await ben.press("Let people ask to join")
    line = ben.page.get_by_label("For your listing: paste this into the listing's form")
    await expect(line).to_have_value(re.compile(r"^hedgerow-intake:"), timeout=FAR_MS)
    fields = (f"name={GROUP}", "joining=ask", f"intake={await line.input_value()}")
    return room, await asyncio.to_thread(publish, there.beech.data, *fields)


async def join_by_link(there: Walk) -> None:
    """Ann of another community comes in by Ben's link."""
    ann, ben = there.ann, there.ben
    await ben.open(ROOM)
    await ben.follow("Invite somebody")
    await ben.press("Make the link")
    await open_far(ann, await ben.shown_link(), f"Ben invites you to the group “{ROOM}”")
    await ann.page.get_by_label("What should the others call you?").fill("Ann")
    await ann.press("Ask to join")
    await ben.open(ROOM)
    await ben.page.get_by_role("button", name="Agree to Ann").click(timeout=FAR_MS)
    await expect(ann.page.get_by_role("textbox", name="Write to")).to_be_visible(timeout=FAR_MS)


async def find_and_ask(cleo: Person, listing: str) -> None:
    """The listing has come to Cleo's own community's pages; there she asks."""
    cleo.offline = True  # until it has come, the browser notes that it is not there
    found = cleo.page.get_by_role("heading", level=1, name=GROUP)
    async with asyncio.timeout(FAR_MS / 1000):
        while not await found.is_visible():
            await cleo.page.goto(f"{cleo.base}/listings/{listing}")
            await cleo.page.wait_for_timeout(300)
    await cleo.photo("30-found")
    await cleo.page.get_by_role("link", name="Ask to join").click()
    await cleo.at(f"Ask to join “{GROUP}”")
    await cleo.page.get_by_label("What should the others call you?").fill("Cleo")
    await cleo.page.get_by_label("A word to the group").fill("A friend told me of you.")
    await cleo.press("Ask to join")
    await expect(cleo.page.get_by_role("heading", name="You asked to join")).to_be_visible(timeout=FAR_MS)


async def let_in(there: Walk, room: str) -> None:
    """Members of two communities see the ask, and both say yes."""
    await there.ann.view(f"room/{room}")
    card = there.ann.page.locator(".ask-card")
    await expect(card).to_contain_text("A friend told me of you.", timeout=FAR_MS)
    await there.ann.photo("31-asked")
    await there.ann.press("Agree to Cleo")
    await there.ben.page.get_by_role("button", name="Agree to Cleo").click(timeout=FAR_MS)
    await expect(there.cleo.page.get_by_role("textbox", name="Write to")).to_be_visible(timeout=FAR_MS)


async def one_on_one(ann: Person, cleo: Person) -> None:
    """Between two communities, by a link that is pasted into one's own app."""
    await open_far(cleo, await ann.new_pair(), "Ann would like to talk with you, just the two of you")
    await cleo.page.get_by_label("What should the others call you?").fill("Cleo")
    await cleo.press("Come in")
    await expect(cleo.page.get_by_role("textbox", name="Write to")).to_be_visible(timeout=FAR_MS)
    await cleo.write("Only for you, Ann.")
    await ann.home()
    await ann.page.locator(".rooms").get_by_role("link", name=re.compile("^Cleo")).click()
    await ann.at("Cleo")
    await expect(ann.message("Only for you, Ann.")).to_be_visible(timeout=FAR_MS)
    await ann.write("And only for you.")
    await expect(cleo.message("And only for you.")).to_be_visible(timeout=FAR_MS)


async def texts(person: Person) -> list[str]:
    said: list[str] = await person.page.locator("li.message .rich").all_inner_texts()
    return said


async def sent_texts(person: Person) -> list[str]:
    """Those nothing more is said about: the node that orders them has them."""
    done = person.page.locator("li.message").filter(has_not=person.page.locator(".status"))
    said: list[str] = await done.locator(".rich").all_inner_texts()
    return said


async def bars(person: Person, where: str) -> None:
    """Those of :mod:`browser.test_app_bars`, on what only several communities bring about."""
    if not AXE.is_file():
        missing("axe-core is not installed (npm ci in webui/).")
    await person.page.evaluate("scrollTo(0, 0)")
    await hold_the_bars(person.page, AXE.read_text(encoding="utf-8"), where)
    await person.page.emulate_media(color_scheme="light")
    await person.page.set_viewport_size({"width": PHONE["width"], "height": PHONE["height"]})


async def rescue(ann: Person, cleo: Person) -> None:
    """Ann wants her own community to keep the room; Cleo reads of it in the conversation, and agrees."""
    await ann.page.get_by_role("link", name="About").click()
    await ann.page.get_by_text("Move it elsewhere").click(timeout=FAR_MS)
    await ann.photo("33-move")
    await ann.page.get_by_role("button", name="Move to: your own community (Ash)").click()
    await expect(ann.page.get_by_text("You agreed.")).to_be_visible()
    await expect(ann.page.get_by_text("Some of you want another community")).to_have_count(0)
    await expect(cleo.page.get_by_text("Some of you want another community")).to_be_visible(timeout=FAR_MS)
    await cleo.photo("34-others-want-to-move")
    await bars(cleo, "a conversation that others want to move")
    await cleo.follow("Where it is kept")
    await expect(cleo.page.get_by_role("heading", name="Where it is kept")).to_be_focused(timeout=FAR_MS)
    wish = cleo.page.get_by_text("Ann would like Ash to keep this conversation. It moves when 2 of you agree.")
    await expect(wish).to_be_visible()
    agree = cleo.page.get_by_role("button", name="I agree")
    await expect(agree).to_be_visible(timeout=FAR_MS)
    await cleo.photo("35-agree-to-move")
    await bars(cleo, "where a conversation is kept, with a wish to move it")
    await agree.click()


@pytest.mark.parametrize("dialable", [True, False], ids=["dialled", "through a relay"])
async def test_the_whole_way(browser: Browser, tmp_path: Path, *, dialable: bool) -> None:
    async with walk(browser, tmp_path, dialable=dialable) as there:
        ann, ben, cleo = there.ann, there.ben, there.cleo
        room, listing = await list_group(there)
        await join_by_link(there)
        await find_and_ask(cleo, listing)
        await let_in(there, room)
        await there.is_relayed(rooms=True)

        said = {"Thank you for having me.": cleo, "Good that you are here.": ann, "Welcome, Cleo.": ben}
        for text, author in said.items():
            await author.write(text)
        for text in said:
            for each in (ann, ben, cleo):
                await expect(each.message(text)).to_be_visible(timeout=FAR_MS)
        await one_on_one(ann, cleo)
        await there.is_relayed()

        # While they write, the machine that keeps the room is destroyed.
        for each in (ann, cleo):
            await each.open(ROOM)
        for number in range(8):
            for each in (ann, cleo):
                await each.write(f"{each.name} says {number}.")
            if number == 4:
                ben.offline = True  # the browser notes that its community's node is gone
                there.beech.switch_off()
                shutil.rmtree(there.beech.data)
        told = {each.name: await sent_texts(each) for each in (ann, cleo)}
        waits = cleo.message("Cleo says 7.").locator(".status")
        await expect(waits).to_have_text("On its way to the other community", timeout=FAR_MS)

        await ann.photo("32-not-answering")
        await rescue(ann, cleo)
        for each in (ann, cleo):
            await each.view(f"room/{room}")
            moved = each.page.get_by_text("From here on another community keeps this conversation.")
            await expect(moved).to_be_visible(timeout=FAR_MS)
            if each is ann:  # her own community keeps it now: what waits is no longer on its way to another one
                assert await ann.page.get_by_text("On its way to the other community").count() == 0
            await each.photo("36-moved")
            await expect(each.page.locator("li.message")).to_have_count(19, timeout=FAR_MS)
            await expect(each.page.locator("li.message .status")).to_have_count(0, timeout=FAR_MS)
        kept = await texts(ann)
        assert await texts(cleo) == kept
        assert len(set(kept)) == 19
        for name, seen in told.items():
            assert [text for text in kept if text in seen] == seen, f"what {name} saw as sent stands in that order"
        await cleo.write("We go on.")
        await expect(ann.message("We go on.")).to_be_visible(timeout=FAR_MS)
        await ann.write("Yes, here.")
        await expect(cleo.message("Yes, here.")).to_be_visible(timeout=FAR_MS)
        await expect(ben.message("Welcome, Cleo.")).to_be_visible()
