"""What a commit does besides standing in the log: Welcomes to those it lets in, and who receives no longer."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, TypeAlias

from hedgerow_node.store.database import Connection
from hedgerow_node.store.private import far_mailbox_rows
from hedgerow_node.store.private.outgoing_rows import Outgoing, check_room_for, put
from hedgerow_node.store.private.values import DAY_SECONDS, Happened
from hedgerow_protocol import limits
from hedgerow_protocol.delivery.refusal import Refusal, Refused
from hedgerow_protocol.delivery.values import (
    WELCOME_ID_BYTES,
    DeviceId,
    Head,
    MailboxId,
    Position,
    RoomId,
    Submission,
    WelcomeOut,
)
from hedgerow_protocol.federation.values import REQUEST_ID_BYTES, MailboxTold, WelcomeLetter
from hedgerow_protocol.ids import NodeId
from hedgerow_protocol.ports import Entropy

Sign: TypeAlias = Callable[[RoomId, Position], Head]
"""Signs where a room's log stands with this node's key."""


class Author(NamedTuple):
    """Whose commit it is: an account of this node, or a member of another node."""

    account_row: int | None
    node: NodeId | None


class Committed(NamedTuple):
    """A commit that stands in the log."""

    room_row: int
    before: Position
    """Where the log stood before it."""
    at: Position
    """Where it stands."""
    now: int


@dataclass(slots=True)
class Changes:
    """What a batch changed besides logs. A device that both came and went in it is only where it was last."""

    joined: list[tuple[DeviceId, RoomId]] = field(default_factory=list)
    parted: list[tuple[DeviceId, RoomId]] = field(default_factory=list)
    welcomes: list[DeviceId] = field(default_factory=list)
    outgoing: list[NodeId] = field(default_factory=list)
    """Nodes to which something is to be sent."""
    limited: dict[tuple[NodeId, RoomId], int | None] = field(default_factory=dict)

    def happened(self, entries: Mapping[RoomId, Sequence[bytes]], heads: Mapping[RoomId, int]) -> Happened:
        """All of it, to be told."""
        return Happened(
            entries,
            heads,
            self.parted,
            self.joined,
            tuple(dict.fromkeys(self.welcomes)),
            outgoing=tuple(dict.fromkeys(self.outgoing)),
            limited=[(node, room, end) for (node, room), end in self.limited.items()],
        )

    def part(self, device: DeviceId, room: RoomId) -> None:
        """This device receives no longer."""
        if (device, room) in self.joined:
            self.joined.remove((device, room))
        self.parted.append((device, room))

    def join(self, device: DeviceId, room: RoomId) -> None:
        """This device receives from now on."""
        if (device, room) in self.parted:
            self.parted.remove((device, room))
        self.joined.append((device, room))


def check_effects(connection: Connection, submission: Submission, author: Author, now: int) -> None:
    """Whether the Welcomes of a commit can be delivered. Raises :class:`Refused`."""
    if not submission.welcomes:
        return
    if len({welcome.ref for welcome in submission.welcomes}) < len(submission.welcomes):
        raise Refused(Refusal.BAD, "Two Welcomes go to one KeyPackage.")
    for welcome in submission.welcomes:
        if welcome.home is None:
            _check_here(connection, submission.room, welcome, author, now)
    _check_far(connection, submission)
    (members,) = connection.execute(_MEMBERS, (submission.room, submission.room)).fetchone()
    if members + len(submission.welcomes) > limits.MAILBOXES_OF_ROOM_MAX:
        raise Refused(Refusal.TOO_MANY, f"A room has at most {limits.MAILBOXES_OF_ROOM_MAX} devices.")


def _check_here(connection: Connection, room: RoomId, welcome: WelcomeOut, author: Author, now: int) -> None:
    found = connection.execute(_CLAIMED, (welcome.ref, author.account_row, author.node)).fetchone()
    if found is None or found[0] <= now or found[1] not in (None, room):
        raise Refused(Refusal.BAD, "A Welcome goes to a KeyPackage that was not claimed for this room, or expired.")
    if found[2] is not None and found[2] != room:
        raise Refused(Refusal.BAD, "A Welcome goes to a mailbox of another room.")
    check_welcomes_waiting(connection, found[3])


def check_welcomes_waiting(connection: Connection, device_row: int) -> None:
    """Whether one more Welcome may wait for a device. Raises :class:`Refused`."""
    (waiting,) = connection.execute("SELECT count(*) FROM welcome WHERE device = ?", (device_row,)).fetchone()
    if waiting >= limits.WELCOMES_WAITING_MAX:
        raise Refused(Refusal.TOO_MANY, "Too many Welcomes wait for a device that this would let in.")


def _check_far(connection: Connection, submission: Submission) -> None:
    """Newcomers of other nodes: their homes look at the rest when the Welcomes come."""
    far = [(each.home, each.mailbox) for each in submission.welcomes if each.home is not None]
    if len(set(far)) < len(far):
        raise Refused(Refusal.BAD, "Two Welcomes go to one mailbox.")
    for home, mailbox in far:
        if mailbox is None:
            raise Refused(Refusal.BAD, "A Welcome to another node names the newcomer's mailbox.")
        if far_mailbox_rows.is_taken(connection, submission.room, home, mailbox):
            raise Refused(Refusal.BAD, "A Welcome goes to a mailbox that another member has.")
    for home in dict.fromkeys(home for home, _ in far):
        check_room_for(connection, home)


def apply_effects(
    connection: Connection,
    submission: Submission,
    committed: Committed,
    entropy: Entropy,
    sign: Sign,
    changes: Changes,
) -> None:
    """Take out, then let in. Mailboxes that are not in the room are passed over."""
    room, seq = submission.room, committed.at.seq
    for mailbox in submission.removes:
        out = connection.execute(_TAKE_OUT, (seq, mailbox, committed.room_row)).fetchone()
        if out is not None and out[0] is not None and (device := device_name(connection, out[0])) is not None:
            changes.part(device, room)
        connection.execute("DELETE FROM unclaimed WHERE room = ? AND name = ?", (committed.room_row, mailbox))
        node = far_mailbox_rows.take_out(connection, committed.room_row, mailbox, seq)
        if node is not None:
            told = MailboxTold(room, mailbox, sign(room, committed.at))
            put(connection, Outgoing(node, entropy(REQUEST_ID_BYTES), told, mailbox), committed.now)
            changes.outgoing.append(node)
            changes.limited[node, room] = far_mailbox_rows.end_for(connection, committed.room_row, node)
    for welcome in submission.welcomes:
        if welcome.home is not None and welcome.mailbox is not None:
            _let_in_far(connection, room, committed, welcome, welcome.home, welcome.mailbox, entropy, sign)
            changes.outgoing.append(welcome.home)
            changes.limited[welcome.home, room] = None
        else:
            _let_in_here(connection, room, committed, welcome, entropy, changes)


def _let_in_here(
    connection: Connection,
    room: RoomId,
    committed: Committed,
    welcome: WelcomeOut,
    entropy: Entropy,
    changes: Changes,
) -> None:
    row, device_row, mailbox_row = connection.execute(_PACKAGE, (welcome.ref,)).fetchone()
    room_row, seq, day = committed.room_row, committed.at.seq, committed.now // DAY_SECONDS
    # A device has one mailbox in a room: an older one of a lost state ends here.
    connection.execute(_SUPERSEDE, (seq, device_row, room_row, mailbox_row))
    connection.execute(_LET_IN, (room_row, seq, seq, mailbox_row))
    connection.execute(
        _WELCOME, (entropy(WELCOME_ID_BYTES), device_row, room_row, welcome.ref, seq, day, welcome.payload)
    )
    connection.execute("DELETE FROM key_package WHERE id = ?", (row,))
    device = device_name(connection, device_row)
    if device is not None:
        changes.join(device, room)
        changes.welcomes.append(device)


def _let_in_far(
    connection: Connection,
    room: RoomId,
    committed: Committed,
    welcome: WelcomeOut,
    home: NodeId,
    mailbox: MailboxId,
    entropy: Entropy,
    sign: Sign,
) -> None:
    far_mailbox_rows.let_in(connection, committed.room_row, home, mailbox, committed.at.seq)
    # The log before the commit is what a new copy begins from: the commit's own hash can then be checked.
    before = sign(room, committed.before)
    letter = WelcomeLetter(room, committed.at.seq, welcome.ref, welcome.payload, mailbox, before)
    put(connection, Outgoing(home, entropy(REQUEST_ID_BYTES), letter, welcome.ref), committed.now)


def device_name(connection: Connection, row: int | None) -> DeviceId | None:
    """The id of a device by its row; ``None`` for one that is gone."""
    found = connection.execute("SELECT name FROM device WHERE id = ?", (row,)).fetchone()
    return DeviceId(found[0]) if found is not None else None


_CLAIMED = """
SELECT k.expires, k.room, r.name, k.device
FROM key_package k JOIN mailbox m ON m.id = k.mailbox LEFT JOIN room r ON r.id = m.room
WHERE k.ref = ? AND (k.claimed = ? OR k.claimed_node = ?)
"""
_MEMBERS = """
SELECT (SELECT count(*) FROM mailbox WHERE until IS NULL AND room = (SELECT id FROM room WHERE name = ?))
  + (SELECT count(*) FROM far_mailbox WHERE until IS NULL AND room = (SELECT id FROM room WHERE name = ?))
"""
_TAKE_OUT = """
UPDATE mailbox SET until = coalesce(until, ?1), out_last = ?1 WHERE name = ?2 AND room = ?3
RETURNING iif(until = ?1, device, NULL)
"""
_PACKAGE = "SELECT id, device, mailbox FROM key_package WHERE ref = ?"
_SUPERSEDE = "UPDATE mailbox SET until = ? WHERE device = ? AND room = ? AND id <> ? AND until IS NULL"
_LET_IN = "UPDATE mailbox SET room = ?, joined = ?, acknowledged = ?, until = NULL, out_last = NULL WHERE id = ?"
_WELCOME = """
INSERT INTO welcome (name, device, room, ref, seq, day, payload) VALUES (?, ?, ?, ?, ?, ?, ?)
"""
