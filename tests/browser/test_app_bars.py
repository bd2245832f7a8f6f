"""The bars for every view of the member app: axe, one heading, a title, no sideways scrolling; and its weight."""

import gzip
import json
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest
from playwright.async_api import Browser, Page, expect

from browser.members import Person, Village, village
from browser.test_bars import AXE, AXE_RUN
from browser.test_bars import hold_the_bars as hold_all_bars
from browser.watching import WEBUI, missing

pytestmark = pytest.mark.browser

SCRIPT_BYTES_MAX = 40_000
"""Scripts of the app's first view, gzip, without the worker that encrypts."""
STYLE_BYTES_MAX = 10_000
WORDS = "legal winer thank yaer wave saus"


@dataclass
class Settled:
    """A community where something has happened already."""

    here: Village
    ana: Person
    room: str
    pair: str
    ben: str


@pytest.fixture(scope="module")
async def settled(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Settled]:
    async with village(browser, tmp_path_factory.mktemp("village")) as here:
        ana, ben = await here.couple()
        await ana.write("Good evening.")
        await ana.write("> Good evening\n\nHow *are* you? https://example.org/" + "long" * 30, shown="How are you?")
        await ben.reads("How are you?")
        await ben.page.locator(".message").last.hover()
        await ben.page.locator(".message .more-button").last.click()
        await ben.press("Reply")
        await ben.write("Donaudampfschifffahrtsgesellschaftskapitänsmütze " * 3, shown="Donau")
        await ana.reads("Donau")
        pair = await ana.room_id()
        room = await ana.new_group("Thursday circle")
        await ana.follow("Invite somebody")
        await ana.press("Make the link")
        link = await ana.shown_link()
        await ben.open_link(link, "Ask to join")
        await ana.open("Thursday circle")
        await expect(ana.page.locator(".ask-card")).to_be_visible(timeout=20_000)
        await ana.view(f"people/{pair}")
        href = await ana.page.get_by_role("link", name="Check that it's them").get_attribute("href")
        assert href is not None
        yield Settled(here, ana, room, pair, href.rpartition("/")[2])
        assert here.complaints() == []


@pytest.fixture(scope="session")
def axe() -> str:
    if not AXE.is_file():
        missing("axe-core is not installed (npm ci in webui/).")
    return AXE.read_text(encoding="utf-8")


INSIDE = (
    "home",
    "room/{pair}",
    "room/{room}",
    "people/{pair}",
    "people/{room}",
    "verify/{pair}/{ben}",
    "about/{room}",
    "invite/{room}",
    "invite",
    "new",
    "new-room",
    "new-pair",
    "sheet",
    "devices",
    "link-old",
    "search",
    "settings",
    "open-link",
)
OUTSIDE = ("home", "open-link", "link-new", "recover", "return")


async def opened(person: Person, view: str, lang: str, *, path: str = "/app") -> Page:
    """A tab with one view open and at rest."""
    page = await person.second_page()
    await page.goto(f"{person.base}{path}{f'?lang={lang}' if lang else ''}#/{view}")
    await expect(page.locator("[role=status]").filter(has_text="One moment")).to_have_count(0)
    await expect(page.locator("main h1")).to_be_visible()
    await page.wait_for_load_state("networkidle")
    return page


async def hold_the_bars(page: Page, axe: str, where: str, lang: str = "") -> None:
    """All of them in English; in Arabic what differs from right to left."""
    await page.evaluate("scrollTo(0, 0)")  # axe counts what is half under the sticky bar as too small
    if not lang:
        await hold_all_bars(page, axe, where)
        return
    assert await page.locator("html").get_attribute("dir") == "rtl"
    await page.evaluate(axe)
    for width in (1280, 320):
        await page.set_viewport_size({"width": width, "height": 900})
        assert await page.evaluate("() => document.documentElement.scrollWidth <= innerWidth"), (where, width)
    await page.emulate_media(color_scheme="dark")
    assert await page.evaluate(AXE_RUN) == [], where


@pytest.mark.parametrize("lang", ["", "ar"])
@pytest.mark.parametrize("view", INSIDE)
async def test_views_of_a_member(settled: Settled, axe: str, view: str, lang: str) -> None:
    named = view.format(room=settled.room, pair=settled.pair, ben=settled.ben)
    page = await opened(settled.ana, named, lang)
    if view == "search":
        await page.locator("#field-search").fill("evening")
        await expect(page.locator(".hit").first).to_be_visible()
    if view == "sheet":
        await page.locator("main .button").first.click()
        await expect(page.locator(".sheet-words li")).to_have_count(24)
    if view == "room/{pair}":
        await page.locator(".more-button").last.focus()
        await page.keyboard.press("Enter")
        await expect(page.locator(".message-actions")).to_be_visible()
    await hold_the_bars(page, axe, f"{view} {lang}", lang)
    await page.close()


@pytest.mark.parametrize("lang", ["", "ar"])
@pytest.mark.parametrize("view", OUTSIDE)
async def test_views_before_anything_is_there(settled: Settled, axe: str, view: str, lang: str) -> None:
    nobody = await settled.here.meet("Nobody")
    page = await opened(nobody, view, lang)
    if view == "recover":
        await page.locator("#field-words").fill(WORDS)
        await expect(page.locator(".word-choices").first).to_be_visible()
    await hold_the_bars(page, axe, f"{view} {lang}", lang)
    await nobody.context.close()


async def test_invitations_and_mistakes(settled: Settled, axe: str) -> None:
    nobody = await settled.here.meet("Nobody")
    await nobody.page.goto(await settled.here.link())
    await nobody.press("Come in")
    summary = nobody.page.get_by_role("alert")
    await expect(summary).to_be_focused()
    assert (await nobody.page.title()).startswith("Error:")
    await hold_the_bars(nobody.page, axe, "an invitation without a name")
    await summary.get_by_role("link").click()
    await expect(nobody.page.get_by_label("What should the others call you?")).to_be_focused()
    nobody.offline = True  # the browser notes the 404 of what is not there
    await nobody.page.goto(f"{nobody.base}/join#{'A' * 22}")
    await expect(nobody.page.get_by_role("heading", name="This invitation doesn't open")).to_be_visible()
    await hold_the_bars(nobody.page, axe, "an invitation that is gone")
    await nobody.context.close()


async def test_the_lock_and_a_question(settled: Settled, axe: str) -> None:
    person = await settled.here.newcomer("Dora")
    await person.view("settings")
    await person.press("Set a passphrase")
    await person.page.get_by_label("New passphrase").fill("three plain words")
    await person.press("Save")
    await person.press("Empty this browser")
    await expect(person.page.get_by_role("dialog")).to_be_visible()
    await person.page.evaluate(axe)
    assert await person.page.evaluate(AXE_RUN) == []
    await person.page.keyboard.press("Escape")
    await expect(person.page.get_by_role("button", name="Empty this browser")).to_be_focused()
    await person.press("Lock now")
    await person.at("Locked")
    await hold_the_bars(person.page, axe, "locked")
    await person.context.close()


@pytest.mark.parametrize("view", ["home", "room/{pair}", "people/{room}", "settings"])
async def test_zoom_spacing_and_forced_colours(settled: Settled, axe: str, view: str) -> None:
    """200 % zoom, WCAG 1.4.12's spacing at 320 px, and a system's own colours."""
    named = view.format(room=settled.room, pair=settled.pair, ben=settled.ben)
    page = await opened(settled.ana, named, "")
    await page.set_viewport_size({"width": 320, "height": 256})  # 1280 × 1024 at 400 %
    assert await page.evaluate("() => document.documentElement.scrollWidth <= innerWidth")
    bar = await page.evaluate("() => getComputedStyle(document.querySelector('.bar')).position")
    assert bar == "static", "at a large zoom nothing may cover the words"
    await page.set_viewport_size({"width": 320, "height": 740})
    await page.emulate_media(forced_colors="active")
    await page.evaluate(axe)
    assert await page.evaluate(AXE_RUN) == []
    every = "line-height:1.5!important;letter-spacing:.12em!important;word-spacing:.16em!important"
    await page.evaluate(
        """(rule) => { const sheet = new CSSStyleSheet(); sheet.replaceSync(`* { ${rule} }`);
        document.adoptedStyleSheets = [sheet]; }""",
        every,
    )
    assert await page.evaluate("() => document.documentElement.scrollWidth <= innerWidth")
    await page.close()


def test_weight() -> None:
    """The first view's scripts and all styles, as they go over the wire."""
    dist = WEBUI / "dist"
    if not (dist / "assets.json").is_file():
        missing("The web UI is not built.")
    names = json.loads((dist / "assets.json").read_text())
    first = {names["app.js"]}
    while True:  # what the entry imports, and what that imports
        found = {
            f"assets/{name}"
            for file in first
            for name in re.findall(r"""from\s*["']\./([\w.-]+\.js)["']|import\s*["']\./([\w.-]+\.js)["']""",
                                   (dist / file).read_text())
            for name in name
            if name
        }  # fmt: skip
        if found <= first:
            break
        first |= found
    assert sum(len(gzip.compress((dist / each).read_bytes(), 9)) for each in first) <= SCRIPT_BYTES_MAX, first
    styles = [names["style.css"], names["appstyle.css"]]
    assert sum(len(gzip.compress((dist / each).read_bytes(), 9)) for each in styles) <= STYLE_BYTES_MAX
