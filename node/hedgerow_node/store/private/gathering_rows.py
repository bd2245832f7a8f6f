"""What is here of a room beyond what its hub has told: for a new hub, which gathers it before it begins."""

from hashlib import sha256

from hedgerow_node.store.database import Connection
from hedgerow_node.store.private.far_mailbox_rows import unknown_here
from hedgerow_node.store.private.follower_rows import entries_for
from hedgerow_node.store.private.letting_in import Sign
from hedgerow_node.store.private.mirror_rows import copy_of
from hedgerow_node.store.private.moving_rows import hub_of, is_begun
from hedgerow_node.store.private.note_rows import nodes_of
from hedgerow_node.store.private.tables import ROOM_SHIFT
from hedgerow_protocol import limits
from hedgerow_protocol.delivery.refusal import Refusal, Refused
from hedgerow_protocol.delivery.values import Entry, EntryId, EntryKind, Position, RoomId, Submission
from hedgerow_protocol.federation.letters import Answer, Request, decode
from hedgerow_protocol.federation.mirror import continues
from hedgerow_protocol.federation.values import CopyPart, Submit, SubmitAccepted
from hedgerow_protocol.ids import NodeId


def accepted_after(connection: Connection, hub: NodeId, room: RoomId, position: Position) -> list[Entry]:
    """What the old hub has accepted from devices here and never told: as far as it continues the log without a gap."""
    # What was asked twice was accepted once, at the same place.
    by_seq = {
        seq: Entry(seq, time, said.kind, said.epoch, said.id, said.payload, sha256(said.payload).digest(), hash)
        for seq, time, hash, said in _accepted(connection, hub, room)
        if seq > position.seq
    }
    return continues(room, position, list(by_seq.values()))


def copy_part(connection: Connection, node: NodeId, room: RoomId, number: int, after: int, sign: Sign) -> CopyPart:
    """What is here of a room after a place, for another node of it and this move of it. Raises :class:`Refused`."""
    row, hub, closed = hub_of(connection, room)
    if node not in nodes_of(connection, row):
        raise unknown_here()
    if hub is None:
        if not closed and not is_begun(connection, row, number):
            raise Refused(Refusal.STALE, "This room is ordered here, and nobody here has moved it.")
        told = entries_for(connection, node, room, after, limits.NOTIFY_ENTRIES_MAX, limits.NOTIFY_BYTES_MAX)
        return CopyPart(sign(room, told.position), tuple(told.entries), told.position.seq < told.end)
    copy = copy_of(connection, room)
    assert copy is not None  # noqa: S101 - its hub is another node
    entries, more = _held(connection, row, after, copy.head.position.seq)
    if not more:
        entries += accepted_after(connection, copy.hub, room, copy.head.position)[
            : limits.NOTIFY_ENTRIES_MAX - len(entries)
        ]
    return CopyPart(copy.head, tuple(entries), more)


def left_over_of(connection: Connection, row: int, hub: NodeId, room: RoomId) -> list[Submission]:
    """What the old hub accepted from devices here, and what does not stand in the log."""
    return [
        said
        for *_, said in _accepted(connection, hub, room)
        if connection.execute(_STANDS, (row, said.id)).fetchone() is None
    ]


def _held(connection: Connection, row: int, after: int, upto: int) -> tuple[list[Entry], bool]:
    """Entries of a copy after a place, as many as go into a letter; whether there are more."""
    first = row << ROOM_SHIFT
    entries: list[Entry] = []
    size = 0
    for id, time, kind, epoch, submission, hash, payload_hash, payload in connection.execute(
        _ENTRIES, (first + after, first + upto)
    ):
        size += len(payload or b"")
        if entries and (size > limits.NOTIFY_BYTES_MAX // 2 or len(entries) >= limits.NOTIFY_ENTRIES_MAX // 2):
            return entries, True
        digest = sha256(payload).digest() if payload is not None else payload_hash
        entries.append(Entry(id - first, time, EntryKind(kind), epoch, EntryId(submission), payload, digest, hash))
    return entries, False


def _accepted(connection: Connection, hub: NodeId, room: RoomId) -> list[tuple[int, int, bytes, Submission]]:
    found = []
    for body, answer in connection.execute(_ACCEPTED, (hub, room, room + b"\xff" * 16)):
        asked, said = decode(body), decode(answer)
        if (
            isinstance(asked, Request)
            and isinstance(asked.body, Submit)
            and isinstance(said, Answer)
            and isinstance(said.body, SubmitAccepted)
        ):
            found.append((said.body.seq, said.body.time, said.body.hash, asked.body.submission))
    return sorted(found, key=lambda each: each[0])


_ENTRIES = """
SELECT id, time, kind, epoch, submission, hash, payload_hash, payload
FROM entry WHERE id > ? AND id <= ? ORDER BY id
"""
_ACCEPTED = """
SELECT body, answer FROM outgoing
WHERE node = ? AND kind = 'submit' AND about >= ? AND about <= ? AND status = 'ok' AND length(body) > 0 ORDER BY id
"""
_STANDS = "SELECT 1 FROM entry WHERE id >> 32 = ? AND submission = ?"
