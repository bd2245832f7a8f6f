"""What is made from the whole directory and kept until it changes: choices of the search form, lists, exports.

One of each is made at a time; while a large directory is being imported, a slightly old one is served
rather than making a new one for every record.
"""

import asyncio
import json
from collections import Counter, OrderedDict
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from hedgerow_node.formats.vocabulary import ACCESS_NEEDS
from hedgerow_node.http import bounds
from hedgerow_node.http.answers import Ready, make_ready
from hedgerow_node.http.cards import all_facets
from hedgerow_node.http.compact import VERSION, CompactList, region_of
from hedgerow_node.http.problems import not_found
from hedgerow_node.http.reads import Reads
from hedgerow_node.http.towns import Town, TownCounter
from hedgerow_node.http.wording import Wording
from hedgerow_protocol.ids import ListingId
from hedgerow_protocol.ports import Instant, Timestamp
from hedgerow_protocol.state import ShownListing

JSON = "application/json"

SLOW_SECONDS = 0.5
"""Seconds. What takes longer to make may be served while it is a little old."""

STALE_FACTOR = 20.0
"""How many times its own making something slow may be old while the directory keeps changing."""

PATIENCE_SECONDS = 1.5
"""Seconds. How long a page waits for the choices of the search form."""

SLICE_LISTINGS = 50
"""Listings handled between two pauses that let the loop answer others."""

_Made = TypeVar("_Made")


@dataclass(frozen=True, slots=True)
class Overview:
    """What the search form offers, most frequent first: (tag, listings)."""

    listings: int
    experiences: tuple[tuple[str, int], ...]
    languages: tuple[tuple[str, int], ...]
    access: tuple[tuple[str, int], ...]
    towns: tuple[Town, ...]
    zone: str
    """The zone most meetings are in: whose clock a visitor most likely has."""
    regions: Mapping[tuple[str, str], tuple[ListingId, ...]]
    """(key, label) of each region and its listings; empty unless there are too many listings for one compact list."""


NOTHING_YET = Overview(0, (), (), (), (), "", {})
"""Shown while the first overview of a large directory is still being made: the form works, with fewer choices."""


@dataclass(slots=True)
class _Kept(Generic[_Made]):
    made: _Made
    version: tuple[int, int]
    at: Instant
    took: float


@dataclass(slots=True)
class Snapshots:
    """Makes, keeps and forgets them."""

    directory: Reads
    now: Callable[[], Timestamp]
    monotonic: Callable[[], Instant]
    soon: tuple[tuple[tuple[int, int], int], tuple[ShownListing, ...]] | None = None
    """What is on now or soon, with the version and minute it was looked up for: see ``pages_directory``."""
    _overview: _Kept[Overview] | None = None
    _overview_task: "asyncio.Task[Overview] | None" = None
    _ready: OrderedDict[tuple[str, ...], _Kept[Ready]] = field(default_factory=OrderedDict)
    _locks: dict[tuple[str, ...], asyncio.Lock] = field(default_factory=dict)

    def version(self) -> tuple[int, int]:
        """Changes whenever a page could: with every accepted record, and each hour, when leases end."""
        return self.directory.generation, self.now() // 3600

    async def overview(self) -> Overview:
        """The choices of the search form; soon, rather than complete, while those of a large directory are made."""
        kept = self._overview
        if kept is not None and self._fresh(kept):
            return kept.made
        task = self._begin_overview()
        if kept is not None and kept.took > SLOW_SECONDS:
            return kept.made
        await asyncio.wait((task,), timeout=PATIENCE_SECONDS)
        if task.done():
            return task.result()
        return NOTHING_YET if kept is None else kept.made

    async def whole_overview(self) -> Overview:
        """The same, however long it takes."""
        kept = self._overview
        if kept is not None and self._fresh(kept):
            return kept.made
        return await asyncio.shield(self._begin_overview())

    def _begin_overview(self) -> "asyncio.Task[Overview]":
        if self._overview_task is None or self._overview_task.done():
            self._overview_task = asyncio.create_task(self._renew_overview(), name="overview")
        return self._overview_task

    async def _renew_overview(self) -> Overview:
        self._overview = await self._make(self._make_overview)
        return self._overview.made

    async def close(self) -> None:
        """Stop what is being made."""
        task = self._overview_task
        if task is not None and not task.done():
            task.cancel()
            await asyncio.wait((task,))

    async def ready(self, key: tuple[str, ...], make: Callable[[], Awaitable[Ready]]) -> Ready:
        """The body of this key, made by ``make`` when there is none or the directory changed."""
        kept = self._ready.get(key)
        if kept is None or not self._fresh(kept):
            async with self._lock(key):
                kept = self._ready.get(key)
                if kept is None or not self._fresh(kept):
                    kept = await self._make(make)
                    self._keep(key, kept)
        if key in self._ready:
            self._ready.move_to_end(key)
        return kept.made

    async def compact(self, wording: Wording, region: str | None) -> Ready:
        """The compact list in a language: all of it, or of one region where there are too many listings."""
        code = wording.language.code

        async def make() -> Ready:
            return await self._make_compact(wording, region)

        return await self.ready(("compact", code, "" if region is None else f"={region}"), make)

    def _fresh(self, kept: _Kept[Any]) -> bool:
        if kept.version == self.version():
            return True
        age = self.monotonic() - kept.at
        return kept.took > SLOW_SECONDS and age < STALE_FACTOR * kept.took

    async def _make(self, make: Callable[[], Awaitable[_Made]]) -> _Kept[_Made]:
        version, start = self.version(), self.monotonic()
        made = await make()
        end = self.monotonic()
        return _Kept(made, version, end, end - start)

    def _lock(self, key: tuple[str, ...]) -> asyncio.Lock:
        if len(self._locks) > 256:
            self._locks = {each: lock for each, lock in self._locks.items() if lock.locked()}
        return self._locks.setdefault(key, asyncio.Lock())

    def _keep(self, key: tuple[str, ...], kept: _Kept[Ready]) -> None:
        self._ready[key] = kept
        while len(self._ready) > 1 and sum(each.made.size for each in self._ready.values()) > (
            bounds.CACHED_ANSWER_BYTES_MAX
        ):
            self._ready.popitem(last=False)

    async def everything(self) -> AsyncIterator[ShownListing]:
        """Every shown listing, without holding the loop."""
        count = 0
        async for shown in self.directory.all_listings(now=self.now()):
            count += 1
            if count % SLICE_LISTINGS == 0:
                await asyncio.sleep(0)
            yield shown

    async def _make_overview(self) -> Overview:
        experiences: Counter[str] = Counter()
        languages: Counter[str] = Counter()
        access: Counter[str] = Counter()
        zones: Counter[str] = Counter()
        regions: dict[tuple[str, str], list[ListingId]] = {}
        towns = TownCounter()
        count = 0
        async for shown in self.everything():
            count += 1
            regions.setdefault(region_of(shown), []).append(shown.id)
            content = shown.content
            if content is None:
                continue
            facets = all_facets(content)
            experiences.update(content.experiences)
            languages.update(facets.languages)
            access.update(tag for tag in facets.features if tag in ACCESS_NEEDS)
            zones.update(meeting.tz for meeting in content.meetings if meeting.tz)
            towns.add(meeting.place for meeting in content.meetings if meeting.place is not None)
        large = count > bounds.COMPACT_LISTINGS_MAX
        return Overview(
            listings=count,
            experiences=_ranked(experiences),
            languages=_ranked(languages),
            access=_ranked(access),
            towns=towns.towns(),
            zone=min(zones, key=lambda zone: (-zones[zone], zone), default=""),
            regions={region: tuple(ids) for region, ids in regions.items()} if large else {},
        )

    async def _make_compact(self, wording: Wording, region: str | None) -> Ready:
        now = self.now()
        overview = await self.whole_overview()
        if overview.regions and region is None:
            return json_ready({"v": VERSION, "made": now, "regions": _regions(overview, wording)})
        collected = CompactList(wording, now)
        count = 0
        async for shown in self._in_region(overview, region):
            collected.add(shown)
            count += 1
        if region is not None and not count:
            raise not_found("There is no such region in this directory.")
        return await asyncio.to_thread(json_ready, collected.value())

    async def _in_region(self, overview: Overview, region: str | None) -> AsyncIterator[ShownListing]:
        """The listings of a region; of all regions when none is named (then there are not too many)."""
        if not overview.regions:
            async for shown in self.everything():
                if region is None or region_of(shown)[0] == region:
                    yield shown
            return
        ids = [listing for (key, _), listings in overview.regions.items() if key == region for listing in listings]
        for listing in ids[: bounds.COMPACT_LISTINGS_MAX]:
            found = await self.directory.listing(listing, now=self.now())
            if found is not None:
                yield found


def json_ready(value: Any, content_type: str = JSON) -> Ready:
    """A value as compact JSON, ready to send (blocking for large ones)."""
    body = json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
    return make_ready(body, content_type)


def _ranked(counter: Counter[str]) -> tuple[tuple[str, int], ...]:
    return tuple(sorted(counter.items(), key=lambda each: (-each[1], each[0])))


def _regions(overview: Overview, wording: Wording) -> list[list[Any]]:
    """(key, label, listings) by label; what has no place of its own is called as what can be joined from afar."""
    elsewhere = wording.language.t("attendance.online")
    merged: dict[str, list[Any]] = {}
    for (key, label), listings in sorted(overview.regions.items()):
        row = merged.setdefault(key, [key, label or elsewhere, 0])
        row[2] += len(listings)
    ordered = sorted(merged.values(), key=lambda row: row[1].casefold())
    return ordered[: bounds.REGIONS_MAX]
