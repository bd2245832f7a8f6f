"""Asks for the devices of a room: from a member's home to the hub, and from there to all nodes with members."""

from hashlib import sha256
from typing import TYPE_CHECKING

from hedgerow_protocol.delivery.values import AccountKey, AskId, MailboxId, RoomId
from hedgerow_protocol.federation.claims import room_tag
from hedgerow_protocol.federation.letters import Request
from hedgerow_protocol.federation.values import (
    AnswerBody,
    Asked,
    AskTold,
    Done,
    RefusalAnswer,
    RequestBody,
    RoomAsk,
)
from hedgerow_protocol.ids import NodeId
from rooms_across.hub import unknown
from rooms_across.world import EPOCH

if TYPE_CHECKING:
    from rooms_across.node import Node


class Asking:
    """One node's side of asks: as a home, as a hub, and as a follower that is told."""

    def __init__(self, node: "Node") -> None:
        self.node = node
        self.disk = node.disk

    def ask(self, room: RoomId, mailbox: MailboxId, body: bytes, hub: NodeId) -> None:
        """Another device of a member here asks to be let in. What crosses nodes is sent until answered."""

        def work() -> None:
            if hub == self.node.id:
                self._keep(None, AskId(sha256(body).digest()[:16]), room, body)
            else:
                tag = room_tag(sha256(self.node.key.public).digest(), AccountKey(mailbox + mailbox), room)
                self.node.ask(hub, RoomAsk(room, tag, body))

        self.disk.write(work)

    def answer(self, peer: NodeId, request: Request) -> AnswerBody | None:
        """Within a transaction."""
        match request.body:
            case RoomAsk(room, _, body):
                if not self.node.hub.spans(room, peer):
                    raise unknown()
                self._keep(peer, AskId(request.id), room, body)
                return Asked(AskId(request.id))
            case AskTold(room, ask, _, body):
                copy = self.disk.get("copy", room)
                if copy is None or copy.hub != peer or not self.node.follower.takes_part(room):
                    raise unknown()
                self.disk.put(("asks", room), ask, body)
                return Done()
        return None

    def _keep(self, peer: NodeId | None, ask: AskId, room: RoomId, body: bytes) -> None:
        if self.disk.get(("asks", room), ask) is not None:
            return
        self.disk.put(("asks", room), ask, body)
        told = self.to_be_told(room)
        for each in told:
            if each != peer:
                self.node.ask(each, AskTold(room, ask, None, body, EPOCH))
        at = self.disk.get("room", room).seq
        self.disk.then(lambda: self.node.world.safety.outsiders.asked(room, ask, at, frozenset(told) - {peer}))

    def to_be_told(self, room: RoomId) -> list[NodeId]:
        """The nodes whose members hear of an ask: those with a mailbox that takes part."""
        inside = (each.node for each in self.disk.all(("far", room)).values() if each.until is None)
        return list(dict.fromkeys(inside))

    def answered(self, peer: NodeId, body: RequestBody, answer: AnswerBody) -> None:
        """Within a transaction: a follower has answered."""
        if isinstance(body, AskTold) and isinstance(answer, RefusalAnswer):
            self.node.world.safety.outsiders.refused(body.ask, peer)
