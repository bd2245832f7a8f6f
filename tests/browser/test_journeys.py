"""People's ways through the pages: by keyboard alone, without scripts, on paper, and out at once."""

from datetime import UTC, datetime

import pytest
from playwright.async_api import Page, Route

from browser import garden
from browser.test_bars import path_of
from browser.watching import Opener, SiteUnderTest, Watch

pytestmark = pytest.mark.browser

ELSEWHERE = "https://www.bbc.co.uk/"


async def elsewhere(page: Page, watch: Watch) -> list[dict[str, str]]:
    """Stand in for the page that quick exit leads to; returns the headers it received."""
    watch.allowed.append(ELSEWHERE)
    received: list[dict[str, str]] = []

    async def answer(route: Route) -> None:
        received.append(await route.request.all_headers())
        await route.fulfill(body="<!doctype html><title>Weather</title><p>Rain.", content_type="text/html")

    await page.context.route(f"{ELSEWHERE}**", answer)
    return received


async def focused(page: Page) -> str:
    return str(await page.evaluate("() => document.activeElement.textContent.trim()"))


async def test_keyboard_alone(site: SiteUnderTest, open_page: Opener) -> None:
    page = await open_page("/")
    await page.keyboard.press("Tab")
    assert await focused(page) == "Skip to the main content"
    box = await page.locator(".skip").first.bounding_box()
    assert box is not None
    assert box["y"] >= 0
    await page.keyboard.press("Enter")
    for quick in ("On now or soon", "Online, now or soon", "Near my position"):
        await page.keyboard.press("Tab")
        assert await focused(page) == quick
    await page.keyboard.press("Tab")
    assert await page.evaluate("() => document.activeElement.id") == "field-q"
    outline = await page.evaluate("() => getComputedStyle(document.activeElement).outlineWidth")
    assert float(outline.removesuffix("px")) >= 3
    await page.keyboard.type("bereaved")
    await page.keyboard.press("Enter")
    await page.wait_for_function("() => document.activeElement.id === 'results-heading'")
    assert await focused(page) == "1 group"
    await page.keyboard.press("Tab")
    await page.keyboard.press("Tab")
    assert await focused(page) == "Tuesday Circle for bereaved parents"
    await page.keyboard.press("Enter")
    await page.wait_for_url(site.base + site.listing("Tuesday Circle"))
    assert await page.locator("h1").inner_text() == "Tuesday Circle for bereaved parents"


@pytest.mark.parametrize("path", ["/", "listing", "contested", "/print", "/help-now", "/about", "/leaving"])
async def test_every_control_can_be_reached(site: SiteUnderTest, open_page: Opener, path: str) -> None:
    page = await open_page(path_of(site, path))
    if path == "/":
        await page.locator("summary").first.click()
    wanted = await page.evaluate(
        "() => [...document.querySelectorAll('a[href], button, input:not([type=hidden]), select, summary')]"
        ".filter((each) => each.checkVisibility()).length"
    )
    await page.evaluate("() => { document.activeElement.blur(); window.reached = new Set(); }")
    await page.evaluate("() => document.addEventListener('focusin', (event) => window.reached.add(event.target))")
    for _ in range(wanted + 5):
        await page.keyboard.press("Tab")
    assert await page.evaluate("() => window.reached.size") >= wanted


async def test_without_scripts(site: SiteUnderTest, watch: Watch, open_page: Opener) -> None:
    page = await open_page("/", js=False)
    assert await page.locator(".card").count() == 25
    await page.get_by_role("button", name="Show more").click()
    assert await page.locator(".card").count() == 25
    await page.goto(site.base)
    await page.fill("#field-q", "cafe circle")
    await page.get_by_role("button", name="Search").click()
    await page.fill("#field-q", "bereaved")
    await page.get_by_role("button", name="Search").click()
    assert page.url == f"{site.base}/", "what somebody looks for is not in the address"
    assert await page.locator(".card-name").all_inner_texts() == ["Tuesday Circle for bereaved parents"]
    await page.get_by_role("link", name="Tuesday Circle").click()
    assert await page.locator("h1").inner_text() == "Tuesday Circle for bereaved parents"
    assert not any("bereaved" in path for path in watch.paths())
    received = await elsewhere(page, watch)
    await page.locator(".exit").click()
    await page.get_by_text("Rain.").wait_for()
    assert "referer" not in received[0]


async def test_filters_without_scripts(open_page: Opener) -> None:
    page = await open_page("/", js=False)
    await page.locator("summary").first.click()
    await page.check("input[name=weekday][value='4']")
    await page.fill("#field-town", "York")
    await page.select_option("#field-km", "10")
    await page.get_by_role("button", name="Search").click()
    assert await page.locator(".card-name").all_inner_texts() == ["مجموعة الأمل"]
    assert await page.is_checked("input[name=weekday][value='4']")


async def test_exit_by_the_button(site: SiteUnderTest, watch: Watch, open_page: Opener) -> None:
    page = await open_page("/about", clock=False)  # the stand-in clock hides how a page was reached
    received = await elsewhere(page, watch)
    await page.goto(site.base + "/")
    await page.locator(".exit").click()
    await page.get_by_text("Rain.").wait_for()
    assert "referer" not in received[0]
    await page.go_back(wait_until="commit")
    await page.wait_for_url(f"{ELSEWHERE}**")
    assert await page.title() == "Weather", "Back does not lead into these pages"


async def test_exit_by_three_shifts(watch: Watch, open_page: Opener) -> None:
    page = await open_page("/help-now")
    await elsewhere(page, watch)
    status = page.locator("[data-exit-status]")
    await page.keyboard.press("Shift")
    assert await status.inner_text() == "Shift, press 2 more times to exit."
    assert await page.locator(".dots").is_visible()
    await page.keyboard.press("Shift")
    assert await status.inner_text() == "Shift, press 1 more time to exit."
    await page.keyboard.press("a")
    assert await status.inner_text() == ""
    for _ in range(3):
        await page.keyboard.press("Shift")
    await page.get_by_text("Rain.").wait_for()


async def test_three_slow_shifts_do_nothing(site: SiteUnderTest, open_page: Opener) -> None:
    page = await open_page("/help-now")
    await page.clock.install(time=datetime.fromtimestamp(garden.NOW, UTC))
    await page.goto(f"{site.base}/help-now")
    await page.keyboard.press("Shift")
    await page.clock.run_for(5_100)
    assert await page.locator("[data-exit-status]").inner_text() == "“Exit this page” was stopped."
    await page.keyboard.press("Shift")
    await page.keyboard.press("Shift")
    assert await page.locator("h1").inner_text() == "Get help now"


async def test_the_page_is_blank_while_the_other_loads(watch: Watch, open_page: Opener) -> None:
    page = await open_page("/")
    watch.allowed.append(ELSEWHERE)

    async def nothing(route: Route) -> None:
        await route.fulfill(status=204)  # "no content": the browser stays where it is

    await page.context.route(f"{ELSEWHERE}**", nothing)
    await page.locator(".exit").click()
    await page.locator(".leaving").wait_for()
    assert await page.locator("body").inner_text() == "Loading."
    assert await page.title() == "Loading."


async def test_paper(open_page: Opener) -> None:
    page = await open_page("/print")
    await page.emulate_media(media="print")
    assert not await page.locator(".bar").is_visible()
    assert not await page.locator(".nav").is_visible()
    assert await page.locator("table").first.is_visible()
    colour = await page.evaluate("() => getComputedStyle(document.body).color")
    assert colour == "rgb(35, 41, 31)", "ink on paper also when the screen is dark"
    assert len(await page.pdf()) > 10_000


async def test_languages(site: SiteUnderTest, open_page: Opener) -> None:
    page = await open_page("/")
    await page.get_by_role("link", name="Español", exact=True).click()
    assert await page.locator("h1").inner_text() == "Encuentra a gente que te entiende"
    await page.fill("#field-q", "manana")
    await page.get_by_role("heading", name="1 grupo", exact=True).wait_for()
    assert "Cada miércoles" in await page.locator(".card").inner_text()
    await page.get_by_role("link", name="Grupo Mañana").click()
    assert await page.locator("html").get_attribute("lang") == "es"
    await page.get_by_role("link", name="العربية").click()
    assert await page.locator("html").get_attribute("dir") == "rtl"
