"""Pictures for the members' guide (docs/members.md), taken while the tests walk through the app.

``HEDGEROW_PICTURES=docs/pictures python3 tests tests/browser/test_app_journey.py tests/browser/test_app_groups.py``
takes them anew; without the variable nothing is written.
"""

import base64
import os
from pathlib import Path

from playwright.async_api import Page

FOLDER = os.environ.get("HEDGEROW_PICTURES", "")
SCALE = 2 if FOLDER else 1
"""Pixels of a picture for one of the page: sharp on good screens."""
QUALITY = 82


async def photograph(page: Page, step: str) -> None:
    """What is on the screen now, as ``<step>.webp``."""
    if not FOLDER:
        return
    # Nothing blinks, and no field looks chosen that nobody chose.
    await page.evaluate("document.activeElement instanceof HTMLTextAreaElement && document.activeElement.blur()")
    session = await page.context.new_cdp_session(page)
    taken = await session.send("Page.captureScreenshot", {"format": "webp", "quality": QUALITY})
    await session.detach()
    _write(step, base64.b64decode(taken["data"]))


def _write(step: str, picture: bytes) -> None:
    folder = Path(FOLDER)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{step}.webp").write_bytes(picture)
