"""Requests to other nodes: on the disk before whoever asked hears of them, until they are answered and a day longer."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, NamedTuple

from hedgerow_node.store.database import Connection
from hedgerow_node.store.private.values import DAY_SECONDS, Posted
from hedgerow_protocol.delivery.refusal import Refusal, Refused
from hedgerow_protocol.delivery.values import RoomId
from hedgerow_protocol.federation.letters import Answer, Request, decode, encode, kind_of
from hedgerow_protocol.federation.values import AnswerBody, RefusalAnswer, RequestBody, room_of
from hedgerow_protocol.ids import NodeId

OF_NODE_MAX: Final = 20_000
"""Requests. That wait for one other node: weeks of a lively community; beyond them members are told."""

OF_DEVICE_MAX: Final = 1_000
"""Requests. That wait because of one device: as much as somebody writes while a node is away for days."""

ANSWERS_SECONDS_KEPT: Final = DAY_SECONDS
"""Seconds. An answer: long enough for a device that lost its own connection to ask again."""

ACCEPTED_SECONDS_KEPT: Final = 30 * DAY_SECONDS
"""Seconds. An entry that the hub has accepted and not told: for the day when the room moves to another hub."""

PASSING: Final = frozenset((Refusal.TOO_MANY, Refusal.TOO_FAST))
"""Refusals after which the same may be asked anew."""

ENDED: Final = RefusalAnswer(Refusal.ENDED, "The other community could not be reached for a month; this was given up.")
"""The answer to what was given up."""


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A request as it is put into the outbox."""

    node: NodeId
    request: bytes
    """16 random bytes."""
    body: RequestBody
    about: bytes
    """What the same request would be about: an entry's id, a KeyPackage's reference, …"""
    device_row: int | None = None
    """The device for whose sake it is."""


class Waiting(NamedTuple):
    """A request that has not been answered."""

    row: int
    request: bytes
    node: NodeId
    kind: str
    room: RoomId | None
    size: int
    """Bytes of its letter."""
    created: int
    """0: its patience has not begun."""


class Sent(NamedTuple):
    """A request and its answer, if there is one."""

    request: bytes
    answer: AnswerBody | None
    created: int
    new: bool = False
    """It was put into the outbox just now."""


def check_room_for(connection: Connection, node: NodeId, device_row: int | None = None) -> None:
    """Whether one more may wait. Raises :class:`Refused`."""
    if not has_room_for(connection, node):
        raise Refused(Refusal.TOO_MANY, "Very much waits for the other community already. Try again later.")
    if device_row is not None:
        (many,) = connection.execute(_OF_DEVICE, (device_row,)).fetchone()
        if many >= OF_DEVICE_MAX:
            raise Refused(Refusal.TOO_MANY, "Much of yours waits for other communities already. Try again later.")


def has_room_for(connection: Connection, node: NodeId) -> bool:
    """Whether one more may wait for a node."""
    (many,) = connection.execute(_OF_NODE, (node,)).fetchone()
    return bool(many < OF_NODE_MAX)


def put(connection: Connection, outgoing: Outgoing, now: int = 0) -> Posted:
    """Keep a request until it is answered. Later ones have higher rows.

    ``now`` is 0 where the time is not at hand: then its patience begins when it is first sent.
    """
    body = outgoing.body
    letter = encode(Request(outgoing.request, body))
    made = connection.execute(
        _PUT,
        (
            outgoing.request,
            outgoing.node,
            kind_of(body),
            room_of(body),
            outgoing.about,
            outgoing.device_row,
            letter,
            now,
        ),
    )
    return Posted(int(made.lastrowid or 0), outgoing.request, outgoing.node, room_of(body), now, letter)


def waiting_since(connection: Connection, node: NodeId, room: RoomId | None = None) -> int | None:
    """When the oldest request that waits for a node was put here; with ``room``, of those about it."""
    query, values = (_SINCE, (node,)) if room is None else (_SINCE_IN, (node, room))
    (since,) = connection.execute(query, values).fetchone()
    return int(since) if since is not None else None


def waiting_by_node(connection: Connection) -> dict[NodeId, tuple[int, int]]:
    """How many requests wait for each node, and since when the oldest does (0: it was not sent yet)."""
    return {NodeId(node): (many, since or 0) for node, many, since in connection.execute(_BY_NODE)}


def find(connection: Connection, node: NodeId, kind: str, about: bytes) -> Sent | None:
    """The newest request of this kind about this."""
    return _sent(connection.execute(_ABOUT, (node, kind, about)).fetchone())


def find_request(connection: Connection, request: bytes) -> Sent | None:
    """A request by its id."""
    return _sent(connection.execute(_REQUEST, (request,)).fetchone())


def _sent(row: tuple[bytes, bytes | None, int] | None) -> Sent | None:
    if row is None:
        return None
    request, answer, created = row
    if answer is None:
        return Sent(request, None, created)
    letter = decode(answer)
    assert isinstance(letter, Answer)  # noqa: S101 - nothing else is written there
    return Sent(request, letter.body, created)


def waiting(connection: Connection, node: NodeId | None, after: int, limit: int) -> list[Waiting]:
    """Requests that are not answered, in their order, from a row on; of one node or of all."""
    query = _WAITING if node is None else _WAITING_FOR
    values = (after, limit) if node is None else (node, after, limit)
    return [Waiting(*row) for row in connection.execute(query, values)]


def letters(connection: Connection, rows: Iterable[int]) -> list[bytes | None]:
    """The letters of these requests, as they are sent; ``None`` for those that were answered meanwhile."""
    found = []
    for row in rows:
        letter = connection.execute("SELECT body FROM outgoing WHERE id = ? AND status IS NULL", (row,)).fetchone()
        found.append(letter[0] if letter is not None else None)
    return found


def begin(connection: Connection, rows: Iterable[int], now: int) -> None:
    """Their patience begins."""
    connection.executemany("UPDATE outgoing SET created = ? WHERE id = ? AND created = 0", [(now, row) for row in rows])


def asked(connection: Connection, request: bytes) -> tuple[NodeId, RequestBody] | None:
    """What was asked under this id, and of which node, if it is not answered yet."""
    found = connection.execute(_ASKED, (request,)).fetchone()
    if found is None:
        return None
    letter = decode(found[1])
    return (NodeId(found[0]), letter.body) if isinstance(letter, Request) else None


def answered(connection: Connection, answer: Answer, now: int) -> None:
    """Keep the answer instead of the letter.

    Of an entry that the hub has accepted both are kept until the entry has come: the hub may be gone before it tells.
    """
    connection.execute(_ANSWERED, (answer.status.value, encode(answer), now, answer.status.value, answer.id))


def forget_answers(connection: Connection, now: int) -> None:
    """Answers are kept for a day; of entries that have not come for a month."""
    connection.execute(_FORGET, (now - ANSWERS_SECONDS_KEPT, now - ACCEPTED_SECONDS_KEPT))


_SINCE = "SELECT min(created) FROM outgoing WHERE node = ? AND status IS NULL AND created > 0"
_SINCE_IN = "SELECT min(created) FROM outgoing WHERE node = ? AND status IS NULL AND room = ? AND created > 0"
_BY_NODE = """
SELECT node, count(*), min(nullif(created, 0)) FROM outgoing WHERE status IS NULL GROUP BY node
"""
_OF_NODE = "SELECT count(*) FROM outgoing WHERE node = ? AND status IS NULL"
_OF_DEVICE = "SELECT count(*) FROM outgoing WHERE device = ? AND status IS NULL"
_PUT = "INSERT INTO outgoing (request, node, kind, room, about, device, body, created) VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
_ABOUT = """
SELECT request, answer, created FROM outgoing WHERE node = ? AND kind = ? AND about = ? ORDER BY id DESC LIMIT 1
"""
_REQUEST = "SELECT request, answer, created FROM outgoing WHERE request = ?"
_WAITING = """
SELECT id, request, node, kind, room, length(body), created FROM outgoing
WHERE status IS NULL AND id > ? ORDER BY id LIMIT ?
"""
_WAITING_FOR = """
SELECT id, request, node, kind, room, length(body), created FROM outgoing
WHERE node = ? AND status IS NULL AND id > ? ORDER BY id LIMIT ?
"""
_ASKED = "SELECT node, body FROM outgoing WHERE request = ? AND status IS NULL"
_ANSWERED = """
UPDATE outgoing SET status = ?, answer = ?, answered = ?, body = iif(kind = 'submit' AND ? = 'ok', body, x'')
WHERE request = ? AND status IS NULL
"""
_FORGET = """
DELETE FROM outgoing WHERE answered < ? AND (
  length(body) = 0 OR answered < ?
  OR EXISTS (
    SELECT 1 FROM room r JOIN entry e ON e.id >> 32 = r.id AND e.submission = substr(outgoing.about, 33)
    WHERE r.name = outgoing.room
  )
)
"""
