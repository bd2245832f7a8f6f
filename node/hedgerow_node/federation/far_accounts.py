"""Accounts for members' devices, in front of the service: what concerns other nodes goes to these."""

from collections.abc import Callable
from typing import Final

from hedgerow_node.accounts.doors import Accounts
from hedgerow_node.accounts.service import AccountService, check_ask
from hedgerow_node.federation.asking import Asking, expect
from hedgerow_node.federation.copies import Copies
from hedgerow_node.store.private import ask_rows
from hedgerow_node.store.private.values import FarInviteView, Happened, Session
from hedgerow_protocol.delivery.values import ASK_ID_BYTES, AskId, InviteId, RoomId
from hedgerow_protocol.federation.values import Asked, AskLetter, InviteFound, InviteRead
from hedgerow_protocol.ids import NodeId
from hedgerow_protocol.ports import Timestamp

ANSWER_SECONDS: Final = 10.0
"""Seconds. For which a device waits for the node that keeps an invitation."""

ROOM_ASK_SECONDS: Final = 5.0
"""Seconds. For which a device waits for the hub of a room of its account."""

FRESH_SECONDS: Final = 60
"""Seconds. For which an invitation that was read is not read again."""


class FarAccounts:
    """Answers :class:`hedgerow_node.accounts.doors.Accounts`, also about what other nodes keep."""

    def __init__(self, here: AccountService, node: NodeId, copies: Copies, asking: Asking) -> None:
        self.tell: Callable[[Happened], None] = lambda happened: None
        """Who listens to delivery hears everything; whoever is set here is not told anything twice."""
        self._here = here
        self._node = node
        self._copies = copies
        self._asking = asking
        self.authenticate = here.authenticate
        self.register = here.register
        self.may_invite = here.may_invite
        self.remove_account = here.remove_account
        self.challenge = here.challenge
        self.recover = here.recover
        self.devices = here.devices
        self.add_device = here.add_device
        self.remove_device = here.remove_device
        self.add_invite = here.add_invite
        self.invites = here.invites
        self.remove_invite = here.remove_invite
        self.read_invite = here.read_invite
        self.add_ask = here.add_ask
        self.asks = here.asks
        self.remove_ask = here.remove_ask
        self.sealed = here.sealed
        self.put_sealed = here.put_sealed
        self.remove_sealed = here.remove_sealed
        self.leave_at = here.leave_at
        self.found_at = here.found_at
        self.prune = here.prune

    async def read_far_invite(
        self, session: Session, node: NodeId, invite: InviteId, proof: bytes, *, now: Timestamp
    ) -> FarInviteView:
        """See the door."""
        if node == self._node:
            view = await self._here.read_invite(invite, proof, now=now)
            return FarInviteView("", view.expires, view.note)
        body = InviteRead(invite, proof)
        sent = await self._asking.scribe.write(
            lambda c: self._asking.put(
                c,
                session,
                node,
                body,
                invite + proof,
                now,
                again=lambda known: known.answer is not None and now - known.created > FRESH_SECONDS,
            )
        )
        answer = await self._asking.answer_to(sent, ANSWER_SECONDS)
        found = expect(answer, InviteFound)
        return FarInviteView(found.title, found.expires, found.note)

    async def add_far_ask(
        self, session: Session, node: NodeId, invite: InviteId, proof: bytes, body: bytes, *, now: Timestamp
    ) -> AskId:
        """See the door."""
        if node == self._node:
            return await self._here.add_ask(session, invite, proof, body, now=now)
        check_ask(body)
        name = AskId(self._asking.entropy(ASK_ID_BYTES))
        letter = AskLetter(invite, proof, body)
        ask = await self._asking.scribe.write(lambda c: ask_rows.add_ask_elsewhere(c, session, node, letter, name, now))
        await self._until_answered(ask, ANSWER_SECONDS)
        return ask

    async def add_room_ask(self, session: Session, room: RoomId, body: bytes, *, now: Timestamp) -> AskId:
        """See the door."""
        ask = await self._here.add_room_ask(session, room, body, now=now)
        if room in self._copies.hubs:
            await self._until_answered(ask, ROOM_ASK_SECONDS)
        return ask

    async def _until_answered(self, ask: AskId, seconds: float) -> None:
        """Refused, an ask is forgotten here, so one that is here and was sent long ago was taken."""
        answer = await self._asking.sending.wait(ask, seconds, gone=Asked(ask))
        expect(answer, Asked)


def _fits(accounts: FarAccounts) -> Accounts:
    return accounts
