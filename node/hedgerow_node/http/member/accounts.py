"""``/api/v1/accounts`` and ``/api/v1/devices``: coming in, coming back, and the devices of one account."""

from typing import Any

from aiohttp import web

from hedgerow_node.delivery.doors import Session
from hedgerow_node.http.member.answering import answer, done
from hedgerow_node.http.member.body import read_fields
from hedgerow_node.http.member.desk import Desk
from hedgerow_node.http.member.fields import Fields
from hedgerow_node.http.member.paths import id_in
from hedgerow_node.http.site import SITE
from hedgerow_protocol import base64url
from hedgerow_protocol.delivery.values import (
    ACCOUNT_KEY_BYTES,
    DEVICE_ID_BYTES,
    HASH_BYTES,
    INVITE_ID_BYTES,
    AccountKey,
    DeviceId,
    InviteId,
)
from hedgerow_protocol.invitation import PROOF_BYTES

CHALLENGE_BYTES = 32
SIGNATURE_BYTES = 64


async def register(request: web.Request, desk: Desk) -> web.Response:
    """``POST /accounts``: make an account with an invitation."""
    said = await read_fields(request)
    invite = said.inside("invite")
    device, token_hash = _new_device(said.inside("device"))
    session = await desk.accounts.register(
        invite=InviteId(invite.fixed("id", INVITE_ID_BYTES)),
        proof=invite.fixed("proof", PROOF_BYTES),
        account=AccountKey(said.fixed("account_key", ACCOUNT_KEY_BYTES)),
        device=device,
        token_hash=token_hash,
        now=request.app[SITE].now(),
    )
    return answer(await _account(request, desk, session), 201)


async def challenge(request: web.Request, desk: Desk) -> web.Response:
    """``GET /accounts/challenge``: what to sign when coming back."""
    return answer({"challenge": base64url.encode(desk.accounts.challenge(request.app[SITE].now()))})


async def recover(request: web.Request, desk: Desk) -> web.Response:
    """``POST /accounts/recover``: a new device for an account whose key signs for it."""
    said = await read_fields(request)
    device, token_hash = _new_device(said.inside("device"))
    session = await desk.accounts.recover(
        account=AccountKey(said.fixed("account_key", ACCOUNT_KEY_BYTES)),
        challenge=said.fixed("challenge", CHALLENGE_BYTES),
        signature=said.fixed("signature", SIGNATURE_BYTES),
        device=device,
        token_hash=token_hash,
        now=request.app[SITE].now(),
    )
    return answer(await _account(request, desk, session), 201)


async def own_account(request: web.Request, desk: Desk, session: Session) -> web.Response:
    """``GET /accounts/self``."""
    return answer(await _account(request, desk, session))


async def remove_account(request: web.Request, desk: Desk, session: Session) -> web.Response:
    """``DELETE /accounts/self``: the account with everything of it."""
    await desk.accounts.remove_account(session)
    return done()


async def devices(request: web.Request, desk: Desk, session: Session) -> web.Response:
    """``GET /devices``."""
    rows = await desk.accounts.devices(session)
    return answer(
        [{"id": base64url.encode(each.device), "created_day": each.created_day, "this": each.this} for each in rows]
    )


async def add_device(request: web.Request, desk: Desk, session: Session) -> web.Response:
    """``POST /devices``: a device that was linked with one that is in."""
    device, token_hash = _new_device(await read_fields(request))
    await desk.accounts.add_device(session, device, token_hash, now=request.app[SITE].now())
    return answer({"id": base64url.encode(device)}, 201)


async def remove_device(request: web.Request, desk: Desk, session: Session) -> web.Response:
    """``DELETE /devices/{id}``: revoke one; its live sockets end."""
    await desk.accounts.remove_device(session, DeviceId(id_in(request, "id", DEVICE_ID_BYTES)))
    return done()


def _new_device(said: Fields) -> tuple[DeviceId, bytes]:
    return DeviceId(said.fixed("id", DEVICE_ID_BYTES)), said.fixed("token_hash", HASH_BYTES)


async def _account(request: web.Request, desk: Desk, session: Session) -> dict[str, Any]:
    site = request.app[SITE]
    return {
        "account": base64url.encode(session.account),
        "device": base64url.encode(session.device),
        "node_id": base64url.encode(site.node_id),
        "title": site.pages.community.name,
        "may_invite": await desk.accounts.may_invite(session),
    }
