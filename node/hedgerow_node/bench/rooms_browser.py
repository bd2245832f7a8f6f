"""What the member app takes in Chromium, and what its engine weighs: where Chromium, Playwright and the sources are."""

import importlib
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any, Final

from hedgerow_node.bench import rooms_typing
from hedgerow_node.bench.measure import Figure
from hedgerow_node.bench.rooms_client import WEBUI, node_program

ADD_MS_MAX: Final = 400.0
RECEIVE_MS_MAX: Final = 5.0
CHUNK_KB_MAX: Final = 80.0
ROUNDS: Final = 5

PAGE: Final = "https://example.org/"
"""A secure context that is answered from memory: WebCrypto is there in no other."""

_IN_WORKER: Final = """
(rounds) => new Promise((resolve, reject) => {
  const worker = new Worker("/measure.js", { type: "module" });
  worker.onmessage = (event) => resolve(event.data);
  worker.onerror = (event) => reject(new Error(event.message));
  worker.postMessage(rounds);
})
"""

_CRYPTO_ASSETS: Final = ("crypto.worker-*.js.gz", "engine-*.js.gz")


def figures(folder: Path) -> list[Figure]:
    """Nothing, where something of it is missing: an installed node has no sources and no browser."""
    found = _weight(WEBUI / "dist" / "assets")
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    try:
        playwright = importlib.import_module("playwright.sync_api")
    except ImportError:
        return found
    if chromium is None:
        return found
    return [*found, *_times(folder, playwright, chromium), *rooms_typing.figures(folder, playwright, chromium)]


def _weight(assets: Path) -> list[Figure]:
    files = [file for pattern in _CRYPTO_ASSETS for file in assets.glob(pattern)]
    if len(files) != len(_CRYPTO_ASSETS):
        return []
    size = sum(file.stat().st_size for file in files) / 1000
    return [Figure("crypto_chunk", size, "KB", CHUNK_KB_MAX, "gzip: the worker and the engine it loads")]


def _times(folder: Path, playwright: Any, chromium: str) -> list[Figure]:
    node, bundler = node_program(), WEBUI / "measure" / "bundle.mjs"
    if node is None or not bundler.is_file() or not (WEBUI / "node_modules").is_dir():
        return []
    subprocess.run([node, str(bundler), str(folder / "bundle")], cwd=WEBUI, check=True, capture_output=True)
    taken = _measured(playwright, chromium, folder / "bundle")
    return [
        Figure("crypto_add_50", taken["add"], "ms", ADD_MS_MAX, "one commit that adds fifty members, in Chromium"),
        Figure("crypto_receive", taken["receive"], "ms", RECEIVE_MS_MAX, "opening a message, in Chromium: the engine"),
        Figure("crypto_send", taken["send"], "ms", None, "sealing a message, in Chromium: the engine"),
    ]


def _measured(playwright: Any, chromium: str, bundle: Path) -> dict[str, float]:
    def answer(route: Any) -> None:
        file = bundle / route.request.url.removeprefix(PAGE)
        if file.is_file():
            route.fulfill(path=file, content_type="text/javascript")
        else:
            route.fulfill(body="<!doctype html><title>.</title>", content_type="text/html")

    sandbox = ["--no-sandbox"] if os.geteuid() == 0 else []
    with playwright.sync_playwright() as running:
        browser = running.chromium.launch(executable_path=chromium, args=sandbox)
        context = browser.new_context()
        context.route("**/*", answer)
        page = context.new_page()
        page.goto(PAGE)
        taken: dict[str, float] = page.evaluate(_IN_WORKER, ROUNDS)
        browser.close()
    return taken
