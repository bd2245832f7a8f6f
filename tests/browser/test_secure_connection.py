"""Plain http on a local name: no keys, and one page that says why and how. https with the node's own CA: everything."""

import os
import shutil
import subprocess
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, Error, Page, async_playwright, expect

from browser.bundles import ChangingSite, changing_site, copied
from browser.conftest import FLAGS, chromium_path
from browser.test_bars import AXE, AXE_RUN
from browser.watching import WEBUI, missing
from hedgerow_node.fingerprint import words_of
from hedgerow_node.http.certificate import OwnCertificate
from hedgerow_node.tls.files import LocalTls, set_up
from hedgerow_node.tls.names import read_names
from hedgerow_protocol.ports import Timestamp

pytestmark = pytest.mark.browser

NAME = "hedge.local"
OTHER = "other.local"
RULES = f"--host-resolver-rules=MAP {NAME} 127.0.0.1, MAP {OTHER} 127.0.0.1"


@asynccontextmanager
async def browser_at(home: Path) -> AsyncIterator[Browser]:
    """A browser of its own, for which two names lead here; what it trusts stands in ``home``."""
    path = chromium_path()
    if path is None:
        missing("There is no Chromium here, so the browser tests do not run (apt install chromium).")
    sandbox = ("--no-sandbox",) if os.geteuid() == 0 else ()
    async with async_playwright() as playwright:
        environment = {**os.environ, "HOME": str(home)}
        launched = await playwright.chromium.launch(
            executable_path=path, args=[*FLAGS, RULES, *sandbox], env=environment
        )
        yield launched
        await launched.close()


@asynccontextmanager
async def secured_site(tmp_path: Path) -> AsyncIterator[tuple[ChangingSite, LocalTls, int]]:
    """A node with a certificate of its own."""
    if not (WEBUI / "dist" / "bundle.json").is_file():
        missing("The web UI is not built, so the browser tests do not run (python webui/build_hook.py).")
    data = tmp_path / "data"
    data.mkdir()
    local = set_up(data, read_names([NAME], []), Timestamp(int(time.time())))
    own = OwnCertificate(hosts=local.names.hosts, fingerprint=local.fingerprint, download=local.download)
    webui = copied(tmp_path / "webui")
    async with changing_site(data, webui, ssl=local.context(), certificate=own) as site:
        yield site, local, site.street.port


async def axe_on(page: Page) -> Any:
    if not AXE.is_file():
        missing("axe-core is not installed (npm ci in webui/), so the accessibility tests do not run.")
    await page.evaluate(AXE.read_text(encoding="utf-8"))
    return await page.evaluate(AXE_RUN)


async def test_on_plain_http_the_app_makes_no_keys_and_leads_to_one_page(tmp_path: Path) -> None:
    async with secured_site(tmp_path) as (_, local, port), browser_at(tmp_path / "home") as browser:
        # To the node this is a visitor from elsewhere, as on a phone: it does not count a connection from here as safe.
        headers = {"X-Forwarded-For": "192.168.7.20"}
        context = await browser.new_context(
            locale="en", viewport={"width": 320, "height": 640}, extra_http_headers=headers
        )
        page = await context.new_page()
        said: list[str] = []
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        await page.goto(f"http://{NAME}:{port}/app")
        assert not await page.evaluate("isSecureContext")
        way = page.get_by_role("main").locator("a[href*='/safe-connection']")
        await expect(way).to_be_visible()
        assert await axe_on(page) == []
        assert await page.evaluate("indexedDB.databases()") == []
        assert await page.evaluate("Object.keys(localStorage)") == []
        assert page.workers == []
        await way.click()
        await expect(page.locator("main .notice")).to_contain_text("not safe")
        await expect(page.locator(".fingerprint").first).to_have_text(" ".join(words_of(local.fingerprint)))
        assert await axe_on(page) == []
        for summary in await page.locator("main summary").all():
            await summary.click()
        assert await axe_on(page) == []
        wide = "() => document.documentElement.scrollWidth <= document.documentElement.clientWidth"
        assert await page.evaluate(wide)
        async with page.expect_download() as download:
            await page.locator("a[href$='/ca.crt']").click()
        saved = await (await download.value).path()
        assert saved.read_bytes() == local.download
        assert said == []


@pytest.mark.parametrize("code", ["de", "fr", "es", "ar"])
async def test_the_page_is_whole_in_every_language_and_without_scripts(tmp_path: Path, code: str) -> None:
    async with secured_site(tmp_path) as (_, _, port), browser_at(tmp_path / "home") as browser:
        context = await browser.new_context(java_script_enabled=False, viewport={"width": 320, "height": 640})
        page = await context.new_page()
        await page.goto(f"http://{NAME}:{port}/safe-connection?lang={code}")
        assert await page.get_attribute("html", "lang") == code
        assert await page.get_attribute("html", "dir") == ("rtl" if code == "ar" else "ltr")
        text = await page.inner_text("main")
        assert "secure." not in text
        assert await page.locator("main h1").count() == 1


def trust(home: Path, local: LocalTls) -> None:
    """Tell a browser that keeps its list in ``home`` to trust this authority, as its certificate settings do."""
    if shutil.which("certutil") is None:
        missing("certutil is not installed (apt install libnss3-tools), so no browser can be told to trust a CA.")
    base = home / ".pki" / "nssdb"
    base.mkdir(parents=True)
    nss = ["certutil", "-d", f"sql:{base}"]
    subprocess.run([*nss, "-N", "--empty-password"], check=True, capture_output=True)
    file = str(local.folder / "authority.crt")
    subprocess.run([*nss, "-A", "-t", "C,,", "-n", "node", "-i", file], check=True, capture_output=True)


async def test_a_browser_that_trusts_the_authority_has_everything(tmp_path: Path) -> None:
    home = tmp_path / "home"
    async with secured_site(tmp_path) as (_, local, port):
        address = f"https://{NAME}:{port}"
        async with browser_at(tmp_path / "stranger") as browser:
            page = await browser.new_page()
            with pytest.raises(Error, match="ERR_CERT_AUTHORITY_INVALID"):
                await page.goto(f"{address}/app")
        trust(home, local)
        async with browser_at(home) as browser:
            page = await browser.new_page()
            answer = await page.goto(f"{address}/app")
            assert answer is not None
            assert answer.headers["cross-origin-opener-policy"] == "same-origin"
            assert await page.evaluate("isSecureContext")
            await page.wait_for_function("() => navigator.serviceWorker.controller !== null")
            await page.goto(f"{address}/safe-connection")
            await expect(page.locator("main .notice")).to_contain_text("This connection is safe")
            # The same authority, a name it was not made for: the constraint in it holds in this browser, too.
            with pytest.raises(Error, match="ERR_CERT"):
                await page.goto(f"https://{OTHER}:{port}/")
