"""The part of the control socket that is about other nodes: what ``hedgerow peers`` asks of a running node."""

import json
from typing import Any

from aiohttp import web

from hedgerow_node import clock
from hedgerow_node.app.peering import NodePeering
from hedgerow_node.config import ConfigError, check_setting
from hedgerow_node.directory.blocklist import blocklist_from_json, target_from_text
from hedgerow_node.directory.door_blocks import block_to_json
from hedgerow_node.federation.standing import proof_text
from hedgerow_protocol.errors import RemoteError


def network_routes(peering: NodePeering) -> list[web.RouteDef]:
    """``/peers``, ``/peers/leave``, ``/peers/rooms``, ``/peers/proofs`` and ``/blocks``."""

    async def peers(request: web.Request) -> web.Response:
        return web.json_response(peering.status())

    async def change_peers(request: web.Request) -> web.Response:
        said = await _said(request)
        try:
            url, keep = str(check_setting("peers", [said["url"]])[0]), bool(said["keep"])
        except (KeyError, TypeError, IndexError, ConfigError) as error:
            raise _refusal("A peer is a web address, to keep or not.") from error
        try:
            known = await peering.forget(url) if not keep else True
            if keep:
                await peering.keep(url)
        except ConfigError as error:
            raise _refusal(str(error)) from error
        return web.json_response({**peering.status(), "was_there": known})

    async def leave(request: web.Request) -> web.Response:
        try:
            await peering.leave()
        except ConfigError as error:
            raise _refusal(str(error)) from error
        return web.json_response(peering.status())

    async def rooms(request: web.Request) -> web.Response:
        return web.json_response(await peering.rooms())

    async def proofs(request: web.Request) -> web.Response:
        return web.json_response({"proofs": [proof_text(each) for each in await peering.proofs()]})

    async def blocks(request: web.Request) -> web.Response:
        return web.json_response({"blocks": [block_to_json(each) for each in await peering.blocks()]})

    async def block(request: web.Request) -> web.Response:
        try:
            those = blocklist_from_json(await request.text(), now=clock.now())
        except RemoteError as error:
            raise _refusal(str(error)) from error
        except UnicodeDecodeError as error:
            raise _refusal("A block list is text in UTF-8.") from error
        return web.json_response({"asked": len(those), "blocked": await peering.block(those)})

    async def unblock(request: web.Request) -> web.Response:
        try:
            target = target_from_text(str((await _said(request)).get("target", "")))
        except RemoteError as error:
            raise _refusal(str(error)) from error
        return web.json_response({"was_there": await peering.unblock(target)})

    return [
        web.get("/peers", peers),
        web.post("/peers", change_peers),
        web.post("/peers/leave", leave),
        web.get("/peers/rooms", rooms),
        web.get("/peers/proofs", proofs),
        web.get("/blocks", blocks),
        web.post("/blocks", block),
        web.delete("/blocks", unblock),
    ]


async def _said(request: web.Request) -> dict[str, Any]:
    try:
        said = await request.json()
    except ValueError as error:
        raise _refusal("This is not JSON.") from error
    if not isinstance(said, dict):
        raise _refusal("This is not a JSON object.")
    return said


def _refusal(sentence: str) -> web.HTTPBadRequest:
    return web.HTTPBadRequest(text=json.dumps({"detail": sentence}), content_type="application/json")
