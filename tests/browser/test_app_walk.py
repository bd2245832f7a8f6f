"""The whole way across three communities: found, asked, let in, talking, and on when the machine that kept it is gone.

Each community is a node in a process of its own, with a host name of its own. Ann and Cleo sit at browsers; Ben, whose
community's machine is destroyed, has the same client without one.
"""

import asyncio
import re
import shutil
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, expect

from browser.members import Person, browsers
from browser.test_app_far import open_far
from browser.watching import WEBUI, missing
from headless_clients import Headless, Neighbour, asked
from integration.test_headless_intake import code_of, publish

pytestmark = [pytest.mark.browser, pytest.mark.slow]

GROUP = "Parents after loss"
ROOM = "Thursday circle"
FAR_MS = 90_000
"""Milliseconds. What passes through two or three nodes that may have to find each other first."""


@dataclass
class Walk:
    """Three communities; one person of each."""

    ash: Neighbour
    beech: Neighbour
    cedar: Neighbour
    ann: Person
    ben: Headless
    cleo: Person


def named(node: Neighbour, host: str) -> str:
    """The node's address under a host name of its own: a browser keeps them apart."""
    return f"http://{host}.localhost:{node.url.rpartition(':')[2]}"


def three_nodes(scratch: Path, stack: AsyncExitStack, *, dialable: bool) -> tuple[Neighbour, Neighbour, Neighbour]:
    """Nobody knows the address of a node that nobody was given: it can be dialled by whoever has it as a peer only."""

    def start(name: str, *peers: Neighbour) -> Neighbour:
        calls = [word for each in peers for word in ("--peer", each.url)]
        (scratch / name).mkdir()
        one = Neighbour(scratch / name / "node", scratch / name, "--title", name, *calls)
        stack.callback(one.close)
        return one

    ash = start("Ash")
    if dialable:
        cedar = start("Cedar", ash)
        return ash, start("Beech", ash, cedar), cedar
    # Beech and Cedar know Ash only, so what they have for each other goes through it, unread.
    return ash, start("Beech", ash), start("Cedar", ash)


@asynccontextmanager
async def walk(browser: Browser, scratch: Path, *, dialable: bool) -> AsyncIterator[Walk]:
    if not (WEBUI / "dist" / "assets.json").is_file():
        missing("The web UI is not built, so the browser tests do not run (python webui/build_hook.py).")
    async with AsyncExitStack() as stack:
        ash, beech, cedar = await asyncio.to_thread(three_nodes, scratch, stack, dialable=dialable)
        people: list[Person] = []

        async def newcomer(name: str, node: Neighbour, host: str) -> Person:
            base = named(node, host)
            person = await browsers(browser, stack, base, people)(name)
            link = await asyncio.to_thread(node.link)
            await person.join(f"{base}/join#{link.partition('#')[2]}")
            return person

        ben = await asyncio.to_thread(beech.person, "Ben")
        ann, cleo = await newcomer("Ann", ash, "a"), await newcomer("Cleo", cedar, "c")
        yield Walk(ash, beech, cedar, ann, ben, cleo)
        assert [line for person in people for line in person.complaints] == []


async def by_ben(ben: Headless, call: str, **given: Any) -> Any:
    return await asyncio.to_thread(lambda: ben.call(call, **given))


async def ben_until(ben: Headless, so: Callable[[], bool], what: str) -> None:
    await asyncio.to_thread(ben.until, so, what, FAR_MS / 1000)


async def agrees(ben: Headless, room: str, name: str) -> None:
    """Ben sees who asks, and says yes."""
    await ben_until(ben, lambda: asked(ben, room, name), f"{name} asks")
    for ask in (await asyncio.to_thread(ben.room, room))["asks"]:
        await by_ben(ben, "approve", room=room, ask=ask["ask"])


async def join_by_link(there: Walk, room: str) -> None:
    """Ann of another community comes in by Ben's link."""
    link = (await by_ben(there.ben, "makeInvite", room=room))["link"]
    await open_far(there.ann, link, f"Ben invites you to the group “{ROOM}”")
    await there.ann.page.get_by_label("What should the others call you?").fill("Ann")
    await there.ann.press("Ask to join")
    await agrees(there.ben, room, "Ann")
    await expect(there.ann.page.get_by_role("textbox", name="Write to")).to_be_visible(timeout=FAR_MS)


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
    await agrees(there.ben, room, "Cleo")
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


async def rescue(ann: Person, cleo: Person) -> None:
    """Ann wants her own community to keep the room; Cleo reads of it in the conversation, and agrees."""
    await ann.page.get_by_role("link", name="About").click()
    await ann.page.get_by_text("Move it elsewhere").click(timeout=FAR_MS)
    await ann.photo("33-move")
    await ann.page.get_by_role("button", name="Move to: our own community").click()
    await expect(ann.page.get_by_text("You agreed.")).to_be_visible()
    await expect(ann.page.get_by_text("Some of you want another community")).to_have_count(0)
    await expect(cleo.page.get_by_text("Some of you want another community")).to_be_visible(timeout=FAR_MS)
    await cleo.photo("34-others-want-to-move")
    await cleo.follow("Where it is kept")
    agree = cleo.page.get_by_role("button", name="I agree")
    await expect(agree).to_be_visible(timeout=FAR_MS)
    await cleo.photo("35-agree-to-move")
    await agree.click()


@pytest.mark.parametrize("dialable", [True, False], ids=["dialled", "through a relay"])
async def test_the_whole_way(browser: Browser, tmp_path: Path, *, dialable: bool) -> None:
    async with walk(browser, tmp_path, dialable=dialable) as there:
        ann, ben, cleo = there.ann, there.ben, there.cleo
        room: str = (await by_ben(ben, "createRoom", title=ROOM, name="Ben"))["room"]
        await by_ben(ben, "setIntake", room=room, to="open")
        code = await asyncio.to_thread(code_of, ben, room)
        fields = (f"name={GROUP}", "joining=ask", f"intake={code}")
        listing = await asyncio.to_thread(publish, there.beech.data, *fields)
        await join_by_link(there, room)
        await find_and_ask(cleo, listing)
        await let_in(there, room)

        await cleo.write("Thank you for having me.")
        await ann.write("Good that you are here.")
        await by_ben(ben, "send", room=room, text="Welcome, Cleo.")
        said = ["Thank you for having me.", "Good that you are here.", "Welcome, Cleo."]
        for text in said:
            for each in (ann, cleo):
                await expect(each.message(text)).to_be_visible(timeout=FAR_MS)
            await ben_until(ben, lambda text=text: text in ben.texts(room), text)  # type: ignore[misc]
        await one_on_one(ann, cleo)

        # While they write, the machine that keeps the room is destroyed.
        for each in (ann, cleo):
            await each.open(ROOM)
        for number in range(8):
            for each in (ann, cleo):
                await each.write(f"{each.name} says {number}.")
            if number == 4:
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
