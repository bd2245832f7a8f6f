"""Entries as the API writes them: JSON text, made once for everybody who reads it."""

from typing import Final

from hedgerow_protocol.base64url import letters
from hedgerow_protocol.delivery.values import EntryId, EntryKind, RoomId

_GONE: Final = b'null,"payload_hash":"%b"'
_WORDS: Final = {EntryKind.COMMIT: b"commit", EntryKind.MESSAGE: b"message"}


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
    told = b'"%b"' % letters(payload) if payload is not None else _GONE % letters(payload_hash)
    return b'%b"seq":%d,"time":%d,"kind":"%b","epoch":%d,"id":"%b","payload":%b,"hash":"%b"}' % (
        opening,
        seq,
        time,
        _WORDS[kind],
        epoch,
        letters(id),
        told,
        letters(hash),
    )


def room_opening(room: RoomId) -> bytes:
    """How the object of an entry begins when it names its room."""
    return b'{"room":"%b",' % letters(room)
