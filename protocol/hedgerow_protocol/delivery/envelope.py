"""The outside of an MLS message, which is all a node sees: RFC 9420, 6.

A log holds PrivateMessages only. Handshakes that anybody can read would tell the node who the members are; external
commits and messages of outsiders come as PublicMessages and so cannot stand in a log at all.
"""

import struct
from typing import Final, NamedTuple

from hedgerow_protocol import limits
from hedgerow_protocol.delivery.mls_bytes import skip_vector
from hedgerow_protocol.delivery.values import EntryKind, RoomId
from hedgerow_protocol.errors import Code, RemoteError

MLS10: Final = 1
PRIVATE_MESSAGE: Final = 2
WELCOME: Final = 3
KEY_PACKAGE: Final = 5
SUITE: Final = 1
"""X25519, AES-128-GCM, SHA-256, Ed25519: RFC 9420's mandatory suite, and the only one."""

_APPLICATION: Final = 1
_COMMIT: Final = 3
_KINDS: Final = {_APPLICATION: EntryKind.MESSAGE, _COMMIT: EntryKind.COMMIT}
_PRIVATE: Final = struct.pack(">HH", MLS10, PRIVATE_MESSAGE)
_AFTER_GROUP: Final = struct.Struct(">QB")
_SENDER_DATA_BYTES_MAX: Final = 255


class PrivateHeader(NamedTuple):
    """What a PrivateMessage says on its outside."""

    group: bytes
    epoch: int
    kind: EntryKind


def size_max(kind: EntryKind) -> int:
    """Bytes. The largest payload of a kind."""
    return limits.COMMIT_BYTES_MAX if kind is EntryKind.COMMIT else limits.MESSAGE_BYTES_MAX


def read_private_message(payload: bytes) -> PrivateHeader:
    """The outside of a PrivateMessage that holds a commit or an application message. Raises :class:`RemoteError`."""
    if len(payload) > limits.COMMIT_BYTES_MAX:
        raise RemoteError(Code.TOO_LARGE, f"This is {len(payload)} bytes; at most {limits.COMMIT_BYTES_MAX} fit.")
    if payload[:4] != _PRIVATE:
        raise RemoteError(Code.BAD_FIELD, "A room takes MLS PrivateMessages only.")
    group_end = skip_vector(payload, 4, 255)
    if len(payload) < group_end + _AFTER_GROUP.size:
        raise RemoteError(Code.MALFORMED, "This MLS message ends too early.")
    epoch, content = _AFTER_GROUP.unpack_from(payload, group_end)
    kind = _KINDS.get(content)
    if kind is None:
        raise RemoteError(
            Code.BAD_FIELD, "A room takes commits and application messages; a proposal on its own is neither."
        )
    at = skip_vector(payload, group_end + _AFTER_GROUP.size, limits.COMMIT_BYTES_MAX)
    at = skip_vector(payload, at, _SENDER_DATA_BYTES_MAX)
    at = skip_vector(payload, at, limits.COMMIT_BYTES_MAX)
    if at != len(payload):
        raise RemoteError(Code.MALFORMED, "Something follows this MLS message.")
    if epoch > limits.SEQUENCE_MAX:
        raise RemoteError(Code.BAD_FIELD, "No room has had so many epochs.")
    return PrivateHeader(payload[5 if payload[4] < 64 else 6 : group_end], epoch, kind)


def check_payload(payload: bytes, room: RoomId, kind: EntryKind, epoch: int) -> None:
    """Whether a payload is what its submission says it is. Raises :class:`RemoteError`."""
    if len(payload) > (most := size_max(kind)):
        raise RemoteError(Code.TOO_LARGE, f"This is {len(payload)} bytes; a {kind.word} has at most {most}.")
    header = read_private_message(payload)
    if header.group != room:
        raise RemoteError(Code.BAD_FIELD, "This message was made for another room.")
    if header.kind is not kind:
        raise RemoteError(Code.BAD_FIELD, f"This message is no {kind.word}.")
    if header.epoch != epoch:
        raise RemoteError(Code.BAD_FIELD, "This message was made for another epoch.")


def check_welcome(payload: bytes) -> None:
    """Whether a payload is a Welcome of the one suite, as far as its first bytes tell. Raises :class:`RemoteError`."""
    if len(payload) > limits.WELCOME_BYTES_MAX:
        raise RemoteError(Code.TOO_LARGE, f"A Welcome has at most {limits.WELCOME_BYTES_MAX} bytes.")
    if payload[:6] != struct.pack(">HHH", MLS10, WELCOME, SUITE):
        raise RemoteError(Code.BAD_FIELD, "This is no MLS Welcome of the one cipher suite.")
