"""The delivery service: everything a device may ask about rooms, in front of the store."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from hashlib import sha256

from hedgerow_node.delivery import pump
from hedgerow_node.delivery.doors import Delivery, Outcome
from hedgerow_node.delivery.files import BlobRoom
from hedgerow_node.delivery.heads import Heads
from hedgerow_node.store.database import Connection
from hedgerow_node.store.errors import StoreError
from hedgerow_node.store.private import (
    ask_rows,
    key_package_rows,
    log_rows,
    mailbox_rows,
    moving_rows,
    note_rows,
    place_rows,
    pruning,
    putting_back_rows,
)
from hedgerow_node.store.private.appending import Appender, Arrived
from hedgerow_node.store.private.opening import PrivateStore
from hedgerow_node.store.private.scribe import Scribe
from hedgerow_node.store.private.values import (
    BlobFile,
    ClaimedKeyPackage,
    Happened,
    KeyPackageOffer,
    LogPage,
    MailboxRow,
    MoveRow,
    NewMove,
    NoteRow,
    Overview,
    Places,
    Refetch,
    Session,
    WelcomeRow,
)
from hedgerow_protocol import limits
from hedgerow_protocol.delivery.chain import sign_head
from hedgerow_protocol.delivery.envelope import check_payload, check_welcome
from hedgerow_protocol.delivery.key_package import read_key_package
from hedgerow_protocol.delivery.refusal import Refusal, Refused
from hedgerow_protocol.delivery.values import (
    Accepted,
    BlobHash,
    Conflict,
    EntryKind,
    Head,
    KeyPackageRef,
    MailboxId,
    Position,
    RoomId,
    Submission,
    WelcomeId,
)
from hedgerow_protocol.errors import Code, RemoteError
from hedgerow_protocol.ids import NodeId
from hedgerow_protocol.keys import SigningKey
from hedgerow_protocol.ports import Entropy, Timestamp


class DeliveryService:
    """Answers :class:`hedgerow_node.delivery.doors.Delivery`. Close it before the store."""

    def __init__(
        self,
        store: PrivateStore,
        key: SigningKey,
        *,
        entropy: Entropy,
        room_bytes_max: int = limits.ROOM_LOG_BYTES_MAX,
    ) -> None:
        self.tell: Callable[[Happened], None] = lambda happened: None
        self._database = store.database
        self._scribe = Scribe(store.database, lambda: self.tell)
        self._entropy = entropy
        self.node = NodeId(key.public[1:])
        self._heads = Heads(key)
        appender = Appender(bytes_max=room_bytes_max, entropy=entropy, sign=partial(sign_head, key))
        self._pump = pump.Pump(self._scribe, appender)
        self.blobs = BlobRoom(store, self._scribe)
        self._refetching: set[asyncio.Task[None]] = set()

    async def close(self) -> None:
        """Write what waits."""
        await self._pump.close()
        if self._refetching:
            await asyncio.wait(self._refetching)

    # --- rooms

    async def create_room(self, session: Session, room: RoomId, mailbox: MailboxId, *, now: Timestamp) -> Head:
        """See the door."""
        position = await self._scribe.write(lambda c: mailbox_rows.found_room(c, session, room, mailbox))
        return self._heads.of(room, position)

    async def log(self, session: Session, room: RoomId, *, after: int, limit: int) -> LogPage:
        """See the door."""

        def read(connection: Connection) -> tuple[log_rows.Reach, list[bytes]]:
            reach = log_rows.reach_of(connection, room, session.device_row)
            limited = min(limit, limits.LOG_PAGE_ENTRIES_MAX)
            return reach, log_rows.texts_after(connection, reach, after, limited, limits.LOG_PAGE_BYTES_MAX)

        reach, texts = await self._database.read(read)
        return LogPage(texts, self._head(room, reach.position, reach.hub, reach.signature), reach.hub)

    def _head(self, room: RoomId, position: Position, hub: NodeId | None, signature: bytes) -> Head:
        return self._heads.of(room, position) if hub is None else Head(position, signature)

    async def submit(self, session: Session, submission: Submission, *, now: Timestamp) -> Accepted | Refetch:
        """See the door."""
        outcome = await self._pump.submit(self._arrived(submission, session.device_row, None, now))
        return outcome if isinstance(outcome, Accepted) else await self._refetch(session, submission.room, outcome)

    def hand_in(
        self, session: Session, submission: Submission, told: Callable[[Outcome], None], *, now: Timestamp
    ) -> None:
        """See the door."""

        def know(outcome: pump.Outcome) -> None:
            if isinstance(outcome, Conflict):
                work = self._tell_refetch(session, submission.room, outcome, told)
                task = asyncio.get_running_loop().create_task(work, name="what came first")
                self._refetching.add(task)
                task.add_done_callback(self._refetching.discard)
            else:
                told(outcome)

        self._pump.hand_in(self._arrived(submission, session.device_row, None, now), know)

    async def _refetch(self, session: Session, room: RoomId, conflict: Conflict) -> Refetch:
        return Refetch(await self.log(session, room, after=conflict.seen, limit=limits.LOG_PAGE_ENTRIES_MAX))

    async def _tell_refetch(
        self, session: Session, room: RoomId, conflict: Conflict, told: Callable[[Outcome], None]
    ) -> None:
        try:
            told(await self._refetch(session, room, conflict))
        except (Refused, StoreError) as error:
            told(error)

    async def submit_far(self, node: NodeId, submission: Submission, *, now: Timestamp) -> Accepted | Conflict:
        """The same for a member of another node, in a room of this one. It is in its place in the queue at once."""
        return await self._pump.submit(self._arrived(submission, 0, node, now))

    async def submit_again(self, submission: Submission, *, now: Timestamp) -> None:
        """What a hub had accepted from a device here before the room moved to this node. Raises :class:`Refused`."""
        device = await self._database.read(lambda c: mailbox_rows.device_of(c, submission.mailbox))
        if device is not None:
            await self._pump.submit(self._arrived(submission, device, None, now))

    def _arrived(self, submission: Submission, device_row: int, node: NodeId | None, now: int) -> Arrived:
        """A submission that was looked at. Raises :class:`Refused`."""
        check_submission(submission)
        if any(each.home == self.node for each in submission.welcomes):
            welcomes = [
                replace(each, home=None, mailbox=None) if each.home == self.node else each
                for each in submission.welcomes
            ]
            submission = replace(submission, welcomes=welcomes)
        return Arrived(submission, device_row, sha256(submission.payload).digest(), now, node)

    async def put_back(self, session: Session, room: RoomId, mailbox: MailboxId, *, seen: int) -> None:
        """See the door."""
        await self._scribe.write(
            lambda c: (None, putting_back_rows.put_back(c, session, room, mailbox, seen, self._entropy))
        )

    async def stop(self, session: Session, room: RoomId, mailbox: MailboxId) -> None:
        """See the door."""
        await self._scribe.write(lambda c: (None, mailbox_rows.stop(c, session, room, mailbox, self._entropy)))

    async def overview(self, session: Session) -> Overview:
        """See the door."""

        def read(connection: Connection) -> tuple[list[mailbox_rows.Standing], int, int]:
            return (
                mailbox_rows.rooms_of(connection, session),
                key_package_rows.count_welcomes(connection, session),
                ask_rows.count_asks(connection, session),
            )

        rooms, welcomes, asks = await self._database.read(read)
        signed = [
            MailboxRow(
                each.room,
                each.mailbox,
                each.acknowledged,
                self._head(each.room, each.position, each.hub, each.signature),
                each.until,
                each.hub,
                each.notes,
            )
            for each in rooms
        ]
        return Overview(signed, welcomes, asks)

    async def heads(self, session: Session, rooms: Sequence[RoomId]) -> Sequence[tuple[RoomId, Head]]:
        """See the door."""
        found = await self._database.read(lambda c: mailbox_rows.positions(c, session, rooms))
        return [
            (room, self._heads.of(room, position) if signature is None else Head(position, signature))
            for room, position, signature in found
        ]

    async def places(self, session: Session, room: RoomId) -> Places:
        """See the door."""
        return await self._database.read(lambda c: place_rows.places_of(c, session, room, self.node))

    async def add_note(self, session: Session, room: RoomId, body: bytes, *, now: Timestamp) -> None:
        """See the door."""
        await self._scribe.write(lambda c: (None, note_rows.add_note(c, session, room, body, self._entropy, now)))

    async def notes(self, session: Session, room: RoomId, *, after: int) -> Sequence[NoteRow]:
        """See the door."""
        return await self._database.read(lambda c: note_rows.notes_after(c, session, room, after))

    async def move(self, session: Session, move: NewMove) -> None:
        """See the door; :class:`hedgerow_node.federation.moves.Moves` does it."""
        raise Refused(Refusal.NOT_ALLOWED, "This node speaks with no other, so no room moves.")

    async def moves(self, session: Session, room: RoomId) -> Sequence[MoveRow]:
        """See the door."""
        return await self._database.read(lambda c: moving_rows.moves_of(c, session, room))

    async def acknowledge(self, acknowledged: Sequence[tuple[Session, RoomId, int]]) -> None:
        """See the door."""
        if acknowledged:
            await self._scribe.quietly(lambda c: mailbox_rows.acknowledge(c, acknowledged))

    # --- KeyPackages and Welcomes

    async def add_key_packages(self, session: Session, offers: Sequence[KeyPackageOffer], *, now: Timestamp) -> None:
        """See the door."""
        if len(offers) > limits.KEY_PACKAGES_AT_ONCE_MAX:
            raise Refused(Refusal.TOO_MANY, f"At most {limits.KEY_PACKAGES_AT_ONCE_MAX} KeyPackages at once.")
        await asyncio.to_thread(_check_offers, offers, now)
        await self._scribe.quietly(lambda c: key_package_rows.add_key_packages(c, session, offers))

    async def claim_key_package(
        self, session: Session, ref: KeyPackageRef, consent: bytes, *, home: NodeId | None = None, now: Timestamp
    ) -> ClaimedKeyPackage:
        """See the door; of other nodes see :class:`hedgerow_node.federation.far_delivery.FarDelivery`."""
        if home not in (None, self.node):
            raise Refused(Refusal.UNKNOWN, "This KeyPackage is at another node, and this one asks none.")
        return await self._scribe.quietly(lambda c: key_package_rows.claim_key_package(c, session, ref, consent, now))

    async def remove_key_package(self, session: Session, ref: KeyPackageRef) -> None:
        """See the door."""
        await self._scribe.quietly(lambda c: key_package_rows.remove_key_package(c, session, ref))

    async def welcomes(self, session: Session) -> Sequence[WelcomeRow]:
        """See the door."""
        return await self._database.read(lambda c: key_package_rows.welcomes_of(c, session))

    async def remove_welcome(self, session: Session, welcome: WelcomeId) -> None:
        """See the door."""
        await self._scribe.quietly(lambda c: key_package_rows.remove_welcome(c, session, welcome))

    # --- files

    async def put_blob(self, session: Session, room: RoomId, blob: BlobHash, data: bytes, *, now: Timestamp) -> None:
        """See the door."""
        await self.blobs.put(session, room, blob, data, now)

    async def blob(self, session: Session, room: RoomId, blob: BlobHash) -> BlobFile:
        """See the door."""
        return await self.blobs.find(session, room, blob)

    # --- chores

    async def prune(self, now: Timestamp) -> None:
        """See the door. A little at a time: submissions go in between."""
        for row in await self._database.read(lambda c: pruning.rooms_with_old_messages(c, now)):
            while await self._scribe.quietly(partial(_prune_messages, row, now)):
                pass
        await self._prune_commits(now)
        blobs = await self._scribe.quietly(lambda c: pruning.prune_blobs(c, now))
        for row in await self._database.read(lambda c: pruning.empty_rooms(c, now)):
            while (files := await self._scribe.quietly(partial(_remove_room, row))) is None:
                pass
            blobs += files
        await self.blobs.forget([BlobHash(each) for each in blobs])

    async def _prune_commits(self, now: Timestamp) -> None:
        after = 0
        while commits := await self._database.read(partial(_commits_kept, after)):
            await self._scribe.quietly(partial(_prune_commits, commits, now))
            after = commits[-1][0]


def _fits(service: DeliveryService) -> Delivery:
    return service


def _prune_messages(room_row: int, now: int, connection: Connection) -> bool:
    return pruning.prune_messages(connection, room_row, now)


def _remove_room(room_row: int, connection: Connection) -> list[bytes] | None:
    return pruning.remove_room(connection, room_row)


def _commits_kept(after: int, connection: Connection) -> list[tuple[int, int]]:
    return pruning.commits_kept(connection, after)


def _prune_commits(commits: list[tuple[int, int]], now: int, connection: Connection) -> None:
    pruning.prune_commits(connection, commits, now)


def check_submission(submission: Submission) -> None:
    """What can be seen of a submission from outside. Raises :class:`Refused`."""
    if submission.kind is not EntryKind.COMMIT and (submission.welcomes or submission.removes):
        raise Refused(Refusal.BAD, "Only a commit lets devices in or takes them out.")
    if len(submission.welcomes) > limits.WELCOMES_MAX or len(submission.removes) > limits.REMOVES_MAX:
        raise Refused(Refusal.TOO_MANY, "This commit changes more at once than a commit may.")
    if sum(len(each.payload) for each in submission.welcomes) > limits.WELCOMES_BYTES_MAX:
        raise Refused(Refusal.TOO_LARGE, "The Welcomes of this commit are too large together.")
    try:
        check_payload(submission.payload, submission.room, submission.kind, submission.epoch)
        for each in submission.welcomes:
            check_welcome(each.payload)
    except RemoteError as error:
        raise refused(error) from error


def _check_offers(offers: Sequence[KeyPackageOffer], now: int) -> None:
    for offer in offers:
        try:
            package = read_key_package(offer.key_package)
        except RemoteError as error:
            raise refused(error) from error
        if package.ref != offer.ref:
            raise Refused(Refusal.BAD, "This reference belongs to another KeyPackage.")
        if package.mailbox != offer.mailbox:
            raise Refused(Refusal.BAD, "This KeyPackage names another mailbox.")
        if not now < offer.expires <= min(package.not_after, now + limits.KEY_PACKAGE_SECONDS_MAX):
            raise Refused(Refusal.BAD, "This KeyPackage expires too late, or has expired.")


def refused(error: RemoteError) -> Refused:
    """A stranger's mistake in bytes, as an answer."""
    return Refused(Refusal.TOO_LARGE if error.code is Code.TOO_LARGE else Refusal.BAD, error.reason)
