"""What goes in and out of the private store: plain values."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from hedgerow_protocol.delivery.values import (
    AccountKey,
    AskId,
    BlobHash,
    DeviceId,
    Head,
    InviteId,
    KeyPackageRef,
    MailboxId,
    RoomId,
    WelcomeId,
)
from hedgerow_protocol.federation.moving import MoveStatement
from hedgerow_protocol.ids import NodeId

DAY_SECONDS = 86_400


@dataclass(frozen=True, slots=True)
class Session:
    """A device that showed its token. The rows are the store's own numbers and are never given to another device."""

    account: AccountKey
    device: DeviceId
    account_row: int
    device_row: int


class Posted(NamedTuple):
    """A request to another node that was put into the outbox; its letter, as it goes there."""

    row: int
    request: bytes
    node: NodeId
    room: RoomId | None
    created: int
    letter: bytes


@dataclass(frozen=True, slots=True)
class Happened:
    """What one commit of the store changed that somebody may be waiting to hear; on the disk already.

    To be told in this order: first ``entries`` to everybody who listens to the room, then ``parted``, then ``joined``,
    then the rest. (Who is taken out still hears of it; who is let in begins with a Welcome and reads the log.)
    """

    entries: Mapping[RoomId, Sequence[bytes]] = field(default_factory=dict)
    """By room and in order of their seq: each the JSON object of the API with ``"room"`` in it, as UTF-8."""
    heads: Mapping[RoomId, int] = field(default_factory=dict)
    """The newest seq of each room in ``entries``."""
    parted: Sequence[tuple[DeviceId, RoomId]] = ()
    """Devices that a room's entries no longer go to."""
    joined: Sequence[tuple[DeviceId, RoomId]] = ()
    """Devices that a room's entries go to from now on (founded it, were let in, or put back)."""
    welcomes: Sequence[DeviceId] = ()
    """Devices for which a Welcome arrived."""
    asks: Sequence[DeviceId] = ()
    """Devices that have a new ask to look at."""
    revoked: Sequence[DeviceId] = ()
    """Devices whose tokens are no longer valid: their live sockets end."""
    outgoing: Sequence[NodeId] = ()
    """Other nodes to which something is to be sent."""
    posted: Sequence[Posted] = ()
    """What is to be sent, where it is at hand; it is not looked for then."""
    fellows: Mapping[RoomId, Sequence[NodeId]] = field(default_factory=dict)
    """Other nodes that follow a room of another hub, as the hub has just answered."""
    limited: Sequence[tuple[NodeId, RoomId, int | None]] = ()
    """Other nodes, and the last seq that they may have of a room from now on; ``None``: everything."""
    notes: Sequence[RoomId] = ()
    """Rooms in which a member's word beside the log has come."""
    moved: Sequence[RoomId] = ()
    """Rooms that another node orders from now on."""

    @property
    def anything(self) -> bool:
        """Whether anybody is to hear of it."""
        to_devices = self.entries or self.parted or self.joined or self.welcomes or self.asks or self.revoked
        to_nodes = self.outgoing or self.posted or self.limited or self.fellows
        return bool(to_devices or to_nodes or self.notes or self.moved)


# --- accounts


@dataclass(frozen=True, slots=True)
class DeviceRow:
    """One device of an account."""

    device: DeviceId
    created_day: int
    """Unix seconds of the start of the day (UTC) it was made."""
    this: bool


@dataclass(frozen=True, slots=True)
class NewInvite:
    """An invitation as its maker hands it in."""

    invite: InviteId
    proof_hash: bytes
    expires: int
    uses: int
    """How many accounts it may make; 0: it only lets people who have one ask."""
    note: bytes = b""
    """Sealed; the node cannot read it."""
    room: RoomId | None = None

    @property
    def is_intake(self) -> bool:
        """It stands in a listing and belongs to all of its room: see ``invite_rows``."""
        return self.uses == 0 and self.room is not None and not self.note


@dataclass(frozen=True, slots=True)
class InviteRow:
    """An invitation as its maker sees it."""

    invite: InviteId
    expires: int
    uses: int
    uses_left: int
    note: bytes
    room: RoomId | None


@dataclass(frozen=True, slots=True)
class InviteView:
    """An invitation as somebody with the link sees it."""

    expires: int
    uses_left: int
    note: bytes

    @property
    def accounts(self) -> bool:
        """Whether an account can still be made with it."""
        return self.uses_left > 0


@dataclass(frozen=True, slots=True)
class FarInviteView:
    """An invitation that another node keeps, as that node tells it to somebody with the link."""

    title: str
    """The name of the community there; one line that this node has not written."""
    expires: int
    note: bytes


@dataclass(frozen=True, slots=True)
class AskRow:
    """Somebody asks to be let in."""

    ask: AskId
    invite: InviteId | None
    """``None``: another device of a member asks."""
    room: RoomId | None
    body: bytes
    time: int
    """Unix seconds of the start of the day (UTC)."""


@dataclass(frozen=True, slots=True)
class SealedRow:
    """A sealed record and its version."""

    version: int
    body: bytes


# --- delivery


@dataclass(frozen=True, slots=True)
class LogPage:
    """A part of a log and where the log stands."""

    entries: Sequence[bytes]
    """Each the JSON object of the API, as UTF-8, without ``"room"``."""
    head: Head
    hub: NodeId | None = None
    """The node that orders the room and signed the head; ``None``: this one."""


@dataclass(frozen=True, slots=True)
class Refetch:
    """The answer to a commit that came second: what its author has not seen yet."""

    page: LogPage

    @property
    def hub(self) -> NodeId | None:
        """As :attr:`LogPage.hub`."""
        return self.page.hub


@dataclass(frozen=True, slots=True)
class Places:
    """Where a room's log lies."""

    hub: NodeId
    """The node that orders it; perhaps this one."""
    followers: Sequence[NodeId]
    """Nodes that keep a copy for devices of their own, as far as this node knows; without the hub."""
    faulty: tuple[Head, Head] | None = None
    """Two heads signed by the hub that no one log can have: it told two stories, and nothing more is taken from it."""
    away_since: int | None = None
    """Unix seconds: since when the hub is not there though something waits for it, or keeps something back."""
    proof: bytes = b""
    """With ``faulty``: what proves it to anybody, :mod:`hedgerow_protocol.federation.forks`."""


@dataclass(frozen=True, slots=True)
class NoteRow:
    """A member's sealed word beside the log."""

    number: int
    """Later ones have higher numbers."""
    body: bytes


@dataclass(frozen=True, slots=True)
class NewMove:
    """That more than half of the members have moved a room, as a device of one of them says."""

    room: RoomId
    number: int
    hub: NodeId
    statements: Sequence[MoveStatement]
    mailboxes: Sequence[MailboxId]
    """Of all members' devices."""


@dataclass(frozen=True, slots=True)
class MoveRow:
    """A move as this node knows it."""

    number: int
    hub: NodeId
    head: Head | None
    """Where the new hub begins, signed by it; ``None``: it has not begun."""
    statements: Sequence[MoveStatement]


@dataclass(frozen=True, slots=True)
class MailboxRow:
    """One room of a device."""

    room: RoomId
    mailbox: MailboxId
    acknowledged: int
    head: Head
    """Where the log stands; for a mailbox that was taken out, still the room's head."""
    until: int | None
    """The last seq this mailbox may read, when it was taken out of the room; else ``None``."""
    hub: NodeId | None = None
    """The node that orders the room and signed the head; ``None``: this one."""
    notes: int = 0
    """The number of the newest note that is kept; 0: there is none."""


@dataclass(frozen=True, slots=True)
class Overview:
    """What waits for a device."""

    rooms: Sequence[MailboxRow]
    welcomes: int
    asks: int


@dataclass(frozen=True, slots=True)
class KeyPackageOffer:
    """A KeyPackage on its way in."""

    ref: KeyPackageRef
    key_package: bytes
    mailbox: MailboxId
    consent_hash: bytes
    """SHA-256 of the token that lets somebody claim it."""
    expires: int
    room: RoomId | None = None
    """When given, it can only be used for this room."""


@dataclass(frozen=True, slots=True)
class ClaimedKeyPackage:
    """A KeyPackage that was handed out."""

    key_package: bytes
    mailbox: MailboxId


@dataclass(frozen=True, slots=True)
class WelcomeRow:
    """A Welcome that waits for its device."""

    id: WelcomeId
    ref: KeyPackageRef
    room: RoomId
    seq: int
    """The commit's."""
    payload: bytes


@dataclass(frozen=True, slots=True)
class BlobFile:
    """A file's ciphertext on the disk."""

    hash: BlobHash
    path: Path
    size: int
    """Bytes."""
