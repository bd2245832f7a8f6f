"""Asks that cross nodes: by an invitation that another node keeps, or for the devices of a room on many nodes.

An ask keeps one id everywhere: that of the request with which it left its home.
"""

from hedgerow_node.store.database import Connection
from hedgerow_node.store.private.far_mailbox_rows import check_was_in, nodes_in
from hedgerow_node.store.private.invite_rows import KeptInvite
from hedgerow_node.store.private.mailbox_rows import devices_in
from hedgerow_node.store.private.mirror_rows import copy_of, unknown_copy
from hedgerow_node.store.private.outgoing_rows import Outgoing, has_room_for, put
from hedgerow_node.store.private.values import DAY_SECONDS, Happened
from hedgerow_protocol import limits
from hedgerow_protocol.delivery.refusal import Refusal, Refused
from hedgerow_protocol.delivery.values import AskId, DeviceId, RoomId
from hedgerow_protocol.federation.values import REQUEST_ID_BYTES, AskGone, AskTold, RequestBody, RoomAsk
from hedgerow_protocol.ids import NodeId
from hedgerow_protocol.ports import Entropy

ASKS_OF_NODE_MAX = 500
"""Asks. From one other node that wait here: a community whose members look around."""

ASKS_TOLD_MAX = 500
"""Asks. Told by the hub of one room that wait here."""


def add_ask_of_node(
    connection: Connection, node: NodeId, kept: KeptInvite, body: bytes, name: AskId, entropy: Entropy, now: int
) -> Happened | None:
    """Somebody of another node asks by an invitation of this one. The same again is fine. Raises :class:`Refused`."""
    if _is_known(connection, node, name):
        return None
    (many,) = connection.execute(_OF_INVITE, (kept.row, kept.row)).fetchone()
    if many >= limits.ASKS_OF_INVITE_MAX:
        raise Refused(Refusal.TOO_MANY, "Many people ask by this invitation. Try again when some were answered.")
    _check_node(connection, node)
    _insert(connection, (name, node, b"", kept.row, kept.room, None, body, now // DAY_SECONDS))
    return told_of_ask(connection, kept, body, name, None, None, entropy, now)


def told_of_ask(
    connection: Connection,
    kept: KeptInvite,
    body: bytes,
    name: AskId,
    by: DeviceId | None,
    node: NodeId | None,
    entropy: Entropy,
    now: int,
) -> Happened:
    """Who hears of an ask by an invitation: the room it is for, on all its nodes but ``node``; else its maker."""
    nodes: list[NodeId] = []
    if kept.room is None:
        of_maker = connection.execute("SELECT name FROM device WHERE account = ?", (kept.account,))
        devices = [DeviceId(each) for (each,) in of_maker]
    else:
        devices = devices_in(connection, kept.room)
        (invite,) = connection.execute("SELECT name FROM invite WHERE id = ?", (kept.row,)).fetchone()
        room = _hub_here(connection, kept.room)
        if room is not None:
            told = AskTold(room, name, invite, body, now // DAY_SECONDS * DAY_SECONDS)
            nodes = tell_followers(connection, kept.room, told, name, node, entropy, now)
    return Happened(asks=[each for each in dict.fromkeys(devices) if each != by], outgoing=nodes)


def add_room_ask_of_node(
    connection: Connection, node: NodeId, ask: RoomAsk, name: AskId, entropy: Entropy, now: int
) -> Happened | None:
    """Another device of a member at another node asks; a newer ask of the same account takes the older one's place.

    The same again is fine. Raises :class:`Refused`.
    """
    row = check_was_in(connection, node, ask.room)
    if _is_known(connection, node, name):
        return None
    older = connection.execute(_OLDER, (row, node, ask.tag)).fetchall()
    nodes: list[NodeId] = []
    for (each,) in older:
        nodes += tell_followers(connection, row, AskGone(ask.room, each), each, node, entropy, now)
    _check_node(connection, node)
    _insert(connection, (name, node, ask.tag, None, row, None, ask.body, now // DAY_SECONDS))
    told = AskTold(ask.room, name, None, ask.body, now // DAY_SECONDS * DAY_SECONDS)
    nodes += tell_followers(connection, row, told, name, node, entropy, now)
    return Happened(asks=devices_in(connection, row), outgoing=list(dict.fromkeys(nodes)))


def told_by_hub(connection: Connection, hub: NodeId, told: AskTold) -> Happened | None:
    """The hub of a room passes an ask on. The same again is fine. Raises :class:`Refused`."""
    copy = copy_of(connection, told.room)
    if copy is None or copy.hub != hub or not copy.followed:
        raise unknown_copy()
    here = connection.execute("SELECT 1 FROM ask WHERE name = ?", (told.ask,)).fetchone()
    if here is not None or _is_known(connection, hub, told.ask):
        return None
    (many,) = connection.execute("SELECT count(*) FROM far_ask WHERE room = ?", (copy.row,)).fetchone()
    if many >= ASKS_TOLD_MAX:
        raise Refused(Refusal.TOO_MANY, "As many asks as there may be wait in this room.")
    _insert(connection, (told.ask, hub, b"", None, copy.row, told.invite, told.body, told.day // DAY_SECONDS))
    return Happened(asks=devices_in(connection, copy.row))


def gone_elsewhere(connection: Connection, peer: NodeId, gone: AskGone, entropy: Entropy, now: int) -> Happened | None:
    """An ask of a room was handled at another node. The same again is fine. Raises :class:`Refused`."""
    copy = copy_of(connection, gone.room)
    if copy is not None:
        if copy.hub != peer:
            raise unknown_copy()
        connection.execute("DELETE FROM ask WHERE name = ? AND room = ?", (gone.ask, copy.row))
        connection.execute("DELETE FROM far_ask WHERE name = ? AND room = ?", (gone.ask, copy.row))
        return None
    row = check_was_in(connection, peer, gone.room)
    there = [
        connection.execute(f"DELETE FROM {table} WHERE name = ? AND room = ? RETURNING id", (gone.ask, row)).fetchone()  # noqa: S608
        for table in ("ask", "far_ask")
    ]
    if not any(there):
        return None
    return Happened(outgoing=tell_followers(connection, row, gone, gone.ask, peer, entropy, now))


def tell_others(connection: Connection, room_row: int, ask: AskId, entropy: Entropy, now: int = 0) -> list[NodeId]:
    """An ask of this room was handled here: the hub hears of it, or as the hub all followers."""
    name, hub = connection.execute("SELECT name, hub FROM room WHERE id = ?", (room_row,)).fetchone()
    gone = AskGone(RoomId(name), ask)
    if hub is None:
        return tell_followers(connection, room_row, gone, ask, None, entropy, now)
    put(connection, Outgoing(NodeId(hub), entropy(REQUEST_ID_BYTES), gone, ask), now)
    return [NodeId(hub)]


def tell_followers(
    connection: Connection,
    room_row: int,
    body: RequestBody,
    about: bytes,
    but: NodeId | None,
    entropy: Entropy,
    now: int,
) -> list[NodeId]:
    """Put this into the outbox for all nodes with mailboxes in a room of this hub, but one.

    Asks are not worth more than what waits for a node that has been away for long: it is passed over.
    """
    nodes = [node for node in nodes_in(connection, room_row) if node != but and has_room_for(connection, node)]
    for node in nodes:
        put(connection, Outgoing(node, entropy(REQUEST_ID_BYTES), body, about), now)
    return nodes


def _hub_here(connection: Connection, room_row: int) -> RoomId | None:
    found = connection.execute("SELECT name FROM room WHERE id = ? AND hub IS NULL", (room_row,)).fetchone()
    return RoomId(found[0]) if found is not None else None


def _is_known(connection: Connection, node: NodeId, name: AskId) -> bool:
    found = connection.execute("SELECT node FROM far_ask WHERE name = ?", (name,)).fetchone()
    if found is not None and found[0] != node:
        raise Refused(Refusal.TAKEN, "There is another ask of this name.")
    return found is not None


def _check_node(connection: Connection, node: NodeId) -> None:
    (many,) = connection.execute("SELECT count(*) FROM far_ask WHERE node = ?", (node,)).fetchone()
    if many >= ASKS_OF_NODE_MAX:
        raise Refused(Refusal.TOO_MANY, "Many members of your community ask here. Try again when some were answered.")


def _insert(connection: Connection, row: tuple[object, ...]) -> None:
    connection.execute(
        "INSERT INTO far_ask (name, node, tag, invite, room, told_invite, body, day) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        row,
    )


_OF_INVITE = """
SELECT (SELECT count(*) FROM ask WHERE invite = ?) + (SELECT count(*) FROM far_ask WHERE invite = ?)
"""
_OLDER = "DELETE FROM far_ask WHERE room = ? AND node = ? AND tag = ? AND invite IS NULL RETURNING name"
