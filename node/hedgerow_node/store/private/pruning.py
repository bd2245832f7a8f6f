"""Removing what is no longer kept, a little at a time, so that nobody waits long for the writer."""

from hashlib import sha256
from typing import Final

from hedgerow_node.store.database import Connection
from hedgerow_node.store.private.tables import ROOM_SHIFT
from hedgerow_node.store.private.values import DAY_SECONDS
from hedgerow_protocol import limits
from hedgerow_protocol.delivery.retention import everybody_has, kept_at, payload_is_kept
from hedgerow_protocol.delivery.values import EntryKind

CHUNK: Final = 200
"""Rows. Removed in one write: a few milliseconds."""


def prune_accounts(connection: Connection, now: int) -> None:
    """Invitations that have expired, old asks, KeyPackages nobody can use, mailboxes that wait for nothing."""
    connection.execute("DELETE FROM invite WHERE expires <= ?", (now,))
    for table in ("ask", "far_ask"):
        query = f"DELETE FROM {table} WHERE day < ?"  # noqa: S608 - our own names
        connection.execute(query, ((now - limits.ASK_SECONDS_KEPT) // DAY_SECONDS,))
    connection.execute("DELETE FROM key_package WHERE expires <= ?", (now,))
    connection.execute("DELETE FROM welcome WHERE day < ?", ((now - limits.WELCOME_SECONDS_KEPT) // DAY_SECONDS,))
    connection.execute(
        "DELETE FROM mailbox WHERE room IS NULL AND id NOT IN (SELECT mailbox FROM key_package)",
    )


def rooms_with_old_messages(connection: Connection, now: int) -> list[int]:
    """Rooms whose oldest kept entry is due."""
    cutoff = kept_at(now).messages_from
    return [row for (row,) in connection.execute(_OLD, (cutoff,))]


def prune_messages(connection: Connection, room_row: int, now: int) -> bool:
    """Drop the payloads of some old messages of a room; whether there may be more."""
    cutoff = kept_at(now).messages_from
    first = room_row << ROOM_SHIFT
    found = connection.execute("SELECT messages_from, seq FROM room WHERE id = ?", (room_row,)).fetchone()
    if found is None:
        return False
    low, seq = found
    due = connection.execute(_MESSAGES, (first + low, first + seq, cutoff, CHUNK)).fetchall()
    if not due:
        return False
    _drop(connection, room_row, [(id, payload) for id, kind, payload in due if kind == EntryKind.MESSAGE and payload])
    connection.execute("UPDATE room SET messages_from = ? WHERE id = ?", (due[-1][0] - first + 1, room_row))
    return len(due) == CHUNK


def commits_kept(connection: Connection, after: int) -> list[tuple[int, int]]:
    """Rows and times of commits with a payload, from a row on: a page of them."""
    return connection.execute(_COMMITS, (after, CHUNK)).fetchall()


def prune_commits(connection: Connection, commits: list[tuple[int, int]], now: int) -> None:
    """Of these commits, drop the payloads of those that everybody has or that are too old."""
    kept = kept_at(now)
    everybody: dict[int, int] = {}
    for id, time in commits:
        room_row, seq = id >> ROOM_SHIFT, id & ((1 << ROOM_SHIFT) - 1)
        if room_row not in everybody:
            acknowledged = connection.execute(_ACKNOWLEDGED, (room_row, room_row, room_row)).fetchall()
            everybody[room_row] = everybody_has(each for (each,) in acknowledged)
        if not payload_is_kept(EntryKind.COMMIT, time, seq, everybody[room_row], kept):
            found = connection.execute("SELECT payload FROM entry WHERE id = ?", (id,)).fetchone()
            if found is not None and found[0] is not None:
                _drop(connection, room_row, [(id, found[0])])


def _drop(connection: Connection, room_row: int, entries: list[tuple[int, bytes]]) -> None:
    connection.executemany(
        "UPDATE entry SET payload = NULL, payload_hash = ? WHERE id = ?",
        [(sha256(payload).digest(), id) for id, payload in entries],
    )
    freed = sum(len(payload) for _, payload in entries)
    connection.execute("UPDATE room SET bytes = bytes - ? WHERE id = ?", (freed, room_row))


def empty_rooms(connection: Connection, now: int) -> list[int]:
    """Rooms in which nobody has taken part for a month."""
    return [row for (row,) in connection.execute(_EMPTY, (kept_at(now).messages_from,))]


def remove_room(connection: Connection, room_row: int) -> list[bytes] | None:
    """Remove some of a room's log: ``None`` while there is more. At last the room itself: the hashes of its files."""
    first = room_row << ROOM_SHIFT
    gone = connection.execute(_LOG, (first, first + (1 << ROOM_SHIFT), CHUNK)).rowcount
    if gone == CHUNK:
        return None
    blobs = [hash for (hash,) in connection.execute("DELETE FROM blob WHERE room = ? RETURNING hash", (room_row,))]
    connection.execute("DELETE FROM mailbox WHERE room = ?", (room_row,))
    connection.execute("DELETE FROM room WHERE id = ?", (room_row,))
    return blobs


def prune_blobs(connection: Connection, now: int) -> list[bytes]:
    """Forget old files. Their hashes: whoever calls removes those that no room has any more."""
    day = (now - limits.BLOB_SECONDS_KEPT) // DAY_SECONDS
    return [hash for (hash,) in connection.execute("DELETE FROM blob WHERE day < ? RETURNING hash", (day,))]


_OLD = """
SELECT r.id FROM room r JOIN entry e ON e.id = (r.id << 32) + r.messages_from WHERE e.time < ?
"""
_MESSAGES = """
SELECT id, kind, payload FROM entry WHERE id >= ? AND id <= ? AND time < ? ORDER BY id LIMIT ?
"""
_COMMITS = """
SELECT id, time FROM entry WHERE kind = 1 AND payload IS NOT NULL AND id > ? ORDER BY id LIMIT ?
"""
_ACKNOWLEDGED = """
SELECT acknowledged FROM mailbox WHERE room = ? AND until IS NULL
UNION ALL
SELECT 0 FROM unclaimed WHERE room = ?
UNION ALL
SELECT f.acknowledged FROM follower f
WHERE f.room = ? AND EXISTS (
  SELECT 1 FROM far_mailbox m WHERE m.room = f.room AND m.node = f.node AND m.until IS NULL
)
"""
_EMPTY = """
SELECT id FROM room r WHERE time < ?
AND NOT EXISTS (SELECT 1 FROM mailbox m WHERE m.room = r.id AND m.until IS NULL)
AND NOT EXISTS (SELECT 1 FROM far_mailbox m WHERE m.room = r.id AND m.until IS NULL)
"""
_LOG = "DELETE FROM entry WHERE id IN (SELECT id FROM entry WHERE id >= ? AND id < ? ORDER BY id LIMIT ?)"
