"""The keeper's view of other sites: legible from one neighbour to sixty, usable by keyboard and without scripts."""

from collections.abc import Iterator

import pytest
from playwright.async_api import Page, expect

from browser import garden
from browser.pseudo import CODE
from browser.test_bars import axe, hold_the_bars
from browser.watching import Opener, SiteUnderTest, Watch
from hedgerow_node.http.server import keeper_link
from lent_network import TROUBLED, all_troubles, status

pytestmark = pytest.mark.browser

__all__ = ["axe"]
LETTERS_MIN = 8.5
"""CSS pixels. The height of the letters of a number in the drawing, on the narrowest screen with the most leaves."""


@pytest.fixture(autouse=True)
def as_before(site: SiteUnderTest) -> Iterator[None]:
    """Give the next test the network it expects."""
    said, kept, blocked = site.lent.said, list(site.lent.kept), dict(site.lent.blocked)
    yield
    site.lent.said, site.lent.kept, site.lent.blocked, site.lent.shared = said, kept, blocked, []


async def enter(site: SiteUnderTest, open_page: Opener, **options: object) -> Page:
    page = await open_page(keeper_link(site.app), **options)
    await page.wait_for_url(f"{site.base}/keeper")
    return page


@pytest.mark.parametrize("many", [0, 1, 60])
async def test_any_number_of_neighbours(site: SiteUnderTest, open_page: Opener, axe: str, many: int) -> None:
    page = await enter(site, open_page)
    site.lent.said = status(many, garden.NOW)
    for language in ("", CODE):
        await page.goto(f"{site.base}/keeper/network{'?lang=' + language if language else ''}")
        await hold_the_bars(page, axe, f"{many} neighbours {language}")


async def test_groups_shared_with_other_sites(site: SiteUnderTest, open_page: Opener, axe: str) -> None:
    page = await enter(site, open_page)
    site.lent.shared = all_troubles(garden.NOW)
    for language in ("", CODE, "ar"):
        await page.goto(f"{site.base}/keeper/network{'?lang=' + language if language else ''}")
        await hold_the_bars(page, axe, f"shared groups {language}")
    await page.goto(f"{site.base}/keeper/network")
    table = page.get_by_role("table", name="Groups we share with other sites")
    await expect(table.get_by_role("row")).to_have_count(8)
    await expect(page.get_by_role("link", name="Save the proof")).to_be_visible()


@pytest.mark.parametrize("width", [360, 1280])
async def test_numbers_in_the_drawing_can_be_read(site: SiteUnderTest, open_page: Opener, width: int) -> None:
    page = await enter(site, open_page, width=width)
    for many in (1, 5, 60):
        site.lent.said = status(many, garden.NOW)
        await page.goto(f"{site.base}/keeper/network")
        scale = await page.locator(".drawing").evaluate("(each) => each.getScreenCTM().a")
        size = await page.locator(".drawing .mark-number").first.evaluate(
            "(e) => parseFloat(getComputedStyle(e).fontSize)"
        )
        assert scale * size >= LETTERS_MIN, f"{many} at {width} px: {scale * size}"
        box, drawn = page.locator(".drawing"), page.locator(".drawing g")
        frame = await box.bounding_box()
        assert frame is not None
        for each in await drawn.all():
            inside = await each.bounding_box()
            assert inside is not None
            assert inside["x"] >= frame["x"] - 1
            assert inside["x"] + inside["width"] <= frame["x"] + frame["width"] + 1
            assert inside["y"] >= frame["y"] - 1
            assert inside["y"] + inside["height"] <= frame["y"] + frame["height"] + 1


async def test_marks_differ_without_colour(site: SiteUnderTest, open_page: Opener) -> None:
    """Forced colours take every hue away; a chosen, a called and a calling site are still three shapes."""
    page = await enter(site, open_page, forced_colors="active")
    site.lent.said = status(7, garden.NOW)
    await page.goto(f"{site.base}/keeper/network")
    marks = page.locator(".legend .sample path")
    looks = await marks.evaluate_all(
        """(all) => all.map((each) => {
          const style = getComputedStyle(each);
          return [each.getAttribute("d"), style.fill, style.strokeDasharray].join();
        })"""
    )
    assert len(set(looks)) == len(looks) == 5


async def test_a_screen_reader_gets_the_same(site: SiteUnderTest, open_page: Opener) -> None:
    page = await enter(site, open_page, width=360)
    site.lent.said = status(5, garden.NOW, **TROUBLED)
    await page.goto(f"{site.base}/keeper/network")
    picture = page.get_by_role("img", name="Our site and its neighbours")
    await expect(picture).to_have_accessible_description(
        "We are connected to 5 sites. Chosen by you: 3. On the inner ring: 3. Through another site: 1. "
        "The table below tells the same."
    )
    table = page.get_by_role("table", name="Who we are connected to")
    await expect(table.get_by_role("row")).to_have_count(6)
    await expect(table.get_by_role("columnheader")).to_have_count(4)
    await expect(table.get_by_role("rowheader").first).to_contain_text("circle-2.example.org")
    await expect(page.get_by_role("button", name="Remove https://circle-0.example.org/groups")).to_be_visible()


@pytest.mark.parametrize("js", [True, False])
async def test_choosing_and_blocking_by_keyboard(
    site: SiteUnderTest, watch: Watch, open_page: Opener, js: bool
) -> None:
    site.lent.blocked.clear()
    page = await open_page("/keeper/enter", js=js)
    await page.get_by_label("The code from the link").fill(keeper_link(site.app).partition("#")[2])
    await page.keyboard.press("Enter")
    await page.get_by_role("link", name="Other sites", exact=True).focus()
    await page.keyboard.press("Enter")
    await page.wait_for_url(f"{site.base}/keeper/network")
    watch.allowed.append("400 (Bad Request)")
    await page.get_by_label("Web address of another site").focus()
    await page.keyboard.type("nonsense")
    await page.keyboard.press("Enter")
    await page.wait_for_url(f"{site.base}/keeper/network/peers")
    field = page.get_by_label("Web address of another site")
    await expect(field).to_have_attribute("aria-invalid", "true")
    await expect(field).to_have_value("nonsense")
    await field.fill("https://new.example.org")
    await field.press("Enter")
    await expect(page.get_by_role("status").filter(has_text="Added.")).to_be_visible()
    assert "https://new.example.org" in site.lent.kept
    await page.get_by_role("link", name="Block this site circle-0.example.org").focus()
    await page.keyboard.press("Enter")
    await expect(page.get_by_label("What?")).not_to_be_empty()
    await page.get_by_label("Why?").fill("Floods.")
    await page.get_by_label("Why?").press("Enter")
    await expect(page.get_by_text("Blocked.", exact=True)).to_be_visible()
    await page.get_by_role("button", name="Unblock").first.focus()
    await page.keyboard.press("Enter")
    await expect(page.get_by_text("Unblocked.", exact=True)).to_be_visible()
    assert site.lent.blocked == {}
