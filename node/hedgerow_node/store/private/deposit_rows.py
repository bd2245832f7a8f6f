"""What this node keeps for other nodes until they come for it: sealed, bounded, and not for long."""

from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from hedgerow_node.store.database import Connection
from hedgerow_node.store.private.values import DAY_SECONDS
from hedgerow_protocol import limits
from hedgerow_protocol.delivery.refusal import Refusal, Refused
from hedgerow_protocol.federation.drops import drop_id
from hedgerow_protocol.ids import NodeId

OF_PAIR_MAX: Final = 4
"""Drops. From one node for one other; the oldest makes room, for a newer one says what it said and more."""

OF_DESTINATION_BYTES_MAX: Final = 8 * 1024 * 1024
"""Bytes. For one node: two of the largest from each of four others, or 8,000 of the smallest."""

OF_DEPOSITOR_BYTES_MAX: Final = 16 * 1024 * 1024
"""Bytes. From one node, for all others."""

BYTES_MAX: Final = 64 * 1024 * 1024
"""Bytes. For all nodes together: on a disk that holds a community's rooms, little."""


class Found(NamedTuple):
    """What lies here for a node."""

    drops: Sequence[bytes]
    more: bool


def leave(connection: Connection, depositor: NodeId, to: NodeId, sealed: bytes, now: int) -> None:
    """Keep this for a node. The same again is fine. Raises :class:`Refused` when there is no room."""
    name = drop_id(sealed)
    if connection.execute("SELECT 1 FROM deposit WHERE name = ?", (name,)).fetchone():
        return
    connection.execute(_OLDER, (depositor, to, OF_PAIR_MAX - 1))
    size = len(sealed)
    (of_depositor,) = connection.execute(_OF_DEPOSITOR, (depositor,)).fetchone()
    if of_depositor + size > OF_DEPOSITOR_BYTES_MAX:
        raise _full()
    _make_room(connection, depositor, to, size, OF_DESTINATION_BYTES_MAX)
    _make_room(connection, depositor, None, size, BYTES_MAX)
    connection.execute(_LEAVE, (name, to, depositor, size, now // DAY_SECONDS, sealed))


def _make_room(connection: Connection, depositor: NodeId, to: NodeId | None, size: int, bytes_max: int) -> None:
    """Room for one more among those for a node, or among all. Whoever has the most here gives way, but not to one who
    would have more: so nobody is shut out by a few that leave much."""
    while True:
        held = dict(connection.execute(_HELD, (to, to)).fetchall())
        if sum(held.values()) + size <= bytes_max:
            return
        most = max(held, key=lambda each: held[each], default=None)
        if most is None or held[most] <= held.get(depositor, 0) + size:
            raise _full()
        connection.execute(_OLDEST, (most, to, to))


def _full() -> Refused:
    return Refused(Refusal.TOO_MANY, "Much is kept here for others already.")


def take(connection: Connection, destination: NodeId, taken: Iterable[bytes]) -> Found:
    """Forget what a node has taken, and what else lies here for it, the oldest first, one at least."""
    connection.executemany(_TAKEN, [(name, destination) for name in taken])
    rows = connection.execute(_SIZES, (destination, limits.DROPS_TOLD_MAX + 1)).fetchall()
    drops: list[bytes] = []
    left = limits.DROPS_TOLD_BYTES_MAX
    for row, size in rows[: limits.DROPS_TOLD_MAX]:
        if drops and size > left:
            break
        left -= size
        (body,) = connection.execute("SELECT body FROM deposit WHERE id = ?", (row,)).fetchone()
        drops.append(body)
    return Found(drops, len(drops) < len(rows))


def forget_old(connection: Connection, now: int) -> None:
    """Nobody has come for these for two weeks."""
    connection.execute("DELETE FROM deposit WHERE day < ?", ((now - limits.DROP_SECONDS_KEPT) // DAY_SECONDS,))


_OLDER = """
DELETE FROM deposit WHERE id IN (
  SELECT id FROM deposit WHERE depositor = ? AND destination = ? ORDER BY id DESC LIMIT -1 OFFSET ?
)
"""
_HELD = "SELECT depositor, sum(size) FROM deposit WHERE ? IS NULL OR destination = ? GROUP BY depositor"
_OLDEST = """
DELETE FROM deposit WHERE id = (
  SELECT min(id) FROM deposit WHERE depositor = ? AND (? IS NULL OR destination = ?)
)
"""
_OF_DEPOSITOR = "SELECT coalesce(sum(size), 0) FROM deposit WHERE depositor = ?"
_LEAVE = "INSERT INTO deposit (name, destination, depositor, size, day, body) VALUES (?, ?, ?, ?, ?, ?)"
_TAKEN = "DELETE FROM deposit WHERE name = ? AND destination = ?"
_SIZES = "SELECT id, size FROM deposit WHERE destination = ? ORDER BY id LIMIT ?"
