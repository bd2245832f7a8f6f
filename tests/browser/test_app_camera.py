"""Linking a second device by its code: through the camera, by a photo, and what is said where neither works.

The camera is Chromium's stand-in for one, which shows a file; the file is what the other device has on its screen.
"""

import asyncio
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Browser, Locator, Page, Playwright, async_playwright, expect

from browser.conftest import FLAGS, chromium_path
from browser.members import Person, Village, village
from browser.watching import missing

pytestmark = pytest.mark.browser

FRAMES = 5


@pytest.fixture
async def here(browser: Browser, tmp_path: Path) -> AsyncIterator[Village]:
    async with village(browser, tmp_path / "node") as found:
        yield found
        assert found.complaints() == []


async def with_camera(playwright: Playwright, film: Path) -> Browser:
    """Chromium whose camera shows a film, and that is allowed to look through it."""
    path = chromium_path()
    if path is None:
        missing("There is no Chromium here, so the browser tests do not run (apt install chromium).")
    camera = (
        "--use-fake-device-for-media-stream",
        "--use-fake-ui-for-media-stream",
        f"--use-file-for-fake-video-capture={film}",
    )
    sandbox = ("--no-sandbox",) if os.geteuid() == 0 else ()
    return await playwright.chromium.launch(executable_path=path, args=[*FLAGS, *camera, *sandbox])


async def new_device(laptop: Person) -> Locator:
    """A new device that shows its code."""
    await laptop.page.goto(f"{laptop.base}/app")
    await laptop.follow("Use my other device")
    code = laptop.page.locator("svg.qr")
    await expect(code.locator("path")).to_have_count(2)
    return code


async def at_the_scanner(phone: Person) -> None:
    """On the device that is in: where the code is read."""
    await phone.page.get_by_role("link", name="Settings").click()
    await phone.follow("My devices")
    await phone.follow("Link another device")


async def compare(phone: Person, laptop: Person) -> None:
    """Both show the same four words; then the new device is in."""
    shown = phone.page.locator(".state-words")
    await expect(shown).to_be_visible(timeout=30_000)
    words = await shown.inner_text()
    assert len(words.split()) == 4
    await expect(laptop.page.locator(".state-words")).to_have_text(words)
    await phone.press("They are the same")
    for person in (phone, laptop):
        await expect(person.page.get_by_role("heading", name="The devices are linked")).to_be_visible(timeout=30_000)


async def open_tracks(page: Page) -> int:
    """Cameras that this page still looks through."""
    found: int = await page.evaluate("() => window.tracks.filter((track) => track.readyState === 'live').length")
    return found


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_the_camera_reads_the_code_off_the_other_screen(here: Village, tmp_path: Path, scheme: str) -> None:
    film = tmp_path / "film.mjpeg"
    laptop = await here.meet("Ana", color_scheme=scheme)
    async with async_playwright() as playwright:
        camera = await with_camera(playwright, film)
        context = await camera.new_context(viewport={"width": 360, "height": 740}, locale="en-GB")
        phone = Person("Ana", here.base, context, await context.new_page())
        await phone.watch(phone.page)
        await context.add_init_script(
            """window.tracks = []; const ask = navigator.mediaDevices?.getUserMedia;
            if (ask) navigator.mediaDevices.getUserMedia = async (wish) => {
              const stream = await ask.call(navigator.mediaDevices, wish);
              window.tracks.push(...stream.getTracks()); return stream; };"""
        )
        await phone.join(await here.link())
        code = await new_device(laptop)
        # What the camera sees: the other device's screen, all of it.
        await code.scroll_into_view_if_needed()
        await asyncio.to_thread(film.write_bytes, await laptop.page.screenshot(type="jpeg", quality=85) * FRAMES)
        await at_the_scanner(phone)
        await phone.press("Read a code with the camera")
        await compare(phone, laptop)
        await expect(phone.page.locator("video")).to_have_count(0)
        assert await phone.page.evaluate("() => window.tracks.length") == 1
        assert await open_tracks(phone.page) == 0, "the camera is off again"
        assert phone.complaints == []
        await camera.close()


async def test_a_photo_of_the_code_does_as_well(here: Village) -> None:
    phone = await here.newcomer("Ana")
    laptop = await here.meet("Ana", viewport={"width": 1280, "height": 900})
    code = await new_device(laptop)
    await at_the_scanner(phone)
    field = phone.page.locator('.scanner input[type="file"]')
    empty = {"name": "sky.png", "mimeType": "image/png", "buffer": await phone.page.screenshot()}
    await field.set_input_files([empty])
    said = phone.page.locator(".scanner [role=status]")
    await expect(said).to_have_text("There is no code to be seen in this photo. Take it from closer, with more light.")
    await code.scroll_into_view_if_needed()
    photo = {"name": "photo.jpg", "mimeType": "image/jpeg", "buffer": await laptop.page.screenshot(type="jpeg")}
    await field.set_input_files([photo])
    await compare(phone, laptop)


async def test_without_a_camera_there_are_other_ways(here: Village) -> None:
    phone = await here.newcomer("Ana")
    laptop = await here.meet("Ana")
    await new_device(laptop)
    words = await laptop.page.locator(".state-words").inner_text()
    await at_the_scanner(phone)
    await phone.press("Read a code with the camera")
    said = phone.page.locator(".scanner [role=status]")
    await expect(said).to_have_text("The camera can't be used. Choose a photo, or type instead.")
    await expect(phone.page.locator("video")).to_have_count(0)
    await phone.page.get_by_label("The twelve words").fill(words)
    await phone.press("Continue")
    await compare(phone, laptop)
