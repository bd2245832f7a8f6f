"""What the street door may ask of delivery. :class:`hedgerow_node.delivery.service.DeliveryService` answers it.

Everything may raise :class:`Refused` (a code and a sentence) and :class:`hedgerow_node.store.errors.StoreError`.
For a room of another hub, and for whatever another node keeps, methods that say so raise :class:`Waiting` while that
node has not answered: the request is on the disk, and the same request again asks for its answer.
What is returned is on the disk, except where a method says otherwise. A device only ever reaches rooms in which a
mailbox of its own takes part; anything else is ``UNKNOWN``, whether it exists or not.
"""

from collections.abc import Callable, Sequence
from typing import Protocol, TypeAlias

from hedgerow_node.store.errors import StoreError
from hedgerow_node.store.private.values import (
    BlobFile,
    ClaimedKeyPackage,
    Happened,
    KeyPackageOffer,
    LogPage,
    MoveRow,
    NewMove,
    NoteRow,
    Overview,
    Places,
    Refetch,
    Session,
    WelcomeRow,
)
from hedgerow_protocol.delivery.refusal import Refusal, Refused, Waiting
from hedgerow_protocol.delivery.values import (
    Accepted,
    BlobHash,
    Head,
    KeyPackageRef,
    MailboxId,
    RoomId,
    Submission,
    WelcomeId,
)
from hedgerow_protocol.ids import NodeId
from hedgerow_protocol.ports import Timestamp

__all__ = ["Delivery", "Happened", "Outcome", "Refusal", "Refused", "Session", "Waiting"]

Outcome: TypeAlias = Accepted | Refetch | Refused | Waiting | StoreError
"""What became of a submission: a failure as a value."""


class Delivery(Protocol):
    """Rooms' logs, mailboxes, KeyPackages, Welcomes and files."""

    tell: Callable[[Happened], None]
    """Called on the event loop after each commit of the store, once for everything in it, and before those who
    submitted are answered. Set once; must not raise."""

    # --- rooms

    async def create_room(self, session: Session, room: RoomId, mailbox: MailboxId, *, now: Timestamp) -> Head:
        """A new room in which this mailbox takes part. The same again is fine. Refusals: TAKEN, TOO_MANY."""
        ...

    async def log(self, session: Session, room: RoomId, *, after: int, limit: int) -> LogPage:
        """Entries after a seq, oldest first: at most ``limit``, fewer when they are large.

        A mailbox reads from the commit that let it in to the one that took it out, both included. Refusal: UNKNOWN.
        """
        ...

    async def submit(self, session: Session, submission: Submission, *, now: Timestamp) -> Accepted | Refetch:
        """Put an entry into the log. The same id in the same room again gives the same answer.

        Refusals: UNKNOWN (room, mailbox), NOT_ALLOWED (taken out), BAD (not such an MLS message; unknown KeyPackage
        in ``welcomes``; foreign mailbox in ``removes``; ``seen`` beyond the head), TOO_LARGE, TOO_MANY (the room is
        full of undelivered words), StoreBusyError. In a room of another hub also :class:`Waiting` (after 5 seconds at
        most): the entry is on its way and arrives by the log; ENDED: it was given up.
        """
        ...

    def hand_in(
        self, session: Session, submission: Submission, told: Callable[[Outcome], None], *, now: Timestamp
    ) -> None:
        """The same for whoever does not wait, without a task for each: ``told`` is called once, on the event loop.

        It hears of :class:`Accepted` right before :attr:`tell` is called for the same commit of the store, so that both
        can go out in one write. It must not raise. What is refused at once is raised, and ``told`` is not called.
        """
        ...

    async def put_back(self, session: Session, room: RoomId, mailbox: MailboxId, *, seen: int) -> None:
        """Undo what invalid commits up to ``seen`` did: the mailbox takes part again, as if never taken out.

        ``seen`` is the last seq the device has processed. What a later commit did stays.
        Whoever takes part may do it, and whoever of another account was taken out at the same time or later; nobody for
        its own device.
        Refusals: UNKNOWN, NOT_ALLOWED. In a room of another hub also :class:`Waiting`.
        """
        ...

    async def stop(self, session: Session, room: RoomId, mailbox: MailboxId) -> None:
        """Let one's own mailbox take part no longer. Refusal: UNKNOWN."""
        ...

    async def overview(self, session: Session) -> Overview:
        """Everything that waits for this device: for ``GET /mailbox`` and the live socket's hello."""
        ...

    async def heads(self, session: Session, rooms: Sequence[RoomId]) -> Sequence[tuple[RoomId, Head]]:
        """Signed heads of those of these rooms in which the device takes part: for ``{"heads": […]}``."""
        ...

    async def places(self, session: Session, room: RoomId) -> Places:
        """Where the room's log lies, and whether its hub was caught lying. Refusal: UNKNOWN."""
        ...

    async def add_note(self, session: Session, room: RoomId, body: bytes, *, now: Timestamp) -> None:
        """Say something sealed to all devices of a room, beside its log: for when nobody orders it. Refusal: UNKNOWN.

        It goes to the nodes of the room that this one knows of. The same again has no effect.
        """
        ...

    async def notes(self, session: Session, room: RoomId, *, after: int) -> Sequence[NoteRow]:
        """Notes of the last month with a higher number, those of this device among them. Refusal: UNKNOWN."""
        ...

    async def move(self, session: Session, move: NewMove) -> None:
        """More than half of the members have moved the room: do it. The same again is fine.

        Refusals: UNKNOWN, BAD (statements; the hub it has), STALE (another move came before).
        """
        ...

    async def moves(self, session: Session, room: RoomId) -> Sequence[MoveRow]:
        """What was moved, by whom, and where the new hub begins. Refusal: UNKNOWN."""
        ...

    async def acknowledge(self, acknowledged: Sequence[tuple[Session, RoomId, int]]) -> None:
        """These devices have processed these rooms up to these seqs; never goes back; strangers' rooms are passed over.

        One call for many devices is one write: gather what arrives on live sockets.
        """
        ...

    # --- KeyPackages and Welcomes

    async def add_key_packages(self, session: Session, offers: Sequence[KeyPackageOffer], *, now: Timestamp) -> None:
        """Keep KeyPackages, all or none. The same again is fine.

        Refusals: BAD (does not verify; not suite 1; other ref or mailbox inside; expiry), TAKEN, TOO_MANY.
        """
        ...

    async def claim_key_package(
        self, session: Session, ref: KeyPackageRef, consent: bytes, *, home: NodeId | None = None, now: Timestamp
    ) -> ClaimedKeyPackage:
        """Take a KeyPackage; the same account may ask again. ``home``: the node that keeps it; ``None``: this one.

        Refusals: UNKNOWN (also a wrong token), USED, ENDED; BAD (what another node gave is no such KeyPackage).
        Of another node also :class:`Waiting` (after 10 seconds at most).
        """
        ...

    async def remove_key_package(self, session: Session, ref: KeyPackageRef) -> None:
        """Take back one's own. Refusal: UNKNOWN."""
        ...

    async def welcomes(self, session: Session) -> Sequence[WelcomeRow]:
        """Those that wait for this device, oldest first; fewer at once when they are large."""
        ...

    async def remove_welcome(self, session: Session, welcome: WelcomeId) -> None:
        """It was processed. Refusal: UNKNOWN."""
        ...

    # --- files

    async def put_blob(self, session: Session, room: RoomId, blob: BlobHash, data: bytes, *, now: Timestamp) -> None:
        """Keep a file's ciphertext for a room. The same again is fine.

        Refusals: UNKNOWN (room), BAD (hash), TOO_LARGE, TOO_MANY (quota of the account or the room).
        In a room of another hub it is kept here, and brought to the hub afterwards.
        """
        ...

    async def blob(self, session: Session, room: RoomId, blob: BlobHash) -> BlobFile:
        """Where the ciphertext lies. Refusal: UNKNOWN.

        In a room of another hub also :class:`Waiting`: it is being fetched.
        """
        ...

    # --- chores

    async def prune(self, now: Timestamp) -> None:
        """Remove what is no longer kept; once an hour."""
        ...
