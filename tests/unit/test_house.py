"""The house stays worth living in: floors, file sizes, names, and modules that say what they are for."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
SOURCES = sorted((ROOT / "node" / "hedgerow_node").rglob("*.py")) + sorted(
    (ROOT / "protocol" / "hedgerow_protocol").rglob("*.py")
)
LINES_MAX = 400
# Longer files, each with the reason why it is one page all the same. This list may only shrink.
LONG: dict[str, str] = {}
DRAWERS = {"utils", "util", "helpers", "helper", "common", "misc", "manager", "core", "base"}


def name(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("path", SOURCES, ids=name)
def test_a_file_is_small_says_what_it_is_for_and_is_no_drawer(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= LINES_MAX or name(path) in LONG
    assert ast.get_docstring(ast.parse(text)), "a module begins with a sentence on its purpose"
    assert not DRAWERS & set(path.relative_to(ROOT).with_suffix("").parts)


@pytest.mark.parametrize("path", SOURCES, ids=name)
def test_public_things_say_what_they_are_for(path: Path) -> None:
    missing = [
        node.name
        for node in ast.parse(path.read_text(encoding="utf-8")).body
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        and not node.name.startswith("_")
        and not ast.get_docstring(node)
    ]
    assert not missing


def test_nothing_names_a_machine_or_a_registry() -> None:
    shown = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False)
    if shown.returncode:
        pytest.skip("not a git checkout")
    pattern = re.compile(r"/work/(main|shared|\.library)|/root/|registry\.npmjs|files\.pythonhosted")
    for listed in shown.stdout.split("\n"):
        path = ROOT / listed
        if not listed or path == Path(__file__) or not path.is_file() or listed in ("uv.lock",):
            continue
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        assert not pattern.search(text), listed


def test_the_floors_hold() -> None:
    command = [str(Path(sys.executable).parent / "lint-imports"), "--no-cache"]
    linted = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert linted.returncode == 0, linted.stdout[-3000:]
