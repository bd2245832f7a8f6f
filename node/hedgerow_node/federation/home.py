"""What other nodes may ask of this one as the home of members and of invitations, and what hubs tell it."""

from collections.abc import Callable
from typing import Final

from hedgerow_node.accounts.service import AccountService
from hedgerow_node.delivery.service import refused
from hedgerow_node.federation.copies import Copies
from hedgerow_node.store.database import Connection
from hedgerow_node.store.private import arriving_rows, far_ask_rows, invite_rows, key_package_rows, mirror_rows
from hedgerow_node.store.private.scribe import Scribe
from hedgerow_node.store.private.values import Happened
from hedgerow_protocol.delivery.chain import head_holds
from hedgerow_protocol.delivery.envelope import check_welcome
from hedgerow_protocol.delivery.refusal import Refusal, Refused
from hedgerow_protocol.delivery.values import AskId
from hedgerow_protocol.errors import RemoteError
from hedgerow_protocol.federation.asks import AskRates
from hedgerow_protocol.federation.letters import Request
from hedgerow_protocol.federation.values import (
    AnswerBody,
    Asked,
    AskLetter,
    AskTold,
    Claimed,
    Done,
    InviteFound,
    InviteRead,
    KeyPackageClaim,
    MailboxTold,
    WelcomeLetter,
)
from hedgerow_protocol.ids import NodeId
from hedgerow_protocol.ports import Entropy, Instant, Timestamp

TOLD_SECONDS: Final = 3.0
"""Seconds. For which a word about a mailbox waits for the entries it is about; then the hub is asked to come again."""


class HomeDesk:
    """Answers requests about members of this node. Methods raise :class:`Refused` and :class:`StoreError`."""

    def __init__(
        self,
        scribe: Scribe,
        accounts: AccountService,
        copies: Copies,
        rates: AskRates,
        *,
        title: str,
        entropy: Entropy,
        now: Callable[[], Timestamp],
        monotonic: Callable[[], Instant],
    ) -> None:
        self._scribe = scribe
        self._accounts = accounts
        self._copies = copies
        self._rates = rates
        self._title = title
        self._entropy = entropy
        self._now = now
        self._monotonic = monotonic

    async def answer(self, peer: NodeId, request: Request) -> AnswerBody | None:
        """``None`` when this is no request to a home."""
        body = request.body
        match body:
            case KeyPackageClaim(ref, consent, tag):
                taken = await self._scribe.quietly(
                    lambda c: key_package_rows.claim_for_node(c, peer, tag, ref, consent, self._now())
                )
                return Claimed(taken.key_package, taken.mailbox)
            case InviteRead(invite, proof):
                view = await self._accounts.read_invite(invite, proof, now=self._now())
                return InviteFound(self._title, view.expires, view.note)
            case AskLetter():
                await self._ask(peer, body, AskId(request.id))
                return Asked(AskId(request.id))
            case WelcomeLetter():
                await self._welcome(peer, body)
            case MailboxTold():
                if body.until is not None and self._copies.hubs.get(body.room) == peer:
                    # What took it out is told with other entries, a little later than this.
                    await self._copies.holds(body.room, body.until.position.seq, TOLD_SECONDS)
                await self._write(lambda c: mirror_rows.told_of_mailbox(c, peer, body))
            case AskTold():
                await self._write(lambda c: far_ask_rows.told_by_hub(c, peer, body))
            case _:
                return None
        return Done()

    async def _ask(self, peer: NodeId, body: AskLetter, name: AskId) -> None:
        now = self._now()
        await self._accounts.read_invite(body.invite, body.proof, now=now)  # only those that are there are counted
        wait = self._rates.wait_invite(body.invite, self._monotonic())
        if wait:
            raise Refused(Refusal.TOO_FAST, "Many people ask by this invitation. Try again later.", retry_after=wait)

        def add(connection: Connection) -> Happened | None:
            kept = invite_rows.find_invite(connection, body.invite, body.proof, now)
            return far_ask_rows.add_ask_of_node(connection, peer, kept, body.body, name, self._entropy, now)

        await self._write(add)

    async def _welcome(self, peer: NodeId, body: WelcomeLetter) -> None:
        if body.head.position.seq + 1 != body.seq or not head_holds(peer, body.room, body.head):
            raise Refused(Refusal.BAD, "A Welcome comes with the head of the log before it.")
        try:
            check_welcome(body.payload)
        except RemoteError as error:
            raise refused(error) from error

        def arrive(connection: Connection) -> tuple[None, Happened | None]:
            return None, arriving_rows.arrive(connection, peer, body, self._entropy, self._now())

        # Before any device hears of the room, what is said in it goes to its hub.
        await self._scribe.write(arrive, lambda _: self._copies.begin(body.room, peer))

    async def _write(self, work: Callable[[Connection], Happened | None]) -> None:
        await self._scribe.write(lambda c: (None, work(c)))
