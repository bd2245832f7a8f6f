"""Exports for other programs: Meeting Guide, iCalendar, HSDS; whole or by the same filters as the search."""

import asyncio
import json
from collections.abc import Callable
from dataclasses import replace

from aiohttp import web

from hedgerow_node.directory.query import Query, QueryError
from hedgerow_node.http import bounds, security
from hedgerow_node.http.answers import Ready, answer_ready, make_ready
from hedgerow_node.http.api import public, query_problem, read_query
from hedgerow_node.http.pages_public import find_listing
from hedgerow_node.http.problems import Problem
from hedgerow_node.http.site import SITE, Site
from hedgerow_node.http.snapshots import JSON
from hedgerow_protocol.ids import to_text
from hedgerow_protocol.ports import Timestamp
from hedgerow_protocol.state import ShownListing

CALENDAR = "text/calendar; charset=utf-8"
DISCREET_TITLE = "Appointment"
"""The title of every entry of a discreet calendar when none is given."""

DISCREET_CHARACTERS_MAX = 60

Writer = Callable[[list[ShownListing], Timestamp], bytes]


async def meeting_guide(request: web.Request) -> web.StreamResponse:
    """``/export/meetings.json``: the field's common exchange format, a bare array of meetings."""

    def write(shown: list[ShownListing], now: Timestamp) -> bytes:
        from hedgerow_node.formats.meeting_guide_out import export_meeting_guide

        rows, _ = export_meeting_guide(shown)
        return _dump(rows)

    return await _export(request, "meetings", write, JSON)


async def hsds(request: web.Request) -> web.StreamResponse:
    """``/export/hsds.json``: Open Referral's Human Services Data Specification 3.0."""

    def write(shown: list[ShownListing], now: Timestamp) -> bytes:
        from hedgerow_node.formats.hsds_out import export_hsds

        value, _ = export_hsds(shown, now=now)
        return _dump(value)

    return await _export(request, "hsds", write, JSON)


async def calendar(request: web.Request) -> web.StreamResponse:
    """``/export/calendar.ics``: all meetings; ``?discreet=Title`` hides what they are."""
    discreet = _discreet(request)
    site = request.app[SITE]
    write = _calendar_writer(site, discreet)
    return await _export(request, f"calendar={discreet}", write, CALENDAR, ignore=("discreet",))


async def listing_calendar(request: web.Request) -> web.StreamResponse:
    """``/listings/{id}.ics``: one listing's meetings."""
    site = request.app[SITE]
    shown = await find_listing(request)
    discreet = _discreet(request)
    body = await asyncio.to_thread(_calendar_writer(site, discreet), [shown], site.now())
    response = public(answer_ready(request, make_ready(body, CALENDAR)))
    name = "calendar" if discreet else f"hedgerow-{to_text(shown.id)[:8]}"
    response.headers["Content-Disposition"] = f'attachment; filename="{name}.ics"'
    return response


def _calendar_writer(site: Site, discreet: str) -> Writer:
    def write(shown: list[ShownListing], now: Timestamp) -> bytes:
        from hedgerow_node.formats.ical_out import export_icalendar

        name = discreet or site.pages.community.name
        url = "" if discreet else site.pages.base_url
        return export_icalendar(shown, now=now, discreet=discreet, name=name, url=url)

    return write


def _discreet(request: web.Request) -> str:
    """The neutral title asked for: ``?discreet=1`` means an ordinary one."""
    said = request.query.get("discreet")
    if said is None:
        return ""
    title = " ".join(said.split())
    if len(title) > DISCREET_CHARACTERS_MAX or not title.isprintable():
        raise Problem(400, f"“discreet” is a title of at most {DISCREET_CHARACTERS_MAX} characters.", field="discreet")
    return DISCREET_TITLE if title.lower() in ("", "1", "yes", "true") else title


async def _export(
    request: web.Request, name: str, write: Writer, content_type: str, *, ignore: tuple[str, ...] = ()
) -> web.StreamResponse:
    site = request.app[SITE]
    query = read_query(request, ignore=(*ignore, "limit", "cursor"))

    async def make() -> Ready:
        now = site.now()
        shown = await _matching(site, query, now) if query.filtered else await _everything(site)
        return await asyncio.to_thread(lambda: make_ready(write(shown, now), content_type))

    # Only whole exports are kept: what somebody filtered by is not.
    keep = not query.filtered and name in ("meetings", "hsds", "calendar=")
    ready = await site.snapshots.ready(("export", name), make) if keep else await make()
    response = public(answer_ready(request, ready, cache=security.REVALIDATE))
    response.headers["X-Robots-Tag"] = "noindex"
    return response


async def _everything(site: Site) -> list[ShownListing]:
    shown: list[ShownListing] = []
    async for each in site.snapshots.everything():
        shown.append(each)
        if len(shown) > bounds.EXPORT_LISTINGS_MAX:
            raise _too_many()
    return shown


async def _matching(site: Site, query: Query, now: Timestamp) -> list[ShownListing]:
    shown: list[ShownListing] = []
    query = replace(query, limit=200, cursor="")
    while True:
        try:
            page = await site.directory.search(query, now=now)
        except QueryError as error:
            raise query_problem(error) from error
        shown += page.listings
        if not page.next:
            return shown
        if len(shown) > bounds.EXPORT_LISTINGS_MAX:
            raise _too_many()
        query = replace(query, cursor=page.next)


def _too_many() -> Problem:
    return Problem(
        413,
        f"One export holds at most {bounds.EXPORT_LISTINGS_MAX} listings. Narrow it with a filter, such as experience "
        "or near, or page through /api/v1/listings.",
    )


def _dump(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False, indent=1).encode()
