"""What is made from the whole directory and kept until it changes: choices of the search form, lists, exports.

One of each is made at a time, in a thread; while a large directory is being imported, a slightly old one is served
rather than making a new one for every record.
"""

import asyncio
import json
from collections import Counter, OrderedDict
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from hedgerow_protocol.ports import Instant, Timestamp
from hedgerow_protocol.state import ShownListing

from hedgerow_node.formats.vocabulary import ACCESS_NEEDS
from hedgerow_node.http import bounds
from hedgerow_node.http.answers import Ready, make_ready
from hedgerow_node.http.cards import all_facets
from hedgerow_node.http.compact import VERSION, CompactList, region_of
from hedgerow_node.http.problems import not_found
from hedgerow_node.http.reads import Reads
from hedgerow_node.http.towns import Town, TownCounter
from hedgerow_node.http.wording import Wording

JSON = "application/json"

SLOW_SECONDS = 0.5
"""Seconds. What takes longer to make may be served while it is a little old."""

STALE_FACTOR = 20.0
"""How many times its own making something slow may be old while the directory keeps changing."""

SLICE_LISTINGS = 200
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
    _overview: _Kept[Overview] | None = None
    _ready: OrderedDict[tuple[str, ...], _Kept[Ready]] = field(default_factory=OrderedDict)
    _locks: dict[tuple[str, ...], asyncio.Lock] = field(default_factory=dict)
    _heavy: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(1))

    def version(self) -> tuple[int, int]:
        """Changes whenever a page could: with every accepted record, and each hour, when leases end."""
        return self.directory.generation, self.now() // 3600

    async def overview(self) -> Overview:
        """The choices of the search form."""
        kept = self._overview
        if kept is None or not self._fresh(kept):
            async with self._lock(("overview",)):
                kept = self._overview
                if kept is None or not self._fresh(kept):
                    kept = self._overview = await self._make(self._make_overview)
        return kept.made

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
        async with self._heavy:
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
        towns = TownCounter()
        count = 0
        async for shown in self.everything():
            count += 1
            content = shown.content
            if content is None:
                continue
            facets = all_facets(content)
            experiences.update(content.experiences)
            languages.update(facets.languages)
            access.update(tag for tag in facets.features if tag in ACCESS_NEEDS)
            zones.update(meeting.tz for meeting in content.meetings if meeting.tz)
            towns.add(meeting.place for meeting in content.meetings if meeting.place is not None)
        return Overview(
            listings=count,
            experiences=_ranked(experiences),
            languages=_ranked(languages),
            access=_ranked(access),
            towns=towns.towns(),
            zone=min(zones, key=lambda zone: (-zones[zone], zone), default=""),
        )

    async def _make_compact(self, wording: Wording, region: str | None) -> Ready:
        """One pass over all listings: beyond the bound they are only counted by region."""
        now = self.now()
        collected = CompactList(wording, now)
        regions: Counter[tuple[str, str]] = Counter()
        count = 0
        async for shown in self.everything():
            key, label = region_of(shown)
            regions[key, label] += 1
            if (region is None or key == region) and count <= bounds.COMPACT_LISTINGS_MAX:
                collected.add(shown)
                count += 1
        if region is not None and not count:
            raise not_found("There is no such region in this directory.")
        if region is None and count > bounds.COMPACT_LISTINGS_MAX:
            value: dict[str, Any] = {"v": VERSION, "made": now, "regions": _regions(regions, wording)}
        else:
            value = collected.value()
        return await asyncio.to_thread(json_ready, value)


def json_ready(value: Any, content_type: str = JSON) -> Ready:
    """A value as compact JSON, ready to send (blocking for large ones)."""
    body = json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
    return make_ready(body, content_type)


def _ranked(counter: Counter[str]) -> tuple[tuple[str, int], ...]:
    return tuple(sorted(counter.items(), key=lambda each: (-each[1], each[0])))


def _regions(regions: Counter[tuple[str, str]], wording: Wording) -> list[list[Any]]:
    elsewhere = wording.language.t("attendance.online")
    merged: dict[str, list[Any]] = {}
    for (key, label), count in sorted(regions.items()):
        row = merged.setdefault(key, [key, label or elsewhere, 0])
        row[2] += count
    ordered = sorted(merged.values(), key=lambda row: row[1].casefold())
    return ordered[: bounds.REGIONS_MAX]
