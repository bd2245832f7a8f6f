"""A wheel built twice is identical, carries the web UI, and a node started from it serves that UI.

The UI itself is taken as built here; `.ci/run` builds it twice from scratch as well and compares.
"""

import hashlib
import os
import re
import shutil
import subprocess
import sys
import urllib.request
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
LEFT_OUT = shutil.ignore_patterns(".git", ".venv*", "node_modules", "__pycache__", ".*_cache", ".hypothesis")


def build(folder: Path) -> Path:
    shutil.copytree(ROOT, folder, ignore=LEFT_OUT)
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder / "out")]
    built = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stderr
    return next((folder / "out").glob("*.whl"))


@pytest.mark.skipif(not (ROOT / "webui" / "dist" / ".stamp").exists(), reason="the web UI is not built here")
def test_a_wheel_is_reproducible_and_serves_the_ui(tmp_path: Path) -> None:
    wheels = [build(tmp_path / name) for name in ("one", "two")]
    sums = {hashlib.sha256(wheel.read_bytes()).hexdigest() for wheel in wheels}
    assert len(sums) == 1

    site = tmp_path / "site"
    with zipfile.ZipFile(wheels[0]) as wheel:
        wheel.extractall(site)
    command = [sys.executable, "-m", "hedgerow_node", "serve", "--data", str(tmp_path / "data"), "--port", "0"]
    environment = {**os.environ, "PYTHONPATH": str(site)}
    with subprocess.Popen(command, cwd=tmp_path, env=environment, stdout=subprocess.PIPE, text=True) as node:
        try:
            assert node.stdout is not None
            first = node.stdout.readline()
            address = re.search(r"http://\S+/", first)
            assert address, first
            with urllib.request.urlopen(address[0]) as answer:
                page = answer.read().decode()
            style = re.search(r'href="(/assets/[^"]+\.css)"', page)
            assert style, page[:800]
            with urllib.request.urlopen(address[0].rstrip("/") + style[1]) as answer:
                assert answer.headers["Content-Type"].startswith("text/css")
                assert (site / "hedgerow_node" / "_webui" / "dist").is_dir()
        finally:
            node.terminate()
            node.wait(timeout=20)
