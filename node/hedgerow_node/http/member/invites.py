"""``/api/v1/invites`` and ``/api/v1/asks``: who may come, who asks to come. What is said in them is sealed."""

from typing import Any

from aiohttp import web

from hedgerow_node.delivery.doors import Session
from hedgerow_node.http.member.answering import answer, done
from hedgerow_node.http.member.bearer import session_of
from hedgerow_node.http.member.body import read_fields
from hedgerow_node.http.member.desk import Desk
from hedgerow_node.http.member.fields import bytes_of
from hedgerow_node.http.member.paths import id_in, id_of_query
from hedgerow_node.http.site import SITE
from hedgerow_node.store.private.values import AskRow, InviteRow, NewInvite
from hedgerow_protocol import base64url, limits
from hedgerow_protocol.delivery.values import (
    ASK_ID_BYTES,
    HASH_BYTES,
    INVITE_ID_BYTES,
    ROOM_ID_BYTES,
    AskId,
    InviteId,
    RoomId,
)
from hedgerow_protocol.ids import NODE_ID_BYTES, NodeId
from hedgerow_protocol.invitation import PROOF_BYTES

PROOF_HEADER = "Invite-Proof"


def _kept_by(request: web.Request) -> NodeId | None:
    """The other node that keeps the invitation, of ``?node=``; ``None``: this one. Raises Problem (404)."""
    if "node" not in request.query:
        return None
    node = NodeId(id_of_query(request, "node", NODE_ID_BYTES))
    return None if node == request.app[SITE].node_id else node


async def add_invite(request: web.Request, desk: Desk, session: Session) -> web.Response:
    """``POST /invites``."""
    said = await read_fields(request)
    invite = NewInvite(
        invite=InviteId(said.fixed("id", INVITE_ID_BYTES)),
        proof_hash=said.fixed("proof_hash", HASH_BYTES),
        expires=said.whole("expires", 0, limits.TIMESTAMP_MAX),
        uses=said.whole("uses", 0, limits.INVITE_USES_MAX),
        note=said.sized("note", limits.INVITE_NOTE_BYTES_MAX) if said.has("note") else b"",
        room=RoomId(said.fixed("room", ROOM_ID_BYTES)) if said.has("room") else None,
    )
    await desk.accounts.add_invite(session, invite, now=request.app[SITE].now())
    return answer({"id": base64url.encode(invite.invite)}, 201)


async def invites(request: web.Request, desk: Desk, session: Session) -> web.Response:
    """``GET /invites``: one's own."""
    rows = await desk.accounts.invites(session, now=request.app[SITE].now())
    return answer([_invite_json(each) for each in rows])


def _invite_json(row: InviteRow) -> dict[str, Any]:
    return {
        "id": base64url.encode(row.invite),
        "expires": row.expires,
        "uses": row.uses,
        "uses_left": row.uses_left,
        "note": base64url.encode(row.note),
        "room": base64url.encode(row.room) if row.room is not None else None,
    }


async def remove_invite(request: web.Request, desk: Desk, session: Session) -> web.Response:
    """``DELETE /invites/{id}``: withdraw one's own, or the intake of a room one is in."""
    await desk.accounts.remove_invite(session, InviteId(id_in(request, "id", INVITE_ID_BYTES)))
    return done()


async def read_invite(request: web.Request, desk: Desk) -> web.Response:
    """``GET /invites/{id}`` for whoever has the link, and proves it.

    With ``?node=`` this node asks another one: that costs more than a look into its own store, so it takes a token.
    """
    site = request.app[SITE]
    invite = InviteId(id_in(request, "id", INVITE_ID_BYTES))
    proof = bytes_of(request.headers.get(PROOF_HEADER), PROOF_HEADER, PROOF_BYTES)
    node = _kept_by(request)
    if node is not None:
        return await _read_far_invite(request, desk, node, invite, proof)
    view = await desk.accounts.read_invite(invite, proof, now=site.now())
    return answer(
        {
            "title": site.pages.community.name,
            "expires": view.expires,
            "uses_left": view.uses_left,
            "accounts": view.accounts,
            "note": base64url.encode(view.note),
        }
    )


async def _read_far_invite(
    request: web.Request, desk: Desk, node: NodeId, invite: InviteId, proof: bytes
) -> web.Response:
    session = await session_of(request, desk)
    await desk.pace.admit(str(session.device_row), 0)
    view = await desk.accounts.read_far_invite(session, node, invite, proof, now=request.app[SITE].now())
    return answer(
        {
            "title": view.title,
            "expires": view.expires,
            # An account is made at its own node only.
            "uses_left": 0,
            "accounts": False,
            "note": base64url.encode(view.note),
        }
    )


async def ask_by_invite(request: web.Request, desk: Desk, session: Session) -> web.Response:
    """``POST /invites/{id}/asks``; with ``?node=`` by one that another node keeps."""
    accounts, now, node = desk.accounts, request.app[SITE].now(), _kept_by(request)
    invite = InviteId(id_in(request, "id", INVITE_ID_BYTES))
    said = await read_fields(request)
    proof, body = said.fixed("proof", PROOF_BYTES), said.sized("ask", limits.ASK_BYTES_MAX, size_min=1)
    desk.pace.admit_ask(str(session.account_row))
    if node is None:
        ask = await accounts.add_ask(session, invite, proof, body, now=now)
    else:
        ask = await accounts.add_far_ask(session, node, invite, proof, body, now=now)
    return answer({"id": base64url.encode(ask)}, 201)


async def ask_for_room(request: web.Request, desk: Desk, session: Session) -> web.Response:
    """``POST /rooms/{id}/asks``: another device of somebody who is in."""
    room = RoomId(id_in(request, "id", ROOM_ID_BYTES))
    body = (await read_fields(request)).sized("ask", limits.ASK_BYTES_MAX, size_min=1)
    ask = await desk.accounts.add_room_ask(session, room, body, now=request.app[SITE].now())
    return answer({"id": base64url.encode(ask)}, 201)


async def asks(request: web.Request, desk: Desk, session: Session) -> web.Response:
    """``GET /asks``: those this account should look at."""
    return answer([_ask_json(each) for each in await desk.accounts.asks(session)])


def _ask_json(row: AskRow) -> dict[str, Any]:
    return {
        "id": base64url.encode(row.ask),
        "invite": base64url.encode(row.invite) if row.invite is not None else None,
        "room": base64url.encode(row.room) if row.room is not None else None,
        "ask": base64url.encode(row.body),
        "time": row.time,
    }


async def remove_ask(request: web.Request, desk: Desk, session: Session) -> web.Response:
    """``DELETE /asks/{id}``: it was handled."""
    await desk.accounts.remove_ask(session, AskId(id_in(request, "id", ASK_ID_BYTES)))
    return done()
