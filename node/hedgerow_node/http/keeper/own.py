"""The listings that were written on this node, and how the keeper's page names them."""

import asyncio
from typing import Any

from hedgerow_node.directory.keyfiles import load_or_create_key
from hedgerow_node.directory.publishing import DirectorySigner, directory_signer
from hedgerow_node.http.rendering import View
from hedgerow_node.http.site import Site
from hedgerow_node.http.wording import Wording
from hedgerow_protocol.ids import RecordId, to_text
from hedgerow_protocol.keys import Usage
from hedgerow_protocol.state import ShownListing

OWN_LISTINGS_MAX = 500
"""Listings. Shown on the keeper's page: those written by hand, not those of imported feeds."""

HAND_WRITTEN = ""
"""The source of a listing that came from no feed."""

DUE_DAYS = 30


async def own_signer(site: Site) -> DirectorySigner:
    """This node's own directory: its key, made the first time, and the charter that follows from it."""

    def read() -> DirectorySigner:
        return directory_signer(load_or_create_key(site.config.directory_key_file, Usage.STEWARD, site.entropy))

    return await asyncio.to_thread(read)


async def own_root(site: Site) -> RecordId:
    """The founding charter of this node's own directory."""
    return (await own_signer(site)).root


async def own_listings(site: Site) -> list[ShownListing]:
    """The listings written here that are shown now, by name."""
    found = await site.directory.of_source(await own_root(site), HAND_WRITTEN, now=site.now())
    return sorted(found, key=lambda each: each.name.casefold())[:OWN_LISTINGS_MAX]


def own_row(site: Site, view: View, wording: Wording, shown: ShownListing, root: RecordId) -> dict[str, Any]:
    """One of them, for a template."""
    listing = to_text(shown.id)
    path = f"/keeper/listings/{listing}"
    return {
        "id": listing,
        "name": shown.name,
        "url": view.url(f"/listings/{listing}"),
        "expires": wording.timestamp(shown.slot.expires),
        "days_left": max(0, (shown.slot.expires - site.now()) // 86_400),
        "threshold": shown.threshold,
        "stewards": shown.stewards,
        "edit_url": view.url(f"{path}/edit"),
        "renew_url": view.url(f"{path}/renew"),
        "withdraw_url": view.url(f"{path}/withdraw"),
        "can_sign": shown.slot.charter == root,
    }
