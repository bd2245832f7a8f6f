"""On a phone six times slower than this machine, typing and sending stay quick in a conversation of fifty messages."""

import statistics
from pathlib import Path

import pytest
from playwright.async_api import Browser, expect

from browser.members import village
from hedgerow_node.bench.rooms_typing import SLOWER, TO_PAINT_MS_MAX, WATCH

pytestmark = [pytest.mark.browser, pytest.mark.slow]

TO_SHOWN_MS_MAX = 1_000
"""From the key that sends to the frame with the message in it: by then it is sealed and stored on this device."""


async def test_typing_and_sending_on_a_slow_phone(browser: Browser, tmp_path: Path) -> None:
    async with village(browser, tmp_path) as here:
        ana = await here.newcomer("Ana")
        await ana.new_group("Thursday circle")
        field = ana.page.get_by_role("textbox", name="Write to")
        for number in range(55):
            await field.fill(f"Line {number} with *some* words, https://example.org/{number}")
            await ana.press("Send")
            await expect(field).to_have_value("")
        await ana.page.reload()
        await expect(ana.page.locator("li.message")).to_have_count(50)
        session = await ana.context.new_cdp_session(ana.page)
        await session.send("Emulation.setCPUThrottlingRate", {"rate": SLOWER})
        await ana.page.evaluate(WATCH)
        await field.focus()
        for number in range(5):
            await ana.page.keyboard.type(f"typed line {number}", delay=80)
            await ana.page.keyboard.press("Control+Enter")
            await expect(field).to_have_value("")
            await expect(ana.message(f"typed line {number}")).to_be_visible()
        found: dict[str, list[float]] = await ana.page.evaluate("({ typed, sent, shown })")
        assert len(found["typed"]) >= 40
        assert len(found["sent"]) == len(found["shown"]) == 5
        middle = {name: statistics.median(times) for name, times in found.items()}
        assert middle["typed"] <= TO_PAINT_MS_MAX, found
        assert middle["sent"] <= TO_PAINT_MS_MAX, found
        assert middle["shown"] <= TO_SHOWN_MS_MAX, found
