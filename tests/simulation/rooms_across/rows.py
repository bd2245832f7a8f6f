"""What nodes of the simulation keep on their disks, and what their members write."""

import struct
from dataclasses import dataclass

from hedgerow_protocol.delivery.envelope import MLS10, PRIVATE_MESSAGE, WELCOME
from hedgerow_protocol.delivery.values import EntryId, EntryKind, Head, KeyPackageRef, MailboxId, RoomId
from hedgerow_protocol.federation.forks import Proof
from hedgerow_protocol.ids import NodeId
from hedgerow_protocol.ports import Timestamp
from mls_bytes import vector


@dataclass(frozen=True)
class Far:
    """At the hub: a mailbox of another node."""

    node: NodeId
    joined: int
    until: int | None = None
    gone: bool = False
    last: int = 0
    """The last commit that took it out."""


@dataclass(frozen=True)
class Own:
    """At its home: a mailbox that was let in."""

    joined: int
    until: int | None = None
    gone: bool = False
    """Whether its device has stopped."""
    last: int = 0
    """The last commit that took it out, at the hub."""


@dataclass(frozen=True)
class Copy:
    """At a follower: how far it has a room."""

    hub: NodeId
    head: Head
    proof: Proof | None = None


@dataclass(frozen=True)
class Package:
    """At a newcomer's home: an offer to be let in."""

    mailbox: MailboxId
    room: RoomId
    claimed: bytes | None = None


@dataclass(frozen=True)
class Outgoing:
    """A request that is not answered."""

    node: NodeId
    room: RoomId | None
    id: bytes
    letter: bytes
    created: Timestamp


@dataclass(frozen=True)
class Written:
    """What a member made, as only members could read it."""

    room: RoomId
    mailbox: MailboxId
    count: int
    """Of this mailbox, in the order in which its member made them."""
    id: EntryId
    kind: EntryKind
    epoch: int
    payload: bytes
    removes: tuple[MailboxId, ...] = ()
    valid: bool = True
    """Whether members take the commit as one, or judge that it is none."""


def sealed(room: RoomId, epoch: int, kind: EntryKind, noise: bytes) -> bytes:
    """A PrivateMessage, as a node sees it: which room it is for stands on its outside."""
    content = 3 if kind is EntryKind.COMMIT else 1
    head = struct.pack("!HH", MLS10, PRIVATE_MESSAGE) + vector(room) + struct.pack("!QB", epoch, content)
    return head + vector(b"") + vector(bytes(28)) + vector(noise)


def room_on(payload: bytes) -> bytes:
    """The room for which a payload was made."""
    return payload[5:37] if payload[4] < 64 else payload[6:38]


def welcome(room: RoomId, ref: KeyPackageRef) -> bytes:
    """A Welcome, marked with its room."""
    return struct.pack("!HHH", MLS10, WELCOME, 1) + room + ref
