"""What an answer of another node does here, besides being told to whoever waits for it."""

from hedgerow_node.store.database import Connection
from hedgerow_node.store.private import ask_rows, far_mailbox_rows, mirror_rows, outgoing_rows, place_rows
from hedgerow_node.store.private.values import Happened
from hedgerow_protocol.delivery.refusal import Refused
from hedgerow_protocol.delivery.values import AskId
from hedgerow_protocol.federation.letters import Answer
from hedgerow_protocol.federation.values import (
    AnswerBody,
    AskLetter,
    Follow,
    Following,
    RequestBody,
    RoomAsk,
    Status,
    WelcomeLetter,
    status_of,
)
from hedgerow_protocol.ids import NodeId


def settle(connection: Connection, peer: NodeId | None, answer: Answer, now: int) -> tuple[bool, Happened | None]:
    """Keep an answer of a node instead of the request; whether that was asked of it. ``None``: it was given up."""
    asked = outgoing_rows.asked(connection, answer.id)
    if asked is None or peer not in (None, asked[0]):
        return False, None
    node, body = asked
    outgoing_rows.answered(connection, answer, now)
    return True, _effect(connection, node, answer.id, body, answer.body)


def _effect(
    connection: Connection, node: NodeId, request: bytes, body: RequestBody, answer: AnswerBody
) -> Happened | None:
    refused = status_of(answer) is Status.REFUSED
    match body:
        case WelcomeLetter() if refused:
            # Its home knows no such newcomer: members see nothing of it but a device that never comes.
            try:
                return far_mailbox_rows.leave(connection, node, body.room, body.mailbox)
            except Refused:
                return None
        case AskLetter() | RoomAsk() if refused:
            ask_rows.forget_refused(connection, AskId(request))
        case Follow() if isinstance(answer, Following):
            copy = mirror_rows.copy_of(connection, body.room)
            if copy is not None and copy.hub == node:
                place_rows.set_fellows(connection, copy.row, answer.followers)
                return Happened(fellows={body.room: answer.followers})
    return None
