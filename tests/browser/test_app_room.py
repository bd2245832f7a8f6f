"""One conversation: writing, answering, changing, taking back, pictures, reading on, and all of it by keyboard."""

import asyncio
import re
import struct
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Browser, expect

from browser.members import Person, Village, village

pytestmark = pytest.mark.browser

MARK = b"EXIF-MARK-51.5007N-0.1246W"
"""Stands for the place a camera writes into a picture."""


@pytest.fixture
async def here(browser: Browser, tmp_path: Path) -> AsyncIterator[Village]:
    async with village(browser, tmp_path) as found:
        yield found
        assert found.complaints() == []


async def jpeg_with_a_place(person: Person) -> bytes:
    """A real picture, with notes as cameras write them (an APP1 segment after the start)."""
    numbers = await person.page.evaluate(
        """async () => { const canvas = document.createElement('canvas'); canvas.width = 3000; canvas.height = 1500;
        const context = canvas.getContext('2d'); context.fillStyle = '#2c5a40'; context.fillRect(0, 0, 3000, 1500);
        const blob = await new Promise((done) => canvas.toBlob(done, 'image/jpeg'));
        return [...new Uint8Array(await blob.arrayBuffer())]; }"""
    )
    plain = bytes(numbers)
    notes = b"Exif\0\0" + MARK
    return plain[:2] + b"\xff\xe1" + struct.pack(">H", len(notes) + 2) + notes + plain[2:]


async def test_words_are_shown_as_they_were_meant_and_never_as_markup(here: Village) -> None:
    ana, ben = await here.couple()
    await ana.write(
        "Some *strong* and _soft_ words, `code`\n> a quotation\n- one\n- two\n"
        "<img src=x onerror=alert(1)> &amp; https://example.org/path_(a).",
        shown="Some strong and soft words",
    )
    await ben.reads("Some strong and soft words")
    bubble = ben.message("Some strong and soft words").locator(".rich")
    await expect(bubble.locator("strong")).to_have_text("strong")
    await expect(bubble.locator("em")).to_have_text("soft")
    await expect(bubble.locator("code")).to_have_text("code")
    await expect(bubble.locator("blockquote")).to_have_text("a quotation")
    await expect(bubble.locator("li")).to_have_text(["one", "two"])
    await expect(bubble.locator("img")).to_have_count(0)
    await expect(bubble).to_contain_text("<img src=x onerror=alert(1)> &amp;")
    link = bubble.get_by_role("link")
    assert await link.get_attribute("href") == "https://example.org/path_(a)"
    assert await link.get_attribute("rel") == "noopener noreferrer nofollow"


async def test_answering_changing_and_taking_back(here: Village) -> None:
    ana, ben = await here.couple()
    await ana.write("Shall we meet on Friday?")
    await ben.reads("Shall we meet on Friday?")
    await act(ben, "Shall we meet on Friday?", "Reply")
    await expect(ben.page.locator(".about-line")).to_contain_text("Answering Ana")
    await ben.write("Yes, gladly.")
    await ana.reads("Yes, gladly.")
    await expect(ana.message("Yes, gladly.").locator(".quoted")).to_contain_text("Shall we meet on Friday?")

    await ana.page.get_by_role("textbox", name="Write to").fill("half a thought")
    await act(ana, "Shall we meet on Friday?", "Change", own=True)
    field = ana.page.get_by_role("textbox", name="Write to")
    await expect(field).to_have_value("Shall we meet on Friday?")
    await field.fill("Shall we meet on Saturday?")
    await ana.press("Save")
    await ben.reads("Shall we meet on Saturday?")
    await expect(ben.message("Saturday")).to_contain_text("changed")
    await expect(field).to_have_value("half a thought")

    assert await options(ben, "Shall we meet on Saturday?") == ["Reply", "Copy"]
    await act(ana, "Shall we meet on Saturday?", "Take back", own=True)
    await ana.page.get_by_role("dialog").get_by_role("button", name="Take back").click()
    await expect(ben.page.get_by_text("This message was taken back.").first).to_be_visible()
    await expect(ben.page.locator(".rich", has_text="Saturday")).to_have_count(0)


async def act(person: Person, text: str, button: str, *, own: bool = False) -> None:
    """Open a message's actions and choose one."""
    row = person.page.locator("li.message.mine" if own else "li.message").filter(
        has=person.page.locator(".rich", has_text=text)
    )
    await row.hover()
    await row.locator(".more-button").click()
    await row.get_by_role("button", name=button, exact=True).click()


async def options(person: Person, text: str) -> list[str]:
    row = person.message(text)
    await row.hover()
    await row.locator(".more-button").click()
    found = await row.locator(".message-actions button").all_inner_texts()
    await row.locator(".more-button").click()
    return found


async def test_pictures_lose_their_notes_and_files_arrive_whole(here: Village, tmp_path: Path) -> None:
    ana, ben = await here.couple()
    picture = await jpeg_with_a_place(ana)
    assert MARK in picture
    document = bytes(range(256)) * 400
    await ana.page.locator('.composer input[type="file"]').set_input_files(
        [
            {"name": "IMG_home.jpg", "mimeType": "image/jpeg", "buffer": picture},
            {"name": "poem.pdf", "mimeType": "application/pdf", "buffer": document},
        ]
    )
    await expect(ana.page.locator(".pending")).to_contain_text("picture.jpg")
    await expect(ana.page.locator(".pending")).not_to_contain_text("IMG_home")
    await ana.write("Our garden, and the poem.")
    await ben.reads("Our garden, and the poem.")
    await ben.page.get_by_role("button", name=re.compile("Show the picture")).click()
    shown = ben.page.locator(".picture img")
    await expect(shown).to_be_visible(timeout=20_000)
    assert await shown.evaluate("(each) => each.decode().then(() => [each.naturalWidth, each.naturalHeight])") == [
        2048,
        1024,
    ]
    async with ben.page.expect_download() as kept:
        await ben.page.locator(".picture").click()
    received = await asyncio.to_thread((await (await kept.value).path()).read_bytes)
    assert received.startswith(b"\xff\xd8")
    assert MARK not in received
    assert b"Exif" not in received
    async with ben.page.expect_download() as kept:
        await ben.page.get_by_role("button", name=re.compile(r"Save poem\.pdf")).click()
    assert await asyncio.to_thread((await (await kept.value).path()).read_bytes) == document


async def test_what_is_half_written_stays(here: Village) -> None:
    ana, _ = await here.couple()
    field = ana.page.get_by_role("textbox", name="Write to")
    await field.fill("I have wanted to say for a while")
    await ana.home()
    await expect(ana.page.locator(".room-row")).to_contain_text("Not sent yet:")
    await ana.page.reload()
    await ana.open("Ben")
    await expect(field).to_have_value("I have wanted to say for a while")
    kept = await ana.page.evaluate("() => JSON.stringify({ ...localStorage, ...sessionStorage })")
    assert "wanted to say" not in kept


async def test_fifty_messages_then_earlier_ones_and_what_is_new(here: Village) -> None:
    ana, ben = await here.couple()
    await ben.home()
    field = ana.page.get_by_role("textbox", name="Write to")
    for number in range(60):
        await field.fill(f"Line {number:02}")
        await ana.press("Send")
        await expect(field).to_have_value("")
    await expect(ben.page.locator(".room-row.unread")).to_contain_text("60 new")
    await expect(ben.page.locator(".room-row.unread")).to_contain_text("Line 59")
    await ben.open("Ana")
    await expect(ben.page.locator(".new-line")).to_be_in_viewport()
    await ben.page.reload()
    await ben.reads("Line 59")
    await expect(ben.page.locator("li.message")).to_have_count(50)
    await expect(ben.message("Line 09")).to_have_count(0)
    await ben.page.evaluate("scrollTo(0, document.documentElement.scrollHeight)")
    tenth = ben.message("Line 10")
    await tenth.scroll_into_view_if_needed()
    before = await tenth.bounding_box()
    await ben.page.evaluate("scrollTo(0, 0)")
    at_top = await tenth.bounding_box()
    await ben.page.get_by_role("button", name="Show earlier messages").click()
    await expect(ben.message("Line 00")).to_have_count(1)
    after = await tenth.bounding_box()
    assert before
    assert at_top
    assert after
    assert abs(after["y"] - at_top["y"]) < 60, "what was on the screen stays where it was"
    await ben.page.evaluate("scrollTo(0, document.documentElement.scrollHeight)")
    await ben.home()
    await expect(ben.page.locator(".room-row")).not_to_contain_text("new")


async def test_search_stays_on_the_device(here: Village) -> None:
    ana, ben = await here.couple()
    await ana.write("The lake was frozen, and we walked across.")
    await ben.reads("The lake was frozen")
    for number in range(12):
        await ana.write(f"And then {number}")
    await ben.reads("And then 11")
    asked: list[str] = []
    ben.page.on("request", lambda request: asked.append(request.url))
    await ben.page.get_by_role("link", name="Search").click()
    await ben.page.get_by_label("Words to look for").fill("FROZEN")
    await expect(ben.page.get_by_text("1 message found")).to_be_visible()
    assert [address for address in asked if "frozen" in address.lower()] == []
    await ben.page.get_by_role("link", name=re.compile("The lake was frozen")).click()
    await ben.at("Ana")
    await expect(ben.message("The lake was frozen")).to_be_in_viewport()


async def test_by_keyboard_alone(here: Village) -> None:
    ana, ben = await here.couple()
    for text in ("first", "second", "third"):
        await ben.write(text)
    await ana.reads("third")
    page, keys = ana.page, ana.page.keyboard
    field = page.get_by_role("textbox", name="Write to")
    await field.focus()
    await keys.type("typed")
    await keys.press("Enter")
    await keys.type("by hand")
    await keys.press("Control+Enter")
    await ben.reads("by hand")
    await expect(field).to_be_focused()
    await expect(ana.message("by hand").locator(".status")).to_have_count(0)
    # One stop in the log; the arrows go up and down among the messages.
    tabbable = page.locator('.more-button[tabindex="0"]')
    await expect(tabbable).to_have_count(1)
    await tabbable.focus()
    await keys.press("ArrowUp")
    await keys.press("ArrowUp")
    focused = page.locator(":focus")
    assert await focused.get_attribute("aria-label") is not None
    await expect(page.locator("li.message", has=page.locator(":focus"))).to_contain_text("second")
    outline = await focused.evaluate("(each) => getComputedStyle(each).outlineWidth")
    assert float(outline.removesuffix("px")) >= 3
    await keys.press("Enter")
    await keys.press("Tab")
    await expect(focused).to_have_text("Reply")
    await keys.press("Enter")
    await expect(field).to_be_focused()
    await keys.type("to the second")
    await keys.press("Control+Enter")
    await ben.reads("to the second")
    await expect(ben.message("to the second").locator(".quoted")).to_contain_text("second")
    # Home, and back into the conversation.
    await page.locator("h1").focus()
    await page.get_by_role("link", name="Search").focus()
    await keys.press("Enter")
    await expect(page.get_by_role("heading", level=1)).to_be_focused()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Search in my messages")


async def test_two_tabs_of_one_browser_are_one_device(here: Village) -> None:
    ana, ben = await here.couple()
    await ana.write("from the first tab")
    second = await ana.second_page()
    await second.goto(f"{ana.base}/app")
    await second.get_by_role("link", name=re.compile("Ben")).click()
    await second.get_by_role("textbox", name="Write to").fill("from the second tab")
    await second.get_by_role("button", name="Send").click()
    for person in (ana, ben):
        await person.reads("from the second tab")
    await ana.page.close()
    await second.get_by_role("textbox", name="Write to").fill("the first tab is closed")
    await second.get_by_role("button", name="Send").click()
    await ben.reads("the first tab is closed")
