"""Lighthouse's accessibility score gates: 100 on the pages people meet first. (Its performance is in the bench.)"""

import asyncio
import json
import os
import shutil
from pathlib import Path

import pytest

from browser.watching import WEBUI, SiteUnderTest, missing
from unit.test_typescript import node

LIGHTHOUSE = WEBUI / "audit" / "node_modules" / "lighthouse" / "cli" / "index.js"
PAGES = ("/", "listing", "/help-now", "/print", "/about", "/leaving")

pytestmark = pytest.mark.browser


async def hold_100(address: str, folder: Path, *options: str) -> None:
    """Have Lighthouse look at one address. ``options`` go to it, for a browser that runs already."""
    program, chromium = node(), shutil.which("chromium")
    if program is None or chromium is None or not LIGHTHOUSE.is_file():
        missing("Lighthouse is not installed (npm ci in webui/audit/, Node.js 22.19), so its score is not measured.")
    report = folder / "report.json"
    flags = "--headless=new --disable-gpu --disable-background-networking --disable-component-update"
    process = await asyncio.create_subprocess_exec(
        program,
        LIGHTHOUSE,
        address,
        "--quiet",
        "--only-categories=accessibility",
        "--disable-full-page-screenshot",
        "--output=json",
        f"--output-path={report}",
        f"--chrome-flags={flags}{' --no-sandbox' if os.geteuid() == 0 else ''}",
        *options,
        env={**os.environ, "CHROME_PATH": chromium, "HOME": str(folder)},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await asyncio.wait_for(process.communicate(), 90)
    assert process.returncode == 0, f"{address}: {said.decode(errors='replace')}"
    found = json.loads(report.read_text(encoding="utf-8"))
    failed = [each["id"] for each in found["audits"].values() if each["score"] is not None and each["score"] < 1]
    assert found["categories"]["accessibility"]["score"] == 1, (address, failed)


async def test_accessibility_is_100(site: SiteUnderTest, tmp_path: Path) -> None:
    """Several at a time: half of what each takes is waiting until its page is quiet."""
    few = asyncio.Semaphore(3)

    async def look_at(page: str) -> None:
        path = site.listing("Tuesday Circle") if page == "listing" else page
        folder = tmp_path / str(PAGES.index(page))
        async with few:
            folder.mkdir()
            await hold_100(site.base + path, folder)

    async with asyncio.TaskGroup() as looking:
        for page in PAGES:
            looking.create_task(look_at(page))
