"""What is made of the whole directory: kept while nothing changed, cut by region when large, never waited for."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from hedgerow_node.http import bounds, snapshots
from hedgerow_node.http.snapshots import NOTHING_YET, Snapshots, json_ready
from hedgerow_protocol.content import ListingContent, Place
from hedgerow_protocol.ports import Timestamp
from hedgerow_protocol.state import ShownListing
from http_site import SAMPLE, Clock, MemoryDirectory, make_app, put, weekly


@dataclass(slots=True)
class GatedDirectory(MemoryDirectory):
    """A directory whose listings come only when the gate is open."""

    gate: asyncio.Event = field(default_factory=asyncio.Event)
    passes: int = 0

    async def all_listings(self, *, now: Timestamp) -> AsyncIterator[ShownListing]:
        self.passes += 1
        await self.gate.wait()
        for each in self._all(now):
            yield each


async def test_one_pass_serves_many(tmp_path: Path) -> None:
    directory, clock = GatedDirectory(), Clock()
    await put(directory, SAMPLE)
    directory.gate.set()
    kept = Snapshots(directory, clock.timestamp, clock.monotonic)
    overviews = await asyncio.gather(*(kept.overview() for _ in range(20)))
    assert directory.passes == 1
    assert dict(overviews[0].experiences) == {
        "bereavement": 1, "chronic-illness": 1, "hearing-voices": 1, "parenting": 1,
    }  # fmt: skip
    assert {town.name for town in overviews[0].towns} == {"Leeds", "York"}
    assert overviews[0].zone == "Europe/London"
    clock.now += 3600
    await kept.overview()
    assert directory.passes == 2, "leases end at whole hours"
    await put(directory, [ListingContent(name="New", experiences=("caring",))], first=9)
    assert dict((await kept.overview()).experiences)["caring"] == 1


async def test_a_page_does_not_wait_for_a_large_directory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(snapshots, "PATIENCE_SECONDS", 0.01)
    directory, clock = GatedDirectory(), Clock()
    await put(directory, SAMPLE)
    kept = Snapshots(directory, clock.timestamp, clock.monotonic)
    assert await kept.overview() is NOTHING_YET
    assert await kept.overview() is NOTHING_YET
    assert directory.passes == 1
    clock.elapsed += 10  # it took ten seconds
    directory.gate.set()
    assert (await kept.whole_overview()).listings == 3
    directory.gate.clear()
    await put(directory, [ListingContent(name="New")], first=9)
    assert (await kept.overview()).listings == 3, "a little old, while it keeps changing"
    assert directory.passes == 1
    clock.elapsed += 1000
    assert (await kept.overview()).listings == 3, "still at once; a new one is being made"
    directory.gate.set()
    assert (await kept.whole_overview()).listings == 4
    directory.gate.clear()
    clock.now += 3600
    clock.elapsed += 10_000
    await kept.overview()
    await kept.close()


async def test_a_large_list_is_cut_by_region(
    aiohttp_client: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bounds, "COMPACT_LISTINGS_MAX", 4)
    directory = MemoryDirectory()
    contents = []
    for number, (country, state) in enumerate([("USA", "CA")] * 3 + [("USA", "MA")] * 2 + [("", "")] * 2):
        place = Place(city=f"Town {number}", state=state, country=country) if country else None
        contents.append(ListingContent(name=f"Circle {number}", meetings=(weekly("a", 1, 600, place=place),)))
    await put(directory, contents)
    client = await aiohttp_client(make_app(tmp_path, directory))
    index = await (await client.get("/directory/list.json?lang=en")).json()
    assert "listings" not in index
    assert {(key, count) for key, _, count in index["regions"]} == {("usa, ca", 3), ("usa, ma", 2), ("", 2)}
    assert all(label for _, label, _ in index["regions"])
    names: list[str] = []
    for key, _, count in index["regions"]:
        part = await (await client.get("/directory/list.json", params={"lang": "en", "region": key})).json()
        assert len(part["listings"]) == count
        names += [row[1] for row in part["listings"]]
    assert sorted(names) == sorted(each.name for each in contents)
    assert (await client.get("/directory/list.json?region=atlantis")).status == 404


async def test_kept_bodies_stay_within_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bounds, "CACHED_ANSWER_BYTES_MAX", 10_000)
    clock = Clock()
    kept = Snapshots(MemoryDirectory(), clock.timestamp, clock.monotonic)
    made = 0

    async def make() -> Any:
        nonlocal made
        made += 1
        return json_ready("x" * 3_000)

    for number in range(10):
        await kept.ready((str(number),), make)
    await kept.ready(("9",), make)
    assert made == 10
    await kept.ready(("0",), make)
    assert made == 11


async def test_a_failure_is_not_kept(tmp_path: Path) -> None:
    clock = Clock()
    kept = Snapshots(MemoryDirectory(), clock.timestamp, clock.monotonic)

    async def fail() -> Any:
        raise KeyError("no")

    with pytest.raises(KeyError):
        await kept.ready(("a",), fail)

    async def make() -> Any:
        return json_ready(1)

    assert (await kept.ready(("a",), make)).body == b"1"
