"""The JSON API under ``/api/v1``: the same search as the pages, for programs. Public data, open to every origin."""

import asyncio

from aiohttp import web

from hedgerow_node.directory.query import Query, QueryError, query_from_params
from hedgerow_node.http import security
from hedgerow_node.http.answers import Ready, answer_once, answer_ready, dump, make_ready
from hedgerow_node.http.openapi import openapi_document
from hedgerow_node.http.pages_public import bundle_differs, find_listing, node_facts
from hedgerow_node.http.problems import Problem
from hedgerow_node.http.site import SITE
from hedgerow_node.http.snapshots import JSON, json_ready
from hedgerow_protocol.state import ShownListing

INLINE_LISTINGS = 20
"""Listings turned into JSON on the loop; more go to a thread, so that nobody else waits."""


async def listings(request: web.Request) -> web.StreamResponse:
    """``GET /api/v1/listings``."""
    site = request.app[SITE]
    query = read_query(request)
    if query.filtered or query.cursor:
        return await _search(request, query)
    # The first page of everything says nothing about anybody, so it may be kept ready.
    ready = await site.snapshots.ready(("api", str(query.limit)), lambda: _first_page(request, query))
    return public(answer_ready(request, ready))


async def _search(request: web.Request, query: Query) -> web.StreamResponse:
    body = await _page_body(request, query)
    response = await answer_once(request, body, JSON, cache=security.NO_STORE)
    return public(response)


async def _first_page(request: web.Request, query: Query) -> Ready:
    return make_ready(await _page_body(request, query), JSON)


async def _page_body(request: web.Request, query: Query) -> bytes:
    site = request.app[SITE]
    try:
        page = await site.directory.search(query, now=site.now())
    except QueryError as error:
        raise query_problem(error) from error
    if len(page.listings) > INLINE_LISTINGS:
        return await asyncio.to_thread(_body, page.listings, page.next)
    return _body(page.listings, page.next)


def _body(shown: tuple[ShownListing, ...], following: str | None) -> bytes:
    from hedgerow_node.formats.listing_json import listing_json

    return dump({"listings": [listing_json(each) for each in shown], "next": following or None})


async def listing(request: web.Request) -> web.StreamResponse:
    """``GET /api/v1/listings/{id}`` and ``/listings/{id}.json``."""
    shown = await find_listing(request)
    from hedgerow_node.formats.listing_json import listing_json

    ready = make_ready(dump(listing_json(shown)), JSON)
    return public(answer_ready(request, ready))


async def status(request: web.Request) -> web.StreamResponse:
    """``GET /api/v1/status``: what this node is and holds."""
    site = request.app[SITE]

    async def make() -> Ready:
        facts = await node_facts(site)
        facts["node_id"] = facts.pop("id")
        return make_ready(dump(facts), JSON)

    ready = await site.snapshots.ready(("status", str(site.peers()), str(bundle_differs(site))), make)
    return public(answer_ready(request, ready))


async def openapi(request: web.Request) -> web.StreamResponse:
    """``GET /api/v1/openapi.json``: the description of this API."""
    site = request.app[SITE]

    async def make() -> Ready:
        return await asyncio.to_thread(json_ready, openapi_document(site.version, site.pages.base_url or site.prefix))

    return public(answer_ready(request, await site.snapshots.ready(("openapi",), make)))


async def preflight(request: web.Request) -> web.Response:
    """``OPTIONS``: any site may read this; nobody may write."""
    response = web.Response(status=204, headers={"Access-Control-Allow-Methods": "GET, HEAD", "Allow": "GET, HEAD"})
    response.headers["Access-Control-Allow-Headers"] = "Accept, If-None-Match"
    response.headers["Access-Control-Max-Age"] = "86400"
    return public(response)


async def unknown(request: web.Request) -> web.StreamResponse:
    """Every other path below ``/api/``."""
    raise Problem(404, "There is nothing at this address of the API. See /api/v1/openapi.json.")


def read_query(request: web.Request, *, ignore: tuple[str, ...] = ()) -> Query:
    """The filters of a request. Raises Problem."""
    try:
        return query_from_params((name, value) for name, value in request.query.items() if name not in ignore)
    except QueryError as error:
        raise query_problem(error) from error


def query_problem(error: QueryError) -> Problem:
    """A search that cannot be understood, as an answer."""
    return Problem(400, error.sentence, field=error.field)


def public(response: web.Response) -> web.Response:
    """Open to every origin: this is public data."""
    for name, value in security.ANY_ORIGIN:
        response.headers[name] = value
    return response
