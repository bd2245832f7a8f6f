"""A group of equals in the app: asks that all see, joining by consent, a name, leaving, parting with somebody."""

import re
from pathlib import Path

import pytest
from playwright.async_api import Browser, expect

from browser.members import Person, Village, village

pytestmark = pytest.mark.browser


async def group(here: Village, title: str) -> tuple[Person, Person, Person, str]:
    """Ana's group with Ben and Cleo in it, and a link to ask with."""
    ana = await here.newcomer("Ana")
    await ana.new_group(title, step="17-new-group")
    await ana.follow("Invite somebody")
    await ana.page.get_by_label("For how many people?").select_option("5")
    await ana.press("Make the link")
    link = await ana.shown_link()
    ben, cleo = await here.newcomer("Ben"), await here.newcomer("Cleo")
    await ask(ben, link)
    await ana.open(title)
    await agree(ana, "Ben")
    await ben.at(title)
    await expect(ben.page.get_by_role("textbox", name="Write to")).to_be_visible(timeout=20_000)
    await ask(cleo, link, "Ben told me about you.")
    await expect(ana.page.locator(".ask-card")).to_be_visible(timeout=20_000)
    await ana.page.locator(".ask-card").scroll_into_view_if_needed()
    await ana.photo("18-ask")
    await ana.page.evaluate("scrollTo(0, document.documentElement.scrollHeight)")
    await ana.press("Somebody asks to join")
    await expect(ana.page.get_by_role("heading", name="Somebody asks to join")).to_be_focused()
    await agree(ana, "Cleo")
    await expect(ana.page.locator(".ask-card")).to_contain_text("Agreed so far: you. 1 more is needed.")
    await expect(cleo.page.get_by_role("heading", name="You asked to join")).to_be_visible()
    await agree(ben, "Cleo")
    await expect(cleo.page.get_by_role("textbox", name="Write to")).to_be_visible(timeout=20_000)
    return ana, ben, cleo, link


async def ask(somebody: Person, link: str, words: str = "") -> None:
    await somebody.home()
    await somebody.follow("Open an invitation")
    await somebody.page.get_by_label("Link", exact=True).fill(link)
    await somebody.press("Continue")
    await somebody.page.get_by_label("What should the others call you?").fill(somebody.name)
    if words:
        await somebody.page.get_by_label("A word to the group").fill(words)
    await somebody.press("Ask to join")
    await expect(somebody.page.get_by_role("heading", name="You asked to join")).to_be_visible()


async def agree(member: Person, name: str) -> None:
    await member.page.get_by_role("button", name=f"Agree to {name}").click(timeout=20_000)


async def test_a_group_decides_together(browser: Browser, tmp_path: Path) -> None:
    async with village(browser, tmp_path) as here:
        ana, ben, cleo, _ = await group(here, "Thursday circle")
        for member in (ana, ben):
            await expect(
                member.page.get_by_text(re.compile("and Ben agreed, and Cleo joined|Ben and Ana agreed"))
            ).to_be_visible()
        await cleo.write("Thank you for letting me in.")
        for member in (ana, ben):
            await member.reads("Thank you for letting me in.")
        await ana.photo("19-group")

        await ben.page.get_by_role("link", name="About").click()
        await ben.page.get_by_label("Name of the group").fill("Friday circle")
        await ben.page.locator("form", has=ben.page.get_by_label("Name of the group")).get_by_role("button").click()
        await ana.at("Friday circle")
        await expect(ana.page.get_by_text("Ben called the group “Friday circle”.")).to_be_visible()

        await ana.page.get_by_role("link", name="3 people").click()
        person = ana.page.locator(".person").filter(has_text="Cleo")
        await expect(person).to_contain_text("Vouched for by:")
        await ana.photo("20-people")
        await part(ana, "Cleo", "Propose to part ways")
        await expect(person).to_contain_text("1 more is needed.")
        await expect(cleo.page.get_by_role("textbox", name="Write to")).to_be_visible()
        await ben.follow("3 people")
        await part(ben, "Cleo", "Agree to part ways")
        await expect(cleo.page.get_by_role("heading", name="You are no longer in this group")).to_be_visible(
            timeout=20_000
        )
        await cleo.reads("Thank you for letting me in.")
        await expect(ana.page.locator(".person")).to_have_count(2, timeout=20_000)

        await ben.page.get_by_role("link", name="Friday circle").first.click()
        await ben.page.get_by_role("link", name="About").click()
        await ben.press("Leave")
        await ben.page.get_by_role("dialog").get_by_role("button", name="Leave").click()
        await ben.at("Conversations")
        await expect(ana.page.locator(".person")).to_have_count(1, timeout=20_000)
        assert here.complaints() == []


async def part(member: Person, name: str, words: str) -> None:
    """Propose, or agree, that somebody goes; the question says what it takes."""
    await member.page.locator(".person").filter(has_text=name).get_by_role("button", name=words).click()
    dialog = member.page.get_by_role("dialog")
    await expect(dialog).to_contain_text("2 of you must want this before anything happens.")
    await dialog.get_by_role("button", name=words).click()
    await expect(dialog).to_have_count(0)


async def test_a_wish_to_talk_alone(browser: Browser, tmp_path: Path) -> None:
    """From the group's people to a one-on-one that the other may leave alone."""
    async with village(browser, tmp_path) as here:
        ana, ben, cleo, _ = await group(here, "Thursday circle")
        await ana.page.get_by_role("link", name="3 people").click()
        await ana.page.get_by_role("link", name="Talk one-on-one – Ben").click()
        await ana.at("One-on-one with Ben")
        await ana.page.get_by_label("A word from you").fill("May I ask you something?")
        await ana.press("Ask")
        wish = ben.page.get_by_role("region", name="Ana would like to talk with you, just the two of you")
        await expect(wish).to_contain_text("May I ask you something?", timeout=20_000)
        await expect(cleo.page.get_by_text("would like to talk with you")).to_have_count(0)
        await wish.get_by_role("link", name="Look at it").click()
        await ben.page.get_by_label("What should the others call you?").fill("Ben")
        await ben.press("Come in")
        await ben.write("Of course.")
        await ana.reads("Of course.")
        await ben.open("Thursday circle")
        await expect(ben.page.get_by_text("would like to talk with you")).to_have_count(0)
        assert here.complaints() == []


async def test_checking_each_other_by_number_and_by_code(browser: Browser, tmp_path: Path) -> None:
    async with village(browser, tmp_path) as here:
        ana, ben = await here.couple()
        await ana.page.get_by_role("link", name="2 people").click()
        await ana.page.get_by_role("link", name="Check that it's them").click()
        await ben.page.get_by_role("link", name="2 people").click()
        await ben.page.get_by_role("link", name="Check that it's them").click()
        await expect(ana.page.locator(".digits li")).to_have_count(12)
        await ana.photo("21-checking")
        numbers = await ana.page.locator(".digits li").all_inner_texts()
        assert numbers == await ben.page.locator(".digits li").all_inner_texts()
        assert all(re.fullmatch(r"\d{5}", each) for each in numbers)
        # Ben's code, photographed: the picture is read in Ana's browser.
        await expect(ben.page.locator("svg.qr")).to_be_visible()
        await ben.page.locator("svg.qr").scroll_into_view_if_needed()
        photo = await ben.page.locator("svg.qr").screenshot()
        await ana.page.locator('.scanner input[type="file"]').set_input_files(
            {"name": "photo.png", "mimeType": "image/png", "buffer": photo}
        )
        await expect(ana.page.get_by_text("You checked that this is Ben.")).to_be_visible(timeout=20_000)
        await ana.follow("People")
        await expect(ana.page.locator(".person").filter(has_text="Ben")).to_contain_text("You checked")
        assert here.complaints() == []


async def test_one_link_makes_an_account_and_a_conversation(browser: Browser, tmp_path: Path) -> None:
    """Somebody who was never here scans a friend's code: one field, and the two can talk."""
    async with village(browser, tmp_path) as here:
        ana = await here.newcomer("Ana")
        await ana.new_pair()
        await expect(ana.page.locator("svg.qr")).to_be_visible()
        await ana.page.locator("svg.qr").scroll_into_view_if_needed()
        photo = await ana.page.locator("svg.qr").screenshot()
        dora = await here.meet("Dora")
        await dora.page.goto(f"{dora.base}/app")
        await dora.follow("I have an invitation")
        await dora.page.locator('.scanner input[type="file"]').set_input_files(
            {"name": "photo.png", "mimeType": "image/png", "buffer": photo}
        )
        await dora.at("Ana would like to talk with you, just the two of you")
        await dora.page.get_by_label("What should the others call you?").fill("Dora")
        await dora.press("Come in")
        await dora.at("Ana")
        await dora.write("Here I am.")
        await ana.open("Dora")
        await ana.reads("Here I am.")
        # The link was for one person.
        late = await here.meet("Late")
        await late.page.goto(f"{late.base}/app")
        await late.follow("I have an invitation")
        await late.page.locator('.scanner input[type="file"]').set_input_files(
            {"name": "photo.png", "mimeType": "image/png", "buffer": photo}
        )
        await late.at("This invitation doesn't open")
        await expect(late.page.get_by_text("Ask the person for a new one.")).to_be_visible()
        assert [line for line in here.complaints() if "404" not in line and "410" not in line] == []
