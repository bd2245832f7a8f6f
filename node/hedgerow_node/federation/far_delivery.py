"""Delivery for members' devices, in front of the service: what concerns rooms of other hubs goes to these."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Final

from hedgerow_node.delivery.doors import Delivery, Outcome
from hedgerow_node.delivery.service import DeliveryService, check_submission
from hedgerow_node.federation.asking import RETRY_SECONDS, Asking, expect, not_answered
from hedgerow_node.federation.copies import Copies
from hedgerow_node.federation.fetching import Fetching
from hedgerow_node.federation.moves import Moves
from hedgerow_node.federation.tasks import Tasks
from hedgerow_node.store.database import Connection
from hedgerow_node.store.errors import StoreError
from hedgerow_node.store.private import far_sending_rows
from hedgerow_node.store.private.outgoing_rows import Sent
from hedgerow_node.store.private.values import (
    BlobFile,
    ClaimedKeyPackage,
    Happened,
    Places,
    Refetch,
    Session,
)
from hedgerow_protocol import limits
from hedgerow_protocol.delivery.key_package import read_key_package
from hedgerow_protocol.delivery.refusal import Refusal, Refused, Waiting
from hedgerow_protocol.delivery.values import (
    Accepted,
    BlobHash,
    KeyPackageRef,
    MailboxId,
    RoomId,
    Submission,
)
from hedgerow_protocol.errors import RemoteError
from hedgerow_protocol.federation.claims import claim_tag
from hedgerow_protocol.federation.values import (
    Claimed,
    Done,
    KeyPackageClaim,
    PutBack,
    Submit,
    SubmitAccepted,
    SubmitConflict,
)
from hedgerow_protocol.ids import NodeId
from hedgerow_protocol.ports import Timestamp

SUBMIT_SECONDS: Final = 5.0
"""Seconds. For which a device waits for the hub of a room; then it hears of its entry by the log."""

CLAIM_SECONDS: Final = 10.0
"""Seconds. For which a device waits for a newcomer's home."""

CATCH_UP_SECONDS: Final = 5.0
"""Seconds. For which a device whose commit came second waits for what came first."""


class FarDelivery:
    """Answers :class:`hedgerow_node.delivery.doors.Delivery` for rooms of all hubs.

    Reading is the same for all rooms, so the service does it; a room of this hub costs one look into a dictionary.
    """

    def __init__(
        self, here: DeliveryService, copies: Copies, asking: Asking, fetching: Fetching, moves: Moves, *, tags: bytes
    ) -> None:
        self.tell: Callable[[Happened], None] = lambda happened: None
        self._here = here
        self._copies = copies
        self._asking = asking
        self._fetching = fetching
        self._tags = tags
        self._handed_in = Tasks("what was handed in for another hub")
        self.create_room = here.create_room
        self.log = here.log
        self.stop = here.stop
        self.overview = here.overview
        self.heads = here.heads
        self.add_note = here.add_note
        self.notes = here.notes
        self.moves = here.moves
        self.move = moves.move
        self.acknowledge = here.acknowledge
        self.add_key_packages = here.add_key_packages
        self.remove_key_package = here.remove_key_package
        self.welcomes = here.welcomes
        self.remove_welcome = here.remove_welcome
        self.prune = here.prune

    async def end(self) -> None:
        """Nobody who handed something in for another hub is told any more; it is on the disk and goes on."""
        await self._handed_in.stop()

    async def submit(self, session: Session, submission: Submission, *, now: Timestamp) -> Accepted | Refetch:
        """See the door."""
        hubs, room = self._copies.hubs, submission.room
        hub = hubs.get(room)
        try:
            return await self._submit(session, submission, hub, now)
        except Refused as refused:
            # The room has moved at this very moment.
            if refused.code is not Refusal.UNKNOWN or hubs.get(room) == hub:
                raise
        return await self._submit(session, submission, hubs.get(room), now)

    async def _submit(
        self, session: Session, submission: Submission, hub: NodeId | None, now: Timestamp
    ) -> Accepted | Refetch:
        if hub is None:
            return await self._here.submit(session, submission, now=now)
        check_submission(submission)
        submission = far_sending_rows.as_sent(submission, hub)
        found = await self._asking.scribe.write(partial(self._put, session, hub, submission, now))
        if isinstance(found, Accepted):
            return found
        answer = await self._asking.answer_to(found, SUBMIT_SECONDS)
        if isinstance(answer, SubmitAccepted):
            return Accepted(answer.seq, answer.time, answer.hash)
        if isinstance(answer, SubmitConflict):
            if not await self._copies.holds(submission.room, answer.newest, CATCH_UP_SECONDS, fetch=True):
                raise Waiting("Another change of this room came first, and is on its way.", retry_after=RETRY_SECONDS)
            limit = limits.LOG_PAGE_ENTRIES_MAX
            return Refetch(await self._here.log(session, submission.room, after=submission.seen, limit=limit))
        raise not_answered(answer)

    def hand_in(
        self, session: Session, submission: Submission, told: Callable[[Outcome], None], *, now: Timestamp
    ) -> None:
        """See the door."""
        hubs, room = self._copies.hubs, submission.room

        def at_hub() -> None:
            self._handed_in.spawn(self._tell_outcome(session, submission, told, now))

        def told_here(outcome: Outcome) -> None:
            # The room has moved away at this very moment.
            if isinstance(outcome, Refused) and outcome.code is Refusal.UNKNOWN and room in hubs:
                at_hub()
            else:
                told(outcome)

        if room in hubs:
            at_hub()
        else:
            self._here.hand_in(session, submission, told_here, now=now)

    async def _tell_outcome(
        self, session: Session, submission: Submission, told: Callable[[Outcome], None], now: Timestamp
    ) -> None:
        try:
            told(await self.submit(session, submission, now=now))
        except (Refused, Waiting, StoreError) as error:
            told(error)

    def _put(
        self, session: Session, hub: NodeId, submission: Submission, now: int, connection: Connection
    ) -> tuple[Accepted | Sent, Happened | None]:
        standing = far_sending_rows.check_author(connection, session, hub, submission)
        if standing is not None:
            return standing, None
        # A commit that came second is judged anew by the hub: its author may have seen what was first since.
        return self._asking.put(
            connection,
            session,
            hub,
            Submit(submission),
            submission.room + submission.id,
            now,
            again=lambda sent: isinstance(sent.answer, SubmitConflict),
        )

    async def places(self, session: Session, room: RoomId) -> Places:
        """See the door."""
        found = await self._here.places(session, room)
        if found.hub == self._here.node:
            return found
        if found.faulty is not None:
            return found
        waits = await self._asking.sending.away_since(found.hub, room)
        kept_back = self._copies.ahead_since(room)
        return replace(found, away_since=min((each for each in (waits, kept_back) if each is not None), default=None))

    async def put_back(self, session: Session, room: RoomId, mailbox: MailboxId, *, seen: int) -> None:
        """See the door."""
        hub = self._copies.hubs.get(room)
        if hub is None:
            return await self._here.put_back(session, room, mailbox, seen=seen)

        def put(connection: Connection) -> tuple[Sent, Happened | None]:
            author = far_sending_rows.own_mailbox_in(connection, session, room)
            body = PutBack(room, author, mailbox, seen)
            return self._asking.put(connection, session, hub, body, author + mailbox + seen.to_bytes(8, "big"), 0)

        sent = await self._asking.scribe.write(put)
        expect(await self._asking.answer_to(sent, SUBMIT_SECONDS), Done)
        return None

    async def claim_key_package(
        self, session: Session, ref: KeyPackageRef, consent: bytes, *, home: NodeId | None = None, now: Timestamp
    ) -> ClaimedKeyPackage:
        """See the door."""
        if home is None or home == self._here.node:
            return await self._here.claim_key_package(session, ref, consent, now=now)
        tag = claim_tag(self._tags, session.account, ref)
        body = KeyPackageClaim(ref, consent, tag)
        answer = await self._asking.ask(session, home, body, tag + ref + consent, now=now, seconds=CLAIM_SECONDS)
        claimed = expect(answer, Claimed)
        try:
            package = read_key_package(claimed.key_package)
        except RemoteError as error:
            raise _not_that() from error
        if package.ref != ref or package.mailbox != claimed.mailbox:
            raise _not_that()
        return ClaimedKeyPackage(claimed.key_package, claimed.mailbox)

    async def put_blob(self, session: Session, room: RoomId, blob: BlobHash, data: bytes, *, now: Timestamp) -> None:
        """See the door."""
        await self._here.put_blob(session, room, blob, data, now=now)
        hub = self._copies.hubs.get(room)
        if hub is not None:
            self._fetching.bring(hub)

    async def blob(self, session: Session, room: RoomId, blob: BlobHash) -> BlobFile:
        """See the door."""
        hub = self._copies.hubs.get(room)
        try:
            return await self._here.blob(session, room, blob)
        except Refused as refused:
            if hub is None or refused.code is not Refusal.UNKNOWN:
                raise
        await self._asking.scribe.quietly(lambda c: far_sending_rows.own_mailbox_in(c, session, room, active=True))
        await self._fetching.fetch(hub, room, blob)
        return await self._here.blob(session, room, blob)


def _fits(delivery: FarDelivery) -> Delivery:
    return delivery


def _not_that() -> Refused:
    return Refused(Refusal.BAD, "The other community gave a KeyPackage that is not the one that was asked for.")
