"""The search in the browser: it tells nobody what somebody looks for."""

import asyncio

import pytest
from playwright.async_api import Route, expect

from browser.watching import Opener, SiteUnderTest, Watch
from hedgerow_node.http import bounds
from hedgerow_node.http.server import build_app, open_street
from hedgerow_node.http.site import SITE

pytestmark = pytest.mark.browser


async def test_typing_sends_nothing(site: SiteUnderTest, watch: Watch, open_page: Opener) -> None:
    page = await open_page("/")
    before = await page.evaluate("() => history.length")
    await page.fill("#field-q", "manana")
    await expect(page.locator(".card-name")).to_have_text(["Grupo Mañana"])
    assert watch.paths().count("GET /directory/list.json") == 1
    sent = len(watch.requests)
    for words in ("circle", "evening group 1", "nothing at all like this"):
        await page.fill("#field-q", words)
        await page.wait_for_timeout(300)
    await page.select_option("#field-experience", "alcohol")
    await page.press("#field-q", "Enter")
    await page.get_by_role("heading", name="No group found").wait_for()
    assert len(watch.requests) == sent, watch.paths()[sent:]
    assert page.url == f"{site.base}/"
    assert await page.evaluate("() => history.length") == before


async def test_what_was_typed_before_the_program_arrived_is_looked_for(site: SiteUnderTest, open_page: Opener) -> None:
    typed = asyncio.Event()

    async def late(route: Route) -> None:
        await typed.wait()
        await route.continue_()

    page = await open_page("/about")
    await page.route("**/start-*.js", late)
    await page.goto(site.base, wait_until="commit")
    await page.fill("#field-q", "manana")
    assert await page.locator(".card").count() > 1
    typed.set()
    await expect(page.locator(".card-name")).to_have_text(["Grupo Mañana"])


async def test_results_are_announced_and_focus_moves(open_page: Opener) -> None:
    page = await open_page("/")
    await page.fill("#field-q", "evening")
    status = page.locator("[data-status]")
    await page.get_by_role("heading", name="71 groups").wait_for()
    assert await status.inner_text() == "71 groups"
    assert await page.locator(".card").count() == 50
    await page.get_by_role("button", name="Show 21 more").click()
    await page.locator(".cards > li:nth-child(71)").wait_for()
    focused = await page.evaluate(
        "() => [...document.querySelectorAll('.cards > li')].indexOf(document.activeElement.closest('li'))"
    )
    assert focused == 50
    await page.get_by_role("button", name="Clear the search").click()
    await page.get_by_role("heading", name="78 groups").wait_for()
    assert await page.evaluate("() => document.activeElement.id") == "results-heading"


async def test_filters(open_page: Opener) -> None:
    page = await open_page("/")
    await page.locator("summary").first.click()
    names = page.locator(".card-name")
    await page.check("input[name=access][value=wheelchair]")
    await expect(names).to_have_text(["Tuesday Circle for bereaved parents"])
    await page.uncheck("input[name=access][value=wheelchair]")
    await page.select_option("#field-language", "ar")
    await expect(names).to_have_text(["مجموعة الأمل"])
    await page.select_option("#field-language", "")
    await page.select_option("#field-part", "now")
    await expect(names).to_have_text(["Tuesday Circle for bereaved parents"])
    await expect(page.locator(".card")).to_contain_text("Starts soon")
    await page.select_option("#field-part", "")
    await page.fill("#field-town", "Atlantis")
    await page.get_by_text("We don't know a town called Atlantis").wait_for()
    await page.fill("#field-town", "leeds")
    await page.select_option("#field-km", "5")
    await page.get_by_role("heading", name="2 groups").wait_for()
    assert "1 km away" in await page.locator(".card").first.inner_text()


async def test_every_kind_of_time_is_said(open_page: Opener) -> None:
    page = await open_page("/")
    card = page.locator(".card").first
    await page.fill("#field-q", "tuesday circle")
    await page.get_by_role("heading", name="1 group").wait_for()
    await expect(card).to_contain_text("First Saturday of the month, 10:00")
    await expect(card).to_contain_text("Every Tuesday")
    await page.fill("#field-q", "GRUPO MANANA")
    await expect(card).to_contain_text("paused for now")
    await expect(card).to_contain_text("Every Wednesday")
    await page.fill("#field-q", "hearing")
    await expect(card).to_contain_text("By appointment")


async def test_now_is_one_step_away(site: SiteUnderTest, watch: Watch, open_page: Opener) -> None:
    for js in (True, False):
        page = await open_page("/", js=js)
        await page.get_by_role("button", name="On now or soon", exact=True).click()
        await expect(page.locator(".card-name")).to_have_text(["Tuesday Circle for bereaved parents"])
        await expect(page.locator("#field-part")).to_have_value("now")
        await page.get_by_role("button", name="Online, now or soon").click()
        await page.get_by_role("heading", name="No group found").wait_for()
        await expect(page.locator("#field-attendance")).to_have_value("online")
        assert page.url == f"{site.base}/"
        assert any(request.method == "POST" for request in watch.requests) is not js


async def test_search_goes_on_offline(open_page: Opener) -> None:
    page = await open_page("/")
    await page.fill("#field-q", "bereaved")
    await expect(page.locator(".card-name")).to_have_text(["Tuesday Circle for bereaved parents"])
    await page.context.set_offline(True)
    await page.fill("#field-q", "manana")
    await expect(page.locator(".card-name")).to_have_text(["Grupo Mañana"])


async def test_no_position_is_given(open_page: Opener) -> None:
    page = await open_page("/")
    await page.get_by_role("button", name="Near my position").first.click()
    await page.get_by_text("You can type a town instead").wait_for()
    assert await page.locator("#field-town").is_visible()
    assert await page.locator(".card").count() > 1, "what was shown stays"


async def test_my_position_stays_here(watch: Watch, open_page: Opener) -> None:
    page = await open_page("/", geolocation={"latitude": 53.96, "longitude": -1.08}, permissions=["geolocation"])
    await page.get_by_role("button", name="Near my position").first.click()
    await page.get_by_text("It stays on this device").wait_for()
    await page.get_by_role("heading", name="2 groups").wait_for()
    assert not any("53.9" in path for path in watch.paths())
    assert not any(request.method == "POST" for request in watch.requests)


async def test_times_are_shown_in_the_visitors_zone(open_page: Opener) -> None:
    page = await open_page("/", timezone_id="Asia/Tokyo")
    await page.fill("#field-q", "manana")
    own = page.locator(".own-time")
    await expect(own).to_have_count(1)
    text = await own.inner_text()
    assert "11:00" in text
    assert "your time" in text
    await page.fill("#field-q", "bereaved")
    await expect(page.locator(".card-name")).to_have_text(["Tuesday Circle for bereaved parents"])
    assert await own.count() == 0, "a time in a place stays the place's own"
    assert "(United Kingdom Time)" in await page.locator(".card").inner_text(), "and says whose it is"

    near = await open_page("/", timezone_id="America/Detroit")
    await near.fill("#field-q", "manana")
    await expect(near.locator(".card-name")).to_have_text(["Grupo Mañana"])
    assert await near.locator(".own-time").count() == 0, "another name of the same clock is no other time"


async def test_without_the_list_the_form_still_works(site: SiteUnderTest, watch: Watch, open_page: Opener) -> None:
    watch.allowed.append("Failed to load resource")
    page = await open_page("/")
    await page.route("**/directory/list.json*", lambda route: route.abort())
    await page.fill("#field-q", "circle")
    await page.get_by_text("The list couldn't be loaded").first.wait_for()
    await page.get_by_role("button", name="Search").click()
    await page.get_by_role("heading", name="1 group found").wait_for()
    assert page.url == f"{site.base}/"


async def test_a_large_list_is_cut_by_region(
    site: SiteUnderTest, watch: Watch, open_page: Opener, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bounds, "COMPACT_LISTINGS_MAX", 20)
    known = site.app[SITE]
    app = build_app(known.config, known.directory, node_id=known.node_id, version="0.0.0", now=known.now)
    street = await open_street(app, "127.0.0.1", 0)
    watch.allowed.append(street.addresses[0])
    page = await open_page("/")
    await page.goto(street.addresses[0])
    await page.fill("#field-q", "circle")
    region = page.get_by_label("Region", exact=True)
    await region.wait_for()
    await page.fill("#field-q", "manana")
    await page.wait_for_timeout(400)
    assert await page.locator("[data-count]").inner_text() == "Choose a region", "nothing is loading"
    await region.select_option(label="Online or by phone (4)")  # what has no place is a region, too
    await expect(page.locator(".card-name")).to_have_text(["Grupo Mañana"])
    await page.fill("#field-q", "circle")
    assert "We see which region you choose" in await page.locator("[data-list-place]").inner_text()
    await region.select_option(label="United Kingdom (3)")
    await expect(page.locator(".card-name")).to_have_text(["Tuesday Circle for bereaved parents"])
    await page.fill("#field-q", "late")
    await expect(page.get_by_role("heading", name="No group found")).to_be_visible()
    await page.close()
    await street.close()
