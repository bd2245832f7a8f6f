"""A room's log changes its hub: this node begins to order it, or goes on as the follower of another one."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final, NamedTuple

from hedgerow_node.store.database import Connection
from hedgerow_node.store.private.arriving_rows import ask_to_follow
from hedgerow_node.store.private.far_sending_rows import as_sent
from hedgerow_node.store.private.gathering_rows import accepted_after, left_over_of
from hedgerow_node.store.private.letting_in import Sign
from hedgerow_node.store.private.log_rows import position_at
from hedgerow_node.store.private.mirror_rows import (
    Copy,
    arrived_between,
    copy_of,
    grow,
    insert_entries,
    mailboxes_in,
    texts_of,
    twice,
)
from hedgerow_node.store.private.outgoing_rows import Outgoing, put
from hedgerow_node.store.private.tables import ROOM_SHIFT
from hedgerow_node.store.private.values import Happened
from hedgerow_protocol.delivery.refusal import Refusal, Refused
from hedgerow_protocol.delivery.values import (
    MAILBOX_ID_BYTES,
    ROOM_ID_BYTES,
    Entry,
    EntryId,
    EntryKind,
    Head,
    MailboxId,
    Position,
    RoomId,
    Submission,
)
from hedgerow_protocol.federation.letters import Request, decode
from hedgerow_protocol.federation.mirror import continues
from hedgerow_protocol.federation.values import REQUEST_ID_BYTES, PutBack, Submit
from hedgerow_protocol.ids import NodeId
from hedgerow_protocol.ports import Entropy

_GOES_ALONG: Final = frozenset(("submit", "put-back", "unfollow", "room-ask", "ask-gone"))
"""Kinds of requests to the old hub that the new one is asked instead."""


class House(NamedTuple):
    """What a change of the hub leaves to be done."""

    happened: Happened
    dropped: Sequence[int]
    """Rows of requests that the old hub is not asked any more."""
    left_over: Sequence[Submission] = ()
    """What the old hub had accepted, and what stands in no copy: to be ordered anew."""


def begin_here(
    connection: Connection, room: RoomId, number: int, tails: Sequence[Sequence[Entry]], sign: Sign
) -> House | None:
    """From now on this node orders a room; ``None`` when it does already.

    ``tails``: entries that other nodes have after what is here, without the old hub's word for them.
    """
    copy = copy_of(connection, room)
    if copy is None:
        return None
    before = copy.head.position
    offered = [*tails, accepted_after(connection, copy.hub, room, before)]
    fit = [
        each for each in (continues(room, before, tail) for tail in offered) if not twice(connection, copy.row, each)
    ]
    tail = max(fit, key=len, default=[])
    size = insert_entries(connection, copy.row, tail)
    at = tail[-1].position if tail else before
    connection.execute(_HERE, (at.seq, at.time, at.hash, size, copy.row))
    for table in ("fellow", "fork"):
        connection.execute(f"DELETE FROM {table} WHERE room = ?", (copy.row,))  # noqa: S608 - our own names
    head = sign(room, at)
    _done(connection, copy.row, number, head)
    (names,) = connection.execute(
        "SELECT mailboxes FROM move WHERE room = ? AND number = ?", (copy.row, number)
    ).fetchone()
    for start in range(0, len(names), MAILBOX_ID_BYTES):
        name = names[start : start + MAILBOX_ID_BYTES]
        connection.execute(_UNCLAIMED, (copy.row, name, name, copy.row))
    left_over = left_over_of(connection, copy.row, copy.hub, room)
    dropped = _drop_requests(connection, copy.hub, room)
    joined, welcomes = arrived_between(connection, room, copy.row, before.seq, at.seq)
    entries = {room: texts_of(room, tail)} if tail else {}
    heads = {room: at.seq} if tail else {}
    happened = Happened(entries, heads, joined=joined, welcomes=welcomes, moved=[room])
    return House(happened, [row for row, *_ in dropped], left_over)


def follow_there(
    connection: Connection,
    room: RoomId,
    number: int,
    hub: NodeId,
    start: Head,
    missing: Sequence[Entry],
    entropy: Entropy,
    now: int,
    bytes_max: int,
) -> House | None:
    """From now on another node orders a room; ``None`` when the room is not there any more.

    ``missing``: checked entries up to ``start`` that are not here. What is here after it goes to the new hub, which
    takes what it has not. Raises :class:`Refused` when the new hub's log is not the one that is here.
    """
    row, old, position = _standing(connection, room)
    happened = Happened()
    dropped = _drop_requests(connection, old, room) if old is not None else []
    left_over = left_over_of(connection, row, old, room) if old is not None else []
    tail: list[tuple[EntryKind, int, EntryId, bytes]] = []
    if position.seq >= start.position.seq:
        if position_at(connection, row, start.position.seq) != start.position:
            raise Refused(Refusal.BAD, "The new node of this room begins from another log.")
        tail = _trim(connection, row, start.position)
    connection.execute(_THERE, (hub, row))
    for table in ("far_mailbox", "follower", "unclaimed", "fork"):
        connection.execute(f"DELETE FROM {table} WHERE room = ?", (row,))  # noqa: S608 - our own names
    if position.seq < start.position.seq:
        connection.execute("UPDATE room SET signature = ? WHERE id = ?", (b"", row))
        happened = grow(connection, room, position, missing, start, bytes_max)
    else:
        connection.execute("UPDATE room SET signature = ? WHERE id = ?", (start.signature, row))
    _done(connection, row, number, start)
    copy = copy_of(connection, room)
    assert copy is not None  # noqa: S101 - its hub was set above
    ask_to_follow(connection, copy, room, entropy, now)
    posted = _send_anew(connection, copy, room, dropped, entropy, now)
    _send_tail(connection, copy, room, tail, left_over, posted, entropy, now)
    entries, heads = happened.entries, happened.heads
    return House(
        Happened(entries, heads, joined=happened.joined, welcomes=happened.welcomes, outgoing=[hub], moved=[room]),
        [each for each, *_ in dropped],
    )


# --- inside


def _standing(connection: Connection, room: RoomId) -> tuple[int, NodeId | None, Position]:
    row, hub, seq, hash, time = connection.execute(_ROOM, (room,)).fetchone()
    return row, NodeId(hub) if hub is not None else None, Position(seq, hash, time)


def _done(connection: Connection, row: int, number: int, head: Head) -> None:
    at = head.position
    connection.execute(_DONE, (at.seq, at.hash, at.time, head.signature, row, number))


def _trim(connection: Connection, row: int, to: Position) -> list[tuple[EntryKind, int, EntryId, bytes]]:
    """Take entries after a place away; those with payloads, in their order."""
    first = row << ROOM_SHIFT
    rows = connection.execute(_TAIL, (first + to.seq, first + (1 << ROOM_SHIFT) - 1)).fetchall()
    connection.execute("DELETE FROM entry WHERE id > ? AND id < ?", (first + to.seq, first + (1 << ROOM_SHIFT)))
    freed = sum(len(payload) for *_, payload in rows if payload is not None)
    connection.execute(_STAND, (to.seq, to.time, to.hash, freed, row))
    connection.execute("UPDATE mailbox SET acknowledged = min(acknowledged, ?) WHERE room = ?", (to.seq, row))
    connection.execute(_PUT_BACK, (row, to.seq))
    connection.execute("UPDATE mailbox SET out_last = until WHERE room = ? AND out_last > ?", (row, to.seq))
    return [(EntryKind(kind), epoch, EntryId(id), payload) for kind, epoch, id, payload in rows if payload is not None]


def _drop_requests(
    connection: Connection, hub: NodeId | None, room: RoomId
) -> list[tuple[int, str, bytes, int, bytes]]:
    rows = connection.execute(_WAITING, (hub, room)).fetchall()
    dropped = [row for row in rows if row[1] in _GOES_ALONG or row[1] == "follow"]
    connection.executemany("DELETE FROM outgoing WHERE id = ?", [(row[0],) for row in dropped])
    return dropped


def _send_anew(
    connection: Connection,
    copy: Copy,
    room: RoomId,
    dropped: Sequence[tuple[int, str, bytes, int, bytes]],
    entropy: Entropy,
    now: int,
) -> set[bytes]:
    """Ask the new hub what the old one has not answered; ids of the entries among it."""
    ids: set[bytes] = set()
    for _, kind, about, device_row, letter in dropped:
        if kind not in _GOES_ALONG:
            continue
        asked = decode(letter)
        assert isinstance(asked, Request)  # noqa: S101 - nothing else is written there
        body = asked.body
        if isinstance(body, Submit):
            ids.add(body.submission.id)
            body = Submit(_for_new_hub(body.submission, copy.hub, copy.head.position.seq))
        if isinstance(body, PutBack):
            body = replace(body, seen=min(body.seen, copy.head.position.seq))
        put(connection, Outgoing(copy.hub, entropy(REQUEST_ID_BYTES), body, about, device_row), now)
    return ids


def _send_tail(
    connection: Connection,
    copy: Copy,
    room: RoomId,
    tail: Sequence[tuple[EntryKind, int, EntryId, bytes]],
    left_over: Sequence[Submission],
    posted: set[bytes],
    entropy: Entropy,
    now: int,
) -> None:
    """Bring what the old hub had taken to the new one, which takes each entry once."""
    mailboxes = mailboxes_in(connection, copy.row, 1)
    if not mailboxes:
        return
    seen = copy.head.position.seq
    again = [_again(room, mailboxes[0], seen, *each) for each in tail]
    told = {each.id for each in again} | posted
    again += [_for_new_hub(each, copy.hub, seen) for each in left_over if each.id not in told]
    for each in again:
        if each.id not in posted:
            body = Submit(each)
            put(connection, Outgoing(copy.hub, entropy(REQUEST_ID_BYTES), body, room + each.id), now)


def _again(
    room: RoomId, mailbox: MailboxId, seen: int, kind: EntryKind, epoch: int, id: EntryId, payload: bytes
) -> Submission:
    return Submission(room, mailbox, id, kind, epoch, seen, payload, (), ())


def _for_new_hub(said: Submission, hub: NodeId, seen: int) -> Submission:
    """Newcomers of the old hub cannot be brought in by another one."""
    welcomes = tuple(each for each in said.welcomes if each.home is not None)
    return as_sent(replace(said, seen=min(seen, said.seen), welcomes=welcomes), hub)


assert ROOM_ID_BYTES == 32  # noqa: S101 - room and entry id together name a submission
_ROOM = "SELECT id, hub, seq, hash, time FROM room WHERE name = ?"
_HERE = """
UPDATE room SET hub = NULL, signature = NULL, closed = NULL, seq = ?, time = ?, hash = ?, bytes = bytes + ? WHERE id = ?
"""
_THERE = "UPDATE room SET hub = ?, closed = NULL WHERE id = ?"
_STAND = "UPDATE room SET seq = ?, time = ?, hash = ?, bytes = bytes - ? WHERE id = ?"
_DONE = "UPDATE move SET seq = ?, hash = ?, time = ?, signature = ? WHERE room = ? AND number = ?"
_UNCLAIMED = """
INSERT INTO unclaimed (room, name) SELECT ?, ? WHERE NOT EXISTS (SELECT 1 FROM mailbox WHERE name = ? AND room = ?)
ON CONFLICT (room, name) DO NOTHING
"""
_TAIL = "SELECT kind, epoch, submission, payload FROM entry WHERE id > ? AND id <= ? ORDER BY id"
_PUT_BACK = "UPDATE mailbox SET until = NULL, until_signature = NULL, out_last = NULL WHERE room = ? AND until > ?"
_WAITING = """
SELECT id, kind, about, device, body FROM outgoing WHERE node = ? AND room = ? AND status IS NULL ORDER BY id
"""
