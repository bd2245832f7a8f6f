"""``/print``: every meeting that fits, by day, for paper. Made in a thread: it is the longest page there is."""

import asyncio
from dataclasses import dataclass, field, replace
from typing import Any

from aiohttp import web

from hedgerow_node.directory.query import QueryError
from hedgerow_node.http import bounds
from hedgerow_node.http.api import query_problem, read_query
from hedgerow_node.http.cards import Beholder, all_facets
from hedgerow_node.http.pages_public import beholder
from hedgerow_node.http.site import SITE
from hedgerow_node.http.wording import place_line
from hedgerow_protocol.content import Meeting, Standing
from hedgerow_protocol.state import ShownListing

PAGE = 200
"""Listings read at a time."""

MONDAY_FIRST = (1, 2, 3, 4, 5, 6, 0)
_AFTER_ALL_TIMES = 1440


@dataclass(slots=True)
class PrintList:
    """Collects meetings by day."""

    by: Beholder
    days: dict[int, list[tuple[int, dict[str, Any]]]] = field(default_factory=dict)
    undated: list[dict[str, Any]] = field(default_factory=list)
    total: int = 0

    def add(self, shown: ShownListing) -> None:
        """Take one listing's meetings in."""
        for meeting in shown.content.meetings if shown.content is not None else ():
            if meeting.standing is not Standing.ACTIVE:
                continue
            self.total += 1
            entry = self._entry(shown, meeting)
            if meeting.weekday is None:
                self.undated.append(entry)
            else:
                start = _AFTER_ALL_TIMES if meeting.start is None else meeting.start
                self.days.setdefault(meeting.weekday, []).append((start, entry))

    def values(self) -> dict[str, Any]:
        """What the template shows."""
        wording = self.by.wording
        return {
            "days": [
                {
                    "label": wording.weekday(day),
                    "entries": [
                        entry for _, entry in sorted(self.days[day], key=lambda each: (each[0], each[1]["name"]))
                    ],
                }
                for day in MONDAY_FIRST
                if day in self.days
            ],
            "undated": self.undated,
            "printed_on": wording.plain_date(wording.today),
            "total": self.total,
        }

    def _entry(self, shown: ShownListing, meeting: Meeting) -> dict[str, Any]:
        wording = self.by.wording
        time = wording.span(meeting) if meeting.weekday is not None else wording.when(meeting)
        facets = all_facets(shown.content) if shown.content is not None else meeting.facets
        zone = wording.zone_of_meeting(meeting)
        return {
            "time": f"{time} ({zone})" if zone and meeting.start is not None else time,
            "name": shown.name,
            "place": place_line(meeting.place) if meeting.place is not None else "",
            "attendance": meeting.attendance.name.lower(),
            "languages": [wording.language_name(tag) for tag in facets.languages],
            "tags": wording.tags([*meeting.facets.formats, *meeting.facets.communities][:6]),
            "phone": meeting.online.phone if meeting.online is not None else "",
        }


async def print_list(request: web.Request) -> web.Response:
    """``GET /print``, with the filters of the search but no words."""
    site = request.app[SITE]
    view = site.pages.view(request)
    by = beholder(site, view)
    query = replace(read_query(request, ignore=("lang", "limit", "cursor", "q")), limit=PAGE)
    found: list[ShownListing] = []
    cursor = ""
    while len(found) < bounds.PRINT_LISTINGS_MAX:
        try:
            page = await site.directory.search(replace(query, cursor=cursor), now=by.now)
        except QueryError as error:
            raise query_problem(error) from error
        found += page.listings
        cursor = page.next or ""
        if not cursor:
            break

    def make() -> str:
        collected = PrintList(by)
        for shown in found:
            collected.add(shown)
        return site.pages.render(view, "print.html", {**collected.values(), "cut": bool(cursor)})

    return await site.pages.answer(request, view, await asyncio.to_thread(make))
