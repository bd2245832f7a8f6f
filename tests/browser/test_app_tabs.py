"""Several tabs of one browser are one device: one does the work, and another takes over when it closes."""

from pathlib import Path

import pytest
from playwright.async_api import Browser, expect

from browser.members import Person, village

pytestmark = pytest.mark.browser


async def tab_of(person: Person) -> Person:
    """Another tab of the same browser, as if it were a person."""
    return Person(person.name, person.base, person.context, await person.second_page(), person.complaints)


async def test_a_second_tab_works_through_the_first_and_takes_over(browser: Browser, tmp_path: Path) -> None:
    async with village(browser, tmp_path) as here:
        ana, ben = await here.couple()
        second = await tab_of(ana)
        await second.page.goto(f"{here.base}/app")
        await second.at("Conversations")
        await second.open("Ben")

        await second.write("From the second tab")
        await ana.reads("From the second tab")
        await ben.reads("From the second tab")
        await ben.write("To both")
        await ana.reads("To both")
        await second.reads("To both")

        # The tab with the worker goes away: the other one goes on, with the same device.
        await ana.page.close()
        await second.write("After the first tab")
        await ben.reads("After the first tab")
        await ben.write("Still here")
        await second.reads("Still here")
        await expect(ben.page.locator("li.message").filter(has_text="From the second tab")).to_have_count(1)
        assert here.complaints() == []
