"""The previous release and this checkout in one room, each as hub and as home: for as long as both are in use.

Which release that is, and what its wheel hashes to, stands in ``tests/releases.toml``. A copy of this checkout is run
in the same way, so that what is run on the day of the first release has been run before.
"""

import asyncio
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import AsyncIterator, Sequence
from contextlib import ExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from test_federation_nodes import offered, welcomed

from hedgerow_node import clock
from member_devices import Device
from networks import eventually
from running_node import environment, running_node

ROOT = Path(__file__).resolve().parents[2]
RELEASES = ROOT / "tests" / "releases.toml"


def releases() -> list[dict[str, str]]:
    """All of them, the newest last."""
    found: list[dict[str, str]] = tomllib.loads(RELEASES.read_text(encoding="utf-8"))["release"]
    return found


def previous_wheel() -> Path:
    """The newest release's wheel, as it was published. Skips where there is none."""
    known = releases()
    if not known:
        pytest.skip("There is no release yet: tests/releases.toml lists none.")
    newest, given = known[-1], os.environ.get("HEDGEROW_RELEASES")
    wheel = Path(given or ROOT / ".releases") / newest["wheel"]
    if not wheel.exists():
        assert given is None, f"{wheel.name} is not in the folder that HEDGEROW_RELEASES names."
        pytest.skip(f"The wheel of {newest['version']} is not here: put {wheel.name} into .releases.")
    assert hashlib.sha256(wheel.read_bytes()).hexdigest() == newest["sha256"], "this is not the wheel of that release"
    return wheel


def test_every_release_says_what_its_wheel_is() -> None:
    for each in releases():
        assert set(each) == {"version", "wheel", "sha256"}
        assert each["wheel"] == f"hedgerow-{each['version']}-py3-none-any.whl"
        assert len(bytes.fromhex(each["sha256"])) == 32


def run_from(site: Path) -> Sequence[str]:
    """What stands before a command so that it runs the program below a folder."""
    return ("env", f"PYTHONPATH={site}")


def link_of(data: Path, site: Path | None) -> str:
    """An invitation to a running node, made with its own program."""
    command = [*(run_from(site) if site else ()), sys.executable, "-m", "hedgerow_node", "invite", "--json"]
    ran = subprocess.run(
        [*command, "--data", str(data)], capture_output=True, text=True, env=environment(), timeout=60, check=True
    )
    return str(json.loads(ran.stdout)["url"])


@asynccontextmanager
async def two(tmp_path: Path, hub: Path | None, home: Path | None) -> AsyncIterator[tuple[Device, Device]]:
    """A member at each of two nodes, of which the second calls the first; each runs the program below a folder."""
    with ExitStack() as stack:
        async with aiohttp.ClientSession() as http:
            devices: list[Device] = []
            peers: list[str] = []
            for name, site in (("hub", hub), ("home", home)):
                within = run_from(site) if site else ()
                node = stack.enter_context(running_node(tmp_path / name, "--fanout-ms", "0", *peers, within=within))
                device = Device(http, f"{node.url}api/v1")
                await device.register(link_of(tmp_path / name, site))
                devices.append(device)
                peers = ["--peer", node.url.rstrip("/")]
            yield devices[0], devices[1]


async def talk(ash: Device, birch: Device) -> None:
    """A room at one's node, a member of the other's in it; both write, and both logs are the same."""
    room = await ash.found()
    async with asyncio.timeout(90):
        birch.rooms[room], welcome = await offered(birch, ash, room, clock.now())
        await ash.fine("POST", f"/rooms/{room}/log", ash.commit(room, epoch=0, seen=0, welcomes=[welcome]))
        assert await welcomed(birch, room) == 1
        for _ in range(3):
            await birch.write(room, epoch=1)
            await ash.write(room, epoch=1)

        async def has_all() -> bool:
            return len(await birch.log(room)) == 7

        await eventually(has_all, "all of it at home", 60)
        assert await birch.log(room) == await ash.log(room)
        places: dict[str, Any] = await birch.fine("GET", f"/rooms/{room}/places")
        assert places == {"hub": ash.node_id, "followers": [birch.node_id]}


def _this_checkout(tmp_path: Path) -> Path:
    """A copy of the program as a wheel holds it, without the pages, which nobody asks for here."""
    site = tmp_path / "site"
    for part, name in (("node", "hedgerow_node"), ("protocol", "hedgerow_protocol")):
        shutil.copytree(ROOT / part / name, site / name, ignore=shutil.ignore_patterns("__pycache__"))
    (site / "hedgerow_node" / "_webui").symlink_to(ROOT / "webui")
    return site


def _program(site: Path) -> str:
    """Where the program lies that is run from a folder."""
    ask = "import hedgerow_node; print(hedgerow_node.__file__)"
    command = [*run_from(site), sys.executable, "-c", ask]
    return subprocess.run(command, capture_output=True, text=True, env=environment(), check=True).stdout


async def test_the_way_in_which_it_is_run_works(tmp_path: Path) -> None:
    site = _this_checkout(tmp_path)
    assert _program(site).startswith(str(site)), "the one below that folder, and not this one"
    async with two(tmp_path, site, None) as (ash, birch):
        await talk(ash, birch)
        await talk(birch, ash)


async def test_the_previous_release_and_this_one_talk(tmp_path: Path) -> None:
    wheel, site = previous_wheel(), tmp_path / "site"
    with zipfile.ZipFile(wheel) as packed:
        packed.extractall(site)
    for hub, home in ((site, None), (None, site)):
        folder = tmp_path / ("old" if hub else "new")
        folder.mkdir()
        async with two(folder, hub, home) as (ash, birch):
            await talk(ash, birch)
            await talk(birch, ash)
