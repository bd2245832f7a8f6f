"""``/keeper/network``: who we are connected to, whom the keeper chose, what the keeper blocks."""

from typing import Any
from urllib.parse import urlsplit

from aiohttp import web

from hedgerow_node.config import ConfigError, check_setting
from hedgerow_node.directory.blocklist import (
    REASON_CHARACTERS_MAX,
    blocklist_from_json,
    blocklist_to_json,
    clean_reason,
    target_from_text,
)
from hedgerow_node.http.forms import read_upload
from hedgerow_node.http.keeper import guard
from hedgerow_node.http.keeper.links import Session
from hedgerow_node.http.keeper.network_rooms import RoomsWords
from hedgerow_node.http.keeper.network_words import NetworkWords
from hedgerow_node.http.keeper.pages import wording_now
from hedgerow_node.http.peering import Peering
from hedgerow_node.http.problems import not_found
from hedgerow_node.http.rendering import View
from hedgerow_node.http.site import SITE
from hedgerow_node.store.blocks import Block
from hedgerow_protocol import base64url
from hedgerow_protocol.errors import RemoteError
from hedgerow_protocol.ids import ListingId, NodeId, to_text

PATH = "/keeper/network"
DONE = ("peer_added", "peer_removed", "blocked", "unblocked", "imported")
"""What an address may say was just done; each has a text."""

BLOCKS_SHOWN_MAX = 200
"""Blocks. On the page, the latest; a saved file has all."""

TARGET_CHARACTERS_MAX = 2_048
"""Characters. An id, or a web address that ends in one."""


async def network(request: web.Request) -> web.Response:
    """``GET /keeper/network``."""
    session = guard.require_session(request)
    values = {"target": request.query.get("block", "")[:64]}
    return await _page(request, session, values=values)


async def back(request: web.Request) -> web.Response:
    """``GET`` of a form's address, as the language links of its page lead there: back to the page."""
    guard.require_session(request)
    return guard.see_other(request, PATH)


async def change_peers(request: web.Request) -> web.Response:
    """``POST /keeper/network/peers``: add or remove a peer."""
    session, form = await guard.require_form(request)
    peering, view = _peering(request), guard.keeper_view(request)
    url = form.get("url", "").strip()
    try:
        url = str(check_setting("peers", [url])[0])
    except (ConfigError, IndexError):
        url = ""
    if not url:
        return await _page(request, session, form, {"field": "url", "text": view.t("network.add_wrong")})
    try:
        if form.get("do") == "remove":
            await peering.forget(url)
            return guard.see_other(request, PATH, done="peer_removed")
        await peering.keep(url)
    except ConfigError as error:
        return await _page(request, session, form, {"field": "url", "text": str(error)})
    return guard.see_other(request, PATH, done="peer_added")


async def change_blocks(request: web.Request) -> web.Response:
    """``POST /keeper/network/blocks``: block a node or a listing, or unblock it."""
    session, form = await guard.require_form(request)
    peering, view = _peering(request), guard.keeper_view(request)
    try:
        target = _target(form.get("target", ""))
    except RemoteError:
        return await _page(request, session, form, {"field": "target", "text": view.t("network.block_wrong")})
    if form.get("do") == "unblock":
        await peering.unblock(target)
        return guard.see_other(request, PATH, done="unblocked")
    if target == request.app[SITE].node_id:
        return await _page(request, session, form, {"field": "target", "text": view.t("network.block_self")})
    try:
        reason = clean_reason(form.get("reason", ""))
    except RemoteError:
        text = view.t("network.reason_wrong", number=REASON_CHARACTERS_MAX)
        return await _page(request, session, form, {"field": "reason", "text": text})
    if not await peering.block([Block(target, reason, request.app[SITE].now())]):
        return await _page(request, session, form, {"field": "target", "text": view.t("network.block_full")})
    return guard.see_other(request, PATH, done="blocked")


async def export_blocks(request: web.Request) -> web.Response:
    """``GET /keeper/network/blocks.json``: the block list, to keep or to give to other keepers."""
    guard.require_session(request)
    text = blocklist_to_json(await _peering(request).blocks())
    headers = {"Content-Disposition": 'attachment; filename="blocklist.json"'}
    return web.Response(text=text, content_type="application/json", headers=headers)


async def export_proofs(request: web.Request) -> web.Response:
    """``GET /keeper/network/proofs.txt``: that sites told two stories, for anybody to check."""
    guard.require_session(request)
    lines = [base64url.encode(each) + "\n" for each in await _peering(request).proofs()]
    headers = {"Content-Disposition": 'attachment; filename="proofs.txt"'}
    return web.Response(text="".join(lines), content_type="text/plain", headers=headers)


async def import_blocks(request: web.Request) -> web.Response:
    """``POST /keeper/network/blocks/import``: block what another keeper blocks."""
    session = guard.require_session(request)
    form, data = await read_upload(request, "file")
    guard.check_csrf(request, session, form)
    site, view = request.app[SITE], guard.keeper_view(request)
    try:
        those = blocklist_from_json(data.decode("utf-8"), now=site.now())
    except (RemoteError, UnicodeDecodeError):
        return await _page(request, session, form, {"field": "file", "text": view.t("network.import_wrong")})
    those = [each for each in those if each.target != site.node_id]
    if await _peering(request).block(those) < len(those):
        return await _page(request, session, form, {"field": "file", "text": view.t("network.block_full")})
    return guard.see_other(request, PATH, done="imported")


def _peering(request: web.Request) -> Peering:
    peering = request.app[SITE].peering
    if peering is None:
        raise not_found("This node does not talk to others.")
    return peering


def _target(said: str) -> NodeId | ListingId:
    """The id that somebody typed, or the one at the end of a listing's web address. Raises :class:`RemoteError`."""
    text = said.strip()[:TARGET_CHARACTERS_MAX]
    if "/" in text:
        try:
            text = urlsplit(text).path.rstrip("/").rpartition("/")[2].removesuffix(".json")
        except ValueError:
            text = ""
    return target_from_text(text.lower())


async def _page(
    request: web.Request,
    session: Session,
    form: Any = None,
    error: dict[str, str] | None = None,
    *,
    values: dict[str, str] | None = None,
) -> web.Response:
    peering, view, site = _peering(request), guard.keeper_view(request), request.app[SITE]
    blocks = await peering.blocks()
    said = form if form is not None else values or {}
    status = {**peering.status(), "now": int(site.now())}
    words = NetworkWords(view, status)
    context = words.values() | {
        "rooms": RoomsWords(words, await peering.rooms()).values(),
        "proofs_url": view.url(f"{PATH}/proofs.txt"),
        "errors": [error] if error else [],
        "notices": _done(request, view),
        "values": {name: str(said.get(name, "")) for name in ("url", "target", "reason")},
        "blocks": [_block_row(request, view, each) for each in blocks[:BLOCKS_SHOWN_MAX]],
        "blocks_more": max(0, len(blocks) - BLOCKS_SHOWN_MAX),
        "peers_url": view.url(f"{PATH}/peers"),
        "blocks_url": view.url(f"{PATH}/blocks"),
        "export_url": view.url(f"{PATH}/blocks.json"),
        "import_url": view.url(f"{PATH}/blocks/import"),
    }
    return await guard.keeper_page(request, view, session, "keeper_network.html", context, status=400 if error else 200)


def _block_row(request: web.Request, view: View, block: Block) -> dict[str, str]:
    return {
        "id": to_text(block.target),
        "kind": view.t("network.kind_site" if block.is_node else "network.kind_listing"),
        "reason": block.reason,
        "since": wording_now(request.app[SITE], view).timestamp(block.since),
    }


def _done(request: web.Request, view: View) -> list[dict[str, str]]:
    done = request.query.get("done", "")
    return [{"kind": "done", "text": view.t(f"network.done.{done}")}] if done in DONE else []
