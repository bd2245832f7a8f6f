"""``/``: the search form and its results. ``GET`` takes every filter but words; words come by ``POST`` only."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from math import inf
from typing import Any

from aiohttp import web

from hedgerow_node.directory.query import Query, QueryError, query_from_params
from hedgerow_node.http.cards import Beholder, card, next_moment
from hedgerow_node.http.forms import read_form
from hedgerow_node.http.rendering import View
from hedgerow_node.http.site import SITE, Site
from hedgerow_node.http.snapshots import Overview
from hedgerow_node.http.towns import find_town
from hedgerow_node.http.wording import Wording, zone_or_utc
from hedgerow_node.schedule.zones import find_zone
from hedgerow_protocol.state import ShownListing

TOWNS_OFFERED = 200
EXPERIENCES_OFFERED = 200
FIRST_PAGE_LISTINGS = 25
"""Listings on one page: with style and form below 50 KB over the wire."""

NOW_LISTINGS_MAX = 200
"""Listings looked at for "on now or soon"; more than that begin within two hours only in very large directories."""

NOW_SHOWN_LISTINGS_MAX = 50
"""Listings on the page "on now or soon", which has no second page: who wants more chooses a town or a language."""

SORTED_LISTINGS = 100
"""Listings put in order at a time, the soonest first: what filters without words find, and small directories."""

THE_OTHERS = "others"
"""The cursor after the first page, which shows what is on soonest: from here on, all listings as they come."""

NOW_BACK_MINUTES = 90
NOW_AHEAD_MINUTES = 120
FIRST_AHEAD_MINUTES = 720
"""Minutes. How far the page that asks for nothing looks ahead when little is on now."""

PARTS = {
    "morning": ("05:00", "11:59"),
    "afternoon": ("12:00", "17:59"),
    "evening": ("18:00", "23:59"),
    "night": ("00:00", "04:59"),
}
_SINGLE = ("q", "experience", "part", "from", "until", "attendance", "town", "km", "language", "near", "tz")
_REPEATED = ("weekday", "access")
KM_DEFAULT = "25"


@dataclass(slots=True)
class Wish:
    """What the form says, and what it becomes."""

    values: dict[str, Any]
    query: Query = field(default_factory=Query)
    now_only: bool = False
    skip: int = 0
    """How many of the listings put in order were on the pages before."""
    others: bool = False
    """The first page, of what is on soonest, was seen."""
    unknown_town: str = ""
    errors: list[dict[str, str]] = field(default_factory=list)

    @property
    def searched(self) -> bool:
        return any(self.values[name] for name in (*_SINGLE, *_REPEATED) if name not in ("km", "tz"))


async def directory_page(request: web.Request) -> web.Response:
    """``GET /``: everything, or by filters in the address."""
    pairs = [(name, value) for name, value in request.query.items() if name not in ("lang", "q")]
    return await _answer(request, pairs)


async def directory_search(request: web.Request) -> web.Response:
    """``POST /``: the form, words included, so that they stay out of addresses, histories and proxies' logs."""
    form = await read_form(request)
    return await _answer(request, [(name, value) for name, value in form.items() if isinstance(value, str)])


async def _answer(request: web.Request, pairs: list[tuple[str, str]]) -> web.Response:
    site = request.app[SITE]
    view = site.pages.view(request)
    overview = await site.snapshots.overview()
    now = site.now()
    wording = Wording(view.language, datetime.fromtimestamp(now, UTC).date())
    wish = read_wish(pairs, overview, view)
    by = Beholder(view, wording, now, find_zone(wish.query.tz) if wish.values["tz"] else None, _point(wish.query))
    shown: tuple[ShownListing, ...] = ()
    following, total = "", None
    if wish.errors:
        pass
    elif wish.now_only:
        shown = await _on_now(site, wish, by, overview)
        total = len(shown) if len(shown) < NOW_SHOWN_LISTINGS_MAX else None
    else:
        try:
            shown, following, total = await _found(site, wish, by, overview)
        except QueryError as error:
            wish.errors.append({"field": error.field, "text": error.sentence})
    if total is None and not wish.searched and not wish.errors:
        total = overview.listings
    values = {
        "cards": [card(by, each) for each in shown],
        "total": total,
        "shown_from": 1 if shown else 0,
        "searched": wish.searched,
        "errors": wish.errors,
        "values": wish.values,
        "options": options(overview, wording),
        "list_url": view.url("/directory/list.json"),
        "next": following,
        "unknown_town": wish.unknown_town,
        "tz": wish.query.tz,
    }
    status = 400 if wish.errors else 200
    index = request.method == "GET" and not wish.searched
    return await site.pages.page(request, view, "directory.html", values, status=status, index=index)


async def _found(
    site: Site, wish: Wish, by: Beholder, overview: Overview
) -> tuple[tuple[ShownListing, ...], str, int | None]:
    """A page of listings, the cursor of the next, and how many there are where that is known."""
    few = overview.listings <= SORTED_LISTINGS
    if not (wish.searched or wish.others or wish.query.cursor or few):
        soon = await _now_and_next(site, by, overview)
        if len(soon) == FIRST_PAGE_LISTINGS:
            return soon, THE_OTHERS if overview.listings > len(soon) else "", None
        page = await site.directory.search(wish.query, now=by.now)
        return _first(soon, page.listings), page.next or "", page.total
    if wish.query.q or wish.query.near is not None or not (wish.searched or few):  # these have an order of their own
        page = await site.directory.search(wish.query, now=by.now)
        return page.listings, page.next or "", page.total
    page = await site.directory.search(replace(wish.query, limit=SORTED_LISTINGS), now=by.now)
    by = replace(by, zone=by.zone or zone_or_utc(wish.query.tz or overview.zone or "UTC"))
    ordered = sorted(page.listings, key=lambda shown: _begins(by, shown))
    end = wish.skip + FIRST_PAGE_LISTINGS
    following = f"{end}~{wish.query.cursor}" if end < len(ordered) else f"0~{page.next}" if page.next else ""
    return tuple(ordered[wish.skip : end]), following, page.total


def _begins(by: Beholder, shown: ShownListing) -> float:
    moment = next_moment(by, shown.content.meetings) if shown.content is not None else None
    return inf if moment is None else moment[1].begins


def _first(soon: tuple[ShownListing, ...], others: tuple[ShownListing, ...]) -> tuple[ShownListing, ...]:
    """What is on now goes first; later pages may show it once more in its own place."""
    ids = {each.id for each in soon}
    return (*soon, *(each for each in others if each.id not in ids))


async def _now_and_next(site: Site, by: Beholder, overview: Overview) -> tuple[ShownListing, ...]:
    """What begins the page that asks for nothing: the same for everybody, so it is looked up once a minute."""
    key = (site.snapshots.version(), by.now // 60)
    if site.snapshots.soon is None or site.snapshots.soon[0] != key:
        nothing, anybody = Wish(dict.fromkeys((*_SINGLE, *_REPEATED), "")), replace(by, zone=None)
        found = await _on_now(site, nothing, anybody, overview)
        if len(found) < FIRST_PAGE_LISTINGS:
            found = await _on_now(site, nothing, anybody, overview, FIRST_AHEAD_MINUTES)
        site.snapshots.soon = (key, found[:FIRST_PAGE_LISTINGS])
    return site.snapshots.soon[1]


def read_wish(pairs: Iterable[tuple[str, str]], overview: Overview, view: View) -> Wish:
    """Turn the form's own fields (part of day, town, km) into a query; what is unknown is ignored, as in any form."""
    values: dict[str, Any] = dict.fromkeys(_SINGLE, "") | {name: [] for name in _REPEATED}
    cursor = ""
    for name, value in pairs:
        value = value.strip()
        if name in _REPEATED and value and value not in values[name]:
            values[name].append(value)
        elif name in _SINGLE:
            values[name] = value
        elif name == "cursor":
            cursor = value
    wish = Wish(values, others=cursor == THE_OTHERS)
    cursor = "" if wish.others else cursor
    if "~" in cursor:
        skip, _, cursor = cursor.partition("~")
        wish.skip = min(int(skip), SORTED_LISTINGS) if skip.isascii() and skip.isdecimal() and len(skip) < 4 else 0
    params = [(name, values[name]) for name in ("q", "experience", "language", "tz")]
    params += [(name, value) for name in _REPEATED for value in values[name]]
    params += _when_params(wish)
    params += [("attendance", values["attendance"]), ("cursor", cursor), ("limit", str(FIRST_PAGE_LISTINGS))]
    near = values["near"] or _near_town(wish, overview)
    if near:
        params.append(("near", near))
    try:
        wish.query = query_from_params(params)
    except QueryError as error:
        name = "town" if error.field == "near" else error.field
        wish.errors.append({"field": name, "text": error.sentence})
    return wish


def options(overview: Overview, wording: Wording) -> dict[str, Any]:
    """What the search form offers, named in the page's language; only what leads to at least one listing."""

    def rows(counted: Iterable[tuple[str, int]], name: Any) -> list[dict[str, Any]]:
        return [{"value": tag, "label": name(tag), "count": count} for tag, count in counted]

    return {
        "experience": sorted(
            rows(overview.experiences[:EXPERIENCES_OFFERED], wording.tag), key=lambda row: row["label"].casefold()
        ),
        "language": rows(overview.languages, wording.language_name),
        "access": rows(overview.access, wording.tag),
        "towns": [town.name for town in overview.towns[:TOWNS_OFFERED]],
    }


def _when_params(wish: Wish) -> list[tuple[str, str]]:
    part = wish.values["part"]
    if part == "now":
        wish.now_only = True
        return []
    if part in PARTS and not (wish.values["from"] or wish.values["until"]):
        start, end = PARTS[part]
        return [("from", start), ("until", end)]
    return [("from", wish.values["from"]), ("until", wish.values["until"])]


def _near_town(wish: Wish, overview: Overview) -> str:
    said = wish.values["town"]
    if not said:
        return ""
    km = wish.values["km"] or KM_DEFAULT
    parts = said.split(",")
    if len(parts) == 2 and all(_is_degrees(part) for part in parts):
        return f"{parts[0].strip()},{parts[1].strip()},{km}"
    town = find_town(overview.towns, said)
    if town is None:
        wish.unknown_town = said
        return ""
    return f"{town.latitude:.5f},{town.longitude:.5f},{km}"


def _is_degrees(text: str) -> bool:
    return text.strip().lstrip("-").replace(".", "", 1).isdigit() and len(text) < 16


def _point(query: Query) -> tuple[float, float] | None:
    return query.near[:2] if query.near is not None else None


async def _on_now(
    site: Site, wish: Wish, by: Beholder, overview: Overview, ahead: int = NOW_AHEAD_MINUTES
) -> tuple[ShownListing, ...]:
    """What is on now or begins within ``ahead`` minutes; just begun or about to begin comes first."""
    zone_name = wish.query.tz or overview.zone or "UTC"
    zone = zone_or_utc(zone_name)
    moment = datetime.fromtimestamp(by.now, zone)
    low, high = moment - timedelta(minutes=NOW_BACK_MINUTES), moment + timedelta(minutes=ahead)
    weekdays = {(each.weekday() + 1) % 7 for each in (low, high)}
    query = replace(
        wish.query,
        weekdays=tuple(sorted(weekdays)),
        from_min=low.hour * 60 + low.minute,
        until_min=high.hour * 60 + high.minute,
        tz=zone_name,
        limit=NOW_LISTINGS_MAX,
        cursor="",
    )
    page = await site.directory.search(query, now=by.now)
    beholder = replace(by, zone=by.zone or zone)
    found: list[tuple[int, ShownListing]] = []
    for shown in page.listings:
        next_one = next_moment(beholder, shown.content.meetings) if shown.content is not None else None
        if next_one is not None and next_one[1].begins <= by.now + 60 * ahead:
            found.append((abs(next_one[1].begins - by.now), shown))
    found.sort(key=lambda each: each[0])
    return tuple(shown for _, shown in found[:NOW_SHOWN_LISTINGS_MAX])
