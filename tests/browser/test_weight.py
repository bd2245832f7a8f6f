"""How much the first page weighs over the wire."""

import gzip
import json

import pytest

from browser.watching import WEBUI, Opener, Watch

FIRST_PAGE_BYTES_MAX = 50_000
SCRIPT_BYTES_MAX = 40_000
STYLE_BYTES_MAX = 10_000
HELP_PAGE_BYTES_MAX = 14_000

pytestmark = pytest.mark.browser


async def weigh(watch: Watch) -> dict[str, int]:
    """Bytes by kind of resource: bodies as sent, and response headers."""
    weights: dict[str, int] = {}
    for request in watch.requests:
        sizes = await request.sizes()
        kind = request.resource_type
        weights[kind] = weights.get(kind, 0) + sizes["responseBodySize"] + sizes["responseHeadersSize"]
    return weights


async def test_the_first_page(watch: Watch, open_page: Opener) -> None:
    page = await open_page("/")
    await page.wait_for_load_state("networkidle")
    weights = await weigh(watch)
    assert sum(weights.values()) <= FIRST_PAGE_BYTES_MAX, weights
    assert weights["script"] <= SCRIPT_BYTES_MAX, weights
    assert weights["stylesheet"] <= STYLE_BYTES_MAX, weights


async def test_help_comes_first(watch: Watch, open_page: Opener) -> None:
    """The page somebody opens in need: itself and the shared style, nothing else before it can be read."""
    await open_page("/help-now", js=False)
    weights = await weigh(watch)
    assert weights["document"] + weights["stylesheet"] <= HELP_PAGE_BYTES_MAX, weights


def test_all_scripts_of_the_public_pages_together() -> None:
    """Also what is fetched later: the search and its worker. (The member app is weighed in test_app_bars.py.)"""
    assets = WEBUI / "dist" / "assets"
    if not assets.is_dir():
        pytest.skip("The web UI is not built.")
    names = {each.name for each in assets.glob("*.js")}
    entry = json.loads((WEBUI / "dist" / "assets.json").read_text())["public.js"].rpartition("/")[2]
    app = {name for name in names if name.startswith(("app-", "crypto.worker-"))}
    reached, waiting = set[str](), {entry}
    while waiting:
        name = waiting.pop()
        reached.add(name)
        text = (assets / name).read_text(encoding="utf-8")
        waiting |= {other for other in names - reached - app if other in text}
    assert any(name.startswith("search.worker-") for name in reached), reached
    assert sum(len(gzip.compress((assets / each).read_bytes(), 9)) for each in reached) <= SCRIPT_BYTES_MAX, reached
