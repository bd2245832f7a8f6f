"""What one node asks of another about rooms, and what it is answered: one class for each kind of request and answer.

Every request is idempotent: the same one again (with the same id) has the same effect as once, and is answered the
same. Spec: docs/protocol/federation.md.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final, TypeAlias

from hedgerow_protocol.delivery.refusal import Refusal
from hedgerow_protocol.delivery.values import (
    AskId,
    BlobHash,
    Entry,
    Head,
    InviteId,
    KeyPackageRef,
    MailboxId,
    RoomId,
    Submission,
)
from hedgerow_protocol.ids import NodeId

REQUEST_ID_BYTES: Final = 16
TAG_BYTES: Final = 16
PROOF_BYTES: Final = 32


class Status(StrEnum):
    """What became of a request."""

    OK = "ok"
    REFUSED = "refused"
    CONFLICT = "conflict"
    BUSY = "busy"


# --- requests


@dataclass(frozen=True, slots=True)
class KeyPackageClaim:
    """To a newcomer's home: give me this KeyPackage; here is the consent of whoever made it."""

    ref: KeyPackageRef
    consent: bytes
    """1 to 64 bytes."""
    tag: bytes
    """16 bytes that stand for the account that claims, for this ref only (:mod:`.claims`)."""


@dataclass(frozen=True, slots=True)
class InviteRead:
    """To the node that keeps an invitation: what is it for?"""

    invite: InviteId
    proof: bytes


@dataclass(frozen=True, slots=True)
class AskLetter:
    """To the node that keeps an invitation: somebody here asks to be let in."""

    invite: InviteId
    proof: bytes
    body: bytes
    """Sealed to those who made the invitation."""


@dataclass(frozen=True, slots=True)
class Submit:
    """To the hub: a member here says this. (The hub checks that the mailbox is one of the node that asks.)"""

    submission: Submission
    """Welcomes to a KeyPackage that the hub keeps have neither ``home`` nor ``mailbox``; all others have both."""

    @property
    def room(self) -> RoomId:
        """The room it is for."""
        return self.submission.room


@dataclass(frozen=True, slots=True)
class WelcomeLetter:
    """To a newcomer's home, from the hub: your member was let in."""

    room: RoomId
    seq: int
    """Of the commit that let them in: their mailbox reads from here on."""
    ref: KeyPackageRef
    payload: bytes
    mailbox: MailboxId
    head: Head
    """Where the log stood before that commit (``seq - 1``): what a new copy of the log begins from."""


@dataclass(frozen=True, slots=True)
class Follow:
    """To the hub: tell me of everything after this; these mailboxes here take part."""

    room: RoomId
    after: int
    """The last seq that the follower holds."""
    mailboxes: tuple[MailboxId, ...]


@dataclass(frozen=True, slots=True)
class Unfollow:
    """To the hub: this mailbox stops, or its device was revoked."""

    room: RoomId
    mailbox: MailboxId


@dataclass(frozen=True, slots=True)
class PutBack:
    """To the hub: invalid commits took this mailbox out; undo that, as ``author`` asks."""

    room: RoomId
    author: MailboxId
    mailbox: MailboxId
    seen: int
    """The last seq the author has processed: what a later commit did stays."""


@dataclass(frozen=True, slots=True)
class MailboxTold:
    """From the hub: this mailbox of yours was taken out, and reads no further than ``until``; or it was put back."""

    room: RoomId
    mailbox: MailboxId
    until: Head | None
    """``None``: it takes part again, as if it had never been taken out."""


@dataclass(frozen=True, slots=True)
class RoomAsk:
    """To the hub: another device of a member here asks to be let in."""

    room: RoomId
    tag: bytes
    """16 bytes that stand for the account, for this room only (:mod:`.claims`)."""
    body: bytes


@dataclass(frozen=True, slots=True)
class AskTold:
    """From the hub: somebody asks to be let in; tell the devices you have in the room."""

    room: RoomId
    ask: AskId
    invite: InviteId | None
    """``None``: another device of a member asks."""
    body: bytes
    day: int
    """Unix seconds of the start of the day (UTC)."""


@dataclass(frozen=True, slots=True)
class AskGone:
    """From the hub, or to it: this ask was handled."""

    room: RoomId
    ask: AskId


@dataclass(frozen=True, slots=True)
class BlobGet:
    """To the hub: a file's ciphertext from this byte on."""

    room: RoomId
    blob: BlobHash
    offset: int


@dataclass(frozen=True, slots=True)
class BlobPut:
    """To the hub: a piece of a file's ciphertext. Pieces come in order; one that is there already is fine."""

    room: RoomId
    blob: BlobHash
    size: int
    """Bytes of the whole."""
    offset: int
    data: bytes


@dataclass(frozen=True, slots=True)
class Note:
    """To the other nodes of a room: a member's sealed word that does not stand in the log (about moving it)."""

    room: RoomId
    body: bytes


@dataclass(frozen=True, slots=True)
class CopyFetch:
    """For a move: what have you of the room after this? By the new hub to all others, and by others to the new hub."""

    room: RoomId
    number: int
    """Of the move."""
    after: int


@dataclass(frozen=True, slots=True)
class MoveRead:
    """To the room's new hub: where do you begin? ``mailboxes``: those here that take part."""

    room: RoomId
    number: int
    mailboxes: tuple[MailboxId, ...]


@dataclass(frozen=True, slots=True)
class DropLeft:
    """To a node that holds drops: keep this until that node comes for it (:mod:`.drops`)."""

    to: NodeId
    sealed: bytes


@dataclass(frozen=True, slots=True)
class DropFetch:
    """To a node that holds drops: what lies there for me?"""

    taken: tuple[bytes, ...]
    """Ids of those that need not be kept any longer, 16 bytes each."""


@dataclass(frozen=True, slots=True)
class UnknownKind:
    """A request or an answer of a later version. A request is answered with :data:`UNKNOWN_KIND`."""

    kind: str


RequestBody: TypeAlias = (
    KeyPackageClaim | InviteRead | AskLetter | Submit | WelcomeLetter | Follow | Unfollow | PutBack | MailboxTold
    | RoomAsk | AskTold | AskGone | BlobGet | BlobPut | Note | CopyFetch | MoveRead | DropLeft | DropFetch
    | UnknownKind
)  # fmt: skip


# --- answers


@dataclass(frozen=True, slots=True)
class Claimed:
    """To :class:`KeyPackageClaim`. Whoever asked checks that it is the one with that reference and mailbox."""

    key_package: bytes
    mailbox: MailboxId


@dataclass(frozen=True, slots=True)
class InviteFound:
    """To :class:`InviteRead`."""

    title: str
    """The community's name: one line, perhaps empty."""
    expires: int
    note: bytes
    """Sealed."""


@dataclass(frozen=True, slots=True)
class Asked:
    """To :class:`AskLetter` and :class:`RoomAsk`."""

    ask: AskId


@dataclass(frozen=True, slots=True)
class SubmitAccepted:
    """To :class:`Submit`: it stands in the log, and on the hub's disk."""

    seq: int
    time: int
    hash: bytes


@dataclass(frozen=True, slots=True)
class SubmitConflict:
    """To :class:`Submit`: another commit of that epoch was there first."""

    seen: int
    """What follows this seq is what the author has not seen."""
    newest: int
    """The seq of the log's newest entry: when the follower holds it, it holds what stood in the way."""


@dataclass(frozen=True, slots=True)
class Following:
    """To :class:`Follow`: where the log stands, and who else follows it."""

    head: Head
    followers: tuple[NodeId, ...]
    """Other nodes that keep a copy, as many as are told of; neither the hub nor who asked."""


@dataclass(frozen=True, slots=True)
class BlobBytes:
    """To :class:`BlobGet`."""

    size: int
    """Bytes of the whole."""
    data: bytes
    """From the offset that was asked for; empty at the end."""


@dataclass(frozen=True, slots=True)
class CopyPart:
    """To :class:`CopyFetch`: entries after that seq, perhaps none."""

    head: Head
    """The newest that is here, signed by the hub. Entries after it were accepted by the hub, and not told by it."""
    entries: tuple[Entry, ...]
    more: bool


@dataclass(frozen=True, slots=True)
class Moved:
    """To :class:`MoveRead`."""

    head: Head | None
    """Signed by the new hub: all up to there was ordered by the old one. ``None``: not begun yet."""


@dataclass(frozen=True, slots=True)
class DropsFound:
    """To :class:`DropFetch`: what lies there, the oldest first."""

    drops: tuple[bytes, ...]
    more: bool
    """Whether there are others, once these are taken."""


@dataclass(frozen=True, slots=True)
class Done:
    """To every request whose answer says nothing more."""


@dataclass(frozen=True, slots=True)
class RefusalAnswer:
    """No. The request is over; the same again brings the same."""

    code: Refusal
    """Words of a later version are read as ``BAD``."""
    sentence: str
    """One line for a person."""
    retry_after: int = 0
    """Seconds; only with ``TOO_FAST``."""


@dataclass(frozen=True, slots=True)
class Busy:
    """Not now: send the same again, not before so many seconds."""

    seconds: int


UNKNOWN_KIND: Final = RefusalAnswer(Refusal.BAD, "The other node does not know this kind of request.")
"""The answer to a request of a later version."""

AnswerBody: TypeAlias = (
    Claimed | InviteFound | Asked | SubmitAccepted | SubmitConflict | Following | BlobBytes | CopyPart | Moved
    | DropsFound | Done | RefusalAnswer | Busy | UnknownKind
)  # fmt: skip


def status_of(body: AnswerBody) -> Status:
    """What became of the request that was answered so. What this version cannot read counts as refused."""
    if isinstance(body, SubmitConflict):
        return Status.CONFLICT
    if isinstance(body, Busy):
        return Status.BUSY
    return Status.REFUSED if isinstance(body, RefusalAnswer | UnknownKind) else Status.OK


def room_of(body: RequestBody) -> RoomId | None:
    """The room that a request is for; requests for one room are sent in order."""
    room: RoomId | None = getattr(body, "room", None)
    return room
