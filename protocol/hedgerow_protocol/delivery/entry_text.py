"""Entries as the API writes them: JSON text, made once for everybody who reads it."""

from binascii import b2a_base64
from typing import Final

from hedgerow_protocol.delivery.values import EntryId, EntryKind, RoomId

_TO_URL: Final = bytes.maketrans(b"+/", b"-_")
_GONE: Final = b'null,"payload_hash":"%b"'
_WORDS: Final = {EntryKind.COMMIT: b"commit", EntryKind.MESSAGE: b"message"}


def base64url(data: bytes) -> bytes:
    """base64url without padding (RFC 4648, 5)."""
    return b2a_base64(data, newline=False).translate(_TO_URL).rstrip(b"=")


def entry_text(
    seq: int,
    time: int,
    kind: EntryKind,
    epoch: int,
    id: EntryId,
    payload: bytes | None,
    payload_hash: bytes,
    hash: bytes,
    *,
    opening: bytes = b"{",
) -> bytes:
    """The JSON object of one entry. A payload that is no longer kept is ``null``, and its hash is told instead.

    ``opening`` is how the object begins: :func:`room_opening` for whoever listens to several rooms.
    """
    told = b'"%b"' % base64url(payload) if payload is not None else _GONE % base64url(payload_hash)
    return b'%b"seq":%d,"time":%d,"kind":"%b","epoch":%d,"id":"%b","payload":%b,"hash":"%b"}' % (
        opening,
        seq,
        time,
        _WORDS[kind],
        epoch,
        base64url(id),
        told,
        base64url(hash),
    )


def room_opening(room: RoomId) -> bytes:
    """How the object of an entry begins when it names its room."""
    return b'{"room":"%b",' % base64url(room)
