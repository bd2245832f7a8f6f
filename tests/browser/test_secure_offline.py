"""The member app's service worker: opens without a connection, and never lets the program change unseen."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, expect

from browser.bundles import ChangingSite, changed, changing_site, copied
from browser.test_secure_saved import invitation, node_at
from browser.watching import WEBUI, missing
from hedgerow_node.http.webui import WebUi

pytestmark = pytest.mark.browser


@pytest.fixture
def webui(tmp_path: Path) -> WebUi:
    if not (WEBUI / "dist" / "bundle.json").is_file():
        missing("The web UI is not built, so the browser tests do not run (python webui/build_hook.py).")
    return copied(tmp_path / "webui")


@asynccontextmanager
async def app_open(browser: Browser, site: ChangingSite) -> AsyncIterator[Page]:
    """The app's page, looked after by its service worker."""
    context = await browser.new_context(locale="en", reduced_motion="reduce")
    page = await context.new_page()
    page.set_default_timeout(20_000)
    await page.goto(f"{site.base}/app")
    await page.evaluate("navigator.serviceWorker.ready")
    await page.wait_for_function("() => navigator.serviceWorker.controller !== null")
    try:
        yield page
    finally:
        await context.close()


async def script_of(page: Page) -> str:
    src = await page.get_attribute("script[type=module]", "src")
    assert src is not None
    return src.rpartition("/")[2]


async def test_it_opens_without_a_connection_and_keeps_nothing_of_the_api(
    browser: Browser, tmp_path: Path, webui: WebUi
) -> None:
    async with changing_site(tmp_path, webui) as site:
        page_of = app_open(browser, site)
        page = await page_of.__aenter__()
        here = await page.inner_text("h1")
    try:  # the node is gone
        await page.reload()
        await expect(page.locator("h1")).to_have_text(here)
        kept = await page.evaluate(
            """async () => (await Promise.all((await caches.keys()).map(async (name) =>
                 (await (await caches.open(name)).keys()).map((request) => new URL(request.url).pathname)))).flat()"""
        )
        assert "/app" in kept
        assert [path for path in kept if path != "/app" and not path.startswith("/assets/")] == []
        assert await page.evaluate("fetch('/api/v1/status').then(() => 'answered', () => 'failed')") == "failed"
        assert await page.evaluate("fetch('/help-now').then(() => 'answered', () => 'failed')") == "failed"
    finally:
        await page_of.__aexit__(None, None, None)


@pytest.mark.parametrize("version", ["0.1.0", "9.9.9"])
async def test_another_bundle_is_announced_and_used_only_when_the_person_agrees(
    browser: Browser, tmp_path: Path, webui: WebUi, version: str
) -> None:
    other = changed(webui, tmp_path / "other", version)
    assert webui.bundle.version == "0.1.0"
    async with changing_site(tmp_path, webui) as site, app_open(browser, site) as page:
        before = await script_of(page)
        site.serve(other)
        await page.reload()
        notice = page.locator(".program .notice")
        await expect(notice).to_be_visible()
        assert await script_of(page) == before
        said = await notice.inner_text()
        assert webui.bundle.sha256[:16] in said
        assert other.bundle.sha256[:16] in said
        assert ("version number has not" in said) is (version == "0.1.0")
        await page.reload()
        assert await script_of(page) == before
        async with page.expect_navigation():
            await notice.get_by_role("button", name="Use the new one").click()
        assert await script_of(page) == "app-changed0.js"
        await expect(page.locator(".program")).to_have_count(0)
        names = await page.evaluate("caches.keys()")
        assert names == [f"hedgerow-app-{other.bundle.sha256[:16]}"]


async def test_what_the_browser_took_up_by_itself_is_said_afterwards(
    browser: Browser, tmp_path: Path, webui: WebUi
) -> None:
    other = changed(webui, tmp_path / "other", "0.1.0")
    async with changing_site(tmp_path, webui) as site, app_open(browser, site) as page:
        await page.wait_for_function("() => localStorage.getItem('hedgerow-bundle') !== null")
        site.serve(other)
        await page.reload()
        await expect(page.locator(".program .notice")).to_be_visible()
        # All pages of the old bundle close: now the browser does not ask.
        await page.goto(f"{site.base}/about")
        registered = "navigator.serviceWorker.getRegistration('/app')"
        await page.wait_for_function(
            f"{registered}.then((found) => !found.waiting && found.active.state === 'activated')"
        )
        await page.goto(f"{site.base}/app")
        assert await script_of(page) == "app-changed0.js"
        said = await page.locator(".program .notice").inner_text()
        assert "has changed since you were last here" in said
        assert webui.bundle.sha256[:16] in said


async def test_a_page_that_belongs_to_no_bundle_is_not_shown(browser: Browser, tmp_path: Path, webui: WebUi) -> None:
    other = changed(webui, tmp_path / "other", "0.1.0")
    (other.dist / "sw.js").write_text((webui.dist / "sw.js").read_text())  # the page changes, its keeper does not
    async with changing_site(tmp_path, webui) as site, app_open(browser, site) as page:
        before = await script_of(page)
        site.serve(other)
        await page.reload()
        await expect(page.locator(".program .notice")).to_contain_text("does not belong to this program")
        assert await script_of(page) == before


async def test_it_looks_after_the_app_alone(browser: Browser, tmp_path: Path, webui: WebUi) -> None:
    async with changing_site(tmp_path, webui) as site, app_open(browser, site) as page:
        scope = await page.evaluate("navigator.serviceWorker.getRegistration().then((found) => found.scope)")
        assert scope == f"{site.base}/app"
        await page.goto(f"{site.base}/about")
        assert await page.evaluate("navigator.serviceWorker.controller") is None


async def test_who_wipes_this_browser_leaves_no_copy_of_the_program(browser: Browser, tmp_path: Path) -> None:
    async with node_at(tmp_path, "127.0.0.1") as config:
        context = await browser.new_context(locale="en", reduced_motion="reduce")
        page = await context.new_page()
        page.set_default_timeout(20_000)
        await page.goto(await invitation(config))
        await page.locator("input[name=name]").fill("Robin")
        await page.locator("form button[type=submit]").click()
        await page.get_by_role("link", name="Settings").wait_for()
        await page.goto(f"http://127.0.0.1:{config.port}/app")
        await page.wait_for_function("() => caches.keys().then((names) => names.length > 0)")
        await page.get_by_role("link", name="Settings").click()
        await page.get_by_role("button", name="Empty this browser").click()
        await page.get_by_role("dialog").get_by_role("button", name="Empty this browser").click()
        await page.wait_for_url(f"http://127.0.0.1:{config.port}/")
        assert await page.evaluate("caches.keys()") == []
        assert await page.evaluate("navigator.serviceWorker.getRegistrations().then((found) => found.length)") == 0
        await context.close()
