"""The five records: charter, listing, withdrawal, node announcement, hosting claim.

A record is decoded only from a :class:`~hedgerow_protocol.envelope.VerifiedEnvelope`, so nothing unsigned is ever
read as one. Whether its signers had the right to sign needs other records and is judged in
:mod:`hedgerow_protocol.state`. Spec: docs/protocol/records.md.
"""

from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final, NoReturn, TypeAlias

from hedgerow_protocol import limits, wire
from hedgerow_protocol.content import ListingContent
from hedgerow_protocol.content_codec import content_from_stored, content_from_value, content_to_value
from hedgerow_protocol.envelope import Envelope, Kind, VerifiedEnvelope
from hedgerow_protocol.errors import Code, LocalError, RemoteError
from hedgerow_protocol.field_readers import is_visible
from hedgerow_protocol.ids import NODE_ID_BYTES, RECORD_ID_BYTES, NodeId, RecordId
from hedgerow_protocol.keys import PUBLIC_BYTES, Usage, usage_of
from hedgerow_protocol.ports import Timestamp

BODY_VERSION = 1
NONCE_BYTES = 16
LISTING_FIELDS = 8

HOSTED_CHARTERS_MAX: Final = 512
"""Charters. What one node can claim to host: a home machine carries some dozens of groups."""

HOSTING_SECONDS_MAX: Final = limits.ANNOUNCEMENT_SECONDS_MAX
"""Seconds. A host that is gone hosts nothing within a month."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Charter:
    """Who may sign for a listing: steward keys and how many of them must."""

    previous: RecordId | None
    """The charter this one replaces; ``None`` for the founding one."""
    position: int
    """0 for the founding charter, then one more each time."""
    stewards: tuple[bytes, ...]
    """33-byte public keys, ascending."""
    threshold: int
    nonce: bytes
    """16 random bytes, so that the same people can found two groups."""

    def to_body(self) -> bytes:
        """The bytes to sign."""
        _check_charter(self)
        row = (BODY_VERSION, self.previous, self.position, self.stewards, self.threshold, self.nonce)
        return wire.encode(row)


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot:
    """The place a listing or a withdrawal fills, and its order among those that filled it."""

    charter: RecordId
    entry: bytes
    """0 to 16 bytes: which of a directory's listings; empty where a charter has one."""
    seq: int
    issued: Timestamp
    expires: Timestamp


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """The public entry of one peer-support group."""

    slot: Slot
    content: ListingContent
    hosts: tuple[NodeId, ...] = ()
    """Nodes that host the group's conversations, ascending."""

    def to_body(self) -> bytes:
        """The bytes to sign. Raises :class:`RemoteError` when a field breaks a limit."""
        row = (*_slot_row(self.slot), content_to_value(self.content), self.hosts)
        body = wire.encode(row)
        if len(body) > limits.BODY_BYTES_MAX:
            raise RemoteError(Code.TOO_LARGE, f"The listing is {len(body)} bytes; {limits.BODY_BYTES_MAX} are allowed.")
        read_listing(body)
        return body


@dataclass(frozen=True, slots=True, kw_only=True)
class Withdrawal:
    """Takes a listing back; says nothing else, and outlives what it withdraws."""

    slot: Slot

    def to_body(self) -> bytes:
        """The bytes to sign."""
        body = wire.encode(_slot_row(self.slot))
        read_withdrawal(body)
        return body


@dataclass(frozen=True, slots=True, kw_only=True)
class Announcement:
    """Where a node can be reached. Says nothing about groups."""

    node: bytes
    """33 bytes: the node's public key."""
    channel: bytes
    """32 bytes: X25519 key of the node's channel."""
    addresses: tuple[str, ...]
    features: tuple[str, ...]
    seq: int
    issued: Timestamp
    expires: Timestamp

    @property
    def node_id(self) -> NodeId:
        return NodeId(self.node[1:])

    def to_body(self) -> bytes:
        """The bytes to sign."""
        row = (
            BODY_VERSION, self.node, self.channel, self.addresses, self.features, self.seq, self.issued, self.expires,
        )  # fmt: skip
        body = wire.encode(row)
        read_announcement(body)
        return body


@dataclass(frozen=True, slots=True, kw_only=True)
class HostingClaim:
    """The groups whose conversations a node hosts, by its own word: naming it in a listing charges it nothing."""

    node: bytes
    """33 bytes: the node's public key."""
    roots: tuple[RecordId, ...]
    """The founding charters of the groups, ascending."""
    seq: int
    issued: Timestamp
    expires: Timestamp

    @property
    def node_id(self) -> NodeId:
        return NodeId(self.node[1:])

    def to_body(self) -> bytes:
        """The bytes to sign."""
        body = wire.encode((BODY_VERSION, self.node, self.roots, self.seq, self.issued, self.expires))
        read_hosting_claim(body)
        return body


Record: TypeAlias = Charter | Listing | Withdrawal | Announcement | HostingClaim


def read_record(verified: VerifiedEnvelope) -> Record:
    """Decode the body of a verified envelope. Raises only :class:`RemoteError`."""
    envelope = verified.envelope
    match envelope.kind:
        case Kind.CHARTER:
            return read_charter(envelope.body)
        case Kind.LISTING:
            return read_listing(envelope.body)
        case Kind.WITHDRAWAL:
            return read_withdrawal(envelope.body)
        case Kind.ANNOUNCEMENT:
            announcement = read_announcement(envelope.body)
            if envelope.authors != (announcement.node,):
                raise RemoteError(Code.WRONG_SIGNER, "A node announcement is signed by that node and nobody else.")
            return announcement
        case Kind.HOSTING:
            claim = read_hosting_claim(envelope.body)
            if envelope.authors != (claim.node,):
                raise RemoteError(Code.WRONG_SIGNER, "A hosting claim is signed by that node and nobody else.")
            return claim


@dataclass(frozen=True, slots=True)
class Opened:
    """The body of a listing or withdrawal, unpacked before any signature is checked, so that its charter can be found.

    Only the slot may be looked at; the rest becomes a record in :func:`read_opened`, where it is also checked that the
    body is canonical: a forged signature should cost its sender more than it costs this node.
    """

    envelope: Envelope
    slot: Slot
    row: tuple[Any, ...]


def open_slot(envelope: Envelope) -> Opened:
    """Unpack the body of a listing or withdrawal as far as its slot. Raises only :class:`RemoteError`."""
    if envelope.kind not in (Kind.LISTING, Kind.WITHDRAWAL):
        raise LocalError("Only a listing or a withdrawal has a slot.")
    value = wire.unpack(envelope.body, size_max=limits.BODY_BYTES_MAX)
    row = _checked_row(value, 8 if envelope.kind is Kind.LISTING else 6)
    return Opened(envelope, _read_slot(row), row)


def peek_slot(envelope: Envelope) -> Slot:
    """The slot of a listing or withdrawal, before any signature is checked: to find the charter to check against."""
    return open_slot(envelope).slot


def read_opened(verified: VerifiedEnvelope, opened: Opened) -> Listing | Withdrawal:
    """What :func:`read_record` gives, without unpacking again. Raises only :class:`RemoteError` for bad content."""
    if opened.envelope is not verified.envelope:
        raise LocalError("The body that was opened is not the one that was verified.")
    wire.check_same(opened.row, opened.envelope.body)
    if opened.envelope.kind is Kind.WITHDRAWAL:
        wire.check_allowed(opened.row)
        return Withdrawal(slot=opened.slot)
    # Every known field has a reader, which lets only through what the encoding allows.
    if len(opened.row) > LISTING_FIELDS:
        wire.check_allowed(opened.row[LISTING_FIELDS:])
    return _listing(opened.slot, opened.row)


def read_charter(body: bytes) -> Charter:
    """Decode and check a charter's body."""
    row = _row(body, 6)
    previous, position, stewards, threshold, nonce = row[1:6]
    if previous is not None:
        previous = RecordId(_bytes(previous, RECORD_ID_BYTES, "The id of a previous charter"))
    if type(stewards) is not tuple or not all(type(key) is bytes for key in stewards):
        _bad("A charter lists its stewards' keys.")
    charter = Charter(
        previous=previous,
        position=_number(position, 0, limits.CHARTER_DEPTH_MAX - 1, "A charter's position"),
        stewards=stewards,
        threshold=_number(threshold, 1, limits.STEWARDS_MAX, "A threshold"),
        nonce=_bytes(nonce, NONCE_BYTES, "A nonce"),
    )
    _check_charter(charter)
    return charter


def read_listing(body: bytes) -> Listing:
    """Decode and check a listing's body."""
    row = _row(body, 8)
    return _listing(_read_slot(row), row)


def _listing(slot: Slot, row: tuple[Any, ...]) -> Listing:
    hosts = row[7]
    if type(hosts) is not tuple or len(hosts) > limits.HOSTS_MAX:
        _bad(f"A listing names at most {limits.HOSTS_MAX} hosts.")
    for host in hosts:
        _bytes(host, NODE_ID_BYTES, "A host")
    if hosts and list(hosts) != sorted(set(hosts)):
        _bad("Hosts are not in ascending order.")
    return Listing(slot=slot, content=content_from_value(row[6]), hosts=hosts)


def read_stored(kind: Kind, body: bytes) -> Listing | Withdrawal:
    """A listing or withdrawal from a body that was read and checked before; for what a store kept since."""
    row = wire.unpack_stored(body)
    slot = Slot(charter=row[1], entry=row[2], seq=row[3], issued=row[4], expires=row[5])
    if kind is Kind.WITHDRAWAL:
        return Withdrawal(slot=slot)
    return Listing(slot=slot, content=content_from_stored(row[6]), hosts=row[7])


def read_withdrawal(body: bytes) -> Withdrawal:
    """Decode and check a withdrawal's body."""
    return Withdrawal(slot=_read_slot(_row(body, 6)))


def read_announcement(body: bytes) -> Announcement:
    """Decode and check a node announcement's body."""
    row = _row(body, 8)
    node = _node_key(row[1])
    issued, expires = _times(row[6], row[7], limits.ANNOUNCEMENT_SECONDS_MAX)
    return Announcement(
        node=node,
        channel=_bytes(row[2], 32, "A channel key"),
        addresses=_texts(row[3], limits.NODE_ADDRESSES_MAX, limits.NODE_ADDRESS_BYTES_MAX, "addresses"),
        features=_texts(row[4], limits.NODE_FEATURES_MAX, limits.TAG_CHARACTERS_MAX, "features"),
        seq=_number(row[5], 0, limits.SEQUENCE_MAX, "A sequence"),
        issued=issued,
        expires=expires,
    )


def read_hosting_claim(body: bytes) -> HostingClaim:
    """Decode and check a hosting claim's body."""
    row = _row(body, 6)
    roots = row[2]
    if type(roots) is not tuple or len(roots) > HOSTED_CHARTERS_MAX:
        _bad(f"A node hosts at most {HOSTED_CHARTERS_MAX} groups.")
    for root in roots:
        _bytes(root, RECORD_ID_BYTES, "The id of a founding charter")
    if any(first >= second for first, second in pairwise(roots)):
        _bad("Hosted groups are not in ascending order, or one stands there twice.")
    issued, expires = _times(row[4], row[5], HOSTING_SECONDS_MAX)
    return HostingClaim(
        node=_node_key(row[1]),
        roots=roots,
        seq=_number(row[3], 0, limits.SEQUENCE_MAX, "A sequence"),
        issued=issued,
        expires=expires,
    )


def _node_key(value: Any) -> bytes:
    node = _bytes(value, PUBLIC_BYTES, "A node's key")
    if usage_of(node) is not Usage.NODE:
        raise RemoteError(Code.BAD_KEY, "A node speaks here with a key that is not a node's.")
    return node


def _check_charter(charter: Charter) -> None:
    stewards = charter.stewards
    if not 1 <= len(stewards) <= limits.STEWARDS_MAX:
        _bad(f"A charter has 1 to {limits.STEWARDS_MAX} stewards.")
    if list(stewards) != sorted(set(stewards)):
        _bad("Stewards are not in ascending order, or one stands there twice.")
    for key in stewards:
        if usage_of(key) is not Usage.STEWARD:
            raise RemoteError(Code.BAD_KEY, "A charter names a key that is not a steward's: a node key cannot sign.")
    if not 2 * charter.threshold > len(stewards) >= charter.threshold:
        _bad("A threshold is more than half of the stewards and at most all of them.")
    if (charter.previous is None) != (charter.position == 0):
        _bad("Only the founding charter has no previous one, and its position is 0.")


def _slot_row(slot: Slot) -> tuple[wire.Value, ...]:
    return (BODY_VERSION, slot.charter, slot.entry, slot.seq, slot.issued, slot.expires)


def _read_slot(row: tuple[Any, ...]) -> Slot:
    entry = row[2]
    if type(entry) is not bytes or len(entry) > limits.ENTRY_BYTES_MAX:
        _bad(f"An entry's name has at most {limits.ENTRY_BYTES_MAX} bytes.")
    issued, expires = _times(row[4], row[5], limits.LEASE_SECONDS_MAX)
    return Slot(
        charter=RecordId(_bytes(row[1], RECORD_ID_BYTES, "The id of a charter")),
        entry=entry,
        seq=_number(row[3], 0, limits.SEQUENCE_MAX, "A sequence"),
        issued=issued,
        expires=expires,
    )


def _row(body: bytes, fields: int) -> tuple[Any, ...]:
    return _checked_row(wire.decode(body, size_max=limits.BODY_BYTES_MAX), fields)


def _checked_row(row: wire.Value, fields: int) -> tuple[Any, ...]:
    if type(row) is not tuple or len(row) < fields:
        raise RemoteError(Code.MALFORMED, f"This record has fewer than {fields} fields.")
    if type(row[0]) is not int or row[0] != BODY_VERSION:
        raise RemoteError(Code.UNKNOWN_KIND, "This record is of a version this node does not know.")
    return row


def _bad(reason: str) -> NoReturn:
    raise RemoteError(Code.BAD_FIELD, reason)


def _bytes(value: Any, size: int, what: str) -> bytes:
    if type(value) is not bytes or len(value) != size:
        _bad(f"{what} is {size} bytes.")
    return value


def _number(value: Any, low: int, high: int, what: str) -> int:
    if type(value) is not int or not low <= value <= high:
        _bad(f"{what} is between {low} and {high}.")
    return value


def _times(issued: Any, expires: Any, lifetime_max: int) -> tuple[Timestamp, Timestamp]:
    start = _number(issued, 0, limits.TIMESTAMP_MAX, "A time of issue")
    end = _number(expires, 0, limits.TIMESTAMP_MAX, "A time of expiry")
    if not start < end <= start + lifetime_max:
        _bad(f"A record lasts at most {lifetime_max // 86_400} days after its issue.")
    return Timestamp(start), Timestamp(end)


def _texts(value: Any, count_max: int, bytes_max: int, what: str) -> tuple[str, ...]:
    if type(value) is not tuple or len(value) > count_max:
        _bad(f"There are at most {count_max} {what}.")
    for item in value:
        if type(item) is not str or not 0 < len(item.encode()) <= bytes_max or not is_visible(item):
            _bad(f"One of the {what} is empty, too long or not plain text.")
    return value
