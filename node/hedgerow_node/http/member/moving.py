"""``/api/v1/rooms/{id}/notes`` and ``/moves``: members' words beside the log, and the room's move to another node."""

from typing import Any

from aiohttp import web

from hedgerow_node.delivery.doors import Session
from hedgerow_node.http import bounds
from hedgerow_node.http.member.answering import answer, done, head_json
from hedgerow_node.http.member.body import read_fields
from hedgerow_node.http.member.desk import Desk
from hedgerow_node.http.member.fields import Fields
from hedgerow_node.http.member.paths import id_in, whole_of_query
from hedgerow_node.http.site import SITE
from hedgerow_node.store.private.values import MoveRow, NewMove
from hedgerow_protocol import base64url, keys, limits
from hedgerow_protocol.delivery.values import HASH_BYTES, MAILBOX_ID_BYTES, ROOM_ID_BYTES, MailboxId, RoomId
from hedgerow_protocol.federation.moving import IDENTITY_BYTES, MOVE_NUMBER_MAX, Move, MoveStatement
from hedgerow_protocol.ids import NODE_ID_BYTES, NodeId


async def add_note(request: web.Request, desk: Desk, session: Session) -> web.Response:
    """``POST /rooms/{id}/notes``: a sealed word to all devices of a room, beside its log."""
    room = RoomId(id_in(request, "id", ROOM_ID_BYTES))
    note = (await read_fields(request)).sized("note", limits.ROOM_NOTE_BYTES_MAX, size_min=1)
    await desk.delivery.add_note(session, room, note, now=request.app[SITE].now())
    return done()


async def notes(request: web.Request, desk: Desk, session: Session) -> web.Response:
    """``GET /rooms/{id}/notes?after=``."""
    room = RoomId(id_in(request, "id", ROOM_ID_BYTES))
    after = whole_of_query(request, "after", 0, 0, limits.SEQUENCE_MAX)
    found = await desk.delivery.notes(session, room, after=after)
    return answer([{"number": each.number, "note": base64url.encode(each.body)} for each in found])


async def move(request: web.Request, desk: Desk, session: Session) -> web.Response:
    """``POST /rooms/{id}/moves``: more than half of the members have moved the room."""
    room = RoomId(id_in(request, "id", ROOM_ID_BYTES))
    said = await read_fields(request, bounds.MOVE_BODY_BYTES_MAX)
    number = said.whole("number", 1, MOVE_NUMBER_MAX)
    hub = NodeId(said.fixed("hub", NODE_ID_BYTES))
    statements = [_statement(each, hub, number) for each in said.objects("statements", limits.MOVE_STATEMENTS_MAX)]
    mailboxes = said.each_fixed("mailboxes", MAILBOX_ID_BYTES, limits.MAILBOXES_OF_ROOM_MAX)
    await desk.delivery.move(session, NewMove(room, number, hub, statements, [MailboxId(each) for each in mailboxes]))
    return done()


def _statement(said: Fields, hub: NodeId, number: int) -> MoveStatement:
    at = said.whole("seq", 0, limits.SEQUENCE_MAX)
    move = Move(at, said.fixed("hash", HASH_BYTES), hub, number)
    return MoveStatement(said.fixed("by", IDENTITY_BYTES), move, said.fixed("signature", keys.SIGNATURE_BYTES))


async def moves(request: web.Request, desk: Desk, session: Session) -> web.Response:
    """``GET /rooms/{id}/moves``: all that this node knows of, with the statements that decided them."""
    found = await desk.delivery.moves(session, RoomId(id_in(request, "id", ROOM_ID_BYTES)))
    return answer([_move_json(each) for each in found])


def _move_json(row: MoveRow) -> dict[str, Any]:
    return {
        "number": row.number,
        "hub": base64url.encode(row.hub),
        "head": head_json(row.head) if row.head is not None else None,
        "statements": [
            {
                "by": base64url.encode(each.by),
                "seq": each.move.seq,
                "hash": base64url.encode(each.move.hash),
                "signature": base64url.encode(each.signature),
            }
            for each in row.statements
        ],
    }
