"""Where nothing can be done yet, or any more, the page says so and offers only what works."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Browser, expect

from browser.members import Person, Village, village

pytestmark = pytest.mark.browser

GONE = "This invitation was used up, taken back, or is too old. Ask the person for a new one."


@pytest.fixture
async def here(browser: Browser, tmp_path: Path) -> AsyncIterator[Village]:
    async with village(browser, tmp_path) as found:
        yield found
        assert found.complaints() == []


async def is_told(person: Person, back: str) -> None:
    await person.at("This invitation doesn't open")
    await expect(person.page.locator(".notice")).to_have_text(GONE)
    await expect(person.page.get_by_label("What should the others call you?")).to_have_count(0)
    await person.follow(back)


async def test_a_one_on_one_that_is_full(here: Village) -> None:
    ana, ben, cleo = [await here.newcomer(name) for name in ("Ana", "Ben", "Cleo")]
    link = await ana.new_pair()
    await ben.open_link(link)
    await ben.at("Ana")
    await ana.open("Ben")
    cleo.offline = True  # the browser notes the 404 of what is not there
    await cleo.follow("Open an invitation")
    await cleo.page.get_by_label("Link", exact=True).fill(link)
    await cleo.press("Continue")
    await is_told(cleo, back="Conversations")
    await cleo.at("Conversations")
    stranger = await here.meet("Dan")
    stranger.offline = True
    await stranger.page.goto(link)
    await is_told(stranger, back="Other ways in")


async def test_whoever_asked_sees_only_what_they_can_do(here: Village) -> None:
    ana, ben = [await here.newcomer(name) for name in ("Ana", "Ben")]
    await ana.new_group("Thursday circle")
    await ana.follow("Invite somebody")
    await ana.press("Make the link")
    link = await ana.shown_link()
    await ben.open_link(link, "Ask to join")
    await ben.at("Thursday circle")
    await expect(ben.page.get_by_role("heading", name="You asked to join")).to_be_visible()
    await expect(ben.page.locator(".room-menu a")).to_have_text(["About"])
    await expect(ben.page.get_by_role("textbox", name="Write to")).to_have_count(0)
    await expect(ben.page.get_by_text("Nobody has written yet.")).to_have_count(0)

    await ana.open("Thursday circle")
    await expect(ana.page.locator(".ask-card")).to_be_visible(timeout=20_000)
    # Somebody stands at the door: there is nothing more to invite for now.
    await expect(ana.page.get_by_role("heading", name="You are alone here")).to_have_count(0)
    await ana.press("Agree to Ben")
    await expect(ben.page.locator(".room-menu a")).to_have_text(["2 people", "Invite", "About"], timeout=20_000)
    await expect(ben.page.get_by_text("Nobody has written yet.")).to_be_visible()
    # Two people: either can part from the other, and the rules say so.
    await ana.page.get_by_role("link", name="2 people").click()
    await expect(ana.page.get_by_text("While you are two, either can part from the other.")).to_be_visible()
