"""How much the first page weighs over the wire."""

import gzip
from pathlib import Path

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


def test_all_scripts_together() -> None:
    scripts: list[Path] = sorted((WEBUI / "dist" / "assets").glob("*.js"))
    if not scripts:
        pytest.skip("The web UI is not built.")
    assert sum(len(gzip.compress(each.read_bytes(), 9)) for each in scripts) <= SCRIPT_BYTES_MAX
