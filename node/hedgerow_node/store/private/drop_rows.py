"""What waits for a node that is not there, gathered for a drop; and which drops were left and opened already."""

from collections.abc import Callable, Iterable
from typing import NamedTuple

from hedgerow_node.store.database import Connection
from hedgerow_node.store.private import follower_rows, outgoing_rows
from hedgerow_node.store.private.follower_rows import Following
from hedgerow_node.store.private.tables import ROOM_SHIFT
from hedgerow_node.store.private.values import DAY_SECONDS
from hedgerow_protocol import limits
from hedgerow_protocol.delivery.refusal import Refused
from hedgerow_protocol.delivery.values import Head, Position, RoomId
from hedgerow_protocol.federation.drops import LETTER_MORE_BYTES
from hedgerow_protocol.federation.letters import Notify, encode
from hedgerow_protocol.federation.outbox_values import WINDOW_REQUESTS_MAX
from hedgerow_protocol.ids import NodeId

OPENED_SECONDS_KEPT = limits.DROP_SECONDS_KEPT + 3 * DAY_SECONDS
"""Seconds. Longer than anybody keeps a drop, and than one is believed."""


class Left(NamedTuple):
    """What was left for a node last."""

    digest: bytes
    time: int


def waiting(connection: Connection) -> dict[NodeId, int]:
    """The nodes for which something waits, and since when."""
    since = {NodeId(node): int(created) for node, created in connection.execute(_REQUESTS)}
    for each in follower_rows.all_followings(connection):
        if each.acknowledged < each.upto:
            found = connection.execute(_NEXT, (each.room, each.acknowledged + 1, ROOM_SHIFT)).fetchone()
            if found is not None:
                since[each.node] = min(found[0], since.get(each.node, found[0]))
    return since


def letters_for(
    connection: Connection, node: NodeId, budget: int, many: int, sign: Callable[[RoomId, Position], Head]
) -> list[bytes]:
    """Requests that wait for a node, in their order from the first of each room on; then what its rooms have grown by.

    At most so many, and so many bytes, each counted with what it needs besides.
    """
    found: list[bytes] = []
    for letter in _requests(connection, node, budget, min(many, WINDOW_REQUESTS_MAX)):
        found.append(letter)
        budget -= len(letter) + LETTER_MORE_BYTES
    for each in follower_rows.followings_of(connection, node):
        if each.acknowledged < each.upto and len(found) < many:
            notify = _notify(connection, each, budget - LETTER_MORE_BYTES, sign)
            if notify is not None:
                found.append(notify)
                budget -= len(notify) + LETTER_MORE_BYTES
    return found


def following(connection: Connection, node: NodeId, room: RoomId, *, after: int) -> Following | None:
    """How far a follower is, once it has said that it has everything up to there; ``None`` when it follows nothing."""
    follower_rows.acknowledge(connection, [(node, room, after)])
    return follower_rows.following_of(connection, node, room)


def rewound(connection: Connection, node: NodeId, room: RoomId, *, after: int) -> Following | None:
    """The same, once it has said that it lacks what comes after there."""
    connection.execute(_REWIND, (after, after, node, room))
    return follower_rows.following_of(connection, node, room)


def left_for(connection: Connection, node: NodeId) -> Left | None:
    """What was left for a node last."""
    found = connection.execute("SELECT digest, time FROM dropped WHERE node = ?", (node,)).fetchone()
    return None if found is None else Left(*found)


def has_left(connection: Connection, node: NodeId, digest: bytes, now: int) -> None:
    """This was left for a node."""
    connection.execute(_LEFT, (node, digest, now))


def was_opened(connection: Connection, name: bytes) -> bool:
    """Whether a drop was opened here before."""
    return connection.execute("SELECT 1 FROM opened_drop WHERE name = ?", (name,)).fetchone() is not None


def have_opened(connection: Connection, names: Iterable[bytes], now: int) -> None:
    """Drops were opened, and what was in them is done."""
    rows = [(name, now // DAY_SECONDS) for name in names]
    connection.executemany("INSERT OR IGNORE INTO opened_drop (name, day) VALUES (?, ?)", rows)


def has_members(connection: Connection) -> bool:
    """Whether anybody has an account here: somebody elsewhere may have something for them."""
    return bool(connection.execute(_MEMBERS).fetchone()[0])


def is_known(connection: Connection, node: NodeId) -> bool:
    """Whether this node shares a room with another one, or waits for an answer of it."""
    return bool(connection.execute(_KNOWN, (node,)).fetchone()[0])


def forget_old(connection: Connection, now: int) -> None:
    """What is no longer kept anywhere need not be known here."""
    connection.execute("DELETE FROM opened_drop WHERE day < ?", ((now - OPENED_SECONDS_KEPT) // DAY_SECONDS,))
    connection.execute("DELETE FROM dropped WHERE time < ?", (now - OPENED_SECONDS_KEPT,))


def _requests(connection: Connection, node: NodeId, budget: int, many: int) -> list[bytes]:
    """Nothing overtakes a request that has no room here: what comes after it for the same room stays, too."""
    rows: list[int] = []
    held: set[bytes] = set()
    for each in outgoing_rows.waiting(connection, node, 0, limits.DROP_LETTERS_MAX):
        size = each.size + LETTER_MORE_BYTES
        if len(rows) == many:
            break
        if each.room is not None and each.room in held:
            continue
        if size > budget:
            held.add(each.room or b"")
            continue
        budget -= size
        rows.append(each.row)
    return [letter for letter in outgoing_rows.letters(connection, rows) if letter is not None]


def _notify(
    connection: Connection, each: Following, budget: int, sign: Callable[[RoomId, Position], Head]
) -> bytes | None:
    entries, size = limits.NOTIFY_ENTRIES_MAX, budget
    while entries and size > 0:
        try:
            told = follower_rows.entries_for(connection, each.node, each.room, each.acknowledged, entries, size)
        except Refused:
            return None
        if not told.entries:
            return None
        head, more = sign(each.room, told.position), told.position.seq < told.end
        letter = encode(Notify(each.room, head, told.before, tuple(told.entries), more))
        if len(letter) <= budget:
            return letter
        entries = len(told.entries) // 2
    return None


_REQUESTS = """
SELECT o.node, o.created FROM (SELECT min(id) AS first FROM outgoing WHERE status IS NULL GROUP BY node) f
JOIN outgoing o ON o.id = f.first WHERE o.created > 0
"""
_NEXT = "SELECT e.time FROM room r JOIN entry e ON e.id = (r.id << ?3) + ?2 WHERE r.name = ?1"
_REWIND = """
UPDATE follower SET acknowledged = ? WHERE acknowledged > ? AND node = ?
AND room = (SELECT id FROM room WHERE name = ? AND hub IS NULL)
"""
_LEFT = """
INSERT INTO dropped (node, digest, time) VALUES (?, ?, ?)
ON CONFLICT (node) DO UPDATE SET digest = excluded.digest, time = excluded.time
"""
_KNOWN = """
SELECT EXISTS (SELECT 1 FROM follower WHERE node = ?1) OR EXISTS (SELECT 1 FROM far_mailbox WHERE node = ?1)
OR EXISTS (SELECT 1 FROM room WHERE hub = ?1) OR EXISTS (SELECT 1 FROM outgoing WHERE node = ?1)
"""
_MEMBERS = "SELECT EXISTS (SELECT 1 FROM account)"
