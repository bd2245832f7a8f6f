"""Lighthouse's accessibility score gates the member app, too: 100 before somebody is in, and inside."""

import asyncio
import os
import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.async_api import Browser, async_playwright, expect

from browser.conftest import FLAGS, chromium_path
from browser.members import PHONE, Person, Village, village
from browser.test_lighthouse import hold_100
from browser.watching import missing

pytestmark = pytest.mark.browser


@dataclass
class Inside:
    """A member's browser that others may look into, through its port."""

    here: Village
    ana: Person
    port: int
    room: str


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port: int = taken.getsockname()[1]
    return port


@pytest.fixture(scope="module")
async def inside(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Inside]:
    """Lighthouse opens a tab of its own in this browser's one profile, where the member is."""
    path = chromium_path()
    if path is None:
        missing("There is no Chromium here, so the browser tests do not run (apt install chromium).")
    port = free_port()
    sandbox = ("--no-sandbox",) if os.geteuid() == 0 else ()
    async with village(browser, tmp_path_factory.mktemp("village")) as here, async_playwright() as playwright:
        context = await playwright.chromium.launch_persistent_context(
            tmp_path_factory.mktemp("profile"),
            executable_path=path,
            args=[*FLAGS, *sandbox, f"--remote-debugging-port={port}"],
            viewport=PHONE,
            locale="en-GB",
        )
        ana = Person("Ana", here.base, context, context.pages[0])
        await ana.join(await here.link())
        ben = await here.newcomer("Ben")
        await ben.open_link(await ana.new_pair())
        await ben.at("Ana")
        await ana.open("Ben")
        await ana.write("Good evening.")
        await ben.reads("Good evening.")
        await ben.write("Good evening, Ana.")
        await ana.reads("Good evening, Ana.")
        yield Inside(here, ana, port, await ana.room_id())
        await context.close()


async def test_an_invitation(inside: Inside, tmp_path: Path) -> None:
    await hold_100(await inside.here.link(), tmp_path)


@pytest.mark.parametrize(("view", "heading"), [("room/{room}", "Ben"), ("settings", "Settings")])
async def test_inside(inside: Inside, tmp_path: Path, view: str, heading: str) -> None:
    address = f"{inside.ana.base}/app#/{view.format(room=inside.room)}"
    async with inside.ana.context.expect_page(timeout=90_000) as opened:
        looking = asyncio.create_task(hold_100(address, tmp_path, f"--port={inside.port}", "--disable-storage-reset"))
    # It is the member's view that gets the score, and no other.
    await expect((await opened.value).get_by_role("heading", level=1)).to_have_text(heading, timeout=60_000)
    await looking
