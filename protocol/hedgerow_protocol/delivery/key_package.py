"""Just enough of KeyPackages (RFC 9420, 10) to know that one is what it says: its reference, suite and signatures.

The node hands KeyPackages out, so it makes sure that a member who takes one can use it. It keeps no list of who is
who: a KeyPackage is made for one ask or one room, under an identity that is used in one room only.
"""

from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from hedgerow_protocol import keys, limits
from hedgerow_protocol.delivery.envelope import KEY_PACKAGE, MLS10, SUITE
from hedgerow_protocol.delivery.mls_bytes import MlsBytes, vector
from hedgerow_protocol.delivery.values import MAILBOX_ID_BYTES, KeyPackageRef, MailboxId
from hedgerow_protocol.errors import Code, RemoteError

IDENTITY_BYTES: Final = 1 + 32 + MAILBOX_ID_BYTES + 64
"""Bytes. A credential's identity: version, room identity, mailbox, and the room identity's signature over both."""

_IDENTITY_VERSION: Final = 1
_MAILBOX_AT: Final = 1 + 32
_BASIC_CREDENTIAL: Final = 1
_OF_KEY_PACKAGE: Final = 1
_KEY_BYTES: Final = 32
_ANY: Final = limits.KEY_PACKAGE_BYTES_MAX


@dataclass(frozen=True, slots=True)
class KeyPackage:
    """What a node needs to know of one."""

    ref: KeyPackageRef
    mailbox: MailboxId
    not_before: int
    not_after: int


def read_key_package(message: bytes) -> KeyPackage:
    """Read and check a KeyPackage in its MLSMessage. Raises :class:`RemoteError`."""
    if len(message) > limits.KEY_PACKAGE_BYTES_MAX:
        raise RemoteError(Code.TOO_LARGE, f"A KeyPackage has at most {limits.KEY_PACKAGE_BYTES_MAX} bytes.")
    outer = MlsBytes(message)
    if outer.number(2) != MLS10 or outer.number(2) != KEY_PACKAGE:
        raise RemoteError(Code.BAD_FIELD, "This is no MLS KeyPackage.")
    body = message[4:]
    read = MlsBytes(body)
    if read.number(2) != MLS10 or read.number(2) != SUITE:
        raise RemoteError(Code.BAD_FIELD, "Rooms use MLS 1.0 with cipher suite 1 only.")
    init_key = read.vector(_ANY)
    leaf_at = read.at
    encryption_key, signature_key = read.vector(_ANY), read.vector(_ANY)
    if len(init_key) != _KEY_BYTES or len(encryption_key) != _KEY_BYTES or len(signature_key) != _KEY_BYTES:
        raise RemoteError(Code.BAD_KEY, "A key in this KeyPackage has the wrong length.")
    if init_key == encryption_key:
        raise RemoteError(Code.BAD_KEY, "A KeyPackage has two different keys for encrypting (RFC 9420, 10.1).")
    mailbox = _read_credential(read)
    for _list in ("versions", "suites", "extensions", "proposals", "credentials"):
        read.vector(_ANY)
    if read.number(1) != _OF_KEY_PACKAGE:
        raise RemoteError(Code.BAD_FIELD, "The leaf of this KeyPackage was made for something else.")
    not_before, not_after = read.number(8), read.number(8)
    read.vector(_ANY)
    leaf = body[leaf_at : read.at]
    leaf_signature = read.vector(_ANY)
    read.vector(_ANY)
    to_sign = body[: read.at]
    signature = read.vector(_ANY)
    read.end()
    _check(signature_key, b"LeafNodeTBS", leaf, leaf_signature)
    _check(signature_key, b"KeyPackageTBS", to_sign, signature)
    return KeyPackage(ref_of(body), mailbox, not_before, not_after)


def ref_of(body: bytes) -> KeyPackageRef:
    """The reference of a KeyPackage, given without the MLSMessage around it (RFC 9420, 5.2)."""
    return KeyPackageRef(sha256(vector(b"MLS 1.0 KeyPackage Reference") + vector(body)).digest())


def _read_credential(read: MlsBytes) -> MailboxId:
    if read.number(2) != _BASIC_CREDENTIAL:
        raise RemoteError(Code.BAD_FIELD, "Rooms use basic credentials only.")
    identity = read.vector(_ANY)
    if len(identity) != IDENTITY_BYTES or identity[0] != _IDENTITY_VERSION:
        raise RemoteError(Code.BAD_FIELD, "The credential in this KeyPackage is not one of a room's member.")
    return MailboxId(identity[_MAILBOX_AT : _MAILBOX_AT + MAILBOX_ID_BYTES])


def _check(key: bytes, label: bytes, content: bytes, signature: bytes) -> None:
    # SignWithLabel, RFC 9420, 5.1.2.
    message = vector(b"MLS 1.0 " + label) + vector(content)
    if len(signature) != keys.SIGNATURE_BYTES or not keys.verify(b"\0" + key, message, signature):
        raise RemoteError(Code.BAD_SIGNATURE, "A signature in this KeyPackage does not hold.")
