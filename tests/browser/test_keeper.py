"""The keeper lists a group by the form: mistakes are shown where they are, private details are asked about."""

import pytest
from playwright.async_api import expect

from browser.watching import Opener, SiteUnderTest, Watch
from hedgerow_node.http.server import keeper_link

pytestmark = pytest.mark.browser


async def test_a_group_without_a_feed(site: SiteUnderTest, watch: Watch, open_page: Opener) -> None:
    page = await open_page(keeper_link(site.app))
    await page.wait_for_url(f"{site.base}/keeper")
    await page.get_by_role("link", name="List a group").click()
    watch.allowed.append("400 (Bad Request)")
    await page.get_by_role("button", name="Publish").click()
    summary = page.locator("[data-error-summary]")
    await expect(summary).to_be_focused()
    assert (await page.title()).startswith("Error:")
    await summary.get_by_role("link").first.click()
    await expect(page.locator("#field-name")).to_be_focused()
    assert await page.locator("#field-name").get_attribute("aria-invalid") == "true"
    await page.fill("#field-name", "Quiet Thursday")
    await page.fill("#field-summary", "For people who lost somebody. Write to quiet.person@example.org.")
    await page.check("input[name=experience][value=bereavement]")
    await page.check("input[name=m0_attendance][value=in_person]")
    await page.select_option("#field-m0_weekday", "4")
    await page.fill("#field-m0_start", "18:00")
    await page.fill("#field-m0_duration", "60")
    await page.fill("#field-m0_tz", "Europe/London")
    await page.fill("#field-m0_city", "Leeds")
    await page.get_by_role("button", name="Publish").click()
    await expect(page.get_by_role("heading", name="Look at these before you publish")).to_be_visible()
    await page.fill("#field-summary", "For people who lost somebody.")
    await page.get_by_role("button", name="Publish").click()
    await expect(page.get_by_text("Published.", exact=True)).to_be_visible()
    await page.goto(site.base)
    await page.fill("#field-q", "quiet thursday")
    await expect(page.locator(".card-name")).to_have_text(["Quiet Thursday"])
    await page.goto(f"{site.base}/keeper/listings")
    await page.get_by_role("link", name="Take down Quiet Thursday").click()
    await page.get_by_role("button", name="Take down").click()
    await expect(page.get_by_text("Taken down.", exact=True)).to_be_visible()
