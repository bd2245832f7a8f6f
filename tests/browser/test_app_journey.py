"""Two people on phones: from the invitation to the recovery from the sheet. No step may be a dead end."""

import re
from pathlib import Path

import pytest
from playwright.async_api import Browser, expect

from browser.members import Person, village

pytestmark = pytest.mark.browser


async def test_from_the_invitation_to_the_recovery_sheet(browser: Browser, tmp_path: Path) -> None:
    async with village(browser, tmp_path) as here:
        ana = await here.meet("Ana")
        await ana.join(await here.link(), step="01-invitation")
        await ana.photo("02-nothing-yet")
        link = await ana.new_pair()
        await ana.photo("03-one-on-one-link")

        ben = await here.meet("Ben")
        await ben.join(await here.link())
        await ben.open_link(link)
        await ben.at("Ana")
        await ana.open("Ben")
        await ana.write("Hello Ben, good to have you here.")
        await ben.reads("Hello Ben, good to have you here.")
        await ben.write("Hello Ana. It has been a *long* week.", shown="It has been a long week.")
        await ana.reads("It has been a long week.")
        await ana.sent("Hello Ben, good to have you here.")
        await ana.photo("04-conversation")

        await ana.page.reload()
        await ana.reads("It has been a long week.")
        await offline_and_back(ana, ben)
        sheet = await the_sheet(ana)

        laptop = await second_device(ana, await here.meet("Ana"))
        await laptop.open("Ben")
        await ben.write("Are you on your laptop now?")
        await laptop.reads("Are you on your laptop now?")
        await laptop.write("Yes, and my phone is gone.")
        await ben.reads("Yes, and my phone is gone.")

        await revoke(laptop, lost=ana)
        await laptop.open("Ben")
        await ben.write("Then take your phone out.")
        await laptop.reads("Then take your phone out.")
        await expect(ana.message("Then take your phone out.")).to_have_count(0)

        back = await recover(await here.meet("Ana"), sheet)
        await back.open("Ben")
        await expect(back.page.get_by_role("textbox", name="Write to")).to_be_visible(timeout=30_000)
        await ben.write("Welcome back.")
        await back.reads("Welcome back.")
        await back.write("The sheet worked.")
        await ben.reads("The sheet worked.")
        await back.photo("16-back-again")
        assert here.complaints() == []


async def offline_and_back(ana: Person, ben: Person) -> None:
    """What is written without a connection waits, in sight, and goes out by itself."""
    await ana.set_offline(True)
    await expect(ana.page.locator(".offline")).to_contain_text("You are offline")
    await ana.write("I am on the train, in a tunnel.")
    await expect(ana.message("in a tunnel").locator(".status")).to_have_text("Goes out when you are online")
    await ana.photo("05-offline")
    await expect(ben.message("in a tunnel")).to_have_count(0)
    await ana.set_offline(False)
    await ben.reads("in a tunnel")
    await ana.sent("in a tunnel")
    await expect(ana.page.locator(".offline p")).to_have_count(0)


async def the_sheet(ana: Person) -> str:
    """It is offered after the first message, not before and not in the way; its words."""
    await ana.home()
    await ana.photo("06-sheet-offer")
    await ana.press("Look at it")
    await ana.at("Recovery sheet")
    await ana.photo("07-sheet-before")
    await expect(ana.page.locator(".sheet-words")).to_have_count(0)
    await ana.press("Show the 24 words")
    words = await ana.page.locator(".sheet-words li").all_inner_texts()
    assert len(words) == 24
    await ana.photo("08-sheet")
    await ana.press("I have kept them")
    await ana.at("Conversations")
    await expect(ana.page.get_by_role("button", name="Look at it")).to_have_count(0)
    return " ".join(words)


async def second_device(phone: Person, laptop: Person) -> Person:
    """Link a laptop by the twelve words; both show the same four to compare."""
    await laptop.page.goto(f"{laptop.base}/app")
    await laptop.photo("09-start")
    await laptop.follow("Use my other device")
    words = await laptop.page.locator(".state-words").inner_text()
    await laptop.photo("10-link-new")
    await phone.page.get_by_role("navigation", name="Your conversations").get_by_role("link", name="Settings").click()
    await phone.follow("My devices")
    await phone.follow("Link another device")
    await phone.photo("11-link-old")
    await phone.page.get_by_label("The twelve words").fill(words)
    await phone.press("Continue")
    shown = phone.page.locator(".state-words")
    await expect(shown).to_be_visible(timeout=30_000)
    compare = await shown.inner_text()
    assert len(compare.split()) == 4
    await expect(laptop.page.locator(".state-words")).to_have_text(compare)
    await phone.photo("12-compare")
    await phone.press("They are the same")
    await expect(phone.page.get_by_role("heading", name="The devices are linked")).to_be_visible(timeout=30_000)
    await expect(laptop.page.get_by_role("heading", name="The devices are linked")).to_be_visible(timeout=30_000)
    await laptop.follow("Continue")
    await laptop.at("Conversations")
    await phone.open("Ben")
    return laptop


async def revoke(laptop: Person, *, lost: Person) -> None:
    """Take the lost phone out."""
    await laptop.page.get_by_role("navigation", name="Your conversations").get_by_role("link", name="Settings").click()
    await laptop.follow("My devices")
    await expect(laptop.page.locator(".person")).to_have_count(2)
    await laptop.photo("13-devices")
    await laptop.page.get_by_role("button", name=re.compile("^Take it out")).click()
    await laptop.page.get_by_role("dialog").get_by_role("button", name="Take it out").click()
    await expect(laptop.page.locator(".person")).to_have_count(1)
    lost.offline = True  # its requests are refused from here on, and the console says so
    await lost.home()
    await expect(lost.page.get_by_role("heading", name="This device was taken out")).to_be_visible(timeout=20_000)
    await lost.photo("14-taken-out")


async def recover(somebody: Person, sheet: str) -> Person:
    """A new browser, and the words as a person types them: short, numbered, with slips."""
    await somebody.page.goto(f"{somebody.base}/app")
    await somebody.follow("Come back with my recovery sheet")
    field = somebody.page.get_by_label("Your 24 words")
    typed = [f"{place}. {word[:4].upper()}" for place, word in enumerate(sheet.split(), 1)]
    await field.fill(" ".join(typed[:-1]))
    await expect(somebody.page.get_by_text("23 of 24 words")).to_be_visible()
    await somebody.press("Come back")
    await expect(somebody.page.get_by_role("alert")).to_contain_text("These are 23 words. A sheet has 24.")
    await field.fill(" ".join(typed))
    await expect(somebody.page.get_by_text("All 24 words are there.")).to_be_visible()
    await somebody.photo("15-recover")
    await somebody.press("Come back")
    await somebody.at("Conversations")
    return somebody
