"""From a listing to a room in browsers: the line, the keeper's form, the listing's page, asking, deciding, talking."""

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urljoin, urlsplit

import pytest
from playwright.async_api import Browser, expect

from browser.members import Person, Village, village
from browser.test_app_bars import hold_the_bars, opened
from browser.test_bars import AXE
from browser.watching import missing
from hedgerow_node.http.server import keeper_link

pytestmark = pytest.mark.browser

GROUP = "Parents after loss"
LINE = "For your listing: paste this into the listing's form"


@dataclass
class Listed:
    """A group of two with a listing, and somebody else in the community."""

    here: Village
    ana: Person
    ben: Person
    room: str
    listing: str


async def publish(keeper: Person, here: Village, line: str, **fields: str) -> str:
    """By the keeper's form; the listing's id."""
    await keeper.page.goto(urljoin(here.base, keeper_link(here.node.node.street.runner.app)))
    await keeper.page.wait_for_url(f"{here.base}/keeper")
    await keeper.page.goto(f"{here.base}/keeper/listings/new")
    await keeper.page.locator("#field-name").fill(GROUP)
    await keeper.page.get_by_label("Ask first, then come.").check()
    await keeper.page.get_by_label("Line for asking on this site").fill(line)
    for label, text in fields.items():
        await keeper.page.get_by_label(label).fill(text)
    await keeper.press("Publish")
    edit = keeper.page.locator('a[href*="/edit"]').first
    found = re.search(r"/keeper/listings/([a-z2-7]{32})/edit", await edit.get_attribute("href") or "")
    assert found is not None
    return found[1]


@pytest.fixture(scope="module")
async def listed(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Listed]:
    async with village(browser, tmp_path_factory.mktemp("village")) as here:
        ana, ben = await here.newcomer("Ana"), await here.newcomer("Ben")
        room = await ana.new_group("Thursday circle")
        await ana.follow("Invite somebody")
        await ana.press("Make the link")
        await ben.open_link(await ana.shown_link(), "Ask to join")
        await ana.open("Thursday circle")
        await ana.press("Agree to Ben")
        await ben.at("Thursday circle")
        await expect(ben.page.get_by_role("textbox", name="Write to")).to_be_visible(timeout=20_000)
        await ana.view(f"about/{room}")
        await ana.press("Let people ask to join")
        line = ana.page.get_by_label(LINE)
        await expect(line).to_have_value(re.compile(r"^hedgerow-intake:[\w-]{134}$"), timeout=20_000)
        keeper = await here.meet("Keeper", viewport={"width": 1280, "height": 900})
        listing = await publish(keeper, here, await line.input_value())
        yield Listed(here, ana, ben, room, listing)
        assert here.complaints() == []


@pytest.fixture(scope="session")
def axe() -> str:
    if not AXE.is_file():
        missing("axe-core is not installed (npm ci in webui/).")
    return AXE.read_text(encoding="utf-8")


@pytest.mark.parametrize("lang", ["", "ar"])
async def test_bars_of_asking_and_being_asked(listed: Listed, axe: str, lang: str) -> None:
    mia = await listed.here.newcomer("Mia")
    for view in (f"ask/{listed.listing}", f"about/{listed.room}"):
        person = mia if view.startswith("ask") else listed.ana
        page = await opened(person, view, lang)
        await expect(page.locator("form, .invite-card").first).to_be_visible()
        await hold_the_bars(page, axe, f"{view} {lang}", lang)
        await page.close()
    nobody = await listed.here.meet("Nobody")
    page = await opened(nobody, f"ask/{listed.listing}", lang)
    await expect(page.locator(".notice")).to_be_visible()
    await hold_the_bars(page, axe, f"asking without a place {lang}", lang)
    nobody.offline = True  # the browser notes the 404 of what is not there
    page = await opened(nobody, "ask/" + "a" * 32, lang)
    await expect(page.locator(".notice")).to_be_visible()
    await hold_the_bars(page, axe, f"asking nobody {lang}", lang)
    for each in (mia, nobody):
        await each.context.close()


@pytest.mark.parametrize("scripts", [True, False])
async def test_the_listing_says_how_to_join(listed: Listed, axe: str, *, scripts: bool) -> None:
    visitor = await listed.here.meet("Visitor", java_script_enabled=scripts)
    await visitor.page.goto(f"{visitor.base}/listings/{listed.listing}")
    await visitor.at(GROUP)
    await expect(visitor.page.get_by_text("Only the people in the group see them.")).to_be_visible()
    link = visitor.page.get_by_role("link", name="Ask to join")
    assert urlsplit(await link.get_attribute("href") or "").fragment == f"/ask/{listed.listing}"
    if scripts:
        await hold_the_bars(visitor.page, axe, "a listing that can be asked")
        await link.click()
        await visitor.at(f"The group “{GROUP}”")
        await expect(visitor.page.get_by_text("You need a place here first")).to_be_visible()
        await visitor.follow("More about this group")
        await visitor.at(GROUP)
    await visitor.context.close()


async def test_from_a_listing_to_a_room(listed: Listed) -> None:
    mia = await listed.here.newcomer("Mia")
    await mia.page.goto(f"{mia.base}/listings/{listed.listing}")
    await mia.page.get_by_role("link", name="Ask to join").click()
    await mia.at(f"Ask to join “{GROUP}”")
    await mia.page.get_by_label("What should the others call you?").fill("")
    await mia.press("Ask to join")
    await expect(mia.page.get_by_role("alert")).to_be_focused()
    await mia.page.get_by_label("What should the others call you?").fill("M.")
    await mia.page.get_by_label("A word to the group").fill("A friend told me of you.")
    await mia.press("Ask to join")
    await mia.at(GROUP)
    await expect(mia.page.get_by_role("heading", name="You asked to join")).to_be_visible()
    # Asked once, the page says so.
    await mia.view(f"ask/{listed.listing}")
    await expect(mia.page.get_by_text("it has not answered yet")).to_be_visible()

    for member in (listed.ana, listed.ben):
        await member.view(f"room/{listed.room}")
        card = member.page.locator(".ask-card")
        await expect(card).to_have_count(1, timeout=30_000)
        await expect(card).to_contain_text("A friend told me of you.")
        await expect(card).to_contain_text(f"Found you by the listing “{GROUP}”.")
        await member.press("Agree to M.")
    await mia.view(f"room/{listed.room}")
    await mia.at("Thursday circle")
    await mia.write("Thank you for having me.")
    await listed.ana.reads("Thank you for having me.")
    await mia.view(f"ask/{listed.listing}")
    await expect(mia.page.get_by_text("You are in this group already.")).to_be_visible()
    # Leaving makes a new line due, and everybody is told.
    await mia.view(f"about/{listed.room}")
    await mia.press("Leave")
    await mia.page.get_by_role("dialog").get_by_role("button", name="Leave").click()
    ana = listed.ana
    await ana.view(f"room/{listed.room}")
    await expect(ana.page.get_by_text("Make a new line and put it into the listing.")).to_be_visible(timeout=30_000)
    await ana.view(f"about/{listed.room}")
    line = ana.page.get_by_label(LINE)
    await expect(ana.page.get_by_text("could read what people ask")).to_be_visible()
    await expect(line).to_have_count(0)
    await ana.press("Make a new line")
    await expect(line).to_have_value(re.compile(r"^hedgerow-intake:"), timeout=20_000)
    await expect(ana.page.get_by_text("could read what people ask")).to_have_count(0)
    # Closed: whoever asks is told only that.
    await ana.press("Take no more asks")
    await ana.page.get_by_role("dialog").get_by_role("button", name="Take no more asks").click()
    await expect(ana.page.get_by_role("button", name="Let people ask to join")).to_be_visible(timeout=20_000)
    await mia.context.close()
    cleo = await listed.here.newcomer("Cleo")
    cleo.offline = True  # the browser notes the 404 of an intake that is gone
    await cleo.view(f"ask/{listed.listing}")
    await cleo.page.get_by_label("What should the others call you?").fill("Cleo")
    await cleo.press("Ask to join")
    await expect(cleo.page.get_by_text("This group takes no asks at the moment.")).to_be_visible()
    await cleo.context.close()


@pytest.mark.slow
async def test_somebody_of_another_community_finds_the_group(browser: Browser, tmp_path: Path) -> None:
    """The listing has come to her own community's site: she asks there, and talks from there."""
    async with (
        village(browser, tmp_path / "ash", title="Ash") as ash,
        village(browser, tmp_path / "beech", title="Beech", peers=(ash.base,)) as beech,
    ):
        ben, cleo = await beech.newcomer("Ben"), await ash.newcomer("Cleo")
        room = await ben.new_group("Thursday circle")
        await ben.view(f"about/{room}")
        await ben.press("Let people ask to join")
        line = ben.page.get_by_label(LINE)
        await expect(line).to_have_value(re.compile(r"^hedgerow-intake:"), timeout=20_000)
        keeper = await beech.meet("Keeper", viewport={"width": 1280, "height": 900})
        listing = await publish(keeper, beech, await line.input_value())
        cleo.offline = True  # until the listing has come, the browser notes that it is not there
        found = cleo.page.get_by_role("heading", level=1, name=GROUP)
        for _ in range(60):
            await cleo.page.goto(f"{ash.base}/listings/{listing}")
            if await found.is_visible():
                break
            await cleo.page.wait_for_timeout(500)
        await cleo.page.get_by_role("link", name="Ask to join").click()
        await cleo.at(f"Ask to join “{GROUP}”")
        await cleo.page.get_by_label("What should the others call you?").fill("C.")
        await cleo.press("Ask to join")
        await expect(cleo.page.get_by_role("heading", name="You asked to join")).to_be_visible(timeout=60_000)
        await ben.view(f"room/{room}")
        await ben.page.get_by_role("button", name="Agree to C.").click(timeout=60_000)
        await expect(cleo.page.get_by_role("textbox", name="Write to")).to_be_visible(timeout=60_000)
        await cleo.write("Hello from Ash.")
        await ben.reads("Hello from Ash.")
        assert ash.complaints() == beech.complaints() == []
