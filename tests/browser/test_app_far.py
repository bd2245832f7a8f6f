"""Two communities, each with its own node, and people who talk across: each browser speaks to its own node only."""

from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from playwright.async_api import Browser, expect

from browser.members import Person, Village, village
from browser.test_app_groups import agree

pytestmark = [pytest.mark.browser, pytest.mark.slow]

ELSEWHERE = "I have a place in another community"
AWAY_MS = 60_000
"""Milliseconds. What passes through two nodes that may have to find each other first."""


async def found_elsewhere(there: Village, link: str, group: str) -> str:
    """Somebody with an account elsewhere opens the link in a browser, at the other community's own site."""
    visitor = await there.meet("Ann")
    await visitor.page.goto(link)
    await visitor.at(f"Ben invites you to the group “{group}”")
    await visitor.page.get_by_text(ELSEWHERE).click()
    await expect(visitor.page.get_by_text("You need no second one.")).to_be_visible()
    copied = await visitor.page.get_by_label("Link", exact=True).input_value()
    assert copied == link
    await visitor.context.close()
    return copied


async def open_far(person: Person, link: str, heading: str) -> None:
    """Paste the link into one's own app; the other node may have to be found first."""
    await person.home()
    await person.follow("New conversation")
    await person.follow("Open an invitation")
    await person.page.get_by_label("Link", exact=True).fill(f"Come and see: {link}.")
    await person.press("Continue")
    invited = person.page.get_by_role("heading", level=1, name=heading)
    again = person.page.get_by_role("button", name="Try again", exact=True)
    await expect(invited.or_(again)).to_be_visible(timeout=AWAY_MS)
    for _ in range(5):
        if await invited.is_visible():
            break
        await again.click()
        await expect(invited.or_(again)).to_be_visible(timeout=AWAY_MS)
    await expect(invited).to_be_visible()


async def test_a_group_of_two_communities(browser: Browser, tmp_path: Path) -> None:
    async with AsyncExitStack() as stack:
        leaving = await stack.enter_async_context(AsyncExitStack())
        ash = await stack.enter_async_context(village(browser, tmp_path / "ash", title="Ash"))
        beech = await leaving.enter_async_context(
            village(browser, tmp_path / "beech", title="Beech", peers=(ash.base,))
        )
        ben, ann = await beech.newcomer("Ben"), await ash.newcomer("Ann")
        await ben.new_group("Thursday circle")
        await ben.follow("Invite somebody")
        await ben.press("Make the link")
        link = await found_elsewhere(beech, await ben.shown_link(), "Thursday circle")

        await open_far(ann, link, "Ben invites you to the group “Thursday circle”")
        await ann.page.get_by_label("What should the others call you?").fill("Ann")
        await ann.press("Ask to join")
        await expect(ann.page.get_by_role("heading", name="You asked to join")).to_be_visible()
        await ben.open("Thursday circle")
        await ben.page.get_by_role("button", name="Agree to Ann").wait_for(timeout=AWAY_MS)
        await agree(ben, "Ann")
        await expect(ann.page.get_by_role("textbox", name="Write to")).to_be_visible(timeout=AWAY_MS)

        await ann.write("Hello from Ash.")
        await ben.reads("Hello from Ash.")
        await ann.sent("Hello from Ash.")
        await ben.write("Hello from Beech.")
        await ann.reads("Hello from Beech.")

        await ann.page.get_by_role("link", name="About").click()
        await expect(ann.page.get_by_text("This conversation is kept by Beech.")).to_be_visible()
        await ben.page.get_by_role("link", name="About").click()
        await expect(ben.page.get_by_text("This conversation is kept by your own community, Beech.")).to_be_visible()
        assert ash.complaints() == beech.complaints() == []

        # The other community's machine is switched off: nothing is lost, and it is said quietly.
        await ann.page.get_by_role("link", name="Thursday circle").first.click()
        await ann.at("Thursday circle")
        await leaving.aclose()
        await ann.write("Are you there?")
        status = ann.message("Are you there?").locator(".status")
        await expect(status).to_have_text("On its way to the other community", timeout=AWAY_MS)
        await expect(ann.page.get_by_role("alert")).to_have_count(0)
