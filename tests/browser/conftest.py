"""A real node's street door on a small invented directory, and Chromium before it. One context a test, three guards.

Every page of a test is watched: nothing on its console, no uncaught error, no request to anybody else. Without Chromium
the tests skip with a line; with ``REQUIRE_BROWSER=1`` they fail instead, so that a skip never hides a broken page.
"""

import os
import shutil
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, BrowserContext, Page, async_playwright

from browser import garden, pseudo
from browser.watching import WEBUI, Opener, SiteUnderTest, Watch, missing
from hedgerow_node.config import Config
from hedgerow_node.directory.service import Directory
from hedgerow_node.http.server import build_app, open_street
from hedgerow_node.http.webui import WebUi
from hedgerow_node.store.blocks import Block
from hedgerow_protocol.ids import ListingId, NodeId, to_text
from lent_network import TROUBLED, LentNetwork, status

# Three popups of the address bar are pages of 390 modules, loaded anew for every window: most of what a short test
# costs. The last list counts, so what Playwright puts into its own and what matters here stands in this one, too.
FEATURES_OFF = (
    "WebUIOmniboxPopup",
    "WebUIOmniboxAimPopup",
    "WebUIOmniboxFullPopup",
    "AvoidUnnecessaryBeforeUnloadCheckSync",
    "DestroyProfileOnBrowserClose",
    "HttpsFirstBalancedModeAutoEnable",
    "HttpsUpgrades",
    "MediaRouter",
    "NetworkTimeServiceQuerying",
    "OptimizationHints",
    "PaintHolding",
    "PreconnectToSearch",
    "ThirdPartyStoragePartitioning",
)
FLAGS = (
    f"--disable-features={','.join(FEATURES_OFF)}",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--font-render-hinting=none",
    "--force-color-profile=srgb",
)
CRISIS_LINES = """\
[[line]]
name = "Example Listening Line"
phone = "555-0199"
sms = "HELLO to 55501"
hours = "Day and night"
languages = ["en", "es"]
for_whom = "Anybody"
country = "GB"
checked = "2025-06-01"
source = "https://line.example.org"
"""


def chromium_path() -> str | None:
    """Debian's Chromium, or another on PATH."""
    found = (shutil.which(name) for name in ("chromium", "chromium-browser", "google-chrome"))
    return next((path for path in found if path), None)


@pytest.fixture(scope="session")
async def browser() -> AsyncIterator[Browser]:
    path = chromium_path()
    if path is None:
        missing("There is no Chromium here, so the browser tests do not run (apt install chromium).")
    sandbox = ("--no-sandbox",) if os.geteuid() == 0 else ()
    async with async_playwright() as playwright:
        launched = await playwright.chromium.launch(executable_path=path, args=[*FLAGS, *sandbox])
        yield launched
        await launched.close()


@pytest.fixture(scope="session")
async def site(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[SiteUnderTest]:
    if not (WEBUI / "dist" / "assets.json").is_file():
        missing("The web UI is not built, so the browser tests do not run (python webui/build_hook.py).")
    home = tmp_path_factory.mktemp("node")
    (home / "crisis-lines.toml").write_text(CRISIS_LINES, encoding="utf-8")
    directory = Directory.open(home / "public.db")
    await directory.accept(garden.envelopes(), now=garden.NOW)
    lent = LentNetwork(status(7, garden.NOW, **TROUBLED))
    await lent.block([Block(ListingId(bytes(range(20))), "Sells cures and calls it a group.", garden.NOW)])
    app = build_app(
        Config(data=home, title="Leeds Hedgerow", country="GB"),
        directory,
        node_id=NodeId(bytes(32)),
        version="0.0.0",
        now=lambda: garden.NOW,
        peering=lent,
        webui=WebUi(_with_pseudo_language(tmp_path_factory.mktemp("webui"))),
    )
    street = await open_street(app, "127.0.0.1", 0)
    ids: dict[str, str] = {}
    async for shown in directory.all_listings(now=garden.NOW):
        ids[shown.name] = to_text(ListingId(shown.id))
    yield SiteUnderTest(street.addresses[0], app, ids, lent)
    await street.close()
    await directory.close()


def _with_pseudo_language(folder: Path) -> Path:
    """The web UI as it is, and one language more: long, accented and from right to left."""
    for name in ("dist", "templates"):
        (folder / name).symlink_to(WEBUI / name)
    shutil.copytree(WEBUI / "locales", folder / "locales")
    pseudo.write(folder / "locales" / "en.json", folder / "locales" / f"{pseudo.CODE}.json")
    return folder


@pytest.fixture
async def watch(site: SiteUnderTest) -> AsyncIterator[Watch]:
    """Looks at everything the test's pages do; complains at the end."""
    watching = Watch(site.base)
    yield watching
    assert watching.complaints == []


@pytest.fixture
async def open_page(browser: Browser, site: SiteUnderTest, watch: Watch) -> AsyncIterator[Opener]:
    """``await open_page("/about", width=320)``: a page in a fresh context, at the test directory's time."""
    contexts: list[BrowserContext] = []

    async def open_one(
        path: str = "/", *, width: int = 1280, height: int = 900, js: bool = True, clock: bool = True, **options: Any
    ) -> Page:
        context = await browser.new_context(
            viewport={"width": width, "height": height},
            locale="en",
            timezone_id=options.pop("timezone_id", "Europe/London"),
            reduced_motion="reduce",
            java_script_enabled=js,
            **options,
        )
        contexts.append(context)
        context.set_default_timeout(10_000)
        page = await context.new_page()
        if js and clock:
            await page.clock.set_fixed_time(datetime.fromtimestamp(garden.NOW, UTC))
        page.on("console", watch.console)
        page.on("request", watch.request)
        page.on("pageerror", watch.error)
        await page.goto(site.base + path)
        return page

    yield open_one
    for context in contexts:
        await context.close()
