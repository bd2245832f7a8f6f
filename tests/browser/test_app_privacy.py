"""Somebody looks over the shoulder, opens the browser later, or takes the phone: what is left to see."""

import asyncio
import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, Route, expect

from browser.members import Person, Village, village

pytestmark = pytest.mark.browser

ELSEWHERE = "https://www.bbc.co.uk/"
PASSPHRASE = "three plain words"


@pytest.fixture
async def here(browser: Browser, tmp_path: Path) -> AsyncIterator[Village]:
    async with village(browser, tmp_path) as found:
        yield found
        assert [line for line in found.complaints() if ELSEWHERE not in line] == []


async def stand_in(person: Person) -> None:
    """For the page that quick exit leads to, and one that was open before."""

    async def answer(route: Route) -> None:
        await route.fulfill(body="<!doctype html><title>Weather</title><p>Rain.", content_type="text/html")

    await person.context.route(f"{ELSEWHERE}**", answer)


async def set_lock(person: Person) -> None:
    await person.page.get_by_role("link", name="Settings").click()
    await person.press("Set a passphrase")
    await person.page.get_by_label("New passphrase").fill("short")
    await person.press("Save")
    await expect(person.page.get_by_role("alert")).to_contain_text("at least 8 characters")
    await person.page.get_by_label("New passphrase").fill(PASSPHRASE)
    await person.press("Save")
    await expect(person.page.get_by_role("button", name="Lock now")).to_be_visible(timeout=20_000)


async def test_leaving_fast_leaves_nothing_to_go_back_to(here: Village) -> None:
    ana, _ = await here.couple()
    await stand_in(ana)
    page = await ana.second_page()
    await page.goto(f"{ELSEWHERE}before")
    await page.goto(f"{ana.base}/app")
    await page.get_by_role("link", name=re.compile("Ben")).click()
    await page.get_by_role("link", name="2 people").click()
    assert page.url == f"{ana.base}/app", "no view has an address of its own"
    assert await page.evaluate("history.length") == 3
    for _ in range(3):
        await page.keyboard.press("Shift")
    await page.wait_for_url(f"{ELSEWHERE}**")
    await page.go_back()
    await expect(page).to_have_url(f"{ELSEWHERE}before")


async def test_leaving_closes_the_lock_in_every_tab(here: Village) -> None:
    ana = await here.newcomer("Ana")
    await stand_in(ana)
    await set_lock(ana)
    other = await ana.second_page()
    await other.goto(f"{ana.base}/app")
    await expect(other.get_by_role("heading", level=1)).to_have_text("Conversations")
    await ana.page.get_by_role("link", name="Exit this page").last.click()
    await ana.page.wait_for_url(f"{ELSEWHERE}**")
    await expect(other.get_by_role("heading", level=1)).to_have_text("Locked")


async def test_the_lock(here: Village) -> None:
    ana, ben = await here.couple()
    await ana.write("Something private.")
    await set_lock(ana)
    await ana.press("Lock now")
    await ana.at("Locked")
    shown = await ana.page.locator("#app").inner_html()
    assert "Something private" not in shown
    assert "Ben" not in shown
    await ana.page.reload()
    await ana.at("Locked")
    await ana.page.get_by_label("Passphrase").fill("not the one")
    await ana.press("Open")
    await expect(ana.page.get_by_role("alert")).to_contain_text("not the right passphrase", timeout=20_000)
    await ben.write("Are you there?")
    await ana.page.get_by_label("Passphrase").fill(PASSPHRASE)
    await ana.press("Open")
    await expect(ana.page.get_by_role("heading", level=1)).not_to_have_text("Locked", timeout=20_000)
    await ana.open("Ben")
    await ana.reads("Are you there?")


async def test_titles_and_addresses_tell_nothing(here: Village) -> None:
    ana, _ = await here.couple()
    titles = {await ana.page.title()}
    await ana.page.get_by_role("link", name="2 people").click()
    titles.add(await ana.page.title())
    await ana.page.get_by_role("link", name="Settings").click()
    titles.add(await ana.page.title())
    assert titles == {
        "Conversation – Leeds Hedgerow",
        "People – Leeds Hedgerow",
        "Settings – Leeds Hedgerow",
    }
    await ana.page.get_by_label("Call the tab “Notes”").check()
    await expect(ana.page).to_have_title("Notes")
    icon = await ana.page.locator('link[rel="icon"]').get_attribute("href")
    assert icon is not None
    assert "icon-notes" in icon
    await ana.page.reload()
    await expect(ana.page).to_have_title("Notes")
    await ana.page.get_by_label("Show “Exit this page”").uncheck()
    await expect(ana.page.locator(".exit")).to_be_hidden()


async def test_an_invitations_secret_leaves_the_address_at_once(here: Village) -> None:
    somebody = await here.meet("Ana")
    asked: list[str] = []
    somebody.page.on("request", lambda request: asked.append(request.url + str(request.headers)))
    link = await here.link()
    secret = link.partition("#")[2].partition(".")[0]
    await somebody.page.goto(link)
    await expect(somebody.page.get_by_label("What should the others call you?")).to_be_visible()
    assert somebody.page.url == f"{somebody.base}/join"
    assert [line for line in asked if secret in line] == []
    await somebody.page.reload()
    await expect(somebody.page.get_by_label("What should the others call you?")).to_be_visible()


async def test_another_language_is_remembered_here(here: Village) -> None:
    ana = await here.newcomer("Ana")
    await ana.page.get_by_role("link", name="Settings").click()
    await ana.page.get_by_label("Language").select_option("de")
    await expect(ana.page.get_by_role("heading", level=1)).to_have_text("Einstellungen")
    await ana.page.goto(f"{ana.base}/app")
    await expect(ana.page.get_by_role("heading", level=1)).to_have_text("Gespräche")
    await ana.page.get_by_role("link", name="Einstellungen").click()
    await ana.page.get_by_label("Sprache").select_option("ar")
    await expect(ana.page.locator("html")).to_have_attribute("dir", "rtl")


async def test_ones_own_words_in_one_file(here: Village) -> None:
    ana, ben = await here.couple()
    await ben.write("Words to keep.")
    await ana.reads("Words to keep.")
    await ana.page.get_by_role("link", name="Settings").click()
    async with ana.page.expect_download() as kept:
        await ana.press("Download my words")
    assert "Words to keep." in (await asyncio.to_thread((await (await kept.value).path()).read_text))


async def test_emptying_the_browser_leaves_nothing(here: Village) -> None:
    ana, _ = await here.couple()
    await ana.write("Soon gone from here.")
    await ana.sent("Soon gone from here.")
    await ana.page.get_by_role("link", name="Settings").click()
    await ana.press("Empty this browser")
    dialog = ana.page.get_by_role("dialog")
    await expect(dialog).to_contain_text("You have no recovery sheet yet.")
    await dialog.get_by_role("button", name="Empty this browser").click()
    await ana.page.wait_for_url(f"{ana.base}/")
    # A new key for whoever comes next, and nothing that it could open.
    assert await storage(ana.page) == ["hedgerow keys device"]
    assert await ana.page.evaluate("localStorage.length") == 0
    await ana.page.goto(f"{ana.base}/app")
    await ana.at("Conversations at Leeds Hedgerow")


async def storage(page: Page) -> list[str]:
    """Names of everything in the browser's databases."""
    found: list[str] = await page.evaluate(
        """async () => { const names = [];
        for (const { name } of await indexedDB.databases()) {
          const database = await new Promise((done) => {
            const opening = indexedDB.open(name); opening.onsuccess = () => done(opening.result); });
          for (const store of database.objectStoreNames) {
            const keys = await new Promise((done) => {
              const asking = database.transaction(store).objectStore(store).getAllKeys();
              asking.onsuccess = () => done(asking.result); });
            names.push(...keys.map((key) => `${name} ${store} ${key}`));
          }
          database.close();
        }
        return names; }"""
    )
    return found


async def test_a_browser_that_forgets_comes_back_with_six_words(here: Village) -> None:
    ana, ben = await here.couple()
    await ana.write("Before it forgets.")
    await ana.sent("Before it forgets.")
    await ana.page.get_by_role("link", name="Settings").click()
    await ana.press("Keep a locked copy")
    words = await ana.page.locator(".state-words").inner_text(timeout=30_000)
    assert len(words.split()) == 6
    await ana.page.wait_for_load_state("networkidle")
    await ana.context.close()
    back = await here.meet("Ana")
    await back.page.goto(f"{back.base}/app")
    await back.follow("Come back with six words")
    await back.page.get_by_label("Your six words").fill(words.upper())
    await back.press("Continue")
    await back.at("Conversations")
    await back.open("Ben")
    await back.reads("Before it forgets.")
    await back.write("And it knows everything.")
    await ben.reads("And it knows everything.")
