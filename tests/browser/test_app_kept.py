"""What outlives a device, if its owner wants it: the archive of a conversation, and the locked copy on the site."""

import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Browser, expect

from browser.members import Person, Village, village
from browser.test_app_journey import the_sheet

pytestmark = pytest.mark.browser


@pytest.fixture
async def here(browser: Browser, tmp_path: Path) -> AsyncIterator[Village]:
    async with village(browser, tmp_path) as found:
        yield found
        assert found.complaints() == []


async def back_with(here: Village, sheet: str) -> Person:
    """A new browser, and the words of the sheet."""
    somebody = await here.meet("Ana")
    await somebody.page.goto(f"{somebody.base}/app")
    await somebody.follow("Come back with my recovery sheet")
    await somebody.page.get_by_label("Your 24 words").fill(sheet)
    await somebody.press("Come back")
    await somebody.at("Conversations")
    await somebody.open("Ben")
    await expect(somebody.page.get_by_role("textbox", name="Write to")).to_be_visible(timeout=30_000)
    return somebody


async def archive(person: Person, *, on: bool) -> None:
    """The switch under “About” of the open conversation."""
    await person.page.get_by_role("link", name="About", exact=True).click()
    await person.at("About this conversation")
    switch = person.page.get_by_label("Keep an archive for my other devices")
    await expect(switch).to_be_checked(checked=not on)
    # Said before anybody chooses, not after.
    await expect(switch).to_have_accessible_name(re.compile("whoever finds your recovery sheet can also read"))
    await switch.set_checked(on)
    await expect(person.page.get_by_text("Saved.", exact=True)).to_be_visible(timeout=30_000)
    await expect(switch).to_be_checked(checked=on)


async def test_old_messages_come_back_with_the_sheet_only_if_they_were_kept(here: Village) -> None:
    ana, ben = await here.couple()
    await ben.write("Something worth keeping.")
    await ana.reads("Something worth keeping.")
    await ana.write("Yes, that should stay.")
    await ana.sent("Yes, that should stay.")
    await archive(ana, on=True)
    sheet = await the_sheet(ana)
    await ana.context.close()

    back = await back_with(here, sheet)
    await back.reads("Something worth keeping.")
    await back.reads("Yes, that should stay.")
    await expect(back.message("Something worth keeping.")).to_contain_text("Ben")
    await ben.write("Good to have you back.")
    await back.reads("Good to have you back.")
    # It is still kept, and can be erased from here.
    await archive(back, on=False)
    await back.page.reload()
    await expect(back.page.get_by_label("Keep an archive for my other devices")).not_to_be_checked()

    again = await back_with(here, sheet)
    await ben.write("And once more.")
    await again.reads("And once more.")
    await expect(again.message("Something worth keeping.")).to_have_count(0)


async def test_the_locked_copy_can_be_seen_and_taken_away(here: Village) -> None:
    ana, _ = await here.couple()
    await ana.page.get_by_role("link", name="Settings").click()
    keep = ana.page.get_by_role("button", name="Keep a locked copy")
    await keep.click()
    shown = ana.page.locator(".state-words")
    words = await shown.inner_text(timeout=30_000)
    assert len(words.split()) == 6
    # Whoever did not write them down can look again, as long as this browser remembers.
    await ana.page.reload()
    await expect(shown).to_have_count(0)
    await keep.click()
    await expect(shown).to_have_text(words)
    await ana.follow("My devices")
    await expect(ana.page.locator(".person h2")).to_have_text(["This device You are here", "Locked copy on this site"])

    await ana.view("settings")
    await ana.press("Keep none")
    await expect(ana.page.get_by_text("No copy is kept.")).to_be_visible(timeout=30_000)
    await ana.follow("My devices")
    await expect(ana.page.locator(".person h2")).to_have_count(1)
    stranger = await here.meet("Ana")
    stranger.offline = True  # the browser notes the refused request
    await stranger.page.goto(f"{stranger.base}/app")
    await stranger.follow("Come back with six words")
    await stranger.page.get_by_label("Your six words").fill(words)
    await stranger.press("Continue")
    await expect(stranger.page.get_by_role("alert")).to_be_visible(timeout=30_000)
