"""The bars for every page: axe, one heading, a title, no sideways scrolling; light, dark, narrow, wide, RTL."""

from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Page

from browser.pseudo import CODE
from browser.watching import WEBUI, Opener, SiteUnderTest, Watch, missing
from hedgerow_node.http.server import keeper_link

AXE = WEBUI / "node_modules" / "axe-core" / "axe.min.js"
AXE_RUN = """async () => (await axe.run(document, {
  runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
  rules: { "target-size": { enabled: true } },
  resultTypes: ["violations"],
})).violations.map((each) => [
  each.id, each.help, each.nodes.slice(0, 3).map((node) => node.html + " | " + node.failureSummary),
])"""
PAGES = (
    "/",
    "/?weekday=9",
    "/?attendance=online",
    "listing",
    "contested",
    "two versions",
    "online and paused",
    "by appointment",
    "/print",
    "/help-now",
    "/help-now?country=GB",
    "/about",
    "/leaving",
    "/safe-connection",
    "/not-here",
)
ALLOWED = {"/not-here": "404 (Not Found)", "/?weekday=9": "400 (Bad Request)"}
KEEPER_PAGES = ("/keeper", "/keeper/listings", "/keeper/listings/new", "/keeper/cosign", "/keeper/network")
LOOKS = {"ltr": ((320, "light"), (1280, "dark")), "rtl": ((320, "dark"), (1280, "light"))}
"""Widths in pixels and colour schemes, by the direction of writing: axe is slow, and each page is read in both."""

pytestmark = pytest.mark.browser


@pytest.fixture(scope="session")
def axe() -> str:
    if not AXE.is_file():
        missing("axe-core is not installed (npm ci in webui/), so the accessibility tests do not run.")
    return Path(AXE).read_text(encoding="utf-8")


def path_of(site: SiteUnderTest, page: str) -> str:
    named = {
        "listing": "Tuesday Circle",
        "contested": "Riverside",
        "two versions": "Allotment",
        "online and paused": "Grupo",
        "by appointment": "Hearing Voices",
    }
    return site.listing(named[page]) if page in named else page


def in_language(path: str, language: str) -> str:
    return f"{path}{'&' if '?' in path else '?'}lang={language}" if language else path


async def hold_the_bars(page: Page, axe: str, where: str) -> None:
    """Check one loaded page, narrow and wide, light and dark."""
    assert await page.locator("h1").count() == 1, where
    assert (await page.title()).strip(), where
    await page.evaluate(axe)
    direction = await page.locator("html").get_attribute("dir") or "ltr"
    for width, scheme in LOOKS[direction]:
        await page.set_viewport_size({"width": width, "height": 900})
        overflow = await page.evaluate(
            "() => [document.documentElement.scrollWidth, document.documentElement.clientWidth]"
        )
        assert overflow[0] <= overflow[1], f"{where} scrolls sideways at {width} px: {overflow}"
        await page.emulate_media(color_scheme=scheme)
        violations: list[Any] = await page.evaluate(AXE_RUN)
        assert violations == [], f"{where} at {width} px, {scheme}"


@pytest.mark.parametrize("language", ["", CODE])
@pytest.mark.parametrize("page", PAGES)
async def test_public_pages(
    site: SiteUnderTest, watch: Watch, open_page: Opener, axe: str, page: str, language: str
) -> None:
    if page in ALLOWED:
        watch.allowed.append(ALLOWED[page])
    opened = await open_page(in_language(path_of(site, page), language))
    if language:
        assert await opened.locator("html").get_attribute("dir") == "rtl"
    await hold_the_bars(opened, axe, f"{page} {language}")


@pytest.mark.parametrize("language", ["", CODE])
async def test_results_in_the_browser(open_page: Opener, axe: str, language: str) -> None:
    page = await open_page(in_language("/", language))
    await page.locator("summary").first.click()
    await page.fill("#field-q", "e")
    await page.locator("[data-clear]").wait_for()
    await hold_the_bars(page, axe, f"results {language}")


async def test_results_that_were_posted(site: SiteUnderTest, open_page: Opener, axe: str) -> None:
    page = await open_page("/")
    await page.fill("#field-q", "evening")
    await page.evaluate("() => document.querySelector('#search').submit()")  # past the script, as without it
    await page.get_by_text("Show more").wait_for()
    await hold_the_bars(page, axe, "posted results")


async def test_keeper_pages(site: SiteUnderTest, open_page: Opener, axe: str) -> None:
    page = await open_page(keeper_link(site.app))
    await page.wait_for_url(f"{site.base}/keeper")
    for path in KEEPER_PAGES:
        for language in ("", CODE):
            await page.goto(site.base + in_language(path, language))
            await hold_the_bars(page, axe, f"{path} {language}")


@pytest.mark.parametrize("page", [page for page in PAGES if page not in ALLOWED])
async def test_zoom_to_200_percent(site: SiteUnderTest, watch: Watch, open_page: Opener, page: str) -> None:
    watch.allowed += [ALLOWED[page]] if page in ALLOWED else []
    opened = await open_page(path_of(site, page), width=640, height=512, device_scale_factor=2)
    assert await opened.evaluate("() => document.documentElement.scrollWidth <= innerWidth")
    assert await opened.get_by_role("link", name="Exit this page").last.is_visible()


@pytest.mark.parametrize("page", ["/", "listing", "/help-now"])
async def test_wider_text_spacing(site: SiteUnderTest, open_page: Opener, page: str) -> None:
    """WCAG 1.4.12: nothing is cut off or overlaps when somebody sets more space."""
    opened = await open_page(path_of(site, page), width=320, bypass_csp=True)
    every = "*{line-height:1.5!important;letter-spacing:.12em!important;word-spacing:.16em!important}"
    await opened.add_style_tag(content=f"{every} p{{margin-bottom:2em!important}}")
    assert await opened.evaluate("() => document.documentElement.scrollWidth <= innerWidth")


async def test_forced_colours(open_page: Opener, axe: str) -> None:
    page = await open_page("/", forced_colors="active")
    await page.evaluate(axe)
    assert await page.evaluate(AXE_RUN) == []
    border = await page.locator(".exit").evaluate("(each) => getComputedStyle(each).borderTopStyle")
    assert border == "solid"
