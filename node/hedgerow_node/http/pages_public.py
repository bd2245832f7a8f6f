"""Public pages: one listing, help now, about, leaving."""

import asyncio
from datetime import UTC, datetime
from typing import Any

from aiohttp import web

from hedgerow_node.http.cards import Beholder, is_web_address, listing_page, phone_href
from hedgerow_node.http.help_now.crisis_lines import CrisisFile, CrisisLine, read_crisis_file
from hedgerow_node.http.help_now.numbers import CountryNumbers, NumberList, emergency_numbers
from hedgerow_node.http.languages import by_preference, json_for_script
from hedgerow_node.http.pages_secure import client_facts
from hedgerow_node.http.problems import not_found
from hedgerow_node.http.rendering import View
from hedgerow_node.http.site import CALLER, SITE, Site
from hedgerow_node.http.wording import Wording
from hedgerow_node.schedule.zones import find_zone
from hedgerow_protocol.errors import RemoteError
from hedgerow_protocol.ids import LISTING_ID_BYTES, ListingId, from_text, to_text
from hedgerow_protocol.state import ShownListing


def beholder(site: Site, view: View, tz: str = "") -> Beholder:
    """Who looks now, in this view's language."""
    now = site.now()
    wording = Wording(view.language, datetime.fromtimestamp(now, UTC).date())
    return Beholder(view, wording, now, find_zone(tz[:64]) if tz else None)


async def find_listing(request: web.Request) -> ShownListing:
    """The listing named in the path. Raises Problem."""
    site = request.app[SITE]
    try:
        listing = ListingId(from_text(request.match_info["id"], LISTING_ID_BYTES))
    except RemoteError:
        raise not_found("There is no listing with this id.") from None
    shown = await site.directory.listing(listing, now=site.now())
    if shown is None:
        raise not_found("There is no listing with this id. It may have been taken back, or its time is over.")
    return shown


async def listing(request: web.Request) -> web.Response:
    """``/listings/{id}``."""
    site = request.app[SITE]
    shown = await find_listing(request)
    view = site.pages.view(request)
    by = beholder(site, view, request.query.get("tz", ""))
    path = f"/listings/{to_text(shown.id)}"
    values = {
        "listing": listing_page(by, shown),
        "ics_url": f"{site.prefix}{path}.ics",
        "ics_discreet_url": f"{site.prefix}{path}.ics?discreet=1",
        "json_url": f"{site.prefix}{path}.json",
        "json_ld": _json_ld(request, shown, path),
        "contested": shown.contested,
        "two_versions": shown.two_versions and not shown.contested,
    }
    return await site.pages.page(request, view, "listing.html", values, index=True)


def _json_ld(request: web.Request, shown: ShownListing, path: str) -> Any:
    """The listing for search engines; its address is the public one, else the one the visitor used."""
    if shown.content is None:
        return ""
    from hedgerow_node.formats.schema_org import listing_json_ld

    site = request.app[SITE]
    here = f"{request[CALLER].scheme}://{site.callers.host_of(request)}{site.prefix}"
    url = f"{site.pages.base_url or here}{path}"
    return json_for_script(listing_json_ld(shown, now=site.now(), url=url))


async def help_now(request: web.Request) -> web.Response:
    """``/help-now``: emergency numbers, and the lines this community checked."""
    site = request.app[SITE]
    view = site.pages.view(request)
    by = beholder(site, view)
    numbers = await asyncio.to_thread(emergency_numbers)
    lines = await read_lines(site)
    codes = {each.country for each in numbers.countries}
    asked = request.query.get("country")
    chosen = (asked if asked is not None else site.config.country).upper()[:2]
    chosen = chosen if chosen in codes else ""
    # A browser's language may name a country: a guess good enough to stand first, not to hide the others.
    wanted = by_preference(request.headers.get("Accept-Language", "")[:1_000])
    likely = {site.config.country} | {tag.split("-")[-1].upper() for tag in wanted if "-" in tag}
    values = {
        "countries": sorted(
            (_country(by, numbers, each) | {"likely": each.country in likely} for each in numbers.countries),
            key=lambda row: (row["code"] != site.config.country, not row["likely"], row["name"]),
        ),
        "chosen_country": chosen,
        "lines": [_line(by, each) for each in lines.lines if not chosen or each.country in ("", chosen)],
        "lines_checked_any": any(not each.is_old(by.wording.today) for each in lines.lines),
    }
    return await site.pages.page(request, view, "help_now.html", values, index=True)


async def read_lines(site: Site) -> CrisisFile:
    """The community's file as it is now: it is small, and an edit shows at once."""
    return await asyncio.to_thread(read_crisis_file, site.config.crisis_file)


def _country(by: Beholder, numbers: NumberList, each: CountryNumbers) -> dict[str, Any]:
    t = by.view.language.t
    return {
        "code": each.country,
        "name": by.wording.country(each.country),
        "emergency": [
            {
                "number": one.number,
                "href": f"tel:{one.number}",
                "label": "" if one.service == "all" else t(f"help.emergency.{one.service}"),
            }
            for one in each.numbers
        ],
        "checked": by.wording.plain_date(numbers.as_of),
        "source": numbers.source,
    }


def _line(by: Beholder, line: CrisisLine) -> dict[str, Any]:
    return {
        "name": line.name,
        "phone": line.phone,
        "phone_href": phone_href(line.phone),
        "sms": line.sms,
        "url": line.url if is_web_address(line.url) else "",
        "hours": line.hours,
        "languages": [by.wording.language_name(tag) for tag in line.languages],
        "for_whom": line.for_whom,
        "country": by.wording.country(line.country) if line.country else "",
        "checked": by.wording.plain_date(line.checked) if line.checked else "",
        "old": line.is_old(by.wording.today),
        "source": line.source or "–",
    }


async def about(request: web.Request) -> web.Response:
    """``/about``: who runs this, what it holds, what it knows about visitors."""
    site = request.app[SITE]
    view = site.pages.view(request)
    values = {
        "node": await shown_facts(site, view),
        "exports": [
            {"label_key": f"about.export.{name}", "url": f"{site.prefix}{path}"}
            for name, path in (
                ("meeting_guide", "/export/meetings.json"),
                ("calendar", "/export/calendar.ics"),
                ("hsds", "/export/hsds.json"),
                ("api", "/api/v1/listings"),
                ("openapi", "/api/v1/openapi.json"),
            )
        ],
        "source_url": site.source_url,
        "client": await client_facts(site),
        "differs": bundle_differs(site),
    }
    return await site.pages.page(request, view, "about.html", values, index=True)


async def node_facts(site: Site) -> dict[str, Any]:
    """What the API's status says, for pages."""
    counts = await site.directory.status(now=site.now())
    return {
        "id": to_text(site.node_id),
        "version": site.version,
        "listings": counts.listings,
        "meetings": counts.meetings,
        "records": counts.records,
        "state_hash": counts.state_hash,
        "peers": site.peers(),
        "bundle": site.webui.bundle.sha256,
        "client": site.webui.bundle.client,
        "bundle_differs": bundle_differs(site),
    }


def bundle_differs(site: Site) -> int:
    """How many connected nodes say that they serve another bundle of the same version."""
    return int(site.peering.status()["bundle_differs"]) if site.peering is not None else 0


async def shown_facts(site: Site, view: View) -> dict[str, Any]:
    """The same with numbers as the page's language writes them."""
    facts = await node_facts(site)
    return {name: view.language.number(value) if isinstance(value, int) else value for name, value in facts.items()}


async def leaving(request: web.Request) -> web.Response:
    """``/leaving``: what quick exit does and what it cannot do."""
    site = request.app[SITE]
    view = site.pages.view(request)
    return await site.pages.page(request, view, "leaving.html", {}, index=True)
