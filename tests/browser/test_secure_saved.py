"""The saved client: one file, opened from the disk, against a node on plain http. In Chromium and Firefox ESR."""

import asyncio
import hashlib
import json
import urllib.request
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, expect

from browser.firefox import FIREFOX, Firefox, firefox
from browser.test_secure_connection import NAME, axe_on, browser_at
from browser.watching import WEBUI, missing
from hedgerow_node.app import running_node
from hedgerow_node.config import Config
from hedgerow_node.directory import door_control
from hedgerow_node.fingerprint import words_of
from nginx_server import free_port

pytestmark = pytest.mark.browser

PASSPHRASE = "lantern orbit vinegar sparrow tundra"


@asynccontextmanager
async def node_at(folder: Path, name: str) -> AsyncIterator[Config]:
    """A whole node that people reach over plain http, under this name."""
    if not (WEBUI / "dist" / "client.html").is_file():
        missing("The web UI is not built, so the browser tests do not run (python webui/build_hook.py).")
    port = free_port()
    config = Config(data=folder / "data", port=port, base_url=f"http://{name}:{port}", title="Leeds Hedgerow")
    async with running_node(config, version="0.1.0"):
        yield config


async def invitation(config: Config) -> str:
    body = json.dumps({"uses": 1, "days": 1}).encode()
    return str((await door_control.call(config.control_socket, "POST", "/invite", body))["url"])


async def saved_from(config: Config, folder: Path) -> Path:
    """What somebody gets who presses "Save the program"."""
    address = f"http://127.0.0.1:{config.port}/client.html"
    body = await asyncio.to_thread(lambda: urllib.request.urlopen(address).read())
    file = folder / "hedgerow.html"
    file.write_bytes(body)
    return file


def words_in(file: Path) -> str:
    return " ".join(words_of(hashlib.sha256(file.read_bytes()).digest()))


async def opened(browser: Browser, file: Path, said: list[str]) -> Page:
    page = await (await browser.new_context(locale="en")).new_page()
    page.set_default_timeout(30_000)
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    await page.goto(file.as_uri())
    return page


async def settle_in(page: Page, config: Config, name: str) -> None:
    """Node, passphrase, invitation, name: until the list of conversations."""
    await page.get_by_label("Address of the site, or an invitation").fill(f"http://{name}:{config.port}/")
    await page.get_by_role("button", name="Go on").click()
    field = page.get_by_label("New passphrase")
    await field.fill("short")
    await page.get_by_role("button", name="Go on").click()
    await expect(page.locator(".field-error").first).to_be_visible()
    await field.fill(PASSPHRASE)
    await page.get_by_role("button", name="Go on").click()
    await page.get_by_role("link", name="I have an invitation").click()
    await page.locator("input[name=link]").fill(await invitation(config))
    await page.get_by_role("button", name="Continue").click()
    await page.locator("input[name=name]").fill("Robin")
    await page.locator("form button[type=submit]").click()
    await expect(page.locator("nav a[aria-current=page]")).to_be_visible()


async def test_a_file_from_the_disk_is_the_whole_app(tmp_path: Path) -> None:
    said: list[str] = []
    async with node_at(tmp_path, NAME) as config, browser_at(tmp_path / "home") as browser:
        file = await saved_from(config, tmp_path)
        page = await opened(browser, file, said)
        await expect(page.locator("#copy strong")).to_have_text(words_in(file))
        assert await axe_on(page) == []
        assert await page.evaluate("isSecureContext")
        await settle_in(page, config, NAME)
        await expect(page.locator("#copy")).to_contain_text(f"http://{NAME}:{config.port}")
        assert await axe_on(page) == []

        # The lock holds over a reload, and only the right words open it.
        await page.reload()
        await page.locator("input[name=passphrase]").fill("another passphrase")
        await page.locator("main form button").click()
        await expect(page.locator(".field-error").first).to_be_visible()
        await page.locator("input[name=passphrase]").fill(PASSPHRASE)
        await page.locator("main form button").click()
        await expect(page.locator("nav a[aria-current=page]")).to_be_visible()

        # A second tab of the file does not start a second client, nor speak with the first.
        second = await page.context.new_page()
        await second.goto(file.as_uri())
        await expect(second.locator("h1")).to_have_text("It is open in another tab")
    assert said == []


async def test_another_file_on_the_disk_learns_nothing_from_an_open_one(tmp_path: Path) -> None:
    spy = tmp_path / "spy.html"
    spy.write_text(
        """<!doctype html><title>spy</title><script>
        const heard = [];
        const channel = new BroadcastChannel("hedgerow client");
        channel.onmessage = (event) => heard.push(event.data);
        const ask = () => channel.postMessage({ kind: "call", from: "spy", ticket: 1, name: "sheetWords", input: {} });
        </script>"""
    )
    said: list[str] = []
    async with node_at(tmp_path, NAME) as config, browser_at(tmp_path / "home") as browser:
        page = await opened(browser, await saved_from(config, tmp_path), said)
        await settle_in(page, config, NAME)
        other = await page.context.new_page()
        await other.goto(spy.as_uri())
        await other.evaluate("ask()")
        # Channels keep their order, and so does the client: had it heard, its answer would come before these.
        await page.get_by_role("link", name="Settings").click()
        await expect(page.locator("h1")).to_have_text("Settings")
        await page.evaluate("new BroadcastChannel('hedgerow client').postMessage('the end')")
        await other.wait_for_function("() => heard.includes('the end')")
        assert await other.evaluate("heard") == ["the end"]


@pytest.mark.parametrize("change", ["script", "style", "policy"])
async def test_a_file_that_was_changed_does_not_run_or_has_other_words(tmp_path: Path, change: str) -> None:
    if not (WEBUI / "dist" / "client.html").is_file():
        missing("The web UI is not built, so the browser tests do not run (python webui/build_hook.py).")
    whole = (WEBUI / "dist" / "client.html").read_text(encoding="utf-8")
    file = tmp_path / "changed.html"
    said: list[str] = []
    if change == "script":
        file.write_text(whole.replace("<script>", "<script>globalThis.changed=1;"), encoding="utf-8")
    elif change == "style":
        file.write_text(whole.replace("<style>", "<style>body{display:none}"), encoding="utf-8")
    else:
        file.write_text(whole.replace("connect-src http:", "connect-src data: http:", 1), encoding="utf-8")
    before = tmp_path / "whole.html"
    before.write_text(whole, encoding="utf-8")
    assert words_in(file) != words_in(before)
    async with browser_at(tmp_path / "home") as browser:
        page = await opened(browser, file, said)
        if change == "script":
            assert await page.evaluate("globalThis.changed") is None
            assert await page.locator("#app > *").count() == 0
            assert any("Content Security Policy" in each for each in said)
        elif change == "style":
            assert await page.evaluate("getComputedStyle(document.body).display") == "block"
        else:
            # What the file says of itself is not the proof, because whoever changes it could change that, too.
            await expect(page.locator("#copy strong")).to_be_visible()


@pytest.mark.skipif(FIREFOX is None, reason="Firefox is not installed (apt install firefox-esr)")
async def test_the_same_file_in_firefox(tmp_path: Path) -> None:
    async with node_at(tmp_path, "127.0.0.1") as config:
        file = await saved_from(config, tmp_path)
        link = await invitation(config)
        await asyncio.to_thread(in_firefox, file, config.port, link, tmp_path / "profile")


def in_firefox(file: Path, port: int, link: str, profile: Path) -> None:
    with firefox(profile) as window:
        window.open(file.as_uri())
        assert window.until("document.querySelector('#copy strong')?.textContent") == words_in(file)
        window.fill("node", f"http://127.0.0.1:{port}")
        window.press("Go on")
        window.fill("new-passphrase", PASSPHRASE)
        window.press("Go on")
        window.until("[...document.querySelectorAll('a')].some((each) => each.textContent === 'I have an invitation')")
        window.press("I have an invitation")
        window.fill("link", link)
        window.press("Continue")
        window.fill("name", "Robin")
        window.run("document.querySelector('main form button[type=submit]').click()")
        window.until("document.querySelector('nav a[aria-current=page]')")
        _reopen(window, file)


def _reopen(window: Firefox, file: Path) -> None:
    window.open("about:blank")
    window.open(file.as_uri())
    window.fill("passphrase", PASSPHRASE)
    window.run("document.querySelector('main form button').click()")
    window.until("document.querySelector('nav a[aria-current=page]')")
