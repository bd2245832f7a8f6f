"""Many submissions into their rooms' logs, in one transaction. The path every word takes, so it is kept short.

Each submission is judged against the log as the ones before it left it, so a batch gives what the same submissions
one after the other would. A batch asks the store few questions, each about all of its submissions at once: every
statement is a moment in which the event loop may take the interpreter, and the writer then waits to get it back.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Final, NamedTuple, TypeAlias

from hedgerow_node.store.database import Connection
from hedgerow_node.store.private.letting_in import Author, Changes, Committed, Sign, apply_effects, check_effects
from hedgerow_node.store.private.tables import ROOM_SHIFT
from hedgerow_node.store.private.values import Happened
from hedgerow_protocol.delivery.chain import entry_prefix, hash_after
from hedgerow_protocol.delivery.entry_text import entry_text, room_opening
from hedgerow_protocol.delivery.order import check_seen, comes_second, entry_time
from hedgerow_protocol.delivery.refusal import Refusal, Refused
from hedgerow_protocol.delivery.values import Accepted, Conflict, EntryId, EntryKind, Position, RoomId, Submission
from hedgerow_protocol.ids import NodeId
from hedgerow_protocol.ports import Entropy

MOVES_SECONDS: Final = 5
"""Seconds. After which what was to be said in a room that moves away may be said again."""

_SEQ_MASK = (1 << ROOM_SHIFT) - 1


class Arrived(NamedTuple):
    """A submission whose payload was looked at, and the device or the node it came from."""

    submission: Submission
    device_row: int
    payload_hash: bytes
    now: int
    node: NodeId | None = None
    """The node of the author's mailbox; ``None``: this one, and then ``device_row`` says which device."""

    @property
    def key(self) -> "SenderKey":
        """What its mailbox is looked up by. Far mailboxes are named within their room only."""
        submission = self.submission
        if self.node is None:
            return submission.mailbox, self.device_row
        return submission.mailbox + submission.room, self.node


class MovesAway(Refused):
    """The room's members have moved it to another hub, which has not begun yet: the same later is fine."""

    def __init__(self) -> None:
        super().__init__(Refusal.TOO_FAST, "This room is moving to another community.", retry_after=MOVES_SECONDS)


SenderKey: TypeAlias = tuple[bytes, int | bytes]


class Sender(NamedTuple):
    """A mailbox on the sending side."""

    author: Author
    room: RoomId
    until: int | None


@dataclass(slots=True)
class Standing:
    """Where a room's log stands within this batch."""

    row: int
    position: Position
    size: int
    """Bytes of payload that the room holds."""
    prefix: bytes
    opening: bytes
    closed: bool
    """Its members have moved it away."""
    texts: list[bytes] = field(default_factory=list)
    commits: dict[int, int] = field(default_factory=dict)
    """Newest commits of this batch: epoch to seq."""


@dataclass(frozen=True, slots=True)
class Batch:
    """What became of each, in their order, and what others are to hear."""

    outcomes: Sequence[Accepted | Conflict | Refused]
    """Among those that are refused :class:`MovesAway`."""
    happened: Happened


class Appender:
    """Puts batches into logs. ``bytes_max``: payloads of one room that are kept at once.

    ``sign`` signs where logs stand for other nodes; it is called in the writer thread.
    """

    def __init__(self, *, bytes_max: int, entropy: Entropy, sign: Sign) -> None:
        self._bytes_max = bytes_max
        self._entropy = entropy
        self._sign = sign

    def append(self, connection: Connection, batch: Sequence[Arrived]) -> Batch:
        """Judge and write. What a stranger did wrong is an outcome; what the disk did is raised."""
        work = _Work(connection, self._bytes_max, self._entropy, self._sign)
        work.look_up(batch)
        outcomes: list[Accepted | Conflict | Refused] = []
        for arrived in batch:
            try:
                outcomes.append(work.take(arrived))
            except Refused as refused:
                outcomes.append(refused)
        return Batch(outcomes, work.finish())


class _Work:
    def __init__(self, connection: Connection, bytes_max: int, entropy: Entropy, sign: Sign) -> None:
        self._connection = connection
        self._bytes_max = bytes_max
        self._entropy = entropy
        self._sign = sign
        self._rooms: dict[RoomId, Standing] = {}
        self._senders: dict[SenderKey, Sender] = {}
        self._before: dict[tuple[int, EntryId], Accepted] = {}
        self._rows: list[tuple[Any, ...]] = []
        self._changes = Changes()

    def look_up(self, batch: Sequence[Arrived]) -> None:
        """Who sends, where their rooms stand, and which of these entries stand there already."""
        self._find_senders({each.key for each in batch})
        asked = [
            (standing.row, each.submission.id)
            for each in batch
            if (standing := self._rooms.get(each.submission.room)) is not None
        ]
        for id, submission, time, hash in _ask(self._connection, _BEFORE, asked):
            self._before[id >> ROOM_SHIFT, submission] = Accepted(id & _SEQ_MASK, time, hash)

    def take(self, arrived: Arrived) -> Accepted | Conflict:
        """Judge one. Raises :class:`Refused`."""
        submission, payload_hash, now = arrived.submission, arrived.payload_hash, arrived.now
        sender = self._senders.get(arrived.key)
        if sender is None or sender.room != submission.room:
            raise unknown_room()
        standing = self._rooms[sender.room]
        id = submission.id
        before = self._before.get((standing.row, id))
        if before is not None:
            return before
        head, kind, payload = standing.position, submission.kind, submission.payload
        if sender.until is not None:
            raise Refused(Refusal.NOT_ALLOWED, "This device was taken out of the room.")
        if standing.closed:
            raise MovesAway
        check_seen(submission.seen, head)
        if standing.size + len(payload) > self._bytes_max:
            raise Refused(Refusal.TOO_MANY, "This room is full for now. Older messages make room as they are removed.")
        if kind is EntryKind.COMMIT:
            conflict = comes_second(kind, submission.seen, self._newest_commit(submission, standing))
            if conflict is not None:
                return conflict
            check_effects(self._connection, submission, sender.author, now)
        seq, time, epoch = head.seq + 1, entry_time(now, head), submission.epoch
        hash = hash_after(standing.prefix, seq, time, kind, epoch, id, payload_hash, head.hash)
        self._rows.append(((standing.row << ROOM_SHIFT) + seq, time, kind, epoch, id, hash, payload))
        standing.position = Position(seq, hash, time)
        standing.size += len(payload)
        standing.texts.append(
            entry_text(seq, time, kind, epoch, id, payload, payload_hash, hash, opening=standing.opening)
        )
        if kind is EntryKind.COMMIT:
            standing.commits[epoch] = seq
            self._apply(submission, standing, head, now)
        accepted = self._before[standing.row, id] = Accepted(seq, time, hash)
        return accepted

    def finish(self) -> Happened:
        """Write the entries and where their logs stand now."""
        for part in _parts(self._rows):
            self._connection.execute(_insert(len(part)), [value for row in part for value in row])
        changed = [(room, standing) for room, standing in self._rooms.items() if standing.texts]
        self._connection.executemany(
            _STAND,
            [(each.position.seq, each.position.time, each.position.hash, each.size, each.row) for _, each in changed],
        )
        return self._changes.happened(
            {room: standing.texts for room, standing in changed},
            {room: standing.position.seq for room, standing in changed},
        )

    def _find_senders(self, asked: Iterable[SenderKey]) -> None:
        here = [key for key in asked if isinstance(key[1], int)]
        far = [key for key in asked if not isinstance(key[1], int)]
        for mailbox, device_row, account, until, *where in _ask(self._connection, _SENDER, here):
            self._senders[mailbox, device_row] = Sender(Author(account, None), where[1], until)
            self._stand(*where)
        for key, node, until, *where in _ask(self._connection, _FAR_SENDER, far):
            self._senders[key, node] = Sender(Author(None, NodeId(node)), where[1], until)
            self._stand(*where)

    def _stand(self, row: int, room: RoomId, seq: int, hash: bytes, time: int, size: int, closed: int | None) -> None:
        if room not in self._rooms:
            position = Position(seq, hash, time)
            self._rooms[room] = Standing(row, position, size, entry_prefix(room), room_opening(room), bool(closed))

    def _newest_commit(self, submission: Submission, standing: Standing) -> int:
        here = standing.commits.get(submission.epoch)
        if here is not None:
            return here
        first = standing.row << ROOM_SHIFT
        query = (submission.epoch, first + submission.seen, first + standing.position.seq)
        (newest,) = self._connection.execute(_NEWEST_COMMIT, query).fetchone()
        return newest - first if newest is not None else 0

    def _apply(self, submission: Submission, standing: Standing, before: Position, now: int) -> None:
        if not (submission.removes or submission.welcomes):
            return
        committed = Committed(standing.row, before, standing.position, now)
        apply_effects(self._connection, submission, committed, self._entropy, self._sign, self._changes)
        inside = [key for key, sender in self._senders.items() if sender.room == submission.room]
        self._find_senders(inside)


def unknown_room() -> Refused:
    """The one answer for rooms that are not there and rooms that are not this device's."""
    return Refused(Refusal.UNKNOWN, "This device takes part in no such room.")


def _ask(connection: Connection, query: str, asked: Sequence[tuple[Any, Any]]) -> Iterable[Any]:
    """Ask one question about many pairs. Their number is rounded up, so that few statements are prepared."""
    if not asked:
        return ()
    many = 1 << (len(asked) - 1).bit_length()
    pairs = [*asked, *((None, None),) * (many - len(asked))]
    return connection.execute(_about(query, many), [value for pair in pairs for value in pair])


@cache
def _about(query: str, many: int) -> str:
    return f"WITH asked (a, b) AS (VALUES {', '.join(['(?, ?)'] * many)}) {query}"


def _parts(rows: Sequence[tuple[Any, ...]]) -> Iterable[Sequence[tuple[Any, ...]]]:
    """The rows in parts of 64, 32, …, 1: so that few statements are prepared."""
    at = 0
    while at < len(rows):
        many = min(64, 1 << ((len(rows) - at).bit_length() - 1))
        yield rows[at : at + many]
        at += many


@cache
def _insert(many: int) -> str:
    rows = ", ".join(["(?, ?, ?, ?, ?, ?, ?)"] * many)
    return f"INSERT INTO entry (id, time, kind, epoch, submission, hash, payload) VALUES {rows}"  # noqa: S608


_SENDER = """
SELECT m.name, m.device, m.account, m.until, r.id, r.name, r.seq, r.hash, r.time, r.bytes, r.closed
FROM asked CROSS JOIN mailbox m ON m.name = asked.a AND m.device = asked.b
JOIN room r ON r.id = m.room AND r.hub IS NULL
"""
_FAR_SENDER = """
SELECT asked.a, f.node, f.until, r.id, r.name, r.seq, r.hash, r.time, r.bytes, r.closed
FROM asked CROSS JOIN room r ON r.name = substr(asked.a, 17) AND r.hub IS NULL
JOIN far_mailbox f ON f.room = r.id AND f.name = substr(asked.a, 1, 16) AND f.node = asked.b
"""
_BEFORE = """
SELECT e.id, e.submission, e.time, e.hash
FROM asked CROSS JOIN entry e ON e.id >> 32 = asked.a AND e.submission = asked.b
"""
_NEWEST_COMMIT = "SELECT max(id) FROM entry WHERE kind = 1 AND epoch = ? AND id > ? AND id <= ?"
_STAND = "UPDATE room SET seq = ?, time = ?, hash = ?, bytes = ? WHERE id = ?"
