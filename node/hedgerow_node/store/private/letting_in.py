"""What a commit does besides standing in the log: Welcomes to those it lets in, and who receives no longer."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from hedgerow_node.store.database import Connection
from hedgerow_node.store.private.values import DAY_SECONDS, Happened
from hedgerow_protocol import limits
from hedgerow_protocol.delivery.refusal import Refusal, Refused
from hedgerow_protocol.delivery.values import WELCOME_ID_BYTES, DeviceId, RoomId, Submission
from hedgerow_protocol.ports import Entropy


@dataclass(slots=True)
class Changes:
    """What a batch changed besides logs. A device that both came and went in it is only where it was last."""

    joined: list[tuple[DeviceId, RoomId]] = field(default_factory=list)
    parted: list[tuple[DeviceId, RoomId]] = field(default_factory=list)
    welcomes: list[DeviceId] = field(default_factory=list)

    def happened(self, entries: Mapping[RoomId, Sequence[bytes]], heads: Mapping[RoomId, int]) -> Happened:
        """All of it, to be told."""
        return Happened(entries, heads, self.parted, self.joined, tuple(dict.fromkeys(self.welcomes)))

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


def check_effects(connection: Connection, submission: Submission, account_row: int, now: int) -> None:
    """Whether the Welcomes of a commit can be delivered. Raises :class:`Refused`."""
    if not submission.welcomes:
        return
    if len({welcome.ref for welcome in submission.welcomes}) < len(submission.welcomes):
        raise Refused(Refusal.BAD, "Two Welcomes go to one KeyPackage.")
    for welcome in submission.welcomes:
        found = connection.execute(_CLAIMED, (welcome.ref, account_row)).fetchone()
        if found is None or found[0] <= now or found[1] not in (None, submission.room):
            raise Refused(Refusal.BAD, "A Welcome goes to a KeyPackage that was not claimed for this room, or expired.")
        if found[2] is not None and found[2] != submission.room:
            raise Refused(Refusal.BAD, "A Welcome goes to a mailbox of another room.")
        (waiting,) = connection.execute("SELECT count(*) FROM welcome WHERE device = ?", (found[3],)).fetchone()
        if waiting >= limits.WELCOMES_WAITING_MAX:
            raise Refused(Refusal.TOO_MANY, "Too many Welcomes wait for a device that this would let in.")
    (members,) = connection.execute(_MEMBERS, (submission.room,)).fetchone()
    if members + len(submission.welcomes) > limits.MAILBOXES_OF_ROOM_MAX:
        raise Refused(Refusal.TOO_MANY, f"A room has at most {limits.MAILBOXES_OF_ROOM_MAX} devices.")


def apply_effects(
    connection: Connection,
    submission: Submission,
    room_row: int,
    seq: int,
    now: int,
    entropy: Entropy,
    changes: Changes,
) -> None:
    """Take out, then let in. Mailboxes that are not in the room are passed over."""
    for mailbox in submission.removes:
        out = connection.execute(_TAKE_OUT, (seq, mailbox, room_row)).fetchone()
        if out is not None and (device := device_name(connection, out[0])) is not None:
            changes.part(device, submission.room)
    for welcome in submission.welcomes:
        row, device_row, mailbox_row = connection.execute(_PACKAGE, (welcome.ref,)).fetchone()
        # A device has one mailbox in a room: an older one of a lost state ends here.
        connection.execute(_SUPERSEDE, (seq, device_row, room_row, mailbox_row))
        connection.execute(_LET_IN, (room_row, seq, seq, mailbox_row))
        connection.execute(
            _WELCOME,
            (entropy(WELCOME_ID_BYTES), device_row, room_row, welcome.ref, seq, now // DAY_SECONDS, welcome.payload),
        )
        connection.execute("DELETE FROM key_package WHERE id = ?", (row,))
        device = device_name(connection, device_row)
        if device is not None:
            changes.join(device, submission.room)
            changes.welcomes.append(device)


def device_name(connection: Connection, row: int | None) -> DeviceId | None:
    """The id of a device by its row; ``None`` for one that is gone."""
    found = connection.execute("SELECT name FROM device WHERE id = ?", (row,)).fetchone()
    return DeviceId(found[0]) if found is not None else None


_CLAIMED = """
SELECT k.expires, k.room, r.name, k.device
FROM key_package k JOIN mailbox m ON m.id = k.mailbox LEFT JOIN room r ON r.id = m.room
WHERE k.ref = ? AND k.claimed = ?
"""
_MEMBERS = "SELECT count(*) FROM mailbox WHERE until IS NULL AND room = (SELECT id FROM room WHERE name = ?)"
_TAKE_OUT = "UPDATE mailbox SET until = ? WHERE name = ? AND room = ? AND until IS NULL RETURNING device"
_PACKAGE = "SELECT id, device, mailbox FROM key_package WHERE ref = ?"
_SUPERSEDE = "UPDATE mailbox SET until = ? WHERE device = ? AND room = ? AND id <> ? AND until IS NULL"
_LET_IN = "UPDATE mailbox SET room = ?, joined = ?, acknowledged = ?, until = NULL WHERE id = ?"
_WELCOME = """
INSERT INTO welcome (name, device, room, ref, seq, day, payload) VALUES (?, ?, ?, ?, ?, ?, ?)
"""
