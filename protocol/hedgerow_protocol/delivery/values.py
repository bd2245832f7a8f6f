"""The values of the delivery service: names of things, entries of a log, what is submitted and what becomes of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Final, NewType, TypeAlias

from hedgerow_protocol.ids import NodeId

AccountKey = NewType("AccountKey", bytes)
"""32 bytes: an account's Ed25519 public key, which is its only name."""

DeviceId = NewType("DeviceId", bytes)
"""16 bytes, chosen by the device."""

MailboxId = NewType("MailboxId", bytes)
"""16 bytes, chosen by the device: stands for it in one room."""

RoomId = NewType("RoomId", bytes)
"""32 bytes, chosen by the room's founder: also the MLS group id."""

EntryId = NewType("EntryId", bytes)
"""16 bytes, chosen by the author of an entry: the same id is the same entry, however often it is sent."""

KeyPackageRef = NewType("KeyPackageRef", bytes)
"""32 bytes: RFC 9420, 5.2."""

BlobHash = NewType("BlobHash", bytes)
"""32 bytes: SHA-256 of a file's ciphertext."""

InviteId = NewType("InviteId", bytes)
"""16 bytes, derived from the invitation's secret."""

AskId = NewType("AskId", bytes)
"""16 bytes, chosen by the node."""

WelcomeId = NewType("WelcomeId", bytes)
"""16 bytes, chosen by the node."""

ACCOUNT_KEY_BYTES: Final = 32
DEVICE_ID_BYTES: Final = 16
MAILBOX_ID_BYTES: Final = 16
ROOM_ID_BYTES: Final = 32
ENTRY_ID_BYTES: Final = 16
KEY_PACKAGE_REF_BYTES: Final = 32
BLOB_HASH_BYTES: Final = 32
INVITE_ID_BYTES: Final = 16
ASK_ID_BYTES: Final = 16
WELCOME_ID_BYTES: Final = 16
HASH_BYTES: Final = 32


class EntryKind(IntEnum):
    """What an entry's payload is; the number is part of its hash."""

    COMMIT = 1
    MESSAGE = 2

    @property
    def word(self) -> str:
        """As the API writes it."""
        return "commit" if self is EntryKind.COMMIT else "message"


@dataclass(frozen=True, slots=True)
class Position:
    """Where a log stands: its newest entry. Seq 0, time 0 and 32 zero bytes before the first one."""

    seq: int
    hash: bytes
    time: int
    """Unix seconds; never less than that of an earlier entry."""


@dataclass(frozen=True, slots=True)
class Head:
    """A position, signed by the node that orders the room."""

    position: Position
    signature: bytes


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of a room's log."""

    seq: int
    time: int
    kind: EntryKind
    epoch: int
    id: EntryId
    payload: bytes | None
    """``None`` once it is no longer kept; its hash stays in ``payload_hash``."""
    payload_hash: bytes
    hash: bytes

    @property
    def position(self) -> Position:
        """Where the log stands when this is its newest entry."""
        return Position(self.seq, self.hash, self.time)


@dataclass(frozen=True, slots=True)
class WelcomeOut:
    """A Welcome that goes with a commit, to the device that made the KeyPackage."""

    ref: KeyPackageRef
    payload: bytes
    home: NodeId | None = None
    """The node that keeps the KeyPackage; ``None``: the room's hub, and then there is no ``mailbox`` here either."""
    mailbox: MailboxId | None = None
    """The mailbox that the KeyPackage names: the hub cannot look it up at another node."""


@dataclass(frozen=True, slots=True)
class Submission:
    """What a device wants to stand in a room's log."""

    room: RoomId
    mailbox: MailboxId
    id: EntryId
    kind: EntryKind
    epoch: int
    seen: int
    """The last seq the author has processed."""
    payload: bytes
    welcomes: Sequence[WelcomeOut] = ()
    removes: Sequence[MailboxId] = ()


@dataclass(frozen=True, slots=True)
class Accepted:
    """It stands in the log, and on the disk."""

    seq: int
    time: int
    hash: bytes


@dataclass(frozen=True, slots=True)
class Conflict:
    """Another commit of that epoch was there first."""

    seen: int
    """What follows this seq is what the author has not seen."""


Decision: TypeAlias = Accepted | Conflict
