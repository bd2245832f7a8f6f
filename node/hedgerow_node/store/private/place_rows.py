"""Where rooms' logs lie: the hub, the nodes that follow it, and the proof that a hub told two stories."""

from collections.abc import Sequence

from hedgerow_node.store.database import Connection
from hedgerow_node.store.private.appending import unknown_room
from hedgerow_node.store.private.far_mailbox_rows import nodes_in
from hedgerow_node.store.private.values import Places, Session
from hedgerow_protocol import limits
from hedgerow_protocol.delivery.values import RoomId
from hedgerow_protocol.federation import forks
from hedgerow_protocol.federation.forks import Proof
from hedgerow_protocol.ids import NodeId


def places_of(connection: Connection, session: Session, room: RoomId, this: NodeId) -> Places:
    """For a device that takes part. Raises :class:`Refused`."""
    found = connection.execute(_ROOM, (room, session.device_row)).fetchone()
    if found is None:
        raise unknown_room()
    row, hub = found
    if hub is None:
        return Places(this, nodes_in(connection, row))
    followers = [this, *fellows_of(connection, row)]
    proof = fork_of(connection, row)
    if proof is None:
        return Places(NodeId(hub), followers)
    return Places(NodeId(hub), followers, (proof.first, proof.second), proof=forks.encode(proof))


def fellows_of(connection: Connection, room_row: int) -> list[NodeId]:
    """Other nodes that follow a room of another hub."""
    rows = connection.execute("SELECT node FROM fellow WHERE room = ? ORDER BY node", (room_row,))
    return [NodeId(node) for (node,) in rows]


def set_fellows(connection: Connection, room_row: int, nodes: Sequence[NodeId]) -> None:
    """These, instead of those before."""
    connection.execute("DELETE FROM fellow WHERE room = ?", (room_row,))
    rows = [(room_row, node) for node in dict.fromkeys(nodes[: limits.FOLLOWERS_TOLD_MAX])]
    connection.executemany("INSERT INTO fellow (room, node) VALUES (?, ?)", rows)


def fork_of(connection: Connection, room_row: int) -> Proof | None:
    """The proof that the hub of a room told two stories, if there is one."""
    found = connection.execute("SELECT proof FROM fork WHERE room = ?", (room_row,)).fetchone()
    return forks.decode(found[0]) if found is not None else None


def keep_fork(connection: Connection, room_row: int, proof: Proof) -> None:
    """Keep a proof that was checked; the first one stays."""
    connection.execute(_KEEP_FORK, (room_row, forks.encode(proof)))


def lied(connection: Connection) -> dict[NodeId, int]:
    """Of how many copies here each hub told two stories."""
    return {NodeId(hub): many for hub, many in connection.execute(_LIED)}


def proofs(connection: Connection, limit: int) -> list[bytes]:
    """What proves it, to anybody."""
    return [proof for (proof,) in connection.execute("SELECT proof FROM fork ORDER BY room LIMIT ?", (limit,))]


def copies(connection: Connection) -> list[tuple[RoomId, NodeId, int, tuple[NodeId, ...], bool]]:
    """Rooms of other hubs of which there is a copy here: hub, newest seq, other followers, whether its hub lied."""
    return [
        (RoomId(room), NodeId(hub), seq, tuple(fellows_of(connection, row)), bool(faulty))
        for row, room, hub, seq, faulty in connection.execute(_COPIES).fetchall()
    ]


_ROOM = """
SELECT r.id, r.hub FROM room r JOIN mailbox m ON m.room = r.id
WHERE r.name = ? AND m.device = ? AND m.until IS NULL
"""
_KEEP_FORK = "INSERT INTO fork (room, proof) VALUES (?, ?) ON CONFLICT (room) DO NOTHING"
_LIED = """
SELECT r.hub, count(*) FROM fork f JOIN room r ON r.id = f.room WHERE r.hub IS NOT NULL GROUP BY r.hub
"""
_COPIES = """
SELECT id, name, hub, seq, EXISTS (SELECT 1 FROM fork f WHERE f.room = room.id) FROM room WHERE hub IS NOT NULL
"""
